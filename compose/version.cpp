#include "compose/version.hpp"

#include "compose/stringify.hpp"

namespace skep::compose {
namespace {

constexpr int kNewest = 13;

/// As Go's %v prints a decoded value.
std::string printed(const yaml::Node& node) {
  if (node.is_null()) return "<nil>";
  std::string text;
  if (const auto* list = node.as<yaml::List>()) {
    for (const auto& item : *list) text += (text.empty() ? "" : " ") + printed(item);
    return "[" + text + "]";
  }
  if (const auto* map = node.as<yaml::Map>()) {
    for (const auto& entry : *map) {
      text += (text.empty() ? "" : " ") + entry.key + ":" + printed(entry.value);
    }
    return "map[" + text + "]";
  }
  return stringify(node).value_or("");
}

}  // namespace

std::optional<FileVersion> effective_version(const yaml::Node& root, Findings& findings) {
  const auto* node = root.find("version");
  if (node == nullptr) return FileVersion{};
  const auto text = printed(*node);
  if (text.empty() || text == "3") return FileVersion{};
  for (int minor = 0; minor <= kNewest; ++minor) {
    if (text == "3." + std::to_string(minor)) return FileVersion{minor, text};
  }
  findings.push_back({Finding::Severity::error,
                      "unsupported Compose file version: " + text +
                          "; leave it out, or write \"3.0\" to \"3.13\" in quotes",
                      node->at()});
  return std::nullopt;
}

}  // namespace skep::compose
