#pragma once

#include <string_view>

namespace skep::swarm {

inline constexpr std::string_view kStackLabel = "com.docker.stack.namespace";
inline constexpr std::string_view kImageLabel =
    "com.docker.stack.image";  ///< The image as written in the file (rule C1.2).
/// Which agent wrote an object; on objects that skep creates or changes anyway, never a reason to
/// write (design §5).
inline constexpr std::string_view kInstanceLabel = "io.skep.instance";
/// On configs and secrets whose name carries a content hash: the key they stand for in the stack's
/// file.
inline constexpr std::string_view kKeyLabel = "io.skep.key";
/// On secrets made by an agent that has the swarm's digest key: "KEYID:HMAC" of the content, which
/// tells equality without asking the engine and nothing to who has not the key.
inline constexpr std::string_view kDigestLabel = "io.skep.digest";
/// On the containers of a service that mounts files of the repository from a checkout: a digest of
/// them, so that a changed file rolls the service (`repo_files: checkout`).
inline constexpr std::string_view kRepoFilesLabel = "io.skep.repo-files";
/// On the job of a hook: pre_deploy or post_deploy, the content of its stack that it runs for, and
/// when it was started (milliseconds since 1970, of the agent's clock).
inline constexpr std::string_view kHookLabel = "io.skep.hook";
inline constexpr std::string_view kHookContentLabel = "io.skep.hook.content";
inline constexpr std::string_view kHookStartedLabel = "io.skep.hook.started";
/// What all labels of ours begin with.
inline constexpr std::string_view kOurPrefix = "io.skep.";

}  // namespace skep::swarm
