#pragma once

#include <string>

#include "cli/session.hpp"
#include "repository/secret_digest.hpp"

namespace skep::cli {

/// `--digest-key-file`, for the verbs that name secrets.
void add_digest_key_flag(Command& app, std::string& file);

/// The swarm's digest key (design §5): from `file`, else from where Swarm mounts the secret
/// `skep_digest_key`, else none. Errors: invalid_input where `file` is not readable or the key is
/// too short.
Result<repository::SecretDigest> read_digest_key(const std::string& file);

}  // namespace skep::cli
