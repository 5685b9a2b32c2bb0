#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <map>
#include <string>
#include <string_view>

#include "compose/interpolate.hpp"
#include "compose/schema.hpp"
#include "compose/version.hpp"
#include "yaml/parse.hpp"

// The bytes are a compose file, which must get through interpolation and validation in every mode;
// and they are a text, which must survive when each of its dollars is doubled.

namespace {

void require(bool condition) {
  if (!condition) std::abort();
}

const std::map<std::string, std::string>& environment() {
  static const std::map<std::string, std::string> variables = {
      {"A", "a"}, {"EMPTY", ""}, {"N", "0440"}, {"T", "yes"}, {"D", "$A"}, {"F", "1e400"}};
  return variables;
}

void escaped_text_survives(const std::string& text) {
  std::string escaped;
  for (const char c : text) escaped += c == '$' ? "$$" : std::string(1, c);
  skep::yaml::Node node(escaped, {"fuzz.yml", 1, 1});
  skep::Findings findings;
  skep::compose::interpolate(node, {}, {}, findings);
  require(findings.empty() && *node.as<std::string>() == text);
}

void whole_file(std::string_view text, bool strict, bool unset_is_error) {
  auto root = skep::yaml::parse(text, "fuzz.yml", {.bytes = 1U << 16U, .nodes = 20'000});
  if (!root) return;
  skep::Findings findings;
  const auto version = skep::compose::effective_version(*root, findings);
  require(version.has_value() || skep::has_errors(findings));
  skep::compose::interpolate(*root,
                             environment(),
                             {.unset_variable_is_error = unset_is_error, .strict = strict},
                             findings);
  if (version) skep::compose::validate(*root, *version, strict, findings);
  for (const auto& finding : findings) require(!finding.message.empty() && finding.at.line > 0);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string text(reinterpret_cast<const char*>(data), size);
  escaped_text_survives(text);
  whole_file(text, true, false);
  whole_file(text, false, true);
  return 0;
}
