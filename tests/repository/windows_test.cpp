#include "repository/windows.hpp"

#include <gmock/gmock.h>

#include "yaml/parse.hpp"

namespace skep::repository {
namespace {

using namespace std::chrono;
using testing::HasSubstr;

/// "2026-11-20T18:00" of UTC.
WallTime utc(const std::string& text) {
  int year_ = 0, month_ = 0, day_ = 0, hour = 0, minute = 0;
  EXPECT_EQ(std::sscanf(text.c_str(), "%d-%d-%dT%d:%d", &year_, &month_, &day_, &hour, &minute), 5);
  return WallTime(sys_days(year(year_) / month_ / day_)) + hours(hour) + minutes(minute);
}

std::vector<Window> windows(const std::string& yaml_text) {
  auto node = yaml::parse(yaml_text, "skep.yaml");
  EXPECT_TRUE(node);
  std::vector<Window> result;
  Findings findings;
  read_windows(*node, result, findings);
  EXPECT_TRUE(findings.empty()) << to_string(findings);
  return result;
}

Findings mistakes(const std::string& yaml_text) {
  auto node = yaml::parse(yaml_text, "skep.yaml");
  EXPECT_TRUE(node);
  std::vector<Window> result;
  Findings findings;
  read_windows(*node, result, findings);
  EXPECT_FALSE(findings.empty()) << yaml_text;
  EXPECT_TRUE(result.empty()) << yaml_text;
  return findings;
}

/// When it is closed at that moment: until when, as RFC 3339 of UTC; "open"; "closed" with no end.
std::string at(const std::vector<Window>& rules, const std::string& moment) {
  const auto closed = closed_at(rules, utc(moment));
  if (!closed) return "open";
  return closed->until ? to_rfc3339(*closed->until) : "closed";
}

TEST(Windows, AWeekendInBerlinIsDenied) {
  const auto rules = windows("[{ deny: '0 18 * * 5', duration: 62h, timezone: Europe/Berlin }]\n");
  EXPECT_EQ(at(rules, "2026-11-20T16:59"), "open");
  EXPECT_EQ(at(rules, "2026-11-20T17:00"), "2026-11-23T07:00:00Z") << "18:00 in winter";
  EXPECT_EQ(at(rules, "2026-11-22T12:00"), "2026-11-23T07:00:00Z");
  EXPECT_EQ(at(rules, "2026-11-23T06:59"), "2026-11-23T07:00:00Z");
  EXPECT_EQ(at(rules, "2026-11-23T07:00"), "open");
  EXPECT_EQ(at(rules, "2026-07-03T15:59"), "open");
  EXPECT_EQ(at(rules, "2026-07-03T16:00"), "2026-07-06T06:00:00Z") << "18:00 in summer";
  const auto closed = closed_at(rules, utc("2026-11-21T12:00"));
  ASSERT_TRUE(closed);
  EXPECT_EQ(closed->reason,
            "held by the deny window \"0 18 * * 5\" (skep.yaml:1:2) until 2026-11-23 08:00 CET");
}

TEST(Windows, ABeginningThatSummerTimeJumpsOverIsTheMomentOfTheJump) {
  // On 29 March 2026 the clocks of Berlin go from 02:00 to 03:00, which is 01:00 UTC.
  const auto rules = windows("[{ deny: '30 2 * * *', duration: 1h, timezone: Europe/Berlin }]\n");
  EXPECT_EQ(at(rules, "2026-03-29T00:59"), "open");
  EXPECT_EQ(at(rules, "2026-03-29T01:00"), "2026-03-29T02:00:00Z");
  EXPECT_EQ(at(rules, "2026-03-29T01:59"), "2026-03-29T02:00:00Z");
  EXPECT_EQ(at(rules, "2026-03-29T02:00"), "open");
  EXPECT_EQ(at(rules, "2026-03-28T01:30"), "2026-03-28T02:30:00Z") << "the day before";
}

TEST(Windows, ABeginningThatTheClockShowsTwiceIsTheFirstOfBoth) {
  // On 25 October 2026 they go from 03:00 back to 02:00: 02:30 is 00:30 and 01:30 UTC.
  const auto rules = windows("[{ deny: '30 2 * * *', duration: 30m, timezone: Europe/Berlin }]\n");
  EXPECT_EQ(at(rules, "2026-10-25T00:30"), "2026-10-25T01:00:00Z");
  EXPECT_EQ(at(rules, "2026-10-25T01:00"), "open");
  EXPECT_EQ(at(rules, "2026-10-25T01:35"), "open") << "the second 02:35";
}

TEST(Windows, ADurationIsElapsedTimeAlsoWhereTheClocksChange) {
  const auto rules = windows("[{ deny: '0 0 * * 0', duration: 24h, timezone: Europe/Berlin }]\n");
  EXPECT_EQ(at(rules, "2026-03-29T10:00"), "2026-03-29T23:00:00Z");  // The day has 23 hours.
  EXPECT_EQ(at(rules, "2026-10-25T10:00"), "2026-10-25T22:00:00Z");  // It has 25.
}

TEST(Windows, ThoseThatFollowEachOtherAreOne) {
  const auto rules =
      windows("- { deny: '0 18 * * *', duration: 6h }\n- { deny: '0 0 * * *', duration: 8h }\n");
  EXPECT_EQ(at(rules, "2026-11-20T19:00"), "2026-11-21T08:00:00Z");
  EXPECT_EQ(at(rules, "2026-11-20T12:00"), "open");
  EXPECT_EQ(at(windows("[{ deny: '@daily', duration: 24h }]\n"), "2026-11-20T12:00"), "closed")
      << "it never ends";
}

TEST(Windows, WhereSomethingIsAllowedTheRestIsDenied) {
  const auto rules = windows(
      "- { allow: '0 9 * * mon-fri', duration: 8h, timezone: America/New_York }\n"
      "- { deny: '0 12 * * *', duration: 1h, timezone: America/New_York }\n");
  EXPECT_EQ(at(rules, "2026-11-20T15:00"), "open") << "ten o'clock there";
  EXPECT_EQ(at(rules, "2026-11-20T13:00"), "2026-11-20T14:00:00Z") << "opens at nine";
  EXPECT_EQ(at(rules, "2026-11-20T17:30"), "2026-11-20T18:00:00Z") << "noon is denied";
  EXPECT_EQ(at(rules, "2026-11-20T22:00"), "2026-11-23T14:00:00Z") << "opens on Monday";
  EXPECT_THAT(closed_at(rules, utc("2026-11-20T22:00"))->reason,
              HasSubstr("opens at 2026-11-23 09:00 EST"));
}

TEST(Windows, LeapDaysAndYearsAreFound) {
  const auto rules = windows("[{ allow: '0 0 29 2 *', duration: 1d }]\n");
  EXPECT_EQ(at(rules, "2026-11-20T00:00"), "2028-02-29T00:00:00Z");
  EXPECT_EQ(at(rules, "2028-02-29T23:59"), "open");
  const auto year_end = windows("[{ deny: '0 0 20 12 *', duration: 21d }]\n");
  EXPECT_EQ(at(year_end, "2027-01-05T00:00"), "2027-01-10T00:00:00Z");
}

TEST(Windows, MistakesAreNamedAtTheirPlace) {
  auto found = mistakes("- { deny: '0 18 * * 5x', duration: 62h }\n");
  EXPECT_EQ(found[0].at.column, 11U);
  EXPECT_THAT(found[0].message, HasSubstr("windows[].deny: \"5x\" is no day of the week"));
  found = mistakes("- deny: 0 18 * * 5\n  duration: 62 hours\n  timezone: Europe/Berlin\n");
  EXPECT_EQ(found[0].at.line, 2U);
  EXPECT_THAT(found[0].message, HasSubstr("duration must be"));
  found = mistakes("- deny: 0 18 * * 5\n  duration: 62h\n  timezone: Europe/Berln\n");
  EXPECT_EQ(found[0].at.line, 3U);
  EXPECT_THAT(found[0].message, HasSubstr("did you mean Europe/Berlin?"));
  EXPECT_THAT(mistakes("- { deny: '0 0 * * *' }\n")[0].message, HasSubstr("duration"));
  EXPECT_THAT(mistakes("- { deny: '0 0 * * *', duration: 0s }\n")[0].message,
              HasSubstr("duration"));
  EXPECT_THAT(mistakes("- { duration: 1h }\n")[0].message, HasSubstr("either deny: or allow:"));
  EXPECT_THAT(mistakes("- { deny: '@daily', allow: '@daily', duration: 1h }\n")[0].message,
              HasSubstr("either deny: or allow:"));
  EXPECT_THAT(mistakes("- { deny: '@daily', duration: 1h, timeZone: UTC }\n")[0].message,
              HasSubstr("did you mean timezone?"));
  EXPECT_THAT(mistakes("deny: '@daily'\n")[0].message, HasSubstr("must be a list"));
  EXPECT_EQ(mistakes("- { deny: x, duration: y, timezone: z }\n").size(), 3U) << "all at once";
}

}  // namespace
}  // namespace skep::repository
