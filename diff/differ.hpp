#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "diff/flatten.hpp"
#include "diff/plan.hpp"
#include "diff/words.hpp"

namespace skep::diff {

/// Collects field changes. Each call reports one difference and makes both sides alike, so what
/// nobody reported is still there for `rest`.
class Differ {
 public:
  std::vector<FieldChange> take() && { return std::move(changes_); }
  [[nodiscard]] std::size_t count() const noexcept { return changes_.size(); }

  /// One difference; equal texts are none. `name` is what tells a credential.
  void report(std::string_view path,
              std::string_view item,
              const std::optional<std::string>& before,
              const std::optional<std::string>& after) {
    if (before == after) return;
    FieldChange change;
    change.path = path;
    change.item = item;
    change.kind = !before  ? FieldChange::Kind::added
                  : !after ? FieldChange::Kind::removed
                           : FieldChange::Kind::changed;
    change.secret =
        (before && is_credential(item, *before)) || (after && is_credential(item, *after));
    if (before) change.before = change.secret ? "***" : printable(*before);
    if (after) change.after = change.secret ? "***" : printable(*after);
    changes_.push_back(std::move(change));
  }

  /// A single value; its type's empty value counts as absent.
  template <typename T, typename Show>
  void value(std::string_view path, T& live, T& desired, Show show) {
    if (live == desired) return;
    const auto text = [&](const T& side) -> std::optional<std::string> {
      if (side == T{}) return std::nullopt;
      return show(side);
    };
    const auto before = text(live);
    const auto after = text(desired);
    // Two values that look the same are told apart by the walk over all fields.
    if (before == after) return;
    report(path, "", before, after);
    live = desired = T{};
  }
  void value(std::string_view path, std::string& live, std::string& desired) {
    value(path, live, desired, [](const std::string& text) { return text; });
  }
  void value(std::string_view path, bool& live, bool& desired) {
    value(path, live, desired, [](bool flag) { return std::string(flag ? "true" : "false"); });
  }
  /// As `value`, where absent and empty differ.
  template <typename T, typename Show>
  void maybe(std::string_view path, std::optional<T>& live, std::optional<T>& desired, Show show) {
    value(path, live, desired, [&](const std::optional<T>& side) { return show(*side); });
  }

  /// Goes into optional structs: `handle(live, desired)` gets both, absent ones as empty. That one
  /// is absent and the other empty stays for the walk.
  template <typename T, typename Handle>
  void inside(std::optional<T>& live, std::optional<T>& desired, Handle handle) {
    if (live == desired) return;
    const auto reported = count();
    T before = live.value_or(T{});
    T after = desired.value_or(T{});
    handle(before, after);
    const bool told = count() > reported;
    if (live || told) live = std::move(before);
    if (desired || told) desired = std::move(after);
  }

  void map(std::string_view path, swarm::StringMap& live, swarm::StringMap& desired) {
    if (live == desired) return;
    for (const auto& [key, before] : live) {
      const auto at = desired.find(key);
      if (at == desired.end()) {
        report(path, key, before, std::nullopt);
      } else {
        report(path, key, before, at->second);
      }
    }
    for (const auto& [key, after] : desired) {
      if (live.count(key) == 0) report(path, key, std::nullopt, after);
    }
    live.clear();
    desired.clear();
  }

  /// Elements that are what they are: added and removed.
  void set(std::string_view path,
           std::vector<std::string>& live,
           std::vector<std::string>& desired) {
    keyed(
        path,
        live,
        desired,
        [](const std::string& text) { return text; },
        [](const std::string& text) { return text; });
  }

  /// Elements with an identity: `key(element)` says which one, `show(element)` what it is.
  template <typename T, typename Key, typename Show>
  void keyed(
      std::string_view path, std::vector<T>& live, std::vector<T>& desired, Key key, Show show) {
    if (live == desired) return;
    const auto by_key = [&](const std::vector<T>& list) {
      std::map<std::string, const T*> result;
      for (const auto& element : list) {
        std::string name = key(element);
        while (!result.emplace(name, &element).second) name += " (again)";
      }
      return result;
    };
    const auto before = by_key(live);
    const auto after = by_key(desired);
    const auto reported = count();
    for (const auto& [name, element] : before) {
      const auto at = after.find(name);
      if (at == after.end()) {
        report(path, name, show(*element), std::nullopt);
      } else if (!(*element == *at->second)) {
        auto old_text = show(*element);
        auto new_text = show(*at->second);
        if (old_text == new_text) {
          old_text = details(*element);
          new_text = details(*at->second);
        }
        if (old_text == new_text) {  // The difference is in what details() hides.
          changes_.push_back(
              {std::string(path), name, FieldChange::Kind::changed, "***", "***", true});
          continue;
        }
        report(path, name, old_text, new_text);
      }
    }
    for (const auto& [name, element] : after) {
      if (before.count(name) == 0) report(path, name, std::nullopt, show(*element));
    }
    if (count() == reported) return;  // Only the order differs: left for the walk.
    live.clear();
    desired.clear();
  }

  /// A list that is one value: its words in their order.
  void words(std::string_view path,
             std::vector<std::string>& live,
             std::vector<std::string>& desired) {
    value(path, live, desired, show_words);
  }

  /// Everything that is still different, by JSON pointer.
  template <typename T>
  void rest(const T& live, const T& desired) {
    if (live == desired) return;
    const auto before = Flatten::of(live);
    const auto after = Flatten::of(desired);
    for (const auto& [path, text] : before) {
      const auto at = after.find(path);
      if (at == after.end()) {
        pointer(path, text, std::nullopt);
      } else {
        pointer(path, text, at->second);
      }
    }
    for (const auto& [path, text] : after) {
      if (before.count(path) == 0) pointer(path, std::nullopt, text);
    }
  }

  /// A difference under a JSON pointer; its last part may be a credential's name.
  void pointer(const std::string& path,
               const std::optional<std::string>& before,
               const std::optional<std::string>& after) {
    const auto from = changes_.size();
    report(path, "", before, after);
    const auto name = path.substr(path.rfind('/') + 1);
    const bool secret =
        (before && is_credential(name, *before)) || (after && is_credential(name, *after));
    if (changes_.size() == from || !secret) return;
    auto& change = changes_.back();
    change.secret = true;
    if (before) change.before = "***";
    if (after) change.after = "***";
  }

 private:
  template <typename T>
  static std::string details(const T& element) {
    std::string text;
    for (const auto& [path, value] : Flatten::of(element)) {
      if (value == "{}") continue;
      if (!text.empty()) text += ' ';
      text += path.substr(path.empty() ? 0 : 1) + "=";
      text += is_credential(path.substr(path.rfind('/') + 1), value) ? "***" : value;
    }
    return text;
  }

  std::vector<FieldChange> changes_;
};

}  // namespace skep::diff
