#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/result.hpp"
#include "sops/age.hpp"
#include "sops/rules.hpp"

namespace skep::sops {

/// How a new file is encrypted.
struct CreationRule {
  std::vector<Recipient> recipients;  ///< May be empty.
  Rules rules;
  std::vector<std::vector<Recipient>> groups;  ///< Instead of recipients: the key is split.
  std::size_t threshold = 0;                   ///< As Encryption has it.
};

/// The first of the creation_rules of a `.sops.yaml` that is for a path; `path` is relative to the
/// directory of that file. Nothing where none is. Errors: invalid_input, positioned: what cannot be
/// read, and what skep cannot do (other kinds of keys).
Result<std::optional<CreationRule>> creation_rule(std::string_view text,
                                                  const std::string& file,
                                                  const std::string& path);

/// "age1…,age1…", with blanks around. Errors: as Recipient::parse.
Result<std::vector<Recipient>> parse_recipients(std::string_view text);

}  // namespace skep::sops
