#include "yaml/node.hpp"

namespace skep::yaml {

Node::Node(Value content, SourcePosition position)
    : value_(std::move(content)), at_(std::move(position)) {}

const Node* Node::find(std::string_view key) const noexcept {
  const auto* map = as<Map>();
  if (map == nullptr) return nullptr;
  for (const auto& entry : *map) {
    if (entry.key == key) return &entry.value;
  }
  return nullptr;
}

Node* Node::find(std::string_view key) noexcept {
  auto* map = as<Map>();
  if (map == nullptr) return nullptr;
  for (auto& entry : *map) {
    if (entry.key == key) return &entry.value;
  }
  return nullptr;
}

std::string_view Node::type_name() const noexcept {
  switch (value_.index()) {
    case 0:
      return "null";
    case 1:
      return "boolean";
    case 2:
    case 3:
      return "integer";
    case 4:
      return "number";
    case 5:
      return "string";
    case 6:
      return "timestamp";
    case 7:
      return "list";
    default:
      return "mapping";
  }
}

bool Node::operator==(const Node& other) const {
  return value_ == other.value_ && at_ == other.at_;
}

}  // namespace skep::yaml
