#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "compose/cpus.hpp"
#include "compose/duration.hpp"
#include "compose/environment.hpp"
#include "compose/paths.hpp"
#include "compose/shell_words.hpp"
#include "compose/sizes.hpp"
#include "compose/stringify.hpp"
#include "compose/volumes.hpp"

namespace skep::compose {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

TEST(Stringify, FloatsPrintAsGoDoes_B0_1) {
  const std::vector<std::pair<double, std::string>> rows = {{1e3, "1000"},
                                                            {1e5, "100000"},
                                                            {1.0, "1"},
                                                            {1.10, "1.1"},
                                                            {1000000.0, "1e+06"},
                                                            {123456789.0, "1.23456789e+08"},
                                                            {5e-7, "5e-07"},
                                                            {0.1, "0.1"},
                                                            {0.5, "0.5"},
                                                            {1e20, "1e+20"},
                                                            {21000000.5, "2.10000005e+07"},
                                                            {0.0001, "0.0001"},
                                                            {0.00001, "1e-05"},
                                                            {999999.0, "999999"},
                                                            {-2.5, "-2.5"},
                                                            {1e100, "1e+100"},
                                                            {0.0, "0"}};
  for (const auto& [value, text] : rows) EXPECT_EQ(print_float(value), text);
}

TEST(Stringify, EveryScalarHasAText_B0_1) {
  const auto text = [](yaml::Node::Value value) {
    return stringify(yaml::Node(std::move(value), {}));
  };
  EXPECT_EQ(text(std::int64_t{-5}), "-5");
  EXPECT_EQ(text(std::uint64_t{12345678901234567890U}), "12345678901234567890");
  EXPECT_EQ(text(yaml::Timestamp{"2020-01-02 00:00:00 +0000 UTC"}),
            "2020-01-02 00:00:00 +0000 UTC");
  EXPECT_EQ(text(yaml::Null{}), std::nullopt);
  EXPECT_EQ(text(yaml::List{}), std::nullopt);
}

std::string volume(std::string_view text) {
  const auto parsed = parse_volume(text);
  if (!parsed) return "error: " + parsed.error().message;
  std::string result = parsed->type + '|' + parsed->source + '|' + parsed->target;
  if (parsed->read_only) result += "|ro";
  if (parsed->volume) result += "|nocopy";
  if (parsed->propagation) result += '|' + *parsed->propagation;
  return result;
}

TEST(Volumes, ShortTexts_B2_1) {
  EXPECT_EQ(volume(""), "error: invalid empty volume spec");
  EXPECT_EQ(volume("a"), "volume||a");
  EXPECT_EQ(volume("a:"), "volume||a:");
}

TEST(Volumes, SingleLettersAreDrives_B2_2) {
  EXPECT_EQ(volume("a:/b"), "volume||a:/b");
  EXPECT_EQ(volume("x:/d"), "volume||x:/d");
  EXPECT_EQ(volume("C:\\data:/b"), "bind|C:\\data|/b");
  EXPECT_EQ(volume("vol:c:\\x:ro"), "volume|vol|c:\\x|ro");
}

TEST(Volumes, SectionsAreCounted_B2_3) {
  EXPECT_EQ(volume("/anon"), "volume||/anon");
  EXPECT_EQ(volume("data:/data"), "volume|data|/data");
  EXPECT_EQ(volume("data:/data:"),
            "error: invalid spec: data:/data:: empty section between colons");
  EXPECT_EQ(volume(":/data"), "error: invalid spec: :/data: empty section between colons");
  EXPECT_EQ(volume("data::ro"), "error: invalid spec: data::ro: empty section between colons");
  EXPECT_EQ(volume("aa:/b:ro:x"), "error: invalid spec: aa:/b:ro:x: too many colons");
}

TEST(Volumes, OptionsAreSplitAtCommasAndUnknownOnesIgnored_B2_4) {
  EXPECT_EQ(volume("data:/d:ro,nocopy"), "volume|data|/d|ro|nocopy");
  EXPECT_EQ(volume("/a:/b:ro,rw"), "bind|/a|/b");
  EXPECT_EQ(volume("/a:/b:rslave"), "bind|/a|/b|rslave");
  EXPECT_EQ(volume("/a:/b:z"), "bind|/a|/b");
  EXPECT_EQ(volume("/a:/b:RO,cached,"), "bind|/a|/b");
}

TEST(Volumes, TypeComesFromTheSource_B2_5) {
  EXPECT_EQ(volume("./a:/b"), "bind|./a|/b");
  EXPECT_EQ(volume("~/a:/b"), "bind|~/a|/b");
  EXPECT_EQ(volume("\\\\.\\pipe\\x:/b"), "bind|\\\\.\\pipe\\x|/b");
  EXPECT_EQ(volume("a/b:/c"), "volume|a/b|/c");
}

TEST(Paths, AreCleanedLexically_A1_4) {
  EXPECT_EQ(clean_path("/D/./a/../b//c/"), "/D/b/c");
  EXPECT_EQ(clean_path("/../x"), "/x");
  EXPECT_EQ(clean_path("../../x/.."), "../..");
  EXPECT_EQ(clean_path(""), ".");
  EXPECT_EQ(clean_path("/"), "/");
  EXPECT_EQ(resolve_path("/D", "x"), "/D/x");
  EXPECT_EQ(resolve_path("/D", "/x/../y"), "/x/../y");
  EXPECT_EQ(resolve_path("/D", ""), "/D");
}

TEST(Paths, AbsoluteOnWindows_B2_7) {
  EXPECT_TRUE(is_absolute_on_windows("C:\\x"));
  EXPECT_TRUE(is_absolute_on_windows("c:/x"));
  EXPECT_FALSE(is_absolute_on_windows("c:x"));
  EXPECT_TRUE(is_absolute_on_windows("\\\\server\\share\\x"));
  EXPECT_FALSE(is_absolute_on_windows("\\\\.\\pipe\\x"));
  EXPECT_FALSE(is_absolute_on_windows("a/b"));
}

TEST(ShellWords, AreCutLikeAShellButNothingIsExpanded_B3_1) {
  EXPECT_THAT(*shell_words("sh -c \"sleep 1\""), ElementsAre("sh", "-c", "sleep 1"));
  EXPECT_THAT(*shell_words("a\"b c\"d"), ElementsAre("ab cd"));
  EXPECT_THAT(*shell_words("'a\\b' \"a\\nb\" a\\ b"), ElementsAre("a\\b", "anb", "a b"));
  EXPECT_THAT(*shell_words("\"\" ''"), ElementsAre("", ""));
  EXPECT_THAT(*shell_words("a # b"), ElementsAre("a"));
  EXPECT_THAT(*shell_words("a#b c"), ElementsAre("a#b", "c"));
  EXPECT_THAT(*shell_words("# one\ntwo"), ElementsAre("two"));
  EXPECT_THAT(*shell_words("a && $b | c\t\r\nd"), ElementsAre("a", "&&", "$b", "|", "c", "d"));
  EXPECT_THAT(*shell_words("a\xC2\xA0"
                           "b"),
              ElementsAre("a\xC2\xA0"
                          "b"));
}

TEST(ShellWords, UnfinishedTextsAreErrors_B3_2) {
  EXPECT_EQ(shell_words("a 'b").error().message, "EOF found when expecting closing quote");
  EXPECT_EQ(shell_words("a \"b").error().message, "EOF found when expecting closing quote");
  EXPECT_EQ(shell_words("a\\").error().message, "EOF found after escape character");
  EXPECT_EQ(shell_words("\"a\\").error().message, "EOF found after escape character");
}

TEST(ShellWords, NothingGivesNoWords_B3_3) {
  EXPECT_THAT(*shell_words(""), IsEmpty());
  EXPECT_THAT(*shell_words(" \t"), IsEmpty());
  EXPECT_THAT(*shell_words("# only"), IsEmpty());
}

std::string size(std::string_view text) {
  const auto bytes = parse_size(text);
  return bytes ? std::to_string(*bytes) : bytes.error().message;
}

TEST(Sizes, HaveBinaryUnits_B10_1) {
  EXPECT_EQ(size("50"), "50");
  EXPECT_EQ(size("5b"), "5");
  EXPECT_EQ(size("64M"), "67108864");
  EXPECT_EQ(size("1.5g"), "1610612736");
  EXPECT_EQ(size("1kb"), "1024");
  EXPECT_EQ(size("1 KiB"), "1024");
  EXPECT_EQ(size("1e3"), "1000");
  EXPECT_EQ(size("1_000"), "1000");
  EXPECT_EQ(size("+5"), "5");
  EXPECT_EQ(size(".5k"), "512");
  EXPECT_EQ(size("5.k"), "5120");
  EXPECT_EQ(size("5 "), "5");
  EXPECT_EQ(size("1.9"), "1");
  EXPECT_EQ(size("1p"), "1125899906842624");
}

TEST(Sizes, ReasonsOfErrorsAreTheCliS_B10_2) {
  EXPECT_EQ(size("m"), "invalid size: 'm'");
  EXPECT_EQ(size("-5m"), "invalid size: '-5m'");
  EXPECT_EQ(size("1Gi"), "invalid suffix: 'gi'");
  EXPECT_EQ(size("1e"), "invalid suffix: 'e'");
  EXPECT_EQ(size("1bb"), "invalid suffix: 'bb'");
  EXPECT_EQ(size("1gg"), "invalid suffix: 'gg'");
  EXPECT_EQ(size("1,5g"), "strconv.ParseFloat: parsing \"1,5\": invalid syntax");
  EXPECT_EQ(size(" 5"), "strconv.ParseFloat: parsing \" 5\": invalid syntax");
  EXPECT_EQ(size("5  m"), "strconv.ParseFloat: parsing \"5 \": invalid syntax");
}

std::optional<std::int64_t> duration(std::string_view text) {
  const auto value = parse_duration(text);
  if (!value) return std::nullopt;
  return value->count();
}

TEST(Durations, AreSumsOfUnits_B11_1) {
  EXPECT_EQ(duration("0"), 0);
  EXPECT_EQ(duration("+0"), 0);
  EXPECT_EQ(duration("1m30s"), 90'000'000'000);
  EXPECT_EQ(duration("1m1m"), 120'000'000'000);
  EXPECT_EQ(duration("1.5h"), 5'400'000'000'000);
  EXPECT_EQ(duration(".5s"), 500'000'000);
  EXPECT_EQ(duration("5.s"), 5'000'000'000);
  EXPECT_EQ(duration("-3ms"), -3'000'000);
  EXPECT_EQ(duration("1\xC2\xB5s"), 1000);
  EXPECT_EQ(duration("1\xCE\xBCs"), 1000);
  EXPECT_EQ(duration("1us2ns"), 1002);
  EXPECT_EQ(duration("9223372036854775807ns"), 9223372036854775807);
}

TEST(Durations, EverythingElseIsRefused_B11_1) {
  for (const auto* text : {"",
                           "5",
                           "1d",
                           " 1s",
                           "1s ",
                           "1 s",
                           "s",
                           ".s",
                           "+",
                           "-",
                           "1.2.3s",
                           "1x",
                           "9223372036854775808ns",
                           "2562048h"}) {
    EXPECT_EQ(duration(text), std::nullopt) << text;
  }
}

std::string cpus(std::string_view text) {
  const auto nano = parse_nano_cpus(text);
  return nano ? std::to_string(*nano) : nano.error().message;
}

TEST(Cpus, AreExactRationals_B12_1) {
  EXPECT_EQ(cpus("0.5"), "500000000");
  EXPECT_EQ(cpus("1/4"), "250000000");
  EXPECT_EQ(cpus("1e-3"), "1000000");
  EXPECT_EQ(cpus("0x10"), "16000000000");
  EXPECT_EQ(cpus("1_0"), "10000000000");
  EXPECT_EQ(cpus("-1"), "-1000000000");
  EXPECT_EQ(cpus("0.1"), "100000000");
  EXPECT_EQ(cpus("2"), "2000000000");
  EXPECT_EQ(cpus("0.30"), "300000000");
  EXPECT_EQ(cpus(".5"), "500000000");
  EXPECT_EQ(cpus("1/3"), "value is too precise");
  EXPECT_EQ(cpus("1e-10"), "value is too precise");
  EXPECT_EQ(cpus(" 1"), "failed to parse  1 as a rational number");
  EXPECT_EQ(cpus("abc"), "failed to parse abc as a rational number");
  EXPECT_EQ(cpus("1/0"), "failed to parse 1/0 as a rational number");
  EXPECT_EQ(cpus("1/-2"), "failed to parse 1/-2 as a rational number");
}

TEST(EnvFile, LinesAreVerbatimBehindTheFirstEqualsSign_B4_2) {
  const auto lines = parse_env_file(
      "\xEF\xBB\xBF"
      "A=1\r\n  # comment\n\n \t B=\"q\" # c\nC=a=b \nBARE\nD=\n\xC2\xA0"
      "E=$x");
  ASSERT_TRUE(lines);
  std::string shown;
  for (const auto& line : *lines) shown += line.key + (line.value ? "=" + *line.value : "") + ";";
  EXPECT_EQ(shown, "A=1;B=\"q\" # c;C=a=b ;BARE;D=;E=$x;");
}

TEST(EnvFile, ErrorsNameTheLineAndNeverItsContent_B4_2) {
  for (const auto* text :
       {"A=1\n=canary", "A=1\nexport canary=1", "A=1\ncanary =1", "A=1\ncanary\xff=1"}) {
    const auto lines = parse_env_file(text);
    ASSERT_FALSE(lines) << text;
    EXPECT_THAT(lines.error().message, HasSubstr("line 2: "));
    EXPECT_THAT(lines.error().message, ::testing::Not(HasSubstr("canary")));
  }
  EXPECT_FALSE(parse_env_file("A=" + std::string(70000, 'x')));
}

}  // namespace
}  // namespace skep::compose
