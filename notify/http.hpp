#pragma once

#include <chrono>
#include <stop_token>

#include "notify/target.hpp"

namespace skep::notify {

/// Sends by HTTP or HTTPS with the system's CAs; follows no redirect but those that
/// HttpCall::follow allows, reads at most 64 KiB of an answer, and ends early when `stop` asks. The
/// library's global state is the program's.
[[nodiscard]] Send http_sender(std::stop_token stop,
                               std::chrono::milliseconds limit = std::chrono::seconds(10));

}  // namespace skep::notify
