#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "core/result.hpp"

/// `docker skep …`: the Docker CLI runs `docker-skep`, with its own global flags before the word
/// `skep`.
namespace skep::cli {

/// What `docker-skep docker-cli-plugin-metadata` prints.
[[nodiscard]] std::string plugin_metadata();

struct PluginCall {
  std::vector<std::string> arguments;              ///< As if skep had been called.
  std::map<std::string, std::string> environment;  ///< What Docker's other flags mean.
};

/// Nothing where the arguments (the program's name first) are no call of the Docker CLI. Errors:
/// invalid_input, for a flag of Docker that has no counterpart.
[[nodiscard]] Result<std::optional<PluginCall>> plugin_call(
    const std::vector<std::string>& arguments);

}  // namespace skep::cli
