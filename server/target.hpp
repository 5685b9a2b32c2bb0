#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "core/result.hpp"

namespace skep::server {

/// What a request line asks for.
struct Target {
  std::string path;                ///< "/" and the parts, decoded.
  std::vector<std::string> parts;  ///< Decoded one by one: an encoded slash stays inside its part.
  std::map<std::string, std::string, std::less<>> query;
  bool operator==(const Target&) const = default;
};

/// Reads an origin-form target ("/a/b?c=d", RFC 9112 §3.2.1). Errors: invalid_input for another
/// form, a broken escape, text that is not UTF-8, a control character, a "." or ".." or empty part
/// however it is written, a query key given twice. One slash at the end is ignored.
[[nodiscard]] Result<Target> parse_target(std::string_view text);

}  // namespace skep::server
