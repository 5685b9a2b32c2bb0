#pragma once

#include <string>

#include "cli/session.hpp"
#include "sops/age.hpp"

namespace skep::cli {

/// `--age-key-file`, also SKEP_AGE_KEY_FILE.
void add_age_key_flag(Command& app, std::string& file);

/// The keys that encrypted files are read with: of `file` where one is named; else of all of
/// SOPS_AGE_KEY, SOPS_AGE_KEY_FILE, the secret that Swarm mounts, and the place where sops keeps
/// them in a home directory. None at all is no error. Errors: invalid_input, positioned.
Result<sops::Identities> read_age_keys(const Session& session, const std::string& file);

}  // namespace skep::cli
