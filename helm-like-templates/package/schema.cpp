#include "helm-like-templates/package/schema.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <utility>
#include <vector>

#include <re2/re2.h>

#include "helm-like-templates/package/json_equal.hpp"
#include "helm-like-templates/package/schema_keywords.hpp"

namespace skep::package {

struct SchemaPatterns::State {
  std::map<std::string, std::unique_ptr<RE2>> compiled;  ///< None is ever taken out.
};

namespace {

std::size_t characters(std::string_view text) {
  return static_cast<std::size_t>(std::count_if(text.begin(), text.end(), [](char c) {
    return (static_cast<unsigned char>(c) & 0xC0U) != 0x80U;
  }));
}

std::string shortened(const std::string& text, std::size_t most) {
  if (text.size() <= most) return text;
  auto cut = most;
  while (cut > 0 && (static_cast<unsigned char>(text[cut]) & 0xC0U) == 0x80U) --cut;
  return text.substr(0, cut) + "…";
}

/// A value of the schema, for messages. Values of people are never shown: they may be passwords.
std::string shown(const yaml::Node& node) {
  if (const auto* text = node.as<std::string>()) return text->empty() ? "\"\"" : *text;
  if (const auto* truth = node.as<bool>()) return *truth ? "true" : "false";
  if (node.is_null()) return "null";
  if (const auto number = number_of(node)) {
    auto digits = std::to_string(static_cast<double>(*number));
    digits.erase(digits.find_last_not_of('0') + 1);
    if (digits.ends_with('.')) digits.pop_back();
    return digits;
  }
  return "a " + std::string(node.type_name());
}

std::string listed(const yaml::List& list) {
  std::string text;
  for (const auto& item : list) text += (text.empty() ? "" : ", ") + shown(item);
  return shortened(text, 300);
}

class Checker {
 public:
  Checker(const yaml::Node& root,
          const SchemaLimits& limits,
          std::string_view stand_in,
          SchemaPatterns::State& patterns)
      : root_(root), limits_(limits), stand_in_(stand_in), patterns_(patterns) {}

  Findings run(const yaml::Node& values) {
    Findings findings;
    apply({root_, values, "", findings, 0});
    if (!stopped_.empty()) findings.push_back({Finding::Severity::error, stopped_, root_.at()});
    findings.insert(findings.end(), schema_findings_.begin(), schema_findings_.end());
    sort_and_unique(findings);
    if (findings.size() > limits_.findings) findings.resize(limits_.findings);
    return findings;
  }

 private:
  /// One schema applied to one value.
  struct Place {
    const yaml::Node& schema;
    const yaml::Node& value;
    std::string key;  ///< "proxy.hosts[0]"; "" for all values.
    Findings& findings;
    int depth;
  };

  bool spend(std::size_t steps) {
    if (!stopped_.empty()) return false;
    steps_ += steps;
    if (steps_ <= limits_.steps) return true;
    stopped_ = "checking the values takes more than " + std::to_string(limits_.steps) +
               " steps: simplify the schema";
    return false;
  }

  void complain(const Place& place, const std::string& message) const {
    complain(place, place.value.at(), message);
  }
  void complain(const Place& place, const SourcePosition& at, const std::string& message) const {
    if (place.findings.size() >= limits_.findings) return;
    const auto subject = place.key.empty() ? std::string("the values") : place.key;
    place.findings.push_back({Finding::Severity::error, subject + " " + message, at});
  }

  /// A mistake of the schema's author.
  void blame(const yaml::Node& schema, const std::string& message) {
    if (schema_findings_.size() < limits_.findings)
      schema_findings_.push_back({Finding::Severity::error, "schema: " + message, schema.at()});
  }

  void apply(const Place& place) {
    if (!spend(1)) return;
    if (place.depth > limits_.depth) {
      stopped_ = "the schema is nested more than " + std::to_string(limits_.depth) +
                 " deep; does a $ref refer to itself?";
      return;
    }
    if (const auto* truth = place.schema.as<bool>()) {
      if (!*truth) complain(place, "is not allowed");
      return;
    }
    const auto* keywords = place.schema.as<yaml::Map>();
    if (keywords == nullptr) return blame(place.schema, "must be a mapping, true or false");
    for (const auto& keyword : *keywords) {
      if (!spend(1)) return;
      if (keyword.key == "type") {
        // What has the wrong type breaks all other rules too: one word is enough.
        if (!has_type(place, keyword.value)) return;
      }
    }
    refer(place);
    choose(place);
    if (is_unknown(place.value)) {
      ++unknown_;
      return;
    }
    compare(place);
    if (place.value.as<std::string>() != nullptr) check_text(place, *place.value.as<std::string>());
    if (const auto number = number_of(place.value)) check_number(place, *number);
    if (place.value.as<yaml::List>() != nullptr) check_list(place, *place.value.as<yaml::List>());
    if (place.value.as<yaml::Map>() != nullptr) check_map(place, *place.value.as<yaml::Map>());
  }

