#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "core/finding.hpp"
#include "core/redaction.hpp"

namespace skep::repository {

/// Of a stack whose `secrets` were decrypted: what a message says of them. Errors show where in a
/// value they stopped, in small letters or cut, so where the text that a message is about holds a
/// value, its parts are hidden, too; elsewhere only a part that is all of a quotation, for words of
/// a passphrase are words of messages.
/// `text_at` gives the text of a place, or ""; without it no message is about a known text.
void hide_secrets(Findings& findings,
                  const std::vector<std::string>& secrets,
                  const RedactionSet& set,
                  const std::function<std::string(const SourcePosition&)>& text_at = {});

/// The lines of a text that was made of `secrets`, as they may be shown: "" for one that a value
/// reaches which stands on several lines, for there each line holds but a piece of it.
[[nodiscard]] std::vector<std::string> lines_without_secrets(
    std::string_view text, const std::vector<std::string>& secrets, const RedactionSet& set);

}  // namespace skep::repository
