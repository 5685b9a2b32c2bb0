#pragma once

#include <chrono>
#include <cstddef>
#include <filesystem>
#include <stop_token>
#include <string>
#include <string_view>

#include "core/result.hpp"

namespace skep::gitsync {

/// A program that reads one request from its standard input and writes one answer to its standard
/// output. It gets no other open file, and of the environment only proxy and certificate variables.
struct ChildCall {
  std::filesystem::path executable;
  std::string argument;
  std::string_view input;
  std::chrono::milliseconds deadline{};
  std::size_t largest_answer = 1024U * 1024U;
};

/// Runs it to its end; it never outlives this call: killed at the deadline, when `stop` asks, and
/// by the kernel when the calling thread dies (the child asks for that itself). What it writes to
/// standard error goes to ours. Errors: unavailable (cannot start, deadline, killed, no answer),
/// cancelled.
[[nodiscard]] Result<std::string> run_child(const ChildCall& call, std::stop_token stop);

}  // namespace skep::gitsync