  [[nodiscard]] bool is_unknown(const yaml::Node& value) const {
    const auto* text = value.as<std::string>();
    return !stand_in_.empty() && text != nullptr && text->find(stand_in_) != std::string::npos;
  }

  bool holds(const Place& place, const yaml::Node& schema) {
    Findings ignored;
    apply({schema, place.value, place.key, ignored, place.depth + 1});
    return ignored.empty();
  }

  // Keywords for every value.

  bool has_type(const Place& place, const yaml::Node& types) {
    static const std::map<std::string, std::string> kWords = {{"string", "a string"},
                                                              {"integer", "a whole number"},
                                                              {"number", "a number"},
                                                              {"boolean", "true or false"},
                                                              {"object", "a mapping"},
                                                              {"array", "a list"},
                                                              {"null", "null"}};
    yaml::List list;
    if (const auto* several = types.as<yaml::List>()) {
      list = *several;
    } else {
      list.push_back(types);
    }
    std::string allowed;
    for (const auto& type : list) {
      const auto* word = type.as<std::string>();
      const auto known = word == nullptr ? kWords.end() : kWords.find(*word);
      if (known == kWords.end()) {
        blame(type, "type must be string, integer, number, boolean, object, array or null");
        return true;
      }
      if (is_of(place.value, *word)) return true;
      allowed += (allowed.empty() ? "" : " or ") + known->second;
    }
    auto message = "must be " + allowed + ", but is " + kWords.at(type_of(place.value));
    const bool text_meant = allowed == "a string" && !place.value.is_null() &&
                            place.value.as<yaml::Map>() == nullptr &&
                            place.value.as<yaml::List>() == nullptr;
    if (text_meant) message += ": put it in quotes";
    complain(place, message);
    return false;
  }

  static std::string type_of(const yaml::Node& value) {
    if (value.is_null()) return "null";
    if (value.as<bool>() != nullptr) return "boolean";
    if (value.as<yaml::Map>() != nullptr) return "object";
    if (value.as<yaml::List>() != nullptr) return "array";
    if (const auto number = number_of(value))
      return std::floor(*number) == *number ? "integer" : "number";
    return "string";
  }

  static bool is_of(const yaml::Node& value, const std::string& type) {
    const auto own = type_of(value);
    return own == type || (own == "integer" && type == "number");
  }

  void compare(const Place& place) {
    if (const auto* only = place.schema.find("const"); only != nullptr) {
      if (!equal(*only, place.value)) complain(place, "must be " + shown(*only));
    }
    const auto* words = place.schema.find("enum");
    if (words == nullptr) return;
    const auto* list = words->as<yaml::List>();
    if (list == nullptr) return blame(*words, "enum must be a list");
    std::vector<std::string> near;
    for (const auto& word : *list) {
      if (equal(word, place.value)) return;
      if (word.as<std::string>() != nullptr) near.push_back(*word.as<std::string>());
    }
    auto message = "must be one of: " + listed(*list);
    if (const auto* text = place.value.as<std::string>(); text != nullptr && text->size() < 40) {
      if (const auto word = nearest(*text, near); !word.empty())
        message += "; did you mean " + word + "?";
    }
    complain(place, message);
  }

  bool equal(const yaml::Node& a, const yaml::Node& b) {
    std::size_t visited = 0;
    const bool same = json_equal(a, b, visited);
    return spend(visited) && same;
  }

  void refer(const Place& place) {
    const auto* reference = place.schema.find("$ref");
    if (reference == nullptr) return;
    const auto* text = reference->as<std::string>();
    const auto* target = text == nullptr ? nullptr : resolve_pointer(root_, *text);
    if (target == nullptr) {
      return blame(*reference,
                   "$ref must be # or name a place in this file, as #/definitions/NAME");
    }
    apply({*target, place.value, place.key, place.findings, place.depth + 1});
  }

