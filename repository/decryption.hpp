#pragma once

#include <memory>
#include <string>
#include <vector>

#include "core/finding.hpp"
#include "core/redaction.hpp"
#include "core/result.hpp"
#include "sops/file.hpp"

namespace skep::repository {

/// How the encrypted files of a repository are read: in memory only.
struct Decryption {
  sops::Identities identities;
  /// Without any key, "***" stands for what is encrypted, and a warning says so: for a look at a
  /// repository by somebody who has no key. Else that is an error.
  bool placeholders = false;
  sops::StandIns stand_ins = sops::StandIns::usual;  ///< For encrypted numbers, without a key.
  std::shared_ptr<RedactionSet> redaction = std::make_shared<RedactionSet>();
};

/// A file of the repository as its reader gets it.
struct PlainFile {
  std::string text;
  std::vector<std::string> secrets;  ///< What was decrypted; already in the redaction set.
  bool masked = false;               ///< There was no key.
  Findings remarks = {};             ///< Warnings about what is in it.
};

/// The file itself where it is not encrypted. `decryption` is null where encrypted files have no
/// business. Errors: as sops::decrypt, positioned.
Result<PlainFile> plain_file(const std::string& path,
                             std::string text,
                             const Decryption* decryption);

}  // namespace skep::repository
