#pragma once

#include <map>
#include <set>
#include <string>

namespace skep::cli {

/// The keys under which a compose file names the objects of one kind. Each object wants a short
/// one, its name without the stack; where two would come to share it, both go by their full names,
/// which are never shared.
class ComposeKeys {
 public:
  /// All objects come before the first question. An object may come several times.
  void want(const std::string& name, const std::string& key);
  /// Of an object that came.
  [[nodiscard]] const std::string& of(const std::string& name) const;

 private:
  std::map<std::string, std::string> wanted_;             ///< By name.
  std::map<std::string, std::set<std::string>> wanters_;  ///< Names by key.
};

}  // namespace skep::cli
