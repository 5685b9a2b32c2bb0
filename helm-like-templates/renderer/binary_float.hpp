#pragma once

#include <optional>
#include <string>

namespace skep::templates {

// Floating point numbers in powers of two, as Go's strconv writes them. For finite numbers.

/// "-0x1.8p+01"; precision: digits behind the point, as many as needed where it is not given.
[[nodiscard]] std::string format_hex_float(double number, std::optional<int> precision);

/// "6755399441055744p-51"
[[nodiscard]] std::string format_binary_float(double number);

}  // namespace skep::templates
