#pragma once

#include <string>
#include <string_view>

namespace skep::yaml {

/// The text that stands between two quotes, with its escapes and line ends read as Go's yaml.v3
/// reads them. Escapes must be known to be well-formed; an unknown one stands for its letter.
std::string quoted_text(std::string_view between, char quote);

}  // namespace skep::yaml
