#include "compose/schema.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdint>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

#include "compose/advice.hpp"
#include "compose/rewrite.hpp"
#include "compose/schema_formats.hpp"
#include "compose/schema_tables.hpp"
#include "compose/stringify.hpp"

namespace skep::compose {
namespace {

constexpr double kLargestExact = 9007199254740992.0;

bool is_whole(double value) { return std::isfinite(value) && std::trunc(value) == value; }

/// Equal for values that are equal as JSON: 80 and 80.0 are, 80 and "80" are not.
std::string canonical(const yaml::Node& node) {
  if (const auto* text = node.as<std::string>()) {
    return "s" + std::to_string(text->size()) + ":" + *text;
  }
  if (const auto* time = node.as<yaml::Timestamp>()) return "t" + time->printed;
  if (const auto* number = node.as<double>();
      number != nullptr && is_whole(*number) && std::abs(*number) < kLargestExact) {
    return "n" + std::to_string(static_cast<std::int64_t>(*number));
  }
  if (const auto* list = node.as<yaml::List>()) {
    std::string all = "[";
    for (const auto& item : *list) all += canonical(item) + ",";
    return all + "]";
  }
  if (const auto* map = node.as<yaml::Map>()) {
    std::vector<std::string> entries;
    for (const auto& entry : *map) {
      entries.push_back(std::to_string(entry.key.size()) + ":" + entry.key +
                        canonical(entry.value));
    }
    std::sort(entries.begin(), entries.end());
    std::string all = "{";
    for (const auto& entry : entries) all += entry + ",";
    return all + "}";
  }
  if (node.as<bool>() != nullptr) return *node.as<bool>() ? "true" : "false";
  return node.is_null() ? "null" : "n" + stringify(node).value_or("");
}

/// The digits that the CLI tests a number's port format with: those of its numerator.
std::string port_digits(const yaml::Node& node) {
  const auto* number = node.as<double>();
  if (number == nullptr) return stringify(node).value_or("");
  if (is_whole(*number) && std::abs(*number) < kLargestExact) {
    return std::to_string(static_cast<std::int64_t>(*number));
  }
  return "1";  // A fraction: its numerator is no port either way, and the loader refuses it (A8.9).
}

bool is_object_name(std::string_view name) {
  return !name.empty() && std::all_of(name.begin(), name.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '.' ||
           c == '_' || c == '-';
  });
}

bool has_name(ObjectType::Names names, std::string_view key) {
  switch (names) {
    case ObjectType::Names::any:
      return true;
    case ObjectType::Names::not_empty:
      return !key.empty();
    case ObjectType::Names::object_name:
      return is_object_name(key);
    case ObjectType::Names::lower_letters:
      break;
  }
  return !key.empty() &&
         std::all_of(key.begin(), key.end(), [](char c) { return c >= 'a' && c <= 'z'; });
}

bool has_key(const ObjectType& object, std::string_view name) {
  return std::any_of(
      object.keys.begin(), object.keys.end(), [&](const auto& key) { return key.name == name; });
}

/// Whether a text is a key of the mapping that it should be, and its value right behind the colon.
bool is_glued_pair(std::string_view text, const ObjectType& object) {
  const auto colon = text.find(':');
  if (colon == std::string_view::npos || text.substr(colon + 1, 2) == "//") return false;
  const auto key = text.substr(0, colon);
  return has_key(object, key) || ((object.others != nullptr || object.open) && is_object_name(key));
}

/// An item of a list of names that is a mapping, with what belongs to the name.
std::string hint_for_name(std::string_view list, const std::string& name, bool strict) {
  if (list == "depends_on" && strict) {
    return "; docker stack deploy takes names only: write - " + name;
  }
  return "; write " + name + ": without the dash, and the other names here, too";
}

/// What people mostly meant who wrote a value of another type. `list` is the key of the list that
/// the value is an item of, if it is one.
std::string type_hint(std::string_view path,
                      const yaml::Node& node,
                      const Type& type,
                      std::string_view list,
                      bool strict) {
  const auto wants = [&](std::string_view word) {
    return type.expected.find(word) != std::string_view::npos;
  };
  if (node.as<yaml::List>() != nullptr && !list.empty()) {
    return "; a list cannot be put into a list: write its items one by one";
  }
  if (const auto* map = node.as<yaml::Map>();
      map != nullptr && !map->empty() && (list == "networks" || list == "depends_on")) {
    return hint_for_name(list, map->front().key, strict);
  }
  if (const auto* map = node.as<yaml::Map>(); map != nullptr && map->size() == 1) {
    if (!wants("string") || wants("list")) return "";
    if (path.find(".constraints.") != std::string_view::npos)
      return "; a colon and a blank make a mapping: write node.role == manager";
    return "; a colon and a blank make a mapping: write KEY=VALUE, or put the text in quotes";
  }
  if (node.as<std::int64_t>() != nullptr && type.format == Type::Format::duration) {
    return "; write \"" + *stringify(node) + "s\" for seconds";
  }
  const auto* text = node.as<std::string>();
  const bool glued = text != nullptr && type.object && is_glued_pair(*text, *type.object);
  if (type.object && has_key(*type.object, "test") && !glued &&
      (text != nullptr || node.as<yaml::List>() != nullptr)) {
    return "; write test: below it, and the command there";
  }
  if (text == nullptr || text->empty() || wants("string")) return "";
  if (wants("number") || wants("integer")) {
    const auto below = [&](std::string_view key) {
      return path.find('.' + std::string(key) + '.') != std::string_view::npos;
    };
    if (path.ends_with(".max_failure_ratio")) return "; write a number from 0 to 1, such as 0.1";
    if (path.ends_with(".mode") && (below("secrets") || below("configs") || below("tmpfs")))
      return "; write an octal number, such as 0440";
    if (below("ulimits")) return "; write a number, such as 65535, or -1 for no limit";
    if (below("ports") && text->find('-', 1) != std::string::npos)
      return "; it holds one: write a range of ports in the short form, \"8080-8081:80\"";
    const bool digits = text->find_first_not_of("0123456789.-") == std::string::npos;
    return digits ? "; write it without quotes" : "; write a number, such as 2";
  }
  if (wants("boolean") && !wants("mapping")) return "; write true or false, without quotes";
  if (text->front() == '-' && text->find(' ') != 1) return "; a blank is missing after the dash";
  if (wants("mapping") && text->find('=') != std::string::npos) {
    return type.list ? "; write KEY: VALUE below it, or a list of KEY=VALUE" : "; write KEY: VALUE";
  }
  if (wants("mapping") && glued) return "; a blank is missing after the colon";
  return wants("list") ? "; begin each item with a dash, or put it in brackets" : "";
}

class Validator {
 public:
  Validator(int minor, bool strict, Findings& findings)
      : minor_(minor), strict_(strict), findings_(findings) {}

