#pragma once

#include <filesystem>
#include <string>

#include "core/repo_path.hpp"
#include "core/result.hpp"

namespace skep::gitsync {

/// The full id of the commit whose id begins so. Errors: invalid_input (fewer than 4 hex digits,
/// none or several such commits), unavailable.
[[nodiscard]] Result<std::string> find_commit(const std::filesystem::path& repository,
                                              const std::string& beginning);

/// The newest commit, from `commit` backwards, in which the file is not what it is in any parent:
/// what `git log -1 COMMIT -- PATH` shows. Looks at no more than `furthest` commits. Errors:
/// invalid_input (no such file there), unavailable (too far back).
[[nodiscard]] Result<std::string> find_last_change(const std::filesystem::path& repository,
                                                   const std::string& commit,
                                                   const RepoPath& path,
                                                   std::size_t furthest);

}  // namespace skep::gitsync
