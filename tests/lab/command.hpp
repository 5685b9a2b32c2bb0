#pragma once

#include <map>
#include <string>
#include <vector>

namespace skep::lab {

struct CommandOutput {
  int exit_code =
      -1;  ///< 128 + signal for a process that was killed, 127 where it could not start.
  std::string out, err;
};

/// Runs a program and waits for it. `environment` is added to this process's own.
CommandOutput run(const std::vector<std::string>& arguments,
                  const std::map<std::string, std::string>& environment = {},
                  const std::string& standard_input = {});

}  // namespace skep::lab
