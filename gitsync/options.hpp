#pragma once

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>

#include "gitsync/allowed_signers.hpp"
#include "gitsync/credentials.hpp"
#include "gitsync/remote_url.hpp"

namespace skep::gitsync {

/// What one read of a tree may cost; applies to remotes and work trees alike.
struct ReadLimits {
  std::uint64_t file_bytes = 8U * 1024U * 1024U;  ///< Of one file that is read.
  std::uint64_t directory_entries = 10'000;       ///< Of one directory that is listed.
};

/// What one fetch may cost. The deadline is GitOptions::deadline.
struct FetchLimits {
  std::uint64_t pack_bytes = 512U * 1024U * 1024U;    ///< Received in one fetch.
  std::uint64_t objects = 1'000'000;                  ///< Received in one fetch.
  std::uint64_t object_bytes = 128U * 1024U * 1024U;  ///< One file of the commit, unpacked.
  std::uint64_t tree_entries = 200'000;  ///< Files and directories of the commit, equal trees once.
  std::uint64_t refs = 100'000;          ///< That the remote may show.
  std::uint64_t memory_bytes = 1024U * 1024U * 1024U;  ///< Address space of the child; 0: no limit.
};

struct GitOptions {
  RemoteUrl url;
  std::string ref;  ///< Branch, tag, refs/heads/…, refs/tags/…, 40 hex digits; "" or HEAD: default.
  std::filesystem::path state_directory;  ///< Made where missing, mode 0700; may be shared.
  Credentials credentials = {};
  std::chrono::seconds deadline{60};  ///< Of one fetch, connection to last byte.
  ReadLimits read_limits = {};
  FetchLimits fetch_limits = {};
  std::filesystem::path executable = "/proc/self/exe";  ///< Answers `__fetch` (fetch_child.hpp).
  /// Whose signature a commit must have to be carried out; nothing: it need have none.
  std::optional<AllowedSigners> allowed_signers = {};
  /// Accepts a ref that moved to a commit which does not descend from the last good one.
  bool allow_rewind = false;
};

}  // namespace skep::gitsync
