#include "helm-like-templates/package/schema_keywords.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <string>

#include "helm-like-templates/package/schema.hpp"

namespace skep::package {
namespace {

// Whose value is a schema, a list or mapping of schemas, or neither.
constexpr std::array<std::string_view, 9> kSchema = {"additionalItems",
                                                     "additionalProperties",
                                                     "contains",
                                                     "else",
                                                     "if",
                                                     "items",
                                                     "not",
                                                     "propertyNames",
                                                     "then"};
constexpr std::array<std::string_view, 3> kSchemaList = {"allOf", "anyOf", "oneOf"};
constexpr std::array<std::string_view, 5> kSchemaMap = {
    "$defs", "definitions", "dependencies", "patternProperties", "properties"};
constexpr std::array<std::string_view, 26> kPlain = {"$comment",
                                                     "$id",
                                                     "$ref",
                                                     "$schema",
                                                     "const",
                                                     "default",
                                                     "deprecated",
                                                     "description",
                                                     "enum",
                                                     "examples",
                                                     "exclusiveMaximum",
                                                     "exclusiveMinimum",
                                                     "format",
                                                     "maxItems",
                                                     "maxLength",
                                                     "maxProperties",
                                                     "maximum",
                                                     "minItems",
                                                     "minLength",
                                                     "minProperties",
                                                     "minimum",
                                                     "multipleOf",
                                                     "pattern",
                                                     "required",
                                                     "title",
                                                     "type"};

template <typename Words>
bool among(const Words& words, std::string_view word) {
  return std::find(words.begin(), words.end(), word) != words.end();
}

void look(const yaml::Node& schema, int depth, Findings& findings);

void look_at_all(const yaml::Node& node, int depth, Findings& findings) {
  if (const auto* list = node.as<yaml::List>()) {
    for (const auto& item : *list) look(item, depth, findings);
  } else if (const auto* map = node.as<yaml::Map>()) {
    for (const auto& entry : *map) look(entry.value, depth, findings);
  }
}

void look(const yaml::Node& schema, int depth, Findings& findings) {
  const auto* map = schema.as<yaml::Map>();
  if (map == nullptr || depth > 200) return;
  for (const auto& entry : *map) {
    if (among(kSchema, entry.key)) {
      if (entry.value.as<yaml::List>() != nullptr) {
        look_at_all(entry.value, depth + 1, findings);
      } else {
        look(entry.value, depth + 1, findings);
      }
    } else if (among(kSchemaList, entry.key) || among(kSchemaMap, entry.key)) {
      look_at_all(entry.value, depth + 1, findings);
    } else if (!among(kPlain, entry.key) && entry.key != "uniqueItems" && entry.key != "readOnly" &&
               entry.key != "writeOnly") {
      findings.push_back({Finding::Severity::warning,
                          "schema: the keyword " + entry.key + " is not known and has no effect",
                          entry.key_at});
    }
  }
}

/// JSON pointer and URI escapes.
std::string unescaped(std::string_view text) {
  std::string plain;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '~' && i + 1 < text.size() && (text[i + 1] == '0' || text[i + 1] == '1')) {
      plain += text[++i] == '0' ? '~' : '/';
      continue;
    }
    unsigned char byte = 0;
    if (text[i] == '%' && i + 2 < text.size()) {
      const auto* from = text.data() + i + 1;
      const auto [stop, trouble] = std::from_chars(from, from + 2, byte, 16);
      if (stop == from + 2 && trouble == std::errc()) {
        plain += static_cast<char>(byte);
        i += 2;
        continue;
      }
    }
    plain += text[i];
  }
  return plain;
}

}  // namespace

const yaml::Node* resolve_pointer(const yaml::Node& root, std::string_view reference) {
  if (!reference.starts_with('#')) return nullptr;
  reference.remove_prefix(1);
  const auto* node = &root;
  while (!reference.empty() && node != nullptr) {
    if (!reference.starts_with('/')) return nullptr;
    reference.remove_prefix(1);
    const auto part = unescaped(reference.substr(0, reference.find('/')));
    reference.remove_prefix(std::min(reference.find('/'), reference.size()));
    if (const auto* list = node->as<yaml::List>()) {
      std::size_t index = list->size();
      (void)std::from_chars(part.data(), part.data() + part.size(), index);
      node = index < list->size() ? &(*list)[index] : nullptr;
    } else {
      node = node->find(part);
    }
  }
  return node;
}

Findings unknown_keywords(const yaml::Node& schema) {
  Findings findings;
  look(schema, 0, findings);
  return findings;
}

}  // namespace skep::package
