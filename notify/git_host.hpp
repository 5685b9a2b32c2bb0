#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "core/clock.hpp"
#include "core/result.hpp"
#include "core/secret.hpp"
#include "notify/commit_status.hpp"
#include "notify/target.hpp"

namespace skep::notify {

/// Forgejo's API is Gitea's.
enum class GitHostType { github, gitlab, gitea, forgejo };

[[nodiscard]] std::string_view to_string(GitHostType type);
[[nodiscard]] std::optional<GitHostType> git_host_type(std::string_view word);

/// Where statuses go: a repository at a host. What stands in the settings, with the files read.
struct GitHost {
  std::string name;  ///< In logs and in the book; never the address.
  GitHostType type = GitHostType::github;
  std::string api;      ///< "https://api.github.com"; no slash at the end.
  std::string project;  ///< "owner/name"; GitLab's may have groups below groups.
  std::string branch;   ///< What the agent follows, for GitLab; "" where that is not known.
  Secret token;
  std::string context = "skep";
  std::string target_url;  ///< With {commit} and {stack}; "" for none.
  bool each_stack = true;  ///< One for each stack, beside the one of all.
  std::size_t most_stacks = 30;
};

/// `api` and `project` of a repository's address: https, http, ssh, or as scp writes it. User,
/// password, and the port of ssh are not looked at. Errors: invalid_input (a path, an address
/// without owner and name).
[[nodiscard]] Result<void> locate(GitHost& host, std::string_view repository);

/// As the host documents it. `words` is already masked.
[[nodiscard]] HttpCall status_call(const GitHost& host,
                                   const std::string& commit,
                                   const CommitStatus& status);

/// What an answer of the host means.
struct HostVerdict {
  enum class What {
    accepted,
    later,    ///< Tried again after a while, `not_before` at the earliest.
    limited,  ///< The host counts calls: none at all before `not_before`.
    refused,  ///< This one will not be taken the next time either.
  };
  What what = What::later;
  WallTime not_before{};
  std::string why;  ///< For the log: holds nothing that the host chose, and no address.
};
[[nodiscard]] HostVerdict judge(const GitHost& host, const HttpAnswer& answer, WallTime now);

}  // namespace skep::notify