  /// `list` is the key of the list that the node is an item of, if it is one.
  void check(const yaml::Node& node, const Type& type, std::string_view list = "") {
    if (const auto* map = node.as<yaml::Map>(); map != nullptr && type.object) {
      return check_object(node, *map, *type.object);
    }
    if (const auto* items = node.as<yaml::List>(); items != nullptr && type.list) {
      return check_list(*items, *type.list);
    }
    if (!takes_scalar(node, type.scalars)) {
      const auto meant = advice_for_value(path_, node, type);
      return add(node.at(),
                 path() + " must be a " + std::string(type.expected) +
                     (meant.empty() ? type_hint(path(), node, type, list, strict_) : meant));
    }
    check_content(node, type);
  }

  /// The CLI passes the tree on as JSON, which has neither infinity nor "not a number" (rule A2.9).
  void check_numbers(const yaml::Node& node) {
    if (const auto* number = node.as<double>(); number != nullptr && !std::isfinite(*number)) {
      const auto* const name = std::isnan(*number) ? "NaN" : *number < 0 ? "-Inf" : "+Inf";
      add(node.at(), std::string("json: unsupported value: ") + name + "; put it in quotes");
    } else if (const auto* list = node.as<yaml::List>()) {
      for (const auto& item : *list) check_numbers(item);
    } else if (const auto* map = node.as<yaml::Map>()) {
      for (const auto& entry : *map) check_numbers(entry.value);
    }
  }