  /// allOf, anyOf, oneOf, not, if.
  void choose(const Place& place) {
    if (const auto* all = schemas_of(place, "allOf")) {
      for (const auto& schema : *all)
        apply({schema, place.value, place.key, place.findings, place.depth + 1});
    }
    for (const auto* keyword : {"anyOf", "oneOf"}) {
      const auto* some = schemas_of(place, keyword);
      if (some == nullptr) continue;
      std::vector<Findings> failures;
      std::size_t fitting = 0;
      const auto unknown = unknown_;
      for (const auto& schema : *some) {
        Findings own;
        apply({schema, place.value, place.key, own, place.depth + 1});
        fitting += own.empty() ? 1 : 0;
        failures.push_back(std::move(own));
      }
      if (!stopped_.empty()) return;
      if (fitting == 0) complain_of_all(place, failures);
      if (fitting > 1 && std::string_view(keyword) == "oneOf" && unknown_ == unknown)
        complain(
            place,
            "fits " + std::to_string(fitting) + " of the allowed forms, but only one is meant");
    }
    if (const auto* unwanted = place.schema.find("not"); unwanted != nullptr) {
      const auto unknown = unknown_;
      if (holds(place, *unwanted) && stopped_.empty() && unknown_ == unknown)
        complain(place, "has a form that is not allowed" + described(place.schema));
    }
    if (const auto* condition = place.schema.find("if"); condition != nullptr) {
      const auto unknown = unknown_;
      const auto* then = place.schema.find(holds(place, *condition) ? "then" : "else");
      if (then != nullptr && unknown_ == unknown)
        apply({*then, place.value, place.key, place.findings, place.depth + 1});
    }
  }

  /// No form fits: the one that comes nearest says most, which is the one that fails deepest.
  void complain_of_all(const Place& place, const std::vector<Findings>& failures) const {
    std::string forms;
    for (const auto& own : failures) {
      const auto& first = own.front();
      const bool deeper = !(first.at == place.value.at());
      if (deeper && failures.size() > 1) {
        if (place.findings.size() < limits_.findings) place.findings.push_back(first);
        return;
      }
      auto text = first.message;
      if (text.starts_with(place.key + " ")) text = text.substr(place.key.size() + 1);
      const auto end = text.find(", but is ");
      text = text.substr(0, end);
      if (forms.find(text) == std::string::npos) forms += (forms.empty() ? "" : ", or ") + text;
    }
    complain(place, shortened(forms, 400));
  }

  static std::string described(const yaml::Node& schema) {
    const auto* text = schema.find("description") == nullptr
                           ? nullptr
                           : schema.find("description")->as<std::string>();
    return text == nullptr ? "" : ": " + shortened(*text, 160);
  }

  const yaml::List* schemas_of(const Place& place, const char* keyword) {
    const auto* node = place.schema.find(keyword);
    if (node == nullptr) return nullptr;
    if (node->as<yaml::List>() == nullptr || node->as<yaml::List>()->empty()) {
      blame(*node, std::string(keyword) + " must be a list of schemas");
      return nullptr;
    }
    return node->as<yaml::List>();
  }

  /// A bound such as minLength, or nothing where the schema has none.
  std::optional<long double> bound(const Place& place, const char* keyword) {
    const auto* node = place.schema.find(keyword);
    if (node == nullptr) return std::nullopt;
    const auto number = number_of(*node);
    if (!number) blame(*node, std::string(keyword) + " must be a number");
    return number;
  }

  void check_size(const Place& place,
                  std::size_t size,
                  const char* least,
                  const char* most,
                  const std::string& unit) {
    const auto number = static_cast<long double>(size);
    if (const auto low = bound(place, least); low && number < *low) {
      complain(place,
               "must have at least " + shown(*place.schema.find(least)) + " " + unit +
                   described(place.schema));
    }
    if (const auto high = bound(place, most); high && number > *high)
      complain(place, "must have at most " + shown(*place.schema.find(most)) + " " + unit);
  }

  // Texts and numbers.

  void check_text(const Place& place, const std::string& text) {
    check_size(place, characters(text), "minLength", "maxLength", "characters");
    const auto* pattern = place.schema.find("pattern");
    if (pattern == nullptr) return;
    const auto* expression = compiled(*pattern);
    if (expression == nullptr || !spend(text.size() / 64)) return;
    if (!RE2::PartialMatch(text, *expression)) {
      const auto explained = described(place.schema);
      complain(place, "must match " + shortened(expression->pattern(), 120) + explained);
    }
  }

