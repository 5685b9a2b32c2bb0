#include "repository/cron.hpp"

#include <algorithm>
#include <array>
#include <optional>
#include <utility>
#include <vector>

#include "core/ascii.hpp"

namespace skep::repository {
namespace {

constexpr std::array<std::string_view, 12> kMonths{
    "jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"};
constexpr std::array<std::string_view, 7> kWeekdays{
    "sun", "mon", "tue", "wed", "thu", "fri", "sat"};
constexpr std::array<std::pair<std::string_view, std::string_view>, 7> kWords{{
    {"@hourly", "0 * * * *"},
    {"@daily", "0 0 * * *"},
    {"@midnight", "0 0 * * *"},
    {"@weekly", "0 0 * * 0"},
    {"@monthly", "0 0 1 * *"},
    {"@yearly", "0 0 1 1 *"},
    {"@annually", "0 0 1 1 *"},
}};

struct Field {
  std::string_view name;
  unsigned least = 0, most = 0;
  const std::string_view* names = nullptr;  ///< Of `least` and so on.
  std::size_t name_count = 0;
};

Error wrong(std::string message) { return {ErrorKind::invalid_input, std::move(message), {}}; }

std::vector<std::string_view> split(std::string_view text, char separator) {
  std::vector<std::string_view> parts;
  for (std::size_t from = 0; from <= text.size();) {
    const auto to = std::min(text.find(separator, from), text.size());
    parts.push_back(text.substr(from, to - from));
    from = to + 1;
  }
  return parts;
}

std::vector<std::string_view> words_of(std::string_view text) {
  std::vector<std::string_view> words;
  std::size_t from = 0;
  while ((from = text.find_first_not_of(" \t", from)) != std::string_view::npos) {
    const auto to = std::min(text.find_first_of(" \t", from), text.size());
    words.push_back(text.substr(from, to - from));
    from = to;
  }
  return words;
}

std::optional<unsigned> number_of(std::string_view text) {
  if (text.empty() || text.size() > 4) return std::nullopt;
  unsigned number = 0;
  for (const char c : text) {
    if (c < '0' || c > '9') return std::nullopt;
    number = number * 10 + static_cast<unsigned>(c - '0');
  }
  return number;
}

Result<unsigned> value_of(const Field& field, std::string_view text) {
  if (const auto number = number_of(text)) {
    if (*number >= field.least && *number <= field.most) return *number;
    return wrong(std::string(field.name) + " " + std::string(text) + " is not from " +
                 std::to_string(field.least) + " to " + std::to_string(field.most));
  }
  const auto word = lower(text);
  for (std::size_t i = 0; i < field.name_count; ++i) {
    if (field.names[i] == word) return field.least + static_cast<unsigned>(i);
  }
  return wrong("\"" + std::string(text) + "\" is no " + std::string(field.name) +
               (field.name_count > 0
                    ? ": write a number, or the first three letters of the English name"
                    : ": write a number"));
}

/// "5", "1-5", "*/15", "8-18/2", "10/20" (from ten on).
template <std::size_t Size>
Result<void> read_item(const Field& field, std::string_view item, std::bitset<Size>& into) {
  const auto slash = item.find('/');
  const auto range = item.substr(0, slash);
  unsigned step = 1;
  if (slash != std::string_view::npos) {
    const auto number = number_of(item.substr(slash + 1));
    if (!number || *number == 0)
      return wrong("the step of the " + std::string(field.name) + " in \"" + std::string(item) +
                   "\" must be a number from 1 on");
    step = *number;
  }
  unsigned from = field.least;
  unsigned to = field.most;
  if (range != "*" && range != "?") {
    const auto dash = range.find('-');
    const auto first = value_of(field, range.substr(0, dash));
    if (!first) return first.error();
    from = *first;
    if (dash != std::string_view::npos) {
      auto last = value_of(field, range.substr(dash + 1));
      if (!last) return last.error();
      to = *last;
      // A week that ends on Sunday: FRI-SUN is 5-7.
      if (field.name_count == kWeekdays.size() && to == 0 && from > 0) to = 7;
    } else if (slash == std::string_view::npos) {
      to = from;
    }
    if (from > to)
      return wrong("the " + std::string(field.name) + " range " + std::string(range) +
                   " goes backwards: write two ranges with a comma between them");
  }
  for (unsigned value = from; value <= to; value += step) {
    // Sunday is 0 and 7.
    into.set(field.name_count == kWeekdays.size() ? value % 7 : value);
  }
  return {};
}

template <std::size_t Size>
Result<void> read_field(const Field& field, std::string_view text, std::bitset<Size>& into) {
  for (const auto item : split(text, ',')) {
    if (item.empty())
      return wrong("an item of the " + std::string(field.name) + " list \"" + std::string(text) +
                   "\" is empty");
    if (auto read = read_item(field, item, into); !read) return read;
  }
  return {};
}

bool starts_with_star(std::string_view text) {
  return text.starts_with('*') || text.starts_with('?');
}

}  // namespace

bool Cron::on(std::chrono::year_month_day date) const {
  if (!months.test(static_cast<unsigned>(date.month()))) return false;
  const bool day = days.test(static_cast<unsigned>(date.day()));
  const bool weekday =
      weekdays.test(std::chrono::weekday(std::chrono::sys_days(date)).c_encoding());
  return any_day || any_weekday ? day && weekday : day || weekday;
}

bool Cron::ever() const {
  constexpr std::array<unsigned, 13> kLongest{0, 31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
  if (!any_day && !any_weekday) return true;  // There is such a weekday in each month.
  for (unsigned month = 1; month <= 12; ++month) {
    if (!months.test(month)) continue;
    for (unsigned day = 1; day <= kLongest[month]; ++day) {
      if (days.test(day)) return true;
    }
  }
  return false;
}

Result<Cron> parse_cron(std::string_view text) {
  Cron cron;
  cron.text = text;
  const auto words = words_of(text);
  if (words.size() == 1 && words[0].starts_with('@')) {
    const auto word = std::find_if(kWords.begin(), kWords.end(), [&](const auto& known) {
      return known.first == lower(words[0]);
    });
    if (word == kWords.end())
      return wrong("\"" + std::string(words[0]) +
                   "\" is not known: @hourly, @daily, @weekly, @monthly or @yearly");
    auto meant = parse_cron(word->second);
    meant->text = text;
    return meant;
  }
  if (words.size() != 5)
    return wrong("has " + std::to_string(words.size()) +
                 " fields; it needs five, as in crontab: minute, hour, day of the month, month, "
                 "day of the week (\"0 18 * * 5\" is Friday at six in the evening)");
  const Field minute{"minute", 0, 59};
  const Field hour{"hour", 0, 23};
  const Field day{"day of the month", 1, 31};
  const Field month{"month", 1, 12, kMonths.data(), kMonths.size()};
  const Field weekday{"day of the week", 0, 7, kWeekdays.data(), kWeekdays.size()};
  if (auto read = read_field(minute, words[0], cron.minutes); !read) return read.error();
  if (auto read = read_field(hour, words[1], cron.hours); !read) return read.error();
  if (auto read = read_field(day, words[2], cron.days); !read) return read.error();
  if (auto read = read_field(month, words[3], cron.months); !read) return read.error();
  if (auto read = read_field(weekday, words[4], cron.weekdays); !read) return read.error();
  cron.any_day = starts_with_star(words[2]);
  cron.any_weekday = starts_with_star(words[4]);
  if (!cron.ever()) return wrong("\"" + std::string(text) + "\" is a day that never comes");
  return cron;
}

}  // namespace skep::repository
