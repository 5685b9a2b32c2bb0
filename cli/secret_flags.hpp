#pragma once

#include <string>
#include <vector>

#include "cli/session.hpp"
#include "core/result.hpp"
#include "sops/file.hpp"

namespace skep::cli {

// Of a file with a key or plain text, and of an encrypted one.
inline constexpr unsigned kPrivate = 0600;
inline constexpr unsigned kPublic = 0644;

/// What the command line of `skep secret` says, and what follows from it.
struct SecretFlags {
  std::string file;
  std::string output;  ///< "-" is standard output; "" where the verb says.
  bool in_place = false;
  std::vector<std::string> recipients;
  std::string encrypted_regex;
  std::string age_key_file;
};

/// Where the result goes; "-" is standard output.
[[nodiscard]] std::string target_of(const SecretFlags& flags);

/// As SOPS writes it: RFC 3339, UTC, to the second.
[[nodiscard]] std::string sops_time(const Session& session);

/// Of `--age`. Errors: invalid_input.
Result<std::vector<sops::Recipient>> recipients_of(const std::vector<std::string>& words);

/// For whom and by which rules a file is encrypted. The command line goes before `.sops.yaml`, and
/// that before SOPS_AGE_RECIPIENTS. Errors: invalid_input, unavailable.
Result<sops::Encryption> encryption_for(const Session& session, const SecretFlags& flags);

/// Where the file is already encrypted: its format. Errors: invalid_input where it is not.
Result<sops::Format> format_in(const std::string& file, const std::string& text);

}  // namespace skep::cli