  const RE2* compiled(const yaml::Node& pattern) {
    const auto* text = pattern.as<std::string>();
    if (text == nullptr) {
      blame(pattern, "pattern must be a string");
      return nullptr;
    }
    auto& slot = patterns_.compiled[*text];
    if (slot == nullptr) {
      if (text->size() > limits_.pattern) {
        blame(pattern, "pattern is longer than " + std::to_string(limits_.pattern) + " characters");
        return nullptr;
      }
      if (!spend(100)) return nullptr;
      RE2::Options options;
      options.set_log_errors(false);
      options.set_max_mem(static_cast<std::int64_t>(limits_.pattern_memory));
      slot = std::make_unique<RE2>(*text, options);
    }
    if (slot->ok()) return slot.get();
    blame(pattern, "pattern is not understood (RE2, as in Go): " + slot->error());
    return nullptr;
  }

  void check_number(const Place& place, long double number) {
    const auto written = [&](const char* keyword) { return shown(*place.schema.find(keyword)); };
    if (const auto low = bound(place, "minimum"); low && number < *low)
      complain(place, "must be at least " + written("minimum"));
    if (const auto high = bound(place, "maximum"); high && number > *high)
      complain(place, "must be at most " + written("maximum"));
    if (const auto low = bound(place, "exclusiveMinimum"); low && number <= *low)
      complain(place, "must be more than " + written("exclusiveMinimum"));
    if (const auto high = bound(place, "exclusiveMaximum"); high && number >= *high)
      complain(place, "must be less than " + written("exclusiveMaximum"));
    const auto unit = bound(place, "multipleOf");
    if (!unit) return;
    if (*unit <= 0) return blame(*place.schema.find("multipleOf"), "multipleOf must be over 0");
    const auto quotient = number / *unit;
    if (std::fabs(quotient - std::round(quotient)) > 1e-9L)
      complain(place, "must be a multiple of " + written("multipleOf"));
  }

  // Lists.

  void check_list(const Place& place, const yaml::List& list) {
    check_size(place, list.size(), "minItems", "maxItems", "elements");
    const auto key_of = [&](std::size_t i) { return place.key + "[" + std::to_string(i) + "]"; };
    const auto* items = place.schema.find("items");
    const auto* tuple = items == nullptr ? nullptr : items->as<yaml::List>();
    const auto* rest = tuple == nullptr ? items : place.schema.find("additionalItems");
    for (std::size_t i = 0; i < list.size(); ++i) {
      const auto* schema = tuple != nullptr && i < tuple->size() ? &(*tuple)[i] : rest;
      if (schema != nullptr) apply({*schema, list[i], key_of(i), place.findings, place.depth + 1});
    }
    if (const auto* wanted = place.schema.find("contains"); wanted != nullptr) {
      const bool there = std::any_of(list.begin(), list.end(), [&](const yaml::Node& item) {
        return holds({place.schema, item, place.key, place.findings, place.depth}, *wanted);
      });
      if (!there) complain(place, "lacks an element that must be in it" + described(*wanted));
    }
    const auto* unique = place.schema.find("uniqueItems");
    if (unique == nullptr || unique->as<bool>() == nullptr || !*unique->as<bool>()) return;
    for (std::size_t i = 0; i < list.size(); ++i) {
      for (std::size_t k = 0; k < i; ++k) {
        if (!spend(1)) return;
        if (!is_unknown(list[i]) && equal(list[i], list[k]))
          return complain(place, list[i].at(), "has the same element twice");
      }
    }
  }

  // Mappings.

