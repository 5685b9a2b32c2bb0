#include "sops/document.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace skep::sops {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

/// "a:b=value" for each leaf.
std::vector<std::string> leaves(std::string_view text, Format format) {
  const auto document = read_document(text, "file", format);
  if (!document) return {"error: " + to_string(document.error())};
  std::vector<std::string> lines;
  for (const auto& leaf : document->leaves) {
    std::string line;
    for (const auto& key : leaf.path) line += (line.empty() ? "" : ":") + key;
    lines.push_back(line + "=" + leaf.value.text);
  }
  return lines;
}

/// The text with every value replaced by X, so that it shows where values begin and end.
std::string cut(std::string_view text, Format format) {
  const auto document = read_document(text, "file", format);
  if (!document) return "error: " + to_string(document.error());
  std::vector<Replacement> changes;
  for (const auto& leaf : document->leaves) changes.push_back({leaf.begin, leaf.end, "X"});
  for (const auto& comment : document->comments)
    changes.push_back({comment.begin, comment.end, "C"});
  return with_changes(*document, std::move(changes));
}

TEST(YamlDocument, HasTheValuesOfEveryKindInOrder) {
  EXPECT_THAT(leaves("a: x\nb: 5\nc: 1.50\nd: true\ne: null\nf: ''\ng: 2020-01-02\nh: 0x1F\n",
                     Format::yaml),
              ElementsAre("a=x", "b=5", "c=1.5", "d=True", "f=", "g=2020-01-02T00:00:00Z", "h=31"));
}

TEST(YamlDocument, ElementsOfAListHaveItsPath) {
  EXPECT_THAT(leaves("a:\n- x\n- b: y\n- [1, 2]\n", Format::yaml),
              ElementsAre("a=x", "a:b=y", "a=1", "a=2"));
}

struct CutCase {
  std::string name, text, expected;
};
void PrintTo(const CutCase& row, std::ostream* out) { *out << row.name; }

class YamlCuts : public testing::TestWithParam<CutCase> {};

TEST_P(YamlCuts, ValuesAreReplacedAndNothingElse) {
  EXPECT_EQ(cut(GetParam().text, Format::yaml), GetParam().expected);
}

INSTANTIATE_TEST_SUITE_P(
    Yaml,
    YamlCuts,
    testing::Values(
        CutCase{"plain", "a: one two\nb: x\n", "a: X\nb: X\n"},
        CutCase{"no_line_end", "a: one", "a: X"},
        CutCase{"comments",
                "# top\na: one # why\n# mid\nb: 'x # no' #y\n",
                "#C\na: X #C\n#C\nb: X #C\n"},
        CutCase{"single_quotes", "a: 'it''s'\n", "a: X\n"},
        CutCase{"double_quotes", "a: \"x \\\" y\" \nb: 1\n", "a: X \nb: X\n"},
        CutCase{"quoted_over_lines", "a: \"x\n  y\"\nb: 1\n", "a: X\nb: X\n"},
        CutCase{"plain_over_lines", "a: one\n  two\n\n  three\nb: 1\n", "a: X\nb: X\n"},
        CutCase{"literal", "a: |\n  one\n\n  two\nb: 1\n", "a: X\nb: X\n"},
        CutCase{"literal_blank_lines_after", "a: |\n  one\n\n\nb: 1\n", "a: X\n\n\nb: X\n"},
        CutCase{"literal_with_hash", "a: |\n  one # no\n  # no\nb: 1\n", "a: X\nb: X\n"},
        CutCase{"literal_then_comment",
                "a:\n  b: |\n    one\n  # here\n  c: 1\n",
                "a:\n  b: X\n  #C\n  c: X\n"},
        CutCase{"literal_indicator", "a: |2-\n    one\n  two\nb: 1\n", "a: X\nb: X\n"},
        CutCase{"folded_at_the_end", "a: >-\n  one\n  two\n", "a: X\n"},
        CutCase{"empty_literal", "a: |\nb: 1\n", "a: X\nb: X\n"},
        CutCase{"literal_in_a_list",
                "- 1\n",
                "error: file:1:1: a mapping is wanted at the top: "
                "SOPS keeps keys in the open and encrypts their "
                "values"},
        CutCase{"list_of_literals",
                "a:\n- |\n  one\n- two\n-   - 3\n    - |-\n      x\n",
                "a:\n- X\n- X\n-   - X\n    - X\n"},
        CutCase{"key_in_a_list", "a:\n  - k: |\n      one\n    m: 2\n", "a:\n  - k: X\n    m: X\n"},
        CutCase{"brackets", "a: {b: one two, c: [1, 'x', true]}\n", "a: {b: X, c: [X, X, X]}\n"},
        CutCase{"quoted_keys", "\"a # b\": 1\n'c': 2 # y\n", "\"a # b\": X\n'c': X #C\n"},
        CutCase{"tags", "a: !!str 5\nb: !!int \"6\"\n", "a: X\nb: X\n"},
        CutCase{"wide_characters", "ä: ü # é\nö: 'ß'\n", "ä: X #C\nö: X\n"},
        CutCase{"directive", "%YAML 1.1\n---\na: 1\n", "%YAML 1.1\n---\na: X\n"},
        CutCase{"document_start", "---\n# c\na: 1\n...\n", "---\n#C\na: X\n...\n"},
        CutCase{"windows", "a: one\r\nb: |\r\n  x\r\n  y\r\nc: 3\r\n", "a: X\r\nb: X\r\nc: X\r\n"},
        CutCase{"value_on_the_next_line", "a:\n  one\nb:\n  'two'\n", "a:\n  X\nb:\n  X\n"},
        CutCase{"colon_and_hash_inside", "a: http://x/#y\n", "a: X\n"},
        CutCase{"nothing_but_comments", "# only\n", "#C\n"}),
    [](const auto& row) { return row.param.name; });

