#include "repository/cron.hpp"

#include <gmock/gmock.h>

namespace skep::repository {
namespace {

using testing::HasSubstr;
using namespace std::chrono;

template <std::size_t Size>
std::string members(const std::bitset<Size>& set) {
  std::string text;
  for (std::size_t i = 0; i < Size; ++i) {
    if (set.test(i)) text += (text.empty() ? "" : " ") + std::to_string(i);
  }
  return text;
}

Cron cron(const std::string& text) {
  auto parsed = parse_cron(text);
  EXPECT_TRUE(parsed) << text << ": " << parsed.error().message;
  return parsed ? *parsed : Cron{};
}

TEST(CronSyntax, NumbersListsRangesAndSteps) {
  EXPECT_EQ(members(cron("5 * * * *").minutes), "5");
  EXPECT_EQ(members(cron("0,30,45 * * * *").minutes), "0 30 45");
  EXPECT_EQ(members(cron("10-13 * * * *").minutes), "10 11 12 13");
  EXPECT_EQ(members(cron("*/20 * * * *").minutes), "0 20 40");
  EXPECT_EQ(members(cron("10-30/10,59 * * * *").minutes), "10 20 30 59");
  EXPECT_EQ(members(cron("50/5 * * * *").minutes), "50 55");
  EXPECT_EQ(members(cron("0 8-18/5 * * *").hours), "8 13 18");
  EXPECT_EQ(members(cron("0 0 1,15 * *").days), "1 15");
  EXPECT_EQ(members(cron("\t0   0\t*  * *  ").hours), "0");
}

TEST(CronSyntax, NamesOfMonthsAndDays) {
  EXPECT_EQ(members(cron("0 0 * jan,DEC *").months), "1 12");
  EXPECT_EQ(members(cron("0 0 * Mar-May *").months), "3 4 5");
  EXPECT_EQ(members(cron("0 0 * * mon-Fri").weekdays), "1 2 3 4 5");
  EXPECT_EQ(members(cron("0 0 * * sun").weekdays), "0");
  EXPECT_EQ(members(cron("0 0 * * 7").weekdays), "0");
  EXPECT_EQ(members(cron("0 0 * * FRI-SUN").weekdays), "0 5 6");
  EXPECT_EQ(members(cron("0 0 * * 5-7").weekdays), "0 5 6");
  EXPECT_EQ(members(cron("0 0 ? * 5").weekdays), "5");
}

TEST(CronSyntax, WordsForWhatIsWrittenOften) {
  EXPECT_EQ(members(cron("@daily").hours), "0");
  EXPECT_EQ(members(cron("@weekly").weekdays), "0");
  EXPECT_EQ(members(cron("@Monthly").days), "1");
  EXPECT_EQ(cron("@daily").text, "@daily");
}

TEST(CronSyntax, MistakesNameTheField) {
  const auto error = [](const std::string& text) {
    const auto parsed = parse_cron(text);
    EXPECT_FALSE(parsed) << text;
    return parsed ? std::string() : parsed.error().message;
  };
  EXPECT_THAT(error(""), HasSubstr("0 fields"));
  EXPECT_THAT(error("0 18 * *"), HasSubstr("4 fields; it needs five"));
  EXPECT_THAT(error("0 18 * * 5 2026"), HasSubstr("6 fields"));
  EXPECT_THAT(error("60 * * * *"), HasSubstr("minute 60 is not from 0 to 59"));
  EXPECT_THAT(error("0 24 * * *"), HasSubstr("hour 24"));
  EXPECT_THAT(error("0 0 0 * *"), HasSubstr("day of the month 0"));
  EXPECT_THAT(error("0 0 * 13 *"), HasSubstr("month 13"));
  EXPECT_THAT(error("0 0 * * 8"), HasSubstr("day of the week 8"));
  EXPECT_THAT(error("0 0 * * friday"), HasSubstr("first three letters"));
  EXPECT_THAT(error("0 18h * * *"), HasSubstr("\"18h\" is no hour"));
  EXPECT_THAT(error("*/0 * * * *"), HasSubstr("step"));
  EXPECT_THAT(error("*/x * * * *"), HasSubstr("step"));
  EXPECT_THAT(error("5-1 * * * *"), HasSubstr("goes backwards"));
  EXPECT_THAT(error("0 0 * * fri-mon"), HasSubstr("goes backwards"));
  EXPECT_THAT(error("1,,2 * * * *"), HasSubstr("is empty"));
  EXPECT_THAT(error("1, * * * *"), HasSubstr("is empty"));
  EXPECT_THAT(error("-5 * * * *"), HasSubstr("minute"));
  EXPECT_THAT(error("0 0 30 2 *"), HasSubstr("never comes"));
  EXPECT_THAT(error("0 0 31 4,6,9,11 *"), HasSubstr("never comes"));
  EXPECT_THAT(error("@reboot"), HasSubstr("@daily"));
  EXPECT_THAT(error("99999999999999999999 * * * *"), HasSubstr("minute"));
}

TEST(CronDays, OneOfBothDaysIsEnoughWhereBothAreNamed) {
  const auto friday13 = cron("0 0 13 * fri");
  EXPECT_TRUE(friday13.on(2026y / 11 / 13d));
  EXPECT_TRUE(friday13.on(2026y / 11 / 20d)) << "a Friday";
  EXPECT_TRUE(friday13.on(2026y / 10 / 13d)) << "a 13th";
  EXPECT_FALSE(friday13.on(2026y / 10 / 14d));
  const auto fridays = cron("0 0 * * 5");
  EXPECT_TRUE(fridays.on(2026y / 11 / 20d));
  EXPECT_FALSE(fridays.on(2026y / 11 / 21d));
  // A star with a step still counts as a star: both must fit.
  const auto odd = cron("0 0 */2 * 5");
  EXPECT_TRUE(odd.on(2026y / 11 / 13d));
  EXPECT_FALSE(odd.on(2026y / 11 / 20d));
  EXPECT_TRUE(cron("0 0 29 2 *").on(2028y / 2 / 29d));
}

}  // namespace
}  // namespace skep::repository
