#pragma once

#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "compose/compose.hpp"

namespace skep::compose::testing {

/// Files that exist in memory only.
class MemoryFiles final : public FileReader {
 public:
  std::map<std::string, std::string> files;
  std::string directory = "/D";

  Result<std::optional<std::string>> read(const std::string& path) const override {
    if (path == directory) {
      return Error{ErrorKind::invalid_input, "read " + path + ": is a directory"};
    }
    const auto found = files.find(path);
    if (found == files.end()) return std::optional<std::string>();
    return std::optional(found->second);
  }
};

/// What one call of load() is given, with the defaults of section F: HOME=/root, directory /D,
/// FOO=foo and EMPTY="".
struct Loader {
  MemoryFiles reader;
  std::map<std::string, std::string> environment = {{"FOO", "foo"}, {"EMPTY", ""}};
  std::optional<std::string> home = "/root";
  std::string directory = "/D";
  bool strict = true;
  bool unset_variable_is_error = false;

  [[nodiscard]] Output load(const std::vector<std::string>& texts) const {
    Input input;
    input.stack = *swarm::StackName::parse("s");
    for (std::size_t i = 0; i < texts.size(); ++i) {
      input.files.push_back({std::string(1, static_cast<char>('a' + i)) + ".yml", texts[i]});
    }
    input.working_directory = directory;
    input.environment = environment;
    input.reader = &reader;
    input.strict = strict;
    input.unset_variable_is_error = unset_variable_is_error;
    input.home = home;
    return compose::load(input);
  }
};

/// With the extensions.
inline Loader relaxed() {
  Loader loader;
  loader.strict = false;
  return loader;
}

/// A file with one service `web` that has an image and these keys, one a line, and what follows at
/// the top level.
inline std::string web(const std::string& keys, const std::string& top = "") {
  std::string text = "version: \"3.13\"\nservices:\n  web:\n    image: nginx\n";
  std::string line;
  for (const char c : keys + "\n") {
    if (c != '\n') {
      line += c;
    } else {
      if (!line.empty()) text += "    " + line + '\n';
      line.clear();
    }
  }
  return text + top + '\n';
}

inline std::string messages(const Output& output, Finding::Severity severity) {
  std::string text;
  for (const auto& finding : output.findings) {
    if (finding.severity == severity) text += finding.message + '\n';
  }
  return text;
}
inline std::string errors(const Output& output) {
  return messages(output, Finding::Severity::error);
}
inline std::string warnings(const Output& output) {
  return messages(output, Finding::Severity::warning);
}

}  // namespace skep::compose::testing
