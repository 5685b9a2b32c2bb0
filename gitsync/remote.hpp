#pragma once

#include <memory>
#include <string>
#include <vector>

#include "gitsync/credentials.hpp"
#include "gitsync/git2.hpp"
#include "gitsync/options.hpp"
#include "gitsync/remote_refs.hpp"

namespace skep::gitsync {

/// An open connection to a remote: one per fetch, used for listing and then for downloading. All
/// errors are those of ports::Source::fetch. Needs a Library, `url`, `credentials` and `limits` to
/// outlive it.
class Remote {
 public:
  static Result<std::unique_ptr<Remote>> connect(git_repository* repository,
                                                 const RemoteUrl& url,
                                                 const Credentials& credentials,
                                                 const FetchLimits& limits);
  ~Remote();

  /// Branches, tags and others, without the peeled lines of annotated tags.
  [[nodiscard]] const std::vector<RemoteRef>& refs() const { return refs_; }
  /// Full name of the default branch; "" where the remote does not tell.
  [[nodiscard]] const std::string& head() const { return head_; }
  /// Brings the objects that are not here yet; touches no ref. Returns the bytes received.
  Result<std::uint64_t> download(const std::vector<std::string>& refspecs);

 private:
  class Dialogue;
  Remote(RemoteHandle remote, std::unique_ptr<Dialogue> dialogue);
  Result<void> list(const FetchLimits& limits);

  std::unique_ptr<Dialogue> dialogue_;  ///< Outlives remote_, whose callbacks point to it.
  RemoteHandle remote_;
  std::vector<RemoteRef> refs_;
  std::string head_;
};

}  // namespace skep::gitsync