TEST(YamlDocument, RefusesWhatCannotBeKept) {
  const auto message = [](const std::string& text) {
    const auto document = read_yaml(text, "f.yaml");
    return document ? std::string("none") : to_string(document.error());
  };
  EXPECT_THAT(message("a: &x 1\nb: *x\n"), HasSubstr("f.yaml:1:4: anchors"));
  EXPECT_THAT(message("a: &x\n  k: 1\nb:\n  <<: *x\n"), HasSubstr("anchors"));
  EXPECT_THAT(message("a: 1\n---\nb: 2\n"), HasSubstr("f.yaml:2:1: several YAML documents"));
  EXPECT_THAT(message("# c\n...\na: 1\n"), HasSubstr("f.yaml:3:1: several"));
  EXPECT_THAT(message("a: 1\n...\n---\nb: 1\n"), HasSubstr("f.yaml:3:1: several"));
  EXPECT_THAT(message("--- {a: 1}\n--- {b: 2}\n"), HasSubstr("several"));
  EXPECT_THAT(message("a: 18446744073709551615\n"), HasSubstr("too large"));
  EXPECT_THAT(message("sops: 5\na: 1\n"), HasSubstr("f.yaml:1:1: sops is not a mapping"));
  EXPECT_THAT(message("sops:\n  age: []\na: 1\n"), HasSubstr("has no mac"));
}

TEST(YamlDocument, AThreeDashLineWithinALiteralIsNoDocument) {
  EXPECT_THAT(leaves("a: |\n  x\n  ---\n  y\n", Format::yaml), ElementsAre("a=x\n---\ny\n"));
}

TEST(JsonDocument, HasTheValuesOfEveryKindInOrder) {
  EXPECT_THAT(leaves("{\"z\": \"x\\u00e4\\ud83d\\ude00\\n\", \"b\": 5, \"c\": [1.50, true, null, "
                     "{\"d\": \"\"}], \"e\": {}, \"f\": []}",
                     Format::json),
              ElementsAre("z=xä😀\n", "b=5", "c=1.5", "c=True", "c:d="));
}

