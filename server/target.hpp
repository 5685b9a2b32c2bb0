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

/// Whether it is UTF-8 without control characters.
[[nodiscard]] bool is_plain_text(std::string_view text);

/// Reads an origin-form target ("/a/b?c=d", RFC 9112 §3.2.1), or one in absolute form
/// ("http://host/a/b", §3.2.2), of which host and scheme say nothing here. Errors: invalid_input
/// for another form, a broken escape, text that is not UTF-8, a control character, a "." or ".." or
/// empty part however it is written, a query key given twice. One slash at the end is ignored.
[[nodiscard]] Result<Target> parse_target(std::string_view whole);

}  // namespace skep::server
