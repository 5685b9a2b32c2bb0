#pragma once

#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "compose/types.hpp"
#include "compose/version.hpp"

namespace skep::compose {

/// What is shown for the text `value` of the variable, label, option or field called `name`.
using ShowText = std::function<std::string(std::string_view name, const std::string& value)>;

/// How a loaded stack is shown to a person.
struct TextOptions {
  /// Empty: every text is shown. Else the content of secrets is hidden whatever it says.
  ShowText show = {};
  /// How an absolute path is written. Empty: as it is.
  std::function<std::string(const std::string& path)> path = {};
  /// Lines above a service, by its key, without their number sign.
  std::map<std::string, std::vector<std::string>> comments = {};
};

/// One or several loaded and merged files as one compose file: what `docker stack config` prints,
/// without the keys that a stack ignores, and with `$` doubled, so that the text loads again to the
/// same stack.
[[nodiscard]] std::string to_text(const ComposeFile& file,
                                  const FileVersion& version,
                                  const TextOptions& options = {});

}  // namespace skep::compose