 private:
  [[nodiscard]] std::string path() const { return path_.empty() ? "(root)" : path_; }
  void add(const SourcePosition& at, std::string message) {
    findings_.push_back({Finding::Severity::error, std::move(message), at});
  }
  void check_below(std::string_view part,
                   const yaml::Node& node,
                   const Type& type,
                   std::string_view list = "") {
    const auto length = path_.size();
    if (length > 0) path_ += '.';
    path_ += part;
    check(node, type, list);
    path_.resize(length);
  }

  static bool takes_scalar(const yaml::Node& node, unsigned scalars) {
    if (node.is_null()) return (scalars & Type::kNull) != 0;
    if (node.as<bool>() != nullptr) return (scalars & Type::kBoolean) != 0;
    if (const auto* number = node.as<double>()) {
      return (scalars & Type::kNumber) != 0 ||
             ((scalars & Type::kInteger) != 0 && is_whole(*number));
    }
    if (node.as<std::int64_t>() != nullptr || node.as<std::uint64_t>() != nullptr) {
      return (scalars & (Type::kNumber | Type::kInteger)) != 0;
    }
    const bool text = node.as<std::string>() != nullptr || node.as<yaml::Timestamp>() != nullptr;
    return text && (scalars & Type::kString) != 0;
  }

  void check_content(const yaml::Node& node, const Type& type) {
    const auto* text = node.as<std::string>();
    if (type.format == Type::Format::ports) {
      if (!valid_port_text(text != nullptr ? *text : port_digits(node))) {
        add(node.at(),
            path() +
                " Does not match format 'ports'; write \"8080:80\", \"8080:80/udp\" or \"80\"");
      }
    } else if (type.format == Type::Format::duration) {
      if (text == nullptr || !valid_duration_text(*text)) {
        add(node.at(),
            path() + " Does not match format 'duration'; write \"30s\", \"1m30s\" or \"2h\"");
      }
    }
    if (!type.words.empty() &&
        (text == nullptr ||
         std::find(type.words.begin(), type.words.end(), *text) == type.words.end())) {
      // The CLI names it twice.
      std::string message =
          path() + (strict_ ? " " + path() : "") + " must be one of the following: ";
      for (const auto& word : type.words) {
        message += (word == type.words.front() ? "\"" : ", \"") + std::string(word) + "\"";
      }
      const std::vector<std::string> words(type.words.begin(), type.words.end());
      const auto near = text == nullptr ? "" : nearest(*text, words);
      if (!near.empty()) message += "; did you mean " + near + '?';
      add(node.at(), std::move(message));
    }
    const auto* integer = node.as<std::int64_t>();
    const auto* number = node.as<double>();
    const bool negative =
        (integer != nullptr && *integer < 0) || (number != nullptr && *number < 0);
    if (type.not_negative && negative) {
      add(node.at(), path() + " Must be greater than or equal to 0");
    }
  }

  void check_list(const yaml::List& list, const ListType& type) {
    const auto key = path_.substr(path_.rfind('.') + 1);
    for (std::size_t i = 0; i < list.size(); ++i) {
      check_below(std::to_string(i), list[i], type.item, key);
    }
    if (!type.unique) return;
    std::unordered_map<std::string, std::size_t> first;
    for (std::size_t i = 0; i < list.size(); ++i) {
      const auto [place, fresh] = first.emplace(canonical(list[i]), i);
      if (fresh) continue;
      add(list[i].at(),
          path() + " array items[" + std::to_string(place->second) + "," + std::to_string(i) +
              "] must be unique");
    }
  }

  void check_object(const yaml::Node& node, const yaml::Map& map, const ObjectType& object) {
    for (const auto& entry : map) {
      if (path_ != "services" || !is_part_of_service(entry)) check_entry(entry, map, object);
    }
    for (const auto& key : object.required) {
      if (node.find(key) == nullptr)
        add(node.at(), path() + " " + std::string(key) + " is required");
    }
  }

