#include "cli/compose_keys.hpp"

namespace skep::cli {

void ComposeKeys::want(const std::string& name, const std::string& key) {
  if (wanted_.emplace(name, key).second) wanters_[key].insert(name);
}

const std::string& ComposeKeys::of(const std::string& name) const {
  const auto& known = *wanted_.find(name);
  const auto& key = known.second;
  // A key that is another object's full name is that one's, whatever it wants itself: it may have
  // to go by it.
  const bool alone = wanters_.at(key).size() == 1 && (key == name || !wanted_.contains(key));
  return alone ? key : known.first;
}

}  // namespace skep::cli
