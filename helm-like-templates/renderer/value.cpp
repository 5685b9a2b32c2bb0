#include "helm-like-templates/renderer/value.hpp"

#include <limits>

#include "yaml/node.hpp"

namespace skep::templates {

Value::Value(List list) : value_(std::make_shared<const List>(std::move(list))) {}
Value::Value(Map map) : value_(std::make_shared<Map>(std::move(map))) {}

const std::string* Value::text() const noexcept {
  const auto* text = std::get_if<Text>(&value_);
  return text == nullptr ? nullptr : text->get();
}

const List* Value::list() const noexcept {
  const auto* list = std::get_if<std::shared_ptr<const List>>(&value_);
  return list == nullptr ? nullptr : list->get();
}

Map* Value::map() const noexcept {
  const auto* map = std::get_if<std::shared_ptr<Map>>(&value_);
  return map == nullptr ? nullptr : map->get();
}

Value Value::find(std::string_view key) const {
  const auto* here = map();
  if (here == nullptr) return {};
  const auto found = here->entries.find(key);
  return found == here->entries.end() ? Value() : found->second;
}

Value Value::from(const yaml::Node& node) {
  struct Visit {
    Value operator()(const yaml::Null& /*null*/) const { return {}; }
    Value operator()(bool truth) const { return Value(truth); }
    Value operator()(std::int64_t number) const { return Value(number); }
    Value operator()(std::uint64_t number) const {
      if (number > static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max()))
        return Value(static_cast<double>(number));
      return Value(static_cast<std::int64_t>(number));
    }
    Value operator()(double number) const { return Value(number); }
    Value operator()(const std::string& text) const { return Value(text); }
    // A text, as Helm takes it, and what people mean by `release: 2024-01-31`.
    Value operator()(const yaml::Timestamp& time) const { return Value(time.written); }
    Value operator()(const yaml::List& nodes) const {
      List list;
      list.items.reserve(nodes.size());
      for (const auto& item : nodes) list.items.push_back(from(item));
      return Value(std::move(list));
    }
    Value operator()(const yaml::Map& entries) const {
      Map map;
      for (const auto& entry : entries) map.entries.insert_or_assign(entry.key, from(entry.value));
      return Value(std::move(map));
    }
  };
  return std::visit(Visit{}, node.value());
}

std::string_view type_name(const Value& value) {
  struct Visit {
    std::string_view operator()(const Nil& /*nil*/) const { return "interface {}"; }
    std::string_view operator()(bool /*truth*/) const { return "bool"; }
    std::string_view operator()(const Int& number) const {
      switch (number.type) {
        case Int::Type::int64:
          return "int64";
        case Int::Type::uint8:
          return "uint8";
        case Int::Type::uint64:
          return "uint64";
        default:
          return "int";
      }
    }
    std::string_view operator()(double /*number*/) const { return "float64"; }
    std::string_view operator()(const Value::Text& /*text*/) const { return "string"; }
    std::string_view operator()(const std::shared_ptr<const List>& list) const {
      switch (list->type) {
        case List::Type::string:
          return "[]string";
        case List::Type::int_:
          return "[]int";
        case List::Type::list:
          return "[][]interface {}";
        default:
          return "[]interface {}";
      }
    }
    std::string_view operator()(const std::shared_ptr<Map>& map) const {
      switch (map->type) {
        case Map::Type::string:
          return "map[string]string";
        case Map::Type::version:
          return "*semver.Version";
        default:
          return "map[string]interface {}";
      }
    }
  };
  return std::visit(Visit{}, value.variant());
}

std::string_view kind_name(const Value& value) {
  if (value.is_nil()) return "invalid";
  if (value.list() != nullptr) return "slice";
  if (const auto* map = value.map()) return map->type == Map::Type::version ? "ptr" : "map";
  return type_name(value);
}

std::size_t length(const Value& value) {
  if (const auto* text = value.text()) return text->size();
  if (const auto* list = value.list()) return list->items.size();
  if (const auto* map = value.map()) return map->entries.size();
  return 0;
}

bool is_true(const Value& value) {
  if (const auto* truth = value.boolean()) return *truth;
  if (const auto* number = value.integer()) return number->value != 0;
  if (const auto* number = value.real()) return *number != 0;
  return length(value) > 0;
}

Value overlay(const Value& base, const Value& over) {
  const auto* top = over.map();
  if (top == nullptr) return over;
  Map merged;
  if (const auto* bottom = base.map()) merged.entries = bottom->entries;
  for (const auto& [key, value] : top->entries) {
    if (value.is_nil()) {
      merged.entries.erase(key);
      continue;
    }
    const auto found = merged.entries.find(key);
    const auto below = found == merged.entries.end() ? Value() : found->second;
    merged.entries.insert_or_assign(key, overlay(below, value));
  }
  return Value(std::move(merged));
}

}  // namespace skep::templates
