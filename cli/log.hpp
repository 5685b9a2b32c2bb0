#pragma once

#include <string>
#include <string_view>

#include <spdlog/logger.h>

#include "core/result.hpp"

/// What make_logger() made, and how its lines look.
namespace skep::cli {

/// error, warning, info, debug, trace.
[[nodiscard]] std::string level_of(const spdlog::logger& log);
/// Errors: invalid_input.
Result<void> set_level(spdlog::logger& log, std::string_view level);

/// One line of the log, without its end; `message` as core/logfmt.hpp writes it.
[[nodiscard]] std::string json_line(std::string_view time,
                                    std::string_view level,
                                    std::string_view message);

}  // namespace skep::cli
