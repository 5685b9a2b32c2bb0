#pragma once

#include <string>
#include <vector>

#include "cli/session.hpp"

namespace skep::cli {

/// `skep __complete -- WORDS…`, which the scripts of `skep completion` call: one candidate a line
/// for the last, unfinished word, then a tab and what it is.
int complete(const Session& session, const Command& app, std::vector<std::string> words);

/// Those that ship, and those of a repository that is a directory of this machine.
[[nodiscard]] std::vector<std::string> template_names(const Session& session);

}  // namespace skep::cli
