#pragma once

#include <cstddef>
#include <string>

#include "yaml/source_text.hpp"

namespace skep::yaml {

/// What a parser's complaint mostly means to the person who typed the text, beginning with "; ", or
/// nothing. `offset` is where the parser noticed it.
[[nodiscard]] std::string hint_for(const std::string& complaint,
                                   const SourceText& source,
                                   std::size_t offset);

}  // namespace skep::yaml
