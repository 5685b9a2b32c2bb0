#pragma once

#include <cstdint>
#include <filesystem>
#include <string>

#include "gitsync/git2.hpp"
#include "gitsync/options.hpp"

namespace skep::gitsync {

/// The bare repository that holds what was fetched from one remote. Written by one process at a
/// time (the caller holds the lock), read by others meanwhile. Needs a Library.
class Mirror {
 public:
  /// Makes it where there is none, and removes what a killed fetch left behind. Errors:
  /// unavailable.
  static Result<Mirror> open(const std::filesystem::path& path);

  [[nodiscard]] git_repository* repository() const { return repository_.get(); }

  /// The commit that an object is, or that an annotated tag (of a tag …) is about. Errors:
  /// invalid_input where it is about something else, unavailable where it is not here.
  [[nodiscard]] Result<git_oid> commit_of(const git_oid& object) const;
  [[nodiscard]] bool has(const git_oid& object) const;
  /// Whether everything below the commit's root is here. Errors: unavailable (something is missing
  /// or damaged), invalid_input (more than `limits` allow).
  [[nodiscard]] Result<void> check_tree(const git_oid& commit, const FetchLimits& limits) const;
  /// Whether `descendant` is `ancestor` or comes after it; false also where `ancestor` is not here.
  [[nodiscard]] Result<bool> descends(const git_oid& descendant, const git_oid& ancestor) const;

  /// Whether refs/skep/NAME names something that is not here any more.
  [[nodiscard]] bool has_lost(const std::string& name) const;
  /// Points refs/skep/NAME to the object: what a later fetch need not send again.
  [[nodiscard]] Result<void> keep(const std::string& name, const git_oid& object) const;
  /// Many packs make every lookup slow: all that is kept goes into one. Takes a second copy's
  /// time and space, and may fail for want of them; then all is as before.
  [[nodiscard]] Result<void> compact() const;

 private:
  Mirror(std::filesystem::path path, RepositoryHandle repository, OdbHandle odb);
  std::filesystem::path path_;
  RepositoryHandle repository_;
  OdbHandle odb_;
};

/// How many a mirror has; 0 where it cannot be read.
[[nodiscard]] std::size_t count_packs(const std::filesystem::path& mirror);

}  // namespace skep::gitsync