  /// Says so, once for all of its keys, and at its own: there later stages miss an image.
  bool is_part_of_service(const yaml::Entry& entry) {
    const auto advice = advice_for_part_of_service(entry);
    if (advice.empty()) return false;
    const auto place = path_ + '.' + entry.key;
    if (const auto* foreign = first_foreign_key(entry.value)) {
      add(entry.key_at,
          place + " Additional property " + foreign->key + " is not allowed" + advice);
    } else {
      add(entry.value.at(), place + " must be a mapping" + advice);
    }
    return true;
  }

  void check_entry(const yaml::Entry& entry, const yaml::Map& map, const ObjectType& object) {
    const KeyType* other_version = nullptr;
    for (const auto& key : object.keys) {
      if (key.name != entry.key) continue;
      if (key.since.holds(minor_)) return check_below(entry.key, entry.value, key.type);
      other_version = &key;
    }
    const bool extension = entry.key.starts_with("x-");
    if (extension && (!strict_ || object.extensions.holds(minor_))) return;
    if (object.others && has_name(object.names, entry.key)) {
      return check_below(entry.key, entry.value, *object.others);
    }
    // Spellings of ulimits that the pattern does not cover pass, too.
    if (object.open || object.names == ObjectType::Names::lower_letters) return;
    add(entry.key_at,
        path() + " Additional property " + entry.key + " is not allowed" +
            advice(entry, map, object, other_version));
  }

  /// The key without a value, but with a mapping for one, that a key stands below at the same
  /// indentation, if there is no other known key between the two.
  [[nodiscard]] std::string empty_key_above(const yaml::Entry& entry,
                                            const yaml::Map& map,
                                            const ObjectType& object) const {
    std::string above;
    int line = 0;
    const auto look_at = [&](const yaml::Entry& other) {
      const auto& at = other.key_at;
      if (at.file != entry.key_at.file || at.column != entry.key_at.column) return;
      if (at.line >= entry.key_at.line || at.line <= line) return;
      for (const auto& key : object.keys) {
        if (key.name != other.key || !key.since.holds(minor_)) continue;
        line = at.line;
        above = other.value.is_null() && key.type.object ? other.key : "";
      }
    };
    for (const auto& other : map) {
      look_at(other);
      const auto* emptied = other.key == kCarriedEmptyKeys ? other.value.as<yaml::Map>() : nullptr;
      if (emptied == nullptr) continue;
      for (const auto& dropped : *emptied) look_at(dropped);
    }
    return above;
  }

  [[nodiscard]] std::string advice(const yaml::Entry& entry,
                                   const yaml::Map& map,
                                   const ObjectType& object,
                                   const KeyType* other_version) const {
    const auto& key = entry.key;
    if (auto meant = advice_for_key(path_, entry); !meant.empty()) return meant;
    if (const auto above = empty_key_above(entry, map, object); !above.empty()) {
      return "; if it belongs to " + above + ", indent it more";
    }
    if (other_version != nullptr) {
      return "; it needs version 3." + std::to_string(other_version->since.first) +
             " or no version at all";
    }
    if (key.starts_with("x-") && object.extensions.first <= 13) {
      return "; it needs version 3." + std::to_string(object.extensions.first) +
             " or no version at all";
    }
    if (object.names == ObjectType::Names::object_name) {
      return "; a name is made of letters, digits, '.', '_' and '-'";
    }
    std::vector<std::string> known;
    for (const auto& row : object.keys) {
      if (row.since.holds(minor_)) known.emplace_back(row.name);
    }
    // Taken out before, off strict mode.
    if (!strict_ && path_.empty()) known.insert(known.end(), {"name", "include"});
    if (auto meant = advice_for_typo(path_, key, known); !meant.empty()) return meant;
    if (known.empty() || known.size() > 12) return "";
    std::string all;
    for (const auto& name : known) all += (all.empty() ? "" : ", ") + name;
    return "; allowed here: " + all;
  }

  int minor_;
  bool strict_;
  Findings& findings_;
  std::string path_;
};

}  // namespace

void validate(const yaml::Node& root, const FileVersion& version, bool strict, Findings& findings) {
  Validator validator(version.minor, strict, findings);
  if (root.as<yaml::Map>() == nullptr) {
    findings.push_back({Finding::Severity::error, "top-level object must be a mapping", root.at()});
    return;
  }
  validator.check_numbers(root);
  validator.check(root, file_schema());
}

}  // namespace skep::compose
