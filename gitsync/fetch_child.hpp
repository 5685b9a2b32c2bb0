#pragma once

#include "gitsync/fetch_protocol.hpp"

namespace skep::gitsync {

/// The argument that makes the binary a fetching child: `main` calls fetch_child_main() before
/// anything else when argv[1] equals it.
inline constexpr const char* kFetchArgument = "__fetch";

/// Reads a FetchRequest from standard input, fetches in this process, writes the FetchAnswer to
/// standard output. Limits its own memory and file size, dies with its parent. Returns the exit
/// code: 0 also where the answer is an error.
int fetch_child_main();

/// What the child does once it has its request, be it a fetch or housekeeping; for tests of the
/// steps without a process around.
[[nodiscard]] Result<FetchAnswer> fetch_into_mirror(const FetchRequest& request);

/// Of a request's directory.
[[nodiscard]] std::filesystem::path mirror_path(const std::filesystem::path& directory);

}  // namespace skep::gitsync
