#pragma once

#include "cli/secret_flags.hpp"
#include "cli/session.hpp"

namespace skep::cli {

/// `skep secret edit`: the exit code.
int edit_secret(const Session& session, const SecretFlags& flags);

}  // namespace skep::cli
