#pragma once

#include <map>
#include <string>
#include <string_view>
#include <utility>

#include "core/result.hpp"
#include "sops/document.hpp"
#include "sops/file.hpp"
#include "sops/opened.hpp"

namespace skep::sops {

/// Keys and values of the plain text, by place and content: what was sealed before.
using Known = std::map<std::pair<Path, std::string>, std::string>;

/// The encrypted file that a plain text came from: what did not change keeps its bytes.
struct Before {
  const Document& document;
  Known known;
};

/// Seals a plain document under a key. `metadata` has recipients and rules; they stand in `before`
/// already, if there is one. Errors: invalid_input.
Result<std::string> seal(const Document& document,
                         std::string_view key,
                         Metadata metadata,
                         const Before* before = nullptr);

/// Under a new data key. Errors: invalid_input.
Result<std::string> sealed_anew(const Document& document,
                                const Rules& rules,
                                const Encryption& how);

/// Errors: invalid_input where the rules leave every value plain: a typo in them must not put a
/// password into git.
Result<void> check_that_something_is_sealed(const Document& document, const Rules& rules);

/// Errors: invalid_input where a text that was encrypted would stand in plain, as it does when a
/// key that the rules name gets a typo. Not where the rules name what is plain: whoever writes such
/// a key or comment means it.
Result<void> check_that_nothing_came_open(const Opened& before,
                                          const Document& after,
                                          const Rules& rules);

}  // namespace skep::sops