TEST(JsonDocument, ValuesAreReplacedAndNothingElse) {
  EXPECT_EQ(cut("{\n\t\"a\": \"x\\\"y\",\n\t\"b\": [1,2 , {\"c\":true}]\n}\n", Format::json),
            "{\n\t\"a\": X,\n\t\"b\": [X,X , {\"c\":X}]\n}\n");
}

TEST(JsonDocument, RefusesWhatIsNoJsonObject) {
  for (const auto* text : {"",
                           "[1]",
                           "5",
                           "{",
                           "{\"a\"}",
                           "{\"a\":1,}",
                           "{\"a\":1 \"b\":2}",
                           "{\"a\":01x}",
                           "{\"a\":\"x}",
                           "{\"a\":\"\\q\"}",
                           "{\"a\":1} x",
                           "{\"a\":tru}",
                           "{\"a\":1,\"a\":2}",
                           "{'a':1}"}) {
    EXPECT_FALSE(read_json(text, "f.json", Format::json)) << text;
  }
  EXPECT_FALSE(read_json(std::string(100'000, '['), "f.json", Format::json));
  EXPECT_FALSE(read_json("{\"a\":" + std::string(100'000, '['), "f.json", Format::json));
}

TEST(DotenvDocument, TakesLinesAsTheyAre) {
  EXPECT_THAT(leaves("# c\nA=1\n\nB=\"x y\" # z\nC=\nD=a\\nb=c", Format::dotenv),
              ElementsAre("A=1", "B=\"x y\" # z", "C=", "D=a\nb=c"));
  EXPECT_EQ(cut("# c\nA=1\n\nB=x\n", Format::dotenv), "#C\nA=X\n\nB=X\n");
  const auto bad = read_dotenv("A=1\nB\n", "f.env");
  ASSERT_FALSE(bad);
  EXPECT_EQ(to_string(bad.error()), "f.env:2:1: expected KEY=VALUE");
}

TEST(Metadata, OneGroupOfKeysIsReadAndSeveralHaveAThreshold) {
  const FlatMetadata common = {{"mac", "ENC[x]"}, {"lastmodified", "t"}};
  auto one = common;
  one.emplace_back("key_groups__list_0__map_age__list_0__map_recipient", "age1x");
  one.emplace_back("key_groups__list_0__map_age__list_0__map_enc", "e");
  one.emplace_back("key_groups__list_0__map_pgp__list_0__map_fp", "F");
  const auto parsed = parse_metadata(one);
  ASSERT_TRUE(parsed) << parsed.error().message;
  EXPECT_THAT(parsed->keys, ElementsAre(WrappedKey{"age1x", "e"}));
  EXPECT_THAT(parsed->other_keys, ElementsAre("pgp"));
  auto two = one;
  two.emplace_back("key_groups__list_1__map_age__list_0__map_enc", "e");
  const auto split = parse_metadata(two);
  ASSERT_TRUE(split) << split.error().message;
  EXPECT_EQ(split->groups, 2U);
  EXPECT_EQ(split->keys.back().group, 1U);
  EXPECT_EQ(needed_groups(*split), 2U) << "all, where nothing is said";
  two.emplace_back("shamir_threshold", "x");
  EXPECT_THAT(parse_metadata(two).error().message, HasSubstr("shamir_threshold"));
  two.pop_back();
  two.emplace_back("key_groups__list_999__map_age__list_0__map_enc", "e");
  EXPECT_THAT(parse_metadata(two).error().message, HasSubstr("key_groups"));
}

TEST(Metadata, RulesThatSkepCannotFollowAreRefused) {
  const FlatMetadata common = {{"mac", "ENC[x]"}, {"lastmodified", "t"}};
  auto both = common;
  both.emplace_back("encrypted_suffix", "a");
  both.emplace_back("encrypted_regex", "b");
  EXPECT_THAT(parse_metadata(both).error().message, HasSubstr("more than one"));
  auto many = common;
  many.emplace_back("age__list_99999999__map_enc", "x");
  EXPECT_THAT(parse_metadata(many).error().message, HasSubstr("more than 200"));
}

}  // namespace
}  // namespace skep::sops
