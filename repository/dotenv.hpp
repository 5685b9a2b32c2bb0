#pragma once

#include <map>
#include <string>
#include <string_view>

#include "core/finding.hpp"

namespace skep::repository {

/// A stack's `.env`: KEY=VALUE lines as Docker Compose reads them: `#` comments, an optional
/// `export`, values plain, in single quotes (verbatim) or in double quotes (\n, \t, \", \\).
/// Nothing is expanded; where docker compose would, a warning says so. Findings never quote a
/// value.
[[nodiscard]] std::map<std::string, std::string> parse_dotenv(std::string_view text,
                                                              const std::string& file,
                                                              Findings& findings);

}  // namespace skep::repository
