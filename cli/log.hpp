#pragma once

#include <string>
#include <string_view>

#include <spdlog/logger.h>

#include "core/redaction.hpp"
#include "core/result.hpp"

/// What make_logger() made, and how its lines look.
namespace skep::cli {

/// error, warning, info, debug, trace.
[[nodiscard]] std::string level_of(const spdlog::logger& log);
/// Errors: invalid_input.
Result<void> set_level(spdlog::logger& log, std::string_view level);

/// `message`, as core/logfmt.hpp writes it, less what the set knows: of each field by itself, as
/// RedactionSet::mask_field, but names by which lines are found and counts stay.
[[nodiscard]] std::string masked_line(std::string_view message, const RedactionSet& set);

/// One line of the log, without its end; `message` as core/logfmt.hpp writes it.
[[nodiscard]] std::string json_line(std::string_view time,
                                    std::string_view level,
                                    std::string_view message);

}  // namespace skep::cli
