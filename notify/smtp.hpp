#pragma once

#include <chrono>
#include <stop_token>

#include "notify/mail.hpp"

namespace skep::notify {

/// Hands mails to an SMTP server, and ends early when `stop` asks. The library's global state is
/// the program's.
[[nodiscard]] SendMail smtp_sender(std::stop_token stop,
                                   std::chrono::milliseconds limit = std::chrono::seconds(30));

}  // namespace skep::notify
