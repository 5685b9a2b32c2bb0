#include "compose/stringify.hpp"

#include <array>
#include <charconv>
#include <cmath>

namespace skep::compose {

std::string print_float(double value) {
  if (std::isnan(value)) return "NaN";
  if (std::isinf(value)) return value < 0 ? "-Inf" : "+Inf";
  std::array<char, 64> buffer{};
  const auto scientific = std::to_chars(
      buffer.data(), buffer.data() + buffer.size(), value, std::chars_format::scientific);
  const std::string text(buffer.data(), scientific.ptr);
  const int exponent = std::stoi(text.substr(text.find('e') + 1));
  if (exponent < -4 || exponent > 5) return text;  // to_chars pads exponents to two digits, too
  const auto fixed =
      std::to_chars(buffer.data(), buffer.data() + buffer.size(), value, std::chars_format::fixed);
  return {buffer.data(), fixed.ptr};
}

std::optional<std::string> stringify(const yaml::Node& node) {
  if (const auto* text = node.as<std::string>()) return *text;
  if (const auto* number = node.as<std::int64_t>()) return std::to_string(*number);
  if (const auto* number = node.as<std::uint64_t>()) return std::to_string(*number);
  if (const auto* number = node.as<double>()) return print_float(*number);
  if (const auto* flag = node.as<bool>()) return *flag ? "true" : "false";
  if (const auto* time = node.as<yaml::Timestamp>()) return time->printed;
  return std::nullopt;
}

}  // namespace skep::compose
