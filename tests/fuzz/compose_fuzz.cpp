#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>

#include "compose/compose.hpp"

// The bytes are a compose file and every file that it cites: load() comes back in every mode, each
// finding has a message and a place, and the result does not depend on the call.

namespace {

void require(bool condition) {
  if (!condition) std::abort();
}

class SameFileEverywhere final : public skep::FileReader {
 public:
  explicit SameFileEverywhere(const std::string& text) : text_(text) {}
  skep::Result<std::optional<std::string>> read(const std::string& path) const override {
    // What the contract of FileReader asks of callers.
    require(!path.empty() && path.front() == '/' && path.find("/../") == std::string::npos);
    return std::optional(text_);
  }

 private:
  const std::string& text_;
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size > (1U << 14U)) return 0;
  const std::string text(reinterpret_cast<const char*>(data), size);
  const SameFileEverywhere reader(text);
  skep::compose::Input input;
  input.stack = *skep::swarm::StackName::parse("s");
  input.files = {{"a.yml", text}};
  if (size % 3 == 0) input.files.push_back({"b.yml", text});
  input.working_directory = "/work/dir";
  input.environment = {{"A", "a"}, {"N", "5"}, {"EMPTY", ""}};
  input.reader = &reader;
  for (const bool strict : {true, false}) {
    input.strict = strict;
    if (!strict) input.home = "/root";
    const auto output = skep::compose::load(input);
    for (const auto& finding : output.findings) {
      require(!finding.message.empty() && finding.at.line > 0);
    }
    const auto again = skep::compose::load(input);
    require(again.findings == output.findings && again.stack == output.stack);
  }
  return 0;
}