  void check_map(const Place& place, const yaml::Map& map) {
    check_size(place, map.size(), "minProperties", "maxProperties", "keys");
    const auto below = [&](const std::string& key) {
      return place.key.empty() ? key : place.key + "." + key;
    };
    const auto* properties = map_of(place, "properties");
    const auto* patterns = map_of(place, "patternProperties");
    const auto* others = place.schema.find("additionalProperties");
    const auto* names = place.schema.find("propertyNames");
    require(place, properties);
    depend(place);
    for (const auto& entry : map) {
      if (!spend(1 + (properties == nullptr ? 0 : properties->size() / 8))) return;
      bool known = false;
      const auto use = [&](const yaml::Node& schema) {
        known = true;
        apply({schema, entry.value, below(entry.key), place.findings, place.depth + 1});
      };
      if (names != nullptr) {
        const yaml::Node name(entry.key, entry.key_at);
        apply({*names, name, "the key " + below(entry.key), place.findings, place.depth + 1});
      }
      if (properties != nullptr) {
        if (const auto* own = place.schema.find("properties")->find(entry.key)) use(*own);
      }
      if (patterns != nullptr) {
        for (const auto& pattern : *patterns) {
          const auto* expression = compiled(yaml::Node(pattern.key, pattern.key_at));
          if (expression != nullptr && spend(1) && RE2::PartialMatch(entry.key, *expression))
            use(pattern.value);
        }
      }
      if (known || others == nullptr) continue;
      const auto* open = others->as<bool>();
      if (open == nullptr) {
        use(*others);
      } else if (!*open) {
        refuse_key(place, entry, below(entry.key), properties);
      }
    }
  }

  const yaml::Map* map_of(const Place& place, const char* keyword) {
    const auto* node = place.schema.find(keyword);
    if (node == nullptr) return nullptr;
    if (node->as<yaml::Map>() == nullptr) blame(*node, std::string(keyword) + " must be a mapping");
    return node->as<yaml::Map>();
  }

  void refuse_key(const Place& place,
                  const yaml::Entry& entry,
                  const std::string& key,
                  const yaml::Map* properties) const {
    if (place.findings.size() >= limits_.findings) return;
    std::vector<std::string> allowed;
    if (properties != nullptr) {
      for (const auto& property : *properties) allowed.push_back(property.key);
    }
    auto message = "unknown key " + shortened(key, 200);
    if (const auto near = nearest(entry.key, allowed); !near.empty())
      message += "; did you mean " + near + "?";
    std::string words;
    for (const auto& word : allowed) words += (words.empty() ? "" : ", ") + word;
    if (!words.empty()) message += " (allowed: " + shortened(words, 300) + ")";
    place.findings.push_back({Finding::Severity::error, std::move(message), entry.key_at});
  }

  void require(const Place& place, const yaml::Map* properties) {
    const auto* required = place.schema.find("required");
    if (required == nullptr) return;
    const auto* list = required->as<yaml::List>();
    if (list == nullptr) return blame(*required, "required must be a list");
    for (const auto& name : *list) {
      const auto* key = name.as<std::string>();
      if (key == nullptr || place.value.find(*key) != nullptr) continue;
      const auto* own =
          properties == nullptr ? nullptr : place.schema.find("properties")->find(*key);
      const auto path = place.key.empty() ? *key : place.key + "." + *key;
      if (place.findings.size() < limits_.findings) {
        place.findings.push_back({Finding::Severity::error,
                                  path + " is required" + (own == nullptr ? "" : described(*own)),
                                  place.value.at()});
      }
    }
  }

  void depend(const Place& place) {
    const auto* dependencies = map_of(place, "dependencies");
    if (dependencies == nullptr) return;
    for (const auto& entry : *dependencies) {
      if (place.value.find(entry.key) == nullptr || !spend(1)) continue;
      const auto* names = entry.value.as<yaml::List>();
      if (names == nullptr) {
        apply({entry.value, place.value, place.key, place.findings, place.depth + 1});
        continue;
      }
      for (const auto& name : *names) {
        const auto* key = name.as<std::string>();
        if (key != nullptr && place.value.find(*key) == nullptr)
          complain(place, "has the key " + entry.key + ", which needs " + *key + " beside it");
      }
    }
  }

  const yaml::Node& root_;
  const SchemaLimits& limits_;
  std::string_view stand_in_;
  std::size_t unknown_ = 0;  ///< Texts that were passed over, however often.
  SchemaPatterns::State& patterns_;
  Findings schema_findings_;
  std::size_t steps_ = 0;
  std::string stopped_;
};

}  // namespace

Findings check(const yaml::Node& schema,
               const yaml::Node& values,
               const SchemaLimits& limits,
               std::string_view stand_in,
               const SchemaPatterns& patterns) {
  return Checker(schema, limits, stand_in, patterns.state()).run(values);
}

SchemaPatterns::SchemaPatterns() : state_(std::make_unique<State>()) {}
SchemaPatterns::~SchemaPatterns() = default;

}  // namespace skep::package
