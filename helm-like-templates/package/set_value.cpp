#include <algorithm>
#include <charconv>
#include <optional>
#include <utility>

#include "helm-like-templates/package/values.hpp"

namespace skep::package {
namespace {

constexpr int kMaxDepth = 30;             // As Helm.
constexpr std::size_t kMaxIndex = 65536;  // As Helm.

bool same_word(std::string_view text, std::string_view word) {
  return std::equal(text.begin(), text.end(), word.begin(), word.end(), [](char a, char b) {
    return (a >= 'A' && a <= 'Z' ? static_cast<char>(a - 'A' + 'a') : a) == b;
  });
}

/// One part of a path: a key of a map, or an index of a list.
struct Step {
  std::string key;
  std::optional<std::size_t> index;
};

class SettingParser {
 public:
  SettingParser(std::string_view text, bool strings)
      : text_(text), strings_(strings), at_{(strings ? "--set-string " : "--set ") + shown(text)} {}

  Result<void> into(yaml::Node& values) {
    while (next_ < text_.size()) {
      if (auto done = one(values); !done) return done;
    }
    return {};
  }

 private:
  /// The value may be a password: only the part before it is shown.
  static std::string shown(std::string_view text) {
    return std::string(text.substr(0, std::min(text.find('='), std::size_t{80})));
  }

  [[nodiscard]] Error failure(const std::string& what) const {
    return {ErrorKind::invalid_input, at_.file + ": " + what};
  }

  /// Up to one of `stops`, which is left; a backslash takes the meaning from what follows it.
  std::string until(std::string_view stops) {
    std::string word;
    while (next_ < text_.size() && stops.find(text_[next_]) == std::string_view::npos) {
      if (text_[next_] == '\\' && next_ + 1 < text_.size()) ++next_;
      word += text_[next_++];
    }
    return word;
  }

  Result<std::size_t> index() {
    const auto word = until("]");
    if (next_ == text_.size()) return failure("a [ without its ]");
    ++next_;
    std::size_t number = 0;
    const auto* end = word.data() + word.size();
    const auto [stop, trouble] = std::from_chars(word.data(), end, number);
    if (word.empty() || stop != end || trouble != std::errc())
      return failure("\"" + word + "\" is no index of a list");
    if (number > kMaxIndex)
      return failure("index " + word + " is over the limit of " + std::to_string(kMaxIndex));
    return number;
  }

  Result<std::vector<Step>> path() {
    std::vector<Step> steps;
    bool key_comes = true;
    while (true) {
      if (key_comes) {
        auto key = until("=[,.");
        if (key.empty()) return failure("a key is empty");
        steps.push_back({std::move(key), std::nullopt});
        key_comes = false;
      }
      if (steps.size() > kMaxDepth)
        return failure("more than " + std::to_string(kMaxDepth) + " levels");
      const char c = next_ < text_.size() ? text_[next_] : ',';
      if (c == ',')
        return failure("key \"" + steps.back().key + "\" has no value: write KEY=VALUE");
      ++next_;
      if (c == '=') return steps;
      if (c == '.') {
        key_comes = true;
      } else if (c == '[') {
        auto number = index();
        if (!number) return std::move(number).error();
        steps.push_back({steps.back().key, *number});
      } else {
        return failure("after ] comes = or . or [");
      }
    }
  }

  [[nodiscard]] yaml::Node typed(std::string word) const {
    if (!strings_) {
      if (same_word(word, "true")) return {true, at_};
      if (same_word(word, "false")) return {false, at_};
      if (same_word(word, "null")) return {yaml::Null(), at_};
      if (word == "0") return {std::int64_t{0}, at_};
      // Go's ParseInt takes a plus, from_chars does not.
      const auto digits = word.starts_with('+') ? word.substr(1) : word;
      std::int64_t number = 0;
      const auto* end = digits.data() + digits.size();
      const auto [stop, trouble] = std::from_chars(digits.data(), end, number);
      const bool whole = !digits.empty() && stop == end && trouble == std::errc() &&
                         word.front() != '0' && !word.starts_with("+-");
      if (whole) return {number, at_};
    }
    return {std::move(word), at_};
  }

  Result<yaml::Node> value() {
    if (next_ == text_.size() || text_[next_] != '{') return typed(until(","));
    ++next_;
    yaml::List list;
    while (true) {
      auto word = until(",}");
      if (next_ == text_.size()) return failure("a { without its }");
      const char c = text_[next_++];
      if (c == '}' && word.empty() && list.empty()) break;
      list.push_back(typed(std::move(word)));
      if (c == '}') break;
    }
    if (next_ < text_.size() && text_[next_] != ',') return failure("after } comes a comma");
    return yaml::Node(std::move(list), at_);
  }

  Result<void> one(yaml::Node& values) {
    auto steps = path();
    if (!steps) return std::move(steps).error();
    auto content = value();
    if (!content) return std::move(content).error();
    if (next_ < text_.size()) ++next_;  // The comma.
    auto* place = &values;
    for (const auto& step : *steps)
      place = step.index ? &element(*place, *step.index) : &entry(*place, step.key);
    *place = *std::move(content);
    return {};
  }

  yaml::Node& entry(yaml::Node& node, const std::string& key) const {
    if (node.as<yaml::Map>() == nullptr) node = yaml::Node(yaml::Map(), at_);
    auto& map = *node.as<yaml::Map>();
    const auto found = std::find_if(
        map.begin(), map.end(), [&](const yaml::Entry& old) { return old.key == key; });
    if (found != map.end()) {
      found->key_at = at_;
      return found->value;
    }
    map.push_back({key, at_, yaml::Node(yaml::Null(), at_)});
    return map.back().value;
  }

  yaml::Node& element(yaml::Node& node, std::size_t index) const {
    if (node.as<yaml::List>() == nullptr) node = yaml::Node(yaml::List(), at_);
    auto& list = *node.as<yaml::List>();
    while (list.size() <= index) list.emplace_back(yaml::Null(), at_);
    return list[index];
  }

  std::string_view text_;
  bool strings_;
  SourcePosition at_;
  std::size_t next_ = 0;
};

}  // namespace

Result<void> set(yaml::Node& values, std::string_view setting, bool text) {
  return SettingParser(setting, text).into(values);
}

}  // namespace skep::package
