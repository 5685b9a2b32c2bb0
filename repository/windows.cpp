#include "repository/windows.hpp"

#include <algorithm>
#include <stdexcept>

#include <date/tz.h>

#include "repository/mapping_reader.hpp"
#include "repository/settings.hpp"

namespace skep::repository {
namespace {

using namespace std::chrono_literals;
using std::chrono::seconds;

constexpr auto kLongestWindow = 366 * 24h;
constexpr int kFarthestDays = 5 * 366;  ///< A cron that names 29 February begins every four years.
constexpr int kMostJoined = 500;        ///< Windows that follow each other without a gap.

using Moment = std::chrono::sys_seconds;

const date::time_zone* zone_of(const std::string& name) {
  try {
    return date::locate_zone(name);
  } catch (const std::runtime_error&) {
    return nullptr;
  }
}

/// The moment when the clock on the wall shows this.
Moment moment_of(const date::time_zone& zone, date::local_seconds local) {
  const auto info = zone.get_info(local);
  if (info.result == date::local_info::nonexistent) return Moment(info.second.begin);
  return Moment(local.time_since_epoch() - info.first.offset);
}

date::local_days day_of(const date::time_zone& zone, Moment moment) {
  const auto offset = zone.get_info(moment).offset;
  return date::floor<date::days>(date::local_seconds(moment.time_since_epoch() + offset));
}

std::chrono::year_month_day calendar(date::local_days day) {
  return std::chrono::sys_days(std::chrono::days(day.time_since_epoch().count()));
}

/// The last beginning that is not after `now`, not more than the window's own length ago.
std::optional<Moment> last_start(const Window& window, const date::time_zone& zone, Moment now) {
  const auto first = day_of(zone, now - window.duration) - date::days(1);
  // A day later, for a beginning in the night may move by the hour that is jumped over.
  for (auto day = day_of(zone, now) + date::days(1); day >= first; day -= date::days(1)) {
    if (!window.cron.on(calendar(day))) continue;
    for (int hour = 23; hour >= 0; --hour) {
      if (!window.cron.hours.test(static_cast<std::size_t>(hour))) continue;
      for (int minute = 59; minute >= 0; --minute) {
        if (!window.cron.minutes.test(static_cast<std::size_t>(minute))) continue;
        const auto start = moment_of(zone, day + std::chrono::hours(hour) + 1min * minute);
        if (start <= now) return start;
      }
    }
  }
  return std::nullopt;
}

std::optional<Moment> next_start(const Window& window, const date::time_zone& zone, Moment now) {
  auto day = day_of(zone, now) - date::days(1);
  for (int looked = 0; looked < kFarthestDays; ++looked, day += date::days(1)) {
    if (!window.cron.on(calendar(day))) continue;
    for (int hour = 0; hour < 24; ++hour) {
      if (!window.cron.hours.test(static_cast<std::size_t>(hour))) continue;
      for (int minute = 0; minute < 60; ++minute) {
        if (!window.cron.minutes.test(static_cast<std::size_t>(minute))) continue;
        const auto start = moment_of(zone, day + std::chrono::hours(hour) + 1min * minute);
        if (start > now) return start;
      }
    }
  }
  return std::nullopt;
}

/// When the window around `now` ends, if there is one around it.
std::optional<Moment> end_of(const Window& window, const date::time_zone& zone, Moment now) {
  const auto start = last_start(window, zone, now);
  if (!start || *start + window.duration <= now) return std::nullopt;
  return *start + window.duration;
}

const char* word_of(Window::Kind kind) { return kind == Window::Kind::deny ? "deny" : "allow"; }

std::string described(const Window& window) {
  return std::string("the ") + word_of(window.kind) + " window \"" + window.cron.text + "\" (" +
         to_string(window.at) + ")";
}

/// As the clock of the window's own zone shows it: "2026-11-23 08:00 CET".
std::string shown(Moment moment, const date::time_zone& zone) {
  return date::format("%F %H:%M %Z", date::make_zoned(&zone, moment));
}

struct Zoned {
  const Window* window = nullptr;
  const date::time_zone* zone = nullptr;
};

/// The end of all windows of a kind that follow each other without a gap from `now` on.
std::optional<Moment> joined_end(const std::vector<Zoned>& windows, Window::Kind kind, Moment now) {
  auto end = now;
  for (int joined = 0; joined < kMostJoined; ++joined) {
    auto farther = end;
    for (const auto& [window, zone] : windows) {
      if (window->kind != kind) continue;
      if (const auto one = end_of(*window, *zone, end)) farther = std::max(farther, *one);
    }
    if (farther == end) return end;
    end = farther;
  }
  return std::nullopt;  // As good as for ever.
}

void read_window(const yaml::Node& node, std::vector<Window>& into, Findings& findings) {
  Window window;
  window.at = node.at();
  std::string deny, allow, duration;
  SourcePosition cron_at = node.at(), duration_at = node.at(), zone_at = node.at();
  const auto before = findings.size();
  MappingReader reader("windows[]", findings);
  const auto text = [&](const char* key, std::string& value, SourcePosition* at) {
    reader.key(key, [&reader, &value, key, at](const yaml::Node& item) {
      reader.text(item, key, value);
      *at = item.at();
    });
  };
  text("deny", deny, &cron_at);
  text("allow", allow, &cron_at);
  text("duration", duration, &duration_at);
  text("timezone", window.timezone, &zone_at);
  reader.read(node);
  if (findings.size() != before) return;
  if (deny.empty() == allow.empty()) {
    complain(findings,
             node.at(),
             "windows[] needs either deny: or allow:, and with it a duration: such as { deny: \"0 "
             "18 * * 5\", duration: 62h, timezone: Europe/Berlin }");
    return;
  }
  window.kind = deny.empty() ? Window::Kind::allow : Window::Kind::deny;
  auto cron = parse_cron(deny.empty() ? allow : deny);
  if (cron) {
    window.cron = *std::move(cron);
  } else {
    complain(findings,
             cron_at,
             std::string("windows[].") + word_of(window.kind) + ": " + cron.error().message);
  }
  const auto length = parse_duration(duration);
  if (length && *length >= 1min && *length <= kLongestWindow) {
    window.duration = std::chrono::duration_cast<seconds>(*length);
  } else {
    complain(findings,
             duration_at,
             "windows[].duration must be a duration from 1m to 366d, such as 62h or 1h30m");
  }
  if (zone_of(window.timezone) == nullptr) {
    std::vector<std::string> names;
    try {
      for (const auto& zone : date::get_tzdb().zones) names.push_back(zone.name());
    } catch (const std::runtime_error&) {  // Said below: there is none.
    }
    auto message = "windows[].timezone: there is no time zone " + window.timezone;
    const auto near = nearest(window.timezone, names);
    if (names.empty()) {
      message = "windows[].timezone: this machine has no time zones; install tzdata";
    } else {
      message += near.empty() ? "; it is a name such as Europe/Berlin or UTC"
                              : "; did you mean " + near + "?";
    }
    complain(findings, zone_at, std::move(message));
  }
  if (findings.size() == before) into.push_back(std::move(window));
}

}  // namespace

void read_windows(const yaml::Node& node, std::vector<Window>& into, Findings& findings) {
  into.clear();
  if (node.is_null()) return;
  const auto* list = node.as<yaml::List>();
  if (list == nullptr) {
    complain(findings,
             node.at(),
             "windows must be a list such as - { deny: \"0 18 * * 5\", duration: 62h, timezone: "
             "Europe/Berlin }");
    return;
  }
  for (const auto& item : *list) read_window(item, into, findings);
}

std::optional<Closed> closed_at(const std::vector<Window>& windows, WallTime now) {
  if (windows.empty()) return std::nullopt;
  const auto moment = std::chrono::floor<seconds>(now);
  std::vector<Zoned> zoned;
  bool any_allow = false;
  for (const auto& window : windows) {
    const auto* zone = zone_of(window.timezone);
    // It was there when the file was read; what cannot be told now must not let a change through.
    if (zone == nullptr)
      return Closed{"held: there is no time zone " + window.timezone + " any more", std::nullopt};
    any_allow = any_allow || window.kind == Window::Kind::allow;
    zoned.push_back({&window, zone});
  }
  for (const auto& [window, zone] : zoned) {
    if (window->kind != Window::Kind::deny || !end_of(*window, *zone, moment)) continue;
    const auto end = joined_end(zoned, Window::Kind::deny, moment);
    Closed closed{"held by " + described(*window), std::nullopt};
    if (end) {
      closed.reason += " until " + shown(*end, *zone);
      closed.until = WallTime(*end);
    }
    return closed;
  }
  if (!any_allow) return std::nullopt;
  std::optional<Moment> opens;
  Zoned first;
  for (const auto& one : zoned) {
    if (one.window->kind != Window::Kind::allow) continue;
    if (end_of(*one.window, *one.zone, moment)) return std::nullopt;
    const auto next = next_start(*one.window, *one.zone, moment);
    if (next && (!opens || *next < *opens)) {
      opens = next;
      first = one;
    }
  }
  if (!opens) return Closed{"held: none of its allow windows ever opens again", std::nullopt};
  return Closed{
      "held until " + described(*first.window) + " opens at " + shown(*opens, *first.zone),
      WallTime(*opens)};
}

}  // namespace skep::repository
