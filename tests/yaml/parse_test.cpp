#include "yaml/parse.hpp"

#include <string>

#include <gtest/gtest.h>

namespace skep::yaml {
namespace {

Node parsed(const std::string& text) {
  auto root = parse(text, "a.yml");
  if (!root) {
    ADD_FAILURE() << to_string(root.error());
    return {};
  }
  return *std::move(root);
}

std::string refusal(const std::string& text, const Limits& limits = {}) {
  const auto root = parse(text, "a.yml", limits);
  return root ? "accepted" : to_string(root.error());
}

SourcePosition at(int line, int column) { return {"a.yml", line, column}; }

TEST(Parse, KeysAndValuesKnowWhereTheyStand) {
  const auto root = parsed("a: 1\nbée: {c: 'd'}\nl:\n  - x\n  - é: \"y\"\nempty:\nz: |\n  t\n");
  const auto& map = *root.as<Map>();
  EXPECT_EQ(map[0].key_at, at(1, 1));
  EXPECT_EQ(map[0].value.at(), at(1, 4));
  EXPECT_EQ(map[1].value.at(), at(2, 6));
  EXPECT_EQ(map[1].value.find("c")->at(), at(2, 10));
  EXPECT_EQ(map[2].value.at(), at(4, 3));
  const auto& list = *map[2].value.as<List>();
  EXPECT_EQ(list[0].at(), at(4, 5));
  EXPECT_EQ(list[1].as<Map>()->front().key_at, at(5, 5));
  EXPECT_EQ(list[1].as<Map>()->front().value.at(), at(5, 8));
  EXPECT_EQ(map[3].value.at(), at(6, 1)) << "an empty value stands where its key does";
  EXPECT_EQ(map[4].value.at(), at(7, 4));
}

TEST(Parse, WindowsAndOldMacLineEndsCountAsLines_A2_12) {
  EXPECT_EQ(parsed("a: 1\r\nb: 2\r\n").as<Map>()->at(1).key_at, at(2, 1));
  EXPECT_EQ(parsed("a: 1\rb: 2\r").as<Map>()->at(1).key_at, at(2, 1));
}

TEST(Parse, AliasStandsWhereItsAnchorIs) {
  const auto root = parsed("a: &x {k: v}\nb: *x\n");
  EXPECT_EQ(root.find("b")->at(), at(1, 4));
}

TEST(Parse, ListThatIsPutIntoAListStandsWhereItsAliasIs) {
  const auto root = parsed("a: &x [b]\nc:\n  - *x\n");
  const auto& item = root.find("c")->as<List>()->front();
  EXPECT_EQ(item.at(), at(3, 5));
  EXPECT_EQ(item.as<List>()->front().at(), at(1, 8));
}

TEST(Parse, WhatIsWrittenTwiceIsTakenWhereItIsExcusedAndClear_A2_3) {
  const std::string merges =
      "a: &a {x: 1, y: 1}\nb: &b {y: 2, z: 2}\nc:\n  <<: *a\n  z: 3\n  <<: *b\n";
  EXPECT_EQ(refusal(merges), "a.yml:6:3: mapping key \"<<\" already defined at line 4");
  Findings excused;
  const auto merged = parse(merges, "a.yml", {}, &excused);
  ASSERT_TRUE(merged);
  const auto& c = *merged->find("c");
  EXPECT_EQ(*c.find("x")->as<std::int64_t>(), 1);
  EXPECT_EQ(*c.find("y")->as<std::int64_t>(), 1) << "the first merge wins";
  EXPECT_EQ(*c.find("z")->as<std::int64_t>(), 3) << "the mapping's own key wins";
  EXPECT_EQ(c.as<Map>()->size(), 3U);
  ASSERT_EQ(excused.size(), 1U);
  EXPECT_EQ(excused[0].at, at(6, 3));

  excused.clear();
  const auto twice = parse("a: {k: [1, {l: m}], k: [1, {l: m}]}\n", "a.yml", {}, &excused);
  ASSERT_TRUE(twice);
  EXPECT_EQ(twice->find("a")->as<Map>()->size(), 1U);
  EXPECT_EQ(excused.size(), 1U);
  for (const auto* text : {"k: 1\nk: 2\n",
                           "k: [1]\nk: [1, 2]\n",
                           "k: 1\nk: '1'\n",
                           "k: {a: b}\nk: {a: c}\n",
                           "x: &x 1\nk: *x\nk: 1\n"}) {
    excused.clear();
    EXPECT_TRUE(parse(text, "a.yml", {}, &excused)) << text;
    EXPECT_TRUE(has_errors(excused)) << text;
  }
}

TEST(Parse, KeysThatAreRefusedHideNothingElseWhereFindingsAreCollected_A2_11) {
  Findings found;
  const auto root = parse("a: {1: x, k: 1, k: 2}\nb: 3\n", "a.yml", {}, &found);
  ASSERT_TRUE(root);
  EXPECT_EQ(*root->find("b")->as<std::int64_t>(), 3);
  ASSERT_EQ(found.size(), 2U);
  EXPECT_TRUE(has_errors(found));
  EXPECT_EQ(found[0].at, at(1, 17)) << "keys that are there twice are looked for first";
  EXPECT_EQ(found[1].at, at(1, 5));
}

TEST(Parse, MergedEntriesKeepTheirOwnPlace_A2_5) {
  const auto root = parsed("a: &x {k: v}\nb:\n  <<: *x\n  l: w\n");
  const auto& merged = *root.find("b")->as<Map>();
  ASSERT_EQ(merged.size(), 2U);
  EXPECT_EQ(merged[0].key, "l");
  EXPECT_EQ(merged[1].key, "k");
  EXPECT_EQ(merged[1].key_at, at(1, 8));
}

TEST(Parse, DuplicateKeysNameBothLines_A2_3) {
  EXPECT_EQ(refusal("a:\n  k: 1\n  l: 2\n  \"k\": 3\n"),
            "a.yml:4:3: mapping key \"k\" already defined at line 2");
}

TEST(Parse, AliasThatStandsForAKeyIsADuplicateOfIt_FoundByFuzzing) {
  EXPECT_EQ(refusal("a: &k b\n*k : 1\nb: 2\n"),
            "a.yml:3:1: mapping key \"b\" already defined at line 2");
  EXPECT_NE(refusal("a: &k b\n*k : &k c\n*k : 1\nc: 2\n"), "accepted");
}

TEST(Parse, KeysThatAreNoStringsAreRefusedWhereTheyStand_A2_11) {
  EXPECT_EQ(refusal("a:\n  1: x\n"), "a.yml:2:3: key 1 is not a string: put it in quotes");
  EXPECT_NE(refusal("a:\n  true: x\n"), "accepted");
  EXPECT_NE(refusal("a:\n  ? [x]\n  : y\n"), "accepted");
}

TEST(Parse, BlockTextKeepsTheLinesThatItBeginsWith) {
  EXPECT_EQ(parsed("a: |\n\n  b\n").find("a")->value(), Node::Value(std::string("\nb\n")));
  EXPECT_EQ(parsed("a: |+\n\n").find("a")->value(), Node::Value(std::string("\n")));
}

TEST(Parse, FoldedTextThatKeepsItsLineEndsKeepsAllOfThem) {
  const auto a = [](const std::string& text) {
    const auto root = parsed(text);
    const auto* value = root.find("a") == nullptr ? nullptr : root.find("a")->as<std::string>();
    return value == nullptr ? "no text" : *value;
  };
  EXPECT_EQ(a("a: >+\n  b\nc: d\n"), "b\n");
  EXPECT_EQ(a("a: >+\n  b\n\nc: d\n"), "b\n\n");
  EXPECT_EQ(a("a: >+\n  b\n\n \n  \n# comment\n\nc: d\n"), "b\n\n\n\n");
  EXPECT_EQ(a("a: >+\n  b\n\n"), "b\n\n") << "at the end of the file";
  EXPECT_EQ(a("a: >+\n  b"), "b");
  EXPECT_EQ(a("a: >+\r\n  b\r\n\r\nc: d\r\n"), "b\n\n");
  EXPECT_EQ(a("a: >2+\n  b\n\nc: d\n"), "b\n\n");
  EXPECT_EQ(a("a: >+2\n    b\n\nc: d\n"), "  b\n\n");
  EXPECT_EQ(a("a: >+\n  b\n   \n\nc: d\n"), "b\n \n\n") << "the blank is text";
  EXPECT_EQ(a("a: >+\n  b\n  c\n\n  d\n\n\nc: d\n"), "b c\nd\n\n\n");
  EXPECT_EQ(a("a: >+\n\n\nc: d\n"), "\n\n");
  EXPECT_EQ(a("a: >\n  b\n\nc: d\n"), "b\n");
  EXPECT_EQ(a("a: >-\n  b\n\nc: d\n"), "b");
  EXPECT_EQ(a("a: |+\n  b\n\nc: d\n"), "b\n\n");
}

TEST(Parse, FoldedTextMayEndAFileThatEndsWithAnIndentation) {
  const auto a = [](const std::string& text) { return parsed(text).find("a")->value(); };
  using Text = std::string;
  EXPECT_EQ(a("a: >\n  b\n  "), Node::Value(Text("b\n")));
  EXPECT_EQ(a("a: >-\n  b\n  "), Node::Value(Text("b")));
  EXPECT_EQ(a("a: >+\n  b\n  "), Node::Value(Text("b\n")));
  EXPECT_EQ(a("a: >\n  b\n\n  "), Node::Value(Text("b\n")));
  EXPECT_EQ(a("a: >+\n  b\n\n  "), Node::Value(Text("b\n\n")));
  EXPECT_EQ(a("a: >-\n  b \n  "), Node::Value(Text("b "))) << "the blank is text";
  EXPECT_EQ(a("a: >-\r\n  b\r\n  c\r\n  "), Node::Value(Text("b c")));
  EXPECT_EQ(a("a: >\n  b\n    c\n  "), Node::Value(Text("b\n  c\n")));
  EXPECT_EQ(a("a: >\n  b\n "), Node::Value(Text("b\n")));
  EXPECT_EQ(a("a: >-\n  b\n   "), Node::Value(Text("b\n "))) << "the blank is text";
  EXPECT_EQ(a("a: |\n  b\n  "), Node::Value(Text("b\n")));
}

TEST(Parse, QuotedTextKeepsTheLineEndsBeforeItsClosingQuote) {
  const auto a = [](const std::string& text) { return parsed(text).find("a")->value(); };
  using Text = std::string;
  EXPECT_EQ(a("a: \"x\n\n\n  \"\n"), Node::Value(Text("x\n\n")));
  EXPECT_EQ(a("a: 'x\n\n\n  '\n"), Node::Value(Text("x\n\n")));
  EXPECT_EQ(a("a: \"\n  \n  \"\n"), Node::Value(Text("\n")));
  EXPECT_EQ(a("a: '\n  \n  '\n"), Node::Value(Text("\n")));
  EXPECT_EQ(a("a: \"\n  \"\n"), Node::Value(Text(" ")));
  EXPECT_EQ(a("a: !!str \"x\r\n\r\n  \"\n"), Node::Value(Text("x\n")));
  EXPECT_EQ(a("a: \"x \n  y \"\n"), Node::Value(Text("x y ")));
  EXPECT_EQ(a("a: \"x\\\n\n  \"\n"), Node::Value(Text("x\n"))) << "a line end that is escaped";
  EXPECT_EQ(a("a: \"x\\\n  y\\ \n  \\  z\"\n"), Node::Value(Text("xy    z")));
  EXPECT_EQ(a("a: 'it''s\n\n  ''\n\n'\n"), Node::Value(Text("it's\n'\n")));
  EXPECT_EQ(a("a: \"\\x41\\u00e9\\U0001F600\\N\\_\\L\\P\\e\\0\\t\\\"\"\n"),
            Node::Value(Text("A\u00e9\U0001F600\u0085\u00a0\u2028\u2029\x1b\0\t\"", 21)));
  EXPECT_EQ(parsed("? \"k\n\n  \"\n: v\n").as<Map>()->front().key, "k\n");
}

TEST(Parse, UnicodeLineSeparatorsInQuotesStayAndEndALine) {
  const auto a = [](const std::string& text) { return parsed(text).find("a")->value(); };
  using Text = std::string;
  EXPECT_EQ(a("a: 'x\u2028y'\n"), Node::Value(Text("x\u2028y")));
  EXPECT_EQ(a("a: \"x \u2029  y\"\n"), Node::Value(Text("x\u2029y")));
  EXPECT_EQ(a("a: 'x\u0085y'\n"), Node::Value(Text("x y")));
  EXPECT_EQ(a("a: 'x\n  \u2028  y'\n"), Node::Value(Text("x\u2028y")));
  EXPECT_NE(refusal("'a\u2028b': 1\n").find("in a key"), std::string::npos);
}

TEST(Parse, TextOfSeveralLinesMayHaveATagOrAnAnchorInAList) {
  const auto first = [](const std::string& text) {
    const auto root = parsed(text);
    const auto* list = root.as<List>();
    const auto* value = list == nullptr ? nullptr : list->front().as<std::string>();
    return value == nullptr ? "no text" : *value;
  };
  EXPECT_EQ(first("- &a |\n  x\n- *a\n"), "x\n");
  EXPECT_EQ(first("- !!str >-\n  x\n  y\n- z\n"), "x y");
  EXPECT_EQ(first("- ! |\n x\n"), "x\n");
  EXPECT_EQ(first("- &a x\n  y\n"), "x y");
  EXPECT_EQ(first("- &a\n  !!str |\n x\n- z\n"), "x\n");
  EXPECT_EQ(first("- &a !!str |2\n    x\n- z\n"), "  x\n");
  EXPECT_EQ(first("- &a |\n  # x\n- z\n"), "# x\n") << "no comment";
  EXPECT_EQ(first("- &a x\n  # y\n- z\n"), "x");
  EXPECT_EQ(first("- &a |\n  k: v\n  \tw\n- z\n"), "k: v\n\tw\n");
  EXPECT_EQ(first("-   &a\t|\r\n  x\r\n- z\r\n"), "x\n");
  EXPECT_EQ(parsed("? a\n: &a x\n  y\n").find("a")->value(), Node::Value(std::string("x y")));
  EXPECT_EQ(parsed("a:\n  &a |\n x\nb: c\n").find("a")->value(), Node::Value(std::string("x\n")));
  const auto root =
      parsed("a:\n  - - &a |\n      x\n    - &b |\n      y\n  - &k k: &v |\n     z\n");
  const auto& lists = *root.find("a")->as<List>();
  EXPECT_EQ(lists[0].as<List>()->at(1).value(), Node::Value(std::string("y\n")));
  EXPECT_EQ(lists[0].as<List>()->at(1).at(), at(4, 7));
  EXPECT_EQ(lists[1].find("k")->value(), Node::Value(std::string("z\n")));
  EXPECT_EQ(lists[1].as<Map>()->front().key_at, at(6, 5));
  EXPECT_EQ(refusal("- &a |\n  x\n- [\n- b\n").substr(0, 8), "a.yml:4:");
  std::string many;
  for (int i = 0; i < 200; ++i) many += "- &a" + std::to_string(i) + " |\n  x\n";
  EXPECT_NE(refusal(many).find("a line of its own"), std::string::npos);
}

TEST(Parse, WhatLooksLikeAnAliasOrAnAnchorInsideOfATextStaysAsItIs) {
  EXPECT_EQ(parsed("? k\n: !!str |-\n  x\n    *a: [x, y]\n").find("k")->value(),
            Node::Value(std::string("x\n  *a: [x, y]")));
  const auto root = parsed("a: &k lab\nb: |\n  - &a |\n    c\n  *k: d\n*k: |\n  v\n");
  EXPECT_EQ(root.find("b")->value(), Node::Value(std::string("- &a |\n  c\n*k: d\n")));
  EXPECT_EQ(root.find("lab")->value(), Node::Value(std::string("v\n")));
}

TEST(Parse, BlockTextInAListWithAnAnchorEndsWhereItsIndentationDoes) {
  const auto root = parsed("a: &l # c\n\n  # d\n  - >\n  - ! \"\"\n  - >1-\n     y\n    \n  - z\n");
  const auto& list = *root.find("a")->as<List>();
  ASSERT_EQ(list.size(), 4U);
  EXPECT_EQ(list[1].value(), Node::Value(std::string()));
  EXPECT_EQ(list[2].value(), Node::Value(std::string("  y\n ")));
}

TEST(Parse, AliasIsAKeyWithoutABlankBeforeItsColon) {
  const auto key = [](const std::string& text) {
    const auto root = parsed(text);
    const auto* map = root.find("b")->as<Map>();
    return map == nullptr ? "no mapping" : map->front().key;
  };
  EXPECT_EQ(key("a: &k lab\nb:\n  *k: v\n"), "lab");
  EXPECT_EQ(key("a: &k lab\nb:\n  *k:\n    c: d\n"), "lab");
  EXPECT_EQ(key("a: &k lab\nb: {*k: v}\n"), "lab");
  EXPECT_EQ(parsed("a: &k lab\nb: c\n*k: |\n  v\nc: d\n").as<Map>()->at(2).key, "lab");
  EXPECT_EQ(refusal("a: &k l\nb:\n  *k: v\n  *l: v\n").substr(0, 10), "a.yml:4:3:");
  EXPECT_NE(refusal("a: &k l\nb:\n  *k:v\n"), "accepted");
}

TEST(Parse, CommentBelowACommentMayBeginWithATab) {
  for (const auto* text : {"a: 1\n# x\n\t# y\nb: 2\n",
                           "# x\n\t# y\nb: 2\n",
                           "%YAML 1.1\n# x\n\t# y\n---\nb: 2\n",
                           "a:\n  # x\n\n\t\n \t# y\n  c: 1\nb: 2\n",
                           "a:\r\n  # x\r\n\t# y\r\n  c: 1\r\nb: 2\r\n",
                           "b: 2\n# x\n\t# y",
                           "a: 'x'\n# x\n\t# y\nb: 2\n",
                           "a:\n- # x\n\t# y\n  c\nb: 2\n"}) {
    EXPECT_EQ(parsed(text).find("b")->value(), Node::Value(std::int64_t(2))) << text;
  }
  for (const auto* text : {"a: 1 # x\n\t# y\nb: 2\n",
                           "a:\n\t# x\n  b: 2\n",
                           "a:\n  # x\n\t\n  b: 2\n",
                           "a:\n  # x\n\tb: 2\n"}) {
    EXPECT_NE(refusal(text).find("indent with spaces"), std::string::npos) << text;
  }
}

TEST(Parse, BlockTextWhoseIndentationIsNotKnownYetBeginsWithNoTab) {
  for (const auto* text :
       {"a: |\n  \tx\n", "a: >\n\n \t\n  x\n", "a: |\n  x\n \t\nb: c\n", "a: |\n\t\nb: c\n"}) {
    EXPECT_NE(refusal(text).find("indent with spaces"), std::string::npos) << text;
  }
  EXPECT_EQ(parsed("a: |2\n  \tx\n").find("a")->value(), Node::Value(std::string("\tx\n")));
  EXPECT_EQ(parsed("a: |\n  x\n  \t\n").find("a")->value(), Node::Value(std::string("x\n\t\n")));
}

TEST(Parse, SecondByteOrderMarkIsNoText) {
  EXPECT_EQ(parsed("\xEF\xBB\xBF\xEF\xBB\xBF"
                   "a: 1\n")
                .find("a")
                ->at(),
            at(1, 4));
}

TEST(Parse, CollectionAndItsFirstKeyMayEachHaveATagOrAnAnchor) {
  const auto image = [](const std::string& text, std::string_view key) {
    const auto root = parsed(text);
    const auto* value = root.find("a") != nullptr ? root.find("a")->find(key) : nullptr;
    return value == nullptr ? Node() : *value;
  };
  const Node::Value nginx = std::string("nginx");
  EXPECT_EQ(image("x: &x {k: nginx}\na: &w\n  !!merge <<: *x\n  l: m\n", "k").value(), nginx);
  EXPECT_EQ(image("a: &d\n  !!str k: nginx\n", "k").value(), nginx);
  EXPECT_EQ(image("a: &b\n  &k k: nginx\n", "k").value(), nginx);
  EXPECT_EQ(image("a: !!map\n  !!str k: nginx\n", "k").value(), nginx);
  EXPECT_EQ(image("a: !!map &b # comment\n\n  &k !!str \"k\": nginx\n", "k").value(), nginx);
  EXPECT_EQ(image("a: &b\n  &k k:\n    &l l: m\n  n: nginx\n", "n").value(), nginx);
  EXPECT_EQ(parsed("a: &x\n&y b: nginx\n").find("b")->value(), nginx)
      << "an empty value with an anchor, and the next key";
  EXPECT_EQ(parsed("a: !!str\n  &k nginx\n").find("a")->value(), nginx)
      << "both belong to one value";
  EXPECT_NE(refusal("a: &x\n  &y nginx\n"), "accepted");
}

TEST(Parse, TextWithoutADocumentIsNull_A2_1) {
  EXPECT_TRUE(parsed("").is_null());
  EXPECT_TRUE(parsed("# only a comment\n").is_null());
  EXPECT_TRUE(parsed("---\n---\na: 1\n").is_null());
}

TEST(Parse, OnlyTheFirstDocumentIsRead_A2_2) {
  EXPECT_EQ(parsed("a: 1\n---\n[: {\n").as<Map>()->size(), 1U);
  EXPECT_EQ(parsed("a: 1\n...\n\t'\n").as<Map>()->size(), 1U);
}

TEST(Parse, MistakesAreShownWhereTheyAre) {
  EXPECT_EQ(refusal("a: 1\nb: \"x\n"), "a.yml:2:4: found a quote that is never closed");
  EXPECT_EQ(refusal("a: 'x'\n\tb: 2\n").substr(0, 10), "a.yml:2:2:");
  EXPECT_EQ(refusal("a: x\nb\n"), "a.yml:2:1: could not find expected ':' after b");
  EXPECT_EQ(refusal("a: [x,,y]\n").substr(0, 12), "a.yml:1:7: d");
  EXPECT_EQ(refusal("a: \xC3(\n").substr(0, 23), "a.yml:1:4: invalid UTF-");
}

TEST(Parse, LimitsAreNamedBeforeTheyCost) {
  EXPECT_EQ(refusal("a: 1\n", Limits{.bytes = 4}), "a.yml: larger than 4 bytes");
  EXPECT_NE(refusal(std::string(100'000, '[')).find("nested more than 200 levels"),
            std::string::npos);
  std::string dashes;
  for (int i = 0; i < 50'000; ++i) dashes += "- ";
  EXPECT_NE(refusal(dashes + "a\n").find("nested more than 200 levels"), std::string::npos);
  EXPECT_NE(refusal("[1, 2, 3, 4]", Limits{.nodes = 4}).find("more than 4 values"),
            std::string::npos);
  std::string maps = "a";
  for (int i = 0; i < 300; ++i) maps = "{a: " + maps + "}";
  EXPECT_NE(refusal(maps).find("nested more than 200 levels"), std::string::npos);
}

TEST(Parse, AliasesDoNotMultiplyWithoutBounds) {
  std::string bomb = "x0: &x0 [a,a,a,a,a,a,a,a,a,a]\n";
  for (int i = 1; i < 9; ++i) {
    const auto before = "*x" + std::to_string(i - 1);
    bomb += "x" + std::to_string(i) + ": &x" + std::to_string(i) + " [";
    for (int k = 0; k < 10; ++k) bomb += before + ",";
    bomb += "]\n";
  }
  EXPECT_NE(refusal(bomb).find("excessive aliasing"), std::string::npos);
  EXPECT_NE(refusal("a: &a [*a]\n").find("anchor 'a' value contains itself"), std::string::npos);
}

TEST(Parse, ManyKeysAreNotComparedWithEachOther) {
  std::string text;
  for (int i = 0; i < 100'000; ++i) text += "k" + std::to_string(i) + ": v\n";
  EXPECT_EQ(parsed(text).as<Map>()->size(), 100'000U);
}

TEST(Parse, ComplaintsSayWhatIsMostlyMeant) {
  const auto says = [](const std::string& text) { return refusal(text); };
  EXPECT_NE(says("a:\n\tb: 1\n").find("indent with spaces"), std::string::npos);
  EXPECT_NE(says("a: echo key: value\n").find("needs quotes"), std::string::npos);
  EXPECT_NE(says("a: @x\n").find("begins with @ needs quotes"), std::string::npos);
  EXPECT_NE(says("a: {{.Node.Hostname}}\n").find("begins with { or [ needs quotes"),
            std::string::npos);
  EXPECT_NE(says("a: \"Host(\"b\")\"\n").find("inside double quotes"), std::string::npos);
  EXPECT_NE(says("a:\n  b: 1\n c: 2\n").find("not indented like"), std::string::npos);
  EXPECT_NE(says("a: \"\\d\"\n").find("single quotes"), std::string::npos);
}

TEST(Parse, QuoteThatIsMissingIsToldWithThePlaceWhereItsTextOpens) {
  EXPECT_EQ(
      refusal("web:\n  image: \"nginx\n  environment:\n    A: \"b\"\n"),
      "a.yml:4:9: end of map not found; a \" is missing: the one that opens at 2:10 is closed "
      "only here");
  EXPECT_EQ(refusal("a:\n  - 'b\n  - 'c'\n"),
            "a.yml:3:6: end of sequence not found; a ' is missing: the one that opens at 2:5 is "
            "closed only here");
  EXPECT_EQ(refusal("a: [\"b,\n  \"c\"]\n"),
            "a.yml:2:4: end of sequence flow not found; a \" is missing: the one that opens at 1:5 "
            "is closed only here");
}

TEST(Parse, WhatStandsBehindAValueIsToldByItsQuotesAndBrackets) {
  const auto says = [](const std::string& text, const std::string& hint) {
    EXPECT_NE(refusal(text).find("; " + hint), std::string::npos) << text << refusal(text);
    EXPECT_EQ(refusal(text).find("\\\""), std::string::npos) << text << refusal(text);
  };
  says("a: 'it's'\n", "a ' inside single quotes is written ''");
  says("a: ['it's', b]\n", "a ' inside single quotes is written ''");
  const std::string all = "something follows behind the closing quote: put all of it into one pair";
  says("a: \"a\" \"b\"\n", all);
  says("a: \"Host(`b`)\" && c\n", all);
  says("a: \"{{ var }}\"/x:/y\n", all);
  says("a: \"b\": c\n", all);
  const std::string around = "a text that begins with { or [ needs quotes around the whole of it";
  says("a:\n  - {{ var }}/x:/y\n", around);
  says("a: [1]b\n", around);
}

TEST(Parse, CommaThatIsMissingBetweenBracketsIsCalledAComma) {
  const auto says = [](const std::string& text, const std::string& hint) {
    EXPECT_NE(refusal(text).find("; " + hint), std::string::npos) << text << refusal(text);
  };
  const std::string comma = "a comma is missing before this";
  says("a: [\"sh\", \"-c\" \"echo\"]\n", comma);
  says("a: [\"sh\"\n  \"-c\"]\n", comma);
  says("a: {b: \"c\" d: e}\n", comma);
  says("a: [{b: c} {d: e}]\n", comma);
  says("a: [\"sh\"\nb: c\n", "a comma or a closing bracket is missing before this");
  says("a: [b}\n", "a bracket is missing or too many");
}

TEST(Parse, KeyWithoutItsColonIsTakenForNoText) {
  const auto says = [](const std::string& text, const std::string& hint) {
    EXPECT_NE(refusal(text).find("; " + hint), std::string::npos) << text << refusal(text);
    EXPECT_EQ(refusal(text).find("needs quotes"), std::string::npos) << text << refusal(text);
  };
  says("services:\n  web\n    image: nginx\n", "a colon is missing after web on the line before");
  says("web:\n  image: x\n  deploy\n    replicas: 2\n",
       "a colon is missing after deploy on the line before");
  const std::string text = "the text of command must be indented more than command";
  says("web:\n  command: >\n  echo hello\n  image: nginx\n", text);
  says("web:\n  command: |-\n  echo\n  image: nginx\n", text);
  says("web:\n  command: >  # comment\n  echo hello\n", text);
  says("a:\n  - b\n   - c: d\n", "this line is not indented like the lines that it belongs to");
  says("web:\n  image: nginx\n    tty: true\n",
       "this line is indented more than the one before, and so goes on with its text");
}

TEST(Parse, StarOrAmpersandWithoutANameNeedsQuotes) {
  EXPECT_EQ(refusal("HOSTS: *\n"),
            "a.yml:1:9: alias not found after *; a text that begins with * needs quotes");
  EXPECT_NE(refusal("a: [*, b]\n").find("begins with * needs quotes"), std::string::npos);
  EXPECT_NE(refusal("a: & b\n").find("begins with & needs quotes"), std::string::npos);
}

TEST(Parse, TemplatesThatAreNotRenderedAreCalledTemplates) {
  const std::string hint = "; this looks like a template, which must be rendered first";
  for (const auto* text : {"{{- if .Values.x }}\na: b\n{{- end }}\n",
                           "{{ if x }}\na: b\n",
                           "a:\n  b: c\n  {{- if .Values.x }}\n  d: e\n  {{- end }}\n",
                           "a:\n  {{ include \"x\" . }}\n",
                           "{% set x = 1 %}\na: b\n"}) {
    const auto message = refusal(text);
    EXPECT_TRUE(message.ends_with(hint)) << text << message;
    EXPECT_EQ(message.find("; "), message.find(hint)) << "no other hint beside it: " << message;
  }
}

TEST(Parse, MarksOfAnUnfinishedMergeAreTheError) {
  const std::string hint =
      " is a mark of an unfinished merge: keep one side of it, and take out the marks";
  EXPECT_EQ(refusal("a:\n<<<<<<< HEAD\n  b: c\n=======\n  b: d\n>>>>>>> branch\n"),
            "a.yml:2:1: <<<<<<<" + hint);
  EXPECT_EQ(refusal("a:\n  b: c\n=======\n  b: d\n"), "a.yml:3:1: =======" + hint);
  EXPECT_EQ(refusal("a:\n  b: c\r\n>>>>>>> branch\r\n"), "a.yml:3:1: >>>>>>>" + hint);
  EXPECT_EQ(parsed("a: |\n  =======\n  b\n").find("a")->value(),
            Node::Value(std::string("=======\nb\n")));
}

TEST(Parse, NothingIsLostBehindALineThatIsIndentedLessThanTheFirst) {
  EXPECT_NE(refusal(" version: \"3\"\nservices: {}\n").find("a.yml:2:1: "), std::string::npos);
  EXPECT_NE(refusal(" version: \"3\"\nservices: {}\n").find("would ignore all from here on"),
            std::string::npos);
}

}  // namespace
}  // namespace skep::yaml
