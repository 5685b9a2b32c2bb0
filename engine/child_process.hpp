#pragma once

#include <chrono>
#include <stop_token>
#include <string>
#include <vector>

#include "core/result.hpp"
#include "core/secret.hpp"

namespace skep::engine {

struct ChildOutput {
  int exit_code = 0;  ///< 128 + signal where one ended it.
  Secret out;         ///< Standard output; at most 64 KiB are read.
};

/// Runs a program found in PATH, without a shell, with `input` as its standard input and its
/// standard error thrown away. It is killed at the deadline and when `stop` asks. Errors:
/// invalid_input (no such program), unavailable (deadline, too much output), cancelled.
Result<ChildOutput> run_child(const std::vector<std::string>& arguments,
                              const std::string& input,
                              std::chrono::milliseconds deadline,
                              std::stop_token stop);

}  // namespace skep::engine
