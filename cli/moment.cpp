#include "cli/moment.hpp"

#include <algorithm>
#include <chrono>
#include <ctime>
#include <optional>
#include <string_view>

#include <time.h>

#include "core/ascii.hpp"
#include "repository/settings.hpp"

namespace skep::cli {
namespace {

bool all_digits(std::string_view text) {
  return !text.empty() && std::all_of(text.begin(), text.end(), is_digit);
}

/// "", ".5"
bool is_fraction(std::string_view text) {
  return text.empty() || (text.front() == '.' && all_digits(text.substr(1)));
}

/// "Z", "+02:00" → seconds east of Greenwich.
std::optional<std::int64_t> offset_of(std::string_view zone) {
  if (zone == "Z" || zone == "z") return 0;
  const auto two = [&](std::size_t at) { return (zone[at] - '0') * 10 + (zone[at + 1] - '0'); };
  if (zone.size() != 6 || (zone[0] != '+' && zone[0] != '-') || zone[3] != ':' ||
      !all_digits(zone.substr(1, 2)) || !all_digits(zone.substr(4)))
    return std::nullopt;
  const std::int64_t seconds = two(1) * 3600 + two(4) * 60;
  return zone[0] == '-' ? -seconds : seconds;
}

/// "2026-11-21T09:17:42.5+01:00"
std::optional<std::string> from_rfc3339(const std::string& text) {
  std::tm parts{};
  const char* const end = ::strptime(text.c_str(), "%Y-%m-%dT%H:%M:%S", &parts);
  if (end == nullptr) return std::nullopt;
  const std::string_view rest(end);
  const auto zone = std::min(rest.find_first_of("Zz+-"), rest.size());
  const auto fraction = rest.substr(0, zone);
  const auto offset = offset_of(rest.substr(zone));
  if (!offset || !is_fraction(fraction)) return std::nullopt;
  return std::to_string(::timegm(&parts) - *offset) + std::string(fraction);
}

}  // namespace

Result<std::string> unix_time_of(const std::string& text, WallTime now) {
  const auto dot = std::min(text.find('.'), text.size());
  if (all_digits(std::string_view(text).substr(0, dot)) &&
      is_fraction(std::string_view(text).substr(dot)))
    return text;
  if (const auto ago = repository::parse_duration(text)) {
    const auto then = std::chrono::floor<std::chrono::seconds>(now - *ago);
    return std::to_string(then.time_since_epoch().count());
  }
  if (auto moment = from_rfc3339(text)) return *std::move(moment);
  return Error{ErrorKind::invalid_input,
               "\"" + text +
                   "\" is no moment: write how long ago (10m, 1h30m), a time with its "
                   "zone (2026-11-21T09:17:42Z), or seconds since 1970"};
}

}  // namespace skep::cli
