#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <vector>

#include "helm-like-templates/package/schema.hpp"
#include "helm-like-templates/package/values.hpp"
#include "yaml/parse.hpp"

// Whatever schema, values and settings are: the check answers within its limits, and every finding
// has words. The input is three texts with a line of dashes between them.

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t size) {
  using namespace skep;
  std::vector<std::string> parts;
  std::string rest(reinterpret_cast<const char*>(bytes), size);
  for (auto at = rest.find("\n---\n"); at != std::string::npos; at = rest.find("\n---\n")) {
    parts.push_back(rest.substr(0, at));
    rest.erase(0, at + 5);
  }
  parts.push_back(rest);
  parts.resize(3);
  const yaml::Limits small{.bytes = 1U << 16U, .nodes = 10'000, .depth = 100};
  const auto schema = yaml::parse(parts[0], "schema", small);
  auto values = yaml::parse(parts[1], "values", small);
  if (!schema || !values) return 0;
  for (const bool text : {false, true}) {
    auto copy = *values;
    (void)package::set(copy, parts[2], text);
    const auto merged = package::over_defaults(*values, copy);
    const package::SchemaLimits limits{.steps = 20'000};
    const auto findings = package::check(*schema, merged, limits);
    if (findings.size() > limits.findings) std::abort();
    for (const auto& finding : findings) {
      if (finding.message.empty()) std::abort();
    }
  }
  (void)package::unknown_keywords(*schema);
  return 0;
}
