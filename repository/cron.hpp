#pragma once

#include <bitset>
#include <chrono>
#include <string>
#include <string_view>

#include "core/result.hpp"

namespace skep::repository {

/// When something begins, as crontab(5) says it: minute, hour, day of the month, month, day of the
/// week. `*`, lists, ranges, steps, the English names of months and days in three letters, 7 for
/// Sunday, and the words @hourly, @daily, @weekly, @monthly, @yearly. A time of some clock on the
/// wall: which one is not its business.
struct Cron {
  std::string text;  ///< As written.
  std::bitset<60> minutes;
  std::bitset<24> hours;
  std::bitset<32> days;     ///< From 1.
  std::bitset<13> months;   ///< From 1.
  std::bitset<7> weekdays;  ///< From Sunday.
  bool any_day = true;      ///< The day of the month begins with `*`, …
  bool any_weekday = true;  ///< … the day of the week does. Where neither does, one is enough.
  bool operator==(const Cron&) const = default;

  [[nodiscard]] bool on(std::chrono::year_month_day date) const;
  /// Whether there is any such day at all: not 30 February.
  [[nodiscard]] bool ever() const;
};

/// Errors: invalid_input, in words that name the field.
Result<Cron> parse_cron(std::string_view text);

}  // namespace skep::repository
