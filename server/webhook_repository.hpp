#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace skep::server {

/// What a repository's address means, however it is written: "git.example.com/ops/cluster" for
/// https://token@Git.Example.com:443/ops/cluster.git/, ssh://git@git.example.com:2222/ops/cluster
/// and git@git.example.com:ops/cluster.git. Lenient on purpose, for its only use is to leave alone
/// what is surely another repository: scheme, user, port and letter case do not count. "" where the
/// text is no address; a path of this machine is itself.
[[nodiscard]] std::string repository_identity(std::string_view address);

/// Whether one of the `addresses` is one of the `known` (both as people and hosts write them).
[[nodiscard]] bool names_repository(const std::vector<std::string>& addresses,
                                    const std::vector<std::string>& known);

/// Whether a push to `pushed` ("refs/heads/main") can move what `followed` says: a branch, a tag, a
/// full ref, a commit's id, or "" and HEAD for the default branch, which only the host knows.
[[nodiscard]] bool moves_ref(std::string_view pushed, std::string_view followed);

}  // namespace skep::server
