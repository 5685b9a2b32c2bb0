#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "gitsync/credentials.hpp"
#include "gitsync/git2.hpp"
#include "gitsync/known_hosts.hpp"
#include "gitsync/options.hpp"
#include "gitsync/proxy.hpp"
#include "gitsync/remote_refs.hpp"

namespace skep::gitsync {

/// What a connection over ssh that failed tells of the host's keys.
struct HostKeyTry {
  bool no_common_type = false;     ///< The host has no key of a type that it was asked for.
  std::optional<HostKey> refused;  ///< It showed this one, which nobody vouched for.
};

/// An open connection to a remote: one per fetch, used for listing and then for downloading. All
/// errors are those of ports::Source::fetch. Needs a Library, `url`, `credentials` and `limits` to
/// outlive it.
class Remote {
 public:
  static Result<std::unique_ptr<Remote>> connect(git_repository* repository,
                                                 const RemoteUrl& url,
                                                 const Credentials& credentials,
                                                 const FetchLimits& limits,
                                                 HostKeyTry* tried = nullptr);
  ~Remote();

  /// Branches, tags and others, without the peeled lines of annotated tags.
  [[nodiscard]] const std::vector<RemoteRef>& refs() const { return refs_; }
  /// Full name of the default branch; "" where the remote does not tell.
  [[nodiscard]] const std::string& head() const { return head_; }
  /// Brings the objects that are not here yet; touches no ref. Returns the bytes received.
  Result<std::uint64_t> download(const std::vector<std::string>& refspecs);

 private:
  class Dialogue;
  Remote(RemoteHandle remote, std::unique_ptr<Dialogue> dialogue, std::optional<Proxy> proxy);
  [[nodiscard]] git_proxy_options proxy_options() const;
  Result<void> list(const FetchLimits& limits);

  std::unique_ptr<Dialogue> dialogue_;  ///< Outlives remote_, whose callbacks point to it.
  const std::optional<Proxy> proxy_;
  RemoteHandle remote_;
  std::vector<RemoteRef> refs_;
  std::string head_;
};

}  // namespace skep::gitsync
