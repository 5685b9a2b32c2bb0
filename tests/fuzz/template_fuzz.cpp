#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>

#include "helm-like-templates/renderer/render.hpp"
#include "yaml/parse.hpp"

// Whatever the template is: render() answers within its limits, and an error has a place.

namespace {

using skep::templates::Value;

const Value& data() {
  static const auto values = skep::yaml::parse(
      "{Values: {name: web, port: 80, ratio: 0.5, list: [a, b, {c: 1}], map: {a: 1, b: {c: x}}, "
      "none: null, text: 'Hello, Wörld'}}",
      "values.yaml");
  static const auto root = Value::from(*values);
  return root;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t size) {
  const std::string text(reinterpret_cast<const char*>(bytes), size);
  const skep::templates::Limits limits{
      .steps = 20'000, .depth = 20, .output = 1U << 16U, .memory = 1U << 20U};
  const auto result = skep::templates::render({{"fuzz", text}}, "fuzz", data(), limits);
  if (result) {
    if (result->size() > limits.output) std::abort();
  } else {
    const auto& error = result.error();
    if (error.message.empty() || !error.at || error.at->line < 1 || error.at->column < 1)
      std::abort();
  }
  return 0;
}
