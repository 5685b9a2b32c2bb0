#pragma once

#include <string>
#include <string_view>

#include <git2.h>

#include "core/handle.hpp"
#include "core/result.hpp"

namespace skep::gitsync {

using BlobHandle = Handle<git_blob, git_blob_free>;
using CommitHandle = Handle<git_commit, git_commit_free>;
using IndexHandle = Handle<git_index, git_index_free>;
using ObjectHandle = Handle<git_object, git_object_free>;
using OdbHandle = Handle<git_odb, git_odb_free>;
using PackBuilderHandle = Handle<git_packbuilder, git_packbuilder_free>;
using ReferenceHandle = Handle<git_reference, git_reference_free>;
using RemoteHandle = Handle<git_remote, git_remote_free>;
using RepositoryHandle = Handle<git_repository, git_repository_free>;
using RevwalkHandle = Handle<git_revwalk, git_revwalk_free>;
using StatusListHandle = Handle<git_status_list, git_status_list_free>;
using TreeEntryHandle = Handle<git_tree_entry, git_tree_entry_free>;
using TreeHandle = Handle<git_tree, git_tree_free>;

/// What libgit2 says about its last failure on this thread, so call it at once. The kind follows
/// the code: GIT_EAUTH and GIT_ECERTIFICATE are unauthorized, the rest is unavailable.
[[nodiscard]] Error git_error_of(int code, std::string_view doing);

/// Calls a libgit2 function that writes its result through its first parameter.
template <typename H, typename F, typename... Args>
Result<H> acquire(std::string_view doing, F function, Args... args) {
  typename H::pointer raw = nullptr;
  if (const int code = function(&raw, args...); code < 0) return git_error_of(code, doing);
  return H(raw);
}

/// Calls a libgit2 function that only succeeds or fails.
template <typename F, typename... Args>
Result<void> call(std::string_view doing, F function, Args... args) {
  if (const int code = function(args...); code < 0) return git_error_of(code, doing);
  return {};
}

/// Lower-case hex.
[[nodiscard]] std::string to_hex(const git_oid& id);
/// Errors: invalid_input for anything but 40 hex digits.
[[nodiscard]] Result<git_oid> parse_oid(std::string_view hex);

}  // namespace skep::gitsync
