#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "core/result.hpp"

namespace skep::gitsync {

/// A ref that a remote shows: full name and hex id (of the tag object for an annotated tag).
struct RemoteRef {
  std::string name, id;
  bool operator==(const RemoteRef&) const = default;
};

/// What is to be fetched for a configured ref.
struct Wanted {
  std::string label;                  ///< For people: "branch main", "tag v1", "commit 1234…".
  std::string id;                     ///< What the remote's ref points to; for a commit, its id.
  std::vector<std::string> refspecs;  ///< Exact names, or all branches and tags for a commit.
};

/// Whether `ref` can be a ref at all: "" and HEAD, a branch or tag name by git-check-ref-format,
/// refs/heads/…, refs/tags/…, 40 hex digits. Errors: invalid_input.
[[nodiscard]] Result<void> check_ref(std::string_view ref);
[[nodiscard]] bool is_commit_id(std::string_view ref);

/// Picks `ref` (checked) among what the remote shows; `head` is the full name of the default
/// branch, "" where the remote's HEAD names none. A branch goes before a tag of the same name, so
/// that nobody takes a branch over by pushing a tag. Errors: invalid_input with up to ten of the
/// names that exist; for a remote without any commit, that it is empty.
[[nodiscard]] Result<Wanted> pick(std::string_view ref,
                                  std::string_view head,
                                  const std::vector<RemoteRef>& refs);

}  // namespace skep::gitsync
