#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include "yaml/parse.hpp"

// Whatever the bytes are: parse() answers, keeps its limits, and every position is in the text.

namespace {

using skep::yaml::Node;

void require(bool condition) {
  if (!condition) std::abort();
}

struct Walk {
  int lines;
  std::size_t nodes = 0;

  void position(const skep::SourcePosition& at) const {
    require(at.line >= 1 && at.line <= lines && at.column >= 1);
  }
  void visit(const Node& node, int depth) {
    require(depth <= 200 && ++nodes <= 20'000);
    position(node.at());
    if (const auto* list = node.as<skep::yaml::List>()) {
      for (const auto& item : *list) visit(item, depth + 1);
    } else if (const auto* map = node.as<skep::yaml::Map>()) {
      for (const auto& entry : *map) {
        position(entry.key_at);
        require(node.find(entry.key) == &entry.value);  // unique
        visit(entry.value, depth + 1);
      }
    }
  }
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const auto root = skep::yaml::parse(text, "fuzz.yml", {.bytes = 1U << 16U, .nodes = 20'000});
  const auto breaks =
      std::count_if(text.begin(), text.end(), [](char c) { return c == '\n' || c == '\r'; });
  Walk walk{static_cast<int>(breaks) + 1};
  if (root) {
    walk.visit(*root, 1);
  } else {
    require(!root.error().message.empty() && root.error().at.has_value());
  }
  return 0;
}
