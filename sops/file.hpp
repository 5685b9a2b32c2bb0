#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/finding.hpp"
#include "core/result.hpp"
#include "sops/age.hpp"
#include "sops/document.hpp"

namespace skep::sops {

/// What a file's name says: `*.sops.yaml`, `*.sops.yml`, `*.sops.json`, `*.sops.env`, `*.sops.ini`,
/// `.env.sops` and `*.sops` are encrypted, and `*.sops.ENV.yaml` and so on, of an environment. A
/// file of such a name that is not encrypted is a mistake.
[[nodiscard]] bool is_named_encrypted(std::string_view path);

/// By the file's name, as SOPS chooses it: yaml, json, dotenv and ini by their endings, else
/// binary.
[[nodiscard]] Format format_of(std::string_view path);

/// The format of an encrypted file; nothing for any other file. Asks the name first and then the
/// text, which must hold SOPS metadata. Cheap for files that are not encrypted. Errors:
/// invalid_input: named as encrypted, or with encrypted values in it, but without metadata.
Result<std::optional<Format>> encrypted_format(std::string_view path, std::string_view text);

struct Decrypted {
  std::string text;
  /// What was encrypted, comments first, then in the order of the file; empty values and booleans
  /// are left out: for the redaction set.
  std::vector<std::string> secrets;
  Findings remarks;  ///< Warnings about comments that stayed encrypted.
};

/// The plain text; everything that was not encrypted stands as it was. `file` names it in errors.
/// Errors: unauthorized (no key fits), invalid_input (damaged or changed, positioned where a value
/// shows it). Nothing of the content is in a message.
Result<Decrypted> decrypt(std::string_view text,
                          const std::string& file,
                          Format format,
                          const Identities& identities);

/// What stands for an encrypted number, boolean or date. What comes out different of the one and of
/// the other depends on the value.
enum class StandIns { usual, other };

/// The same file for somebody without a key: each encrypted value is "***", or 1, or false where it
/// is a number or a boolean. Nothing is verified. Errors: invalid_input.
Result<Decrypted> masked(std::string_view text,
                         const std::string& file,
                         Format format,
                         StandIns stand_ins = StandIns::usual);

struct Encryption {
  std::vector<Recipient> recipients;  ///< Not empty, unless there are groups. Doubles count once.
  Rules rules;
  std::string now;  ///< RFC 3339, UTC, to the second.
  /// Instead of recipients: each group gets a part of the key.
  std::vector<std::vector<Recipient>> groups = {};
  std::size_t threshold = 0;  ///< So many groups are needed; 0 for all of them.
};

/// Errors: invalid_input (encrypted already, no recipient, cannot be read as its format, no value
/// is one that the rules encrypt).
Result<std::string> encrypt(std::string_view plain,
                            const std::string& file,
                            Format format,
                            const Encryption& how);

/// Warnings about values that come back in another form than they were written in, for SOPS keeps
/// them so. None where the file cannot be read.
[[nodiscard]] Findings changed_forms(std::string_view plain,
                                     const std::string& file,
                                     Format format,
                                     const Rules& rules);

/// `plain` in place of what `encrypted` holds: the same key, recipients and rules, and values that
/// did not change keep their bytes, so that a review shows what did. Errors: as both others;
/// invalid_input where nothing is left, or what was encrypted would be plain.
Result<std::string> update(std::string_view encrypted,
                           std::string_view plain,
                           const std::string& file,
                           Format format,
                           const Identities& identities,
                           const std::string& now);

/// The same values under a new data key. `recipients` replace those of the file unless empty.
/// Errors: as decrypt(); invalid_input where the file has recipients that are not age keys.
Result<std::string> rotate(std::string_view encrypted,
                           const std::string& file,
                           Format format,
                           const Identities& identities,
                           const std::vector<Recipient>& recipients,
                           const std::string& now);

}  // namespace skep::sops
