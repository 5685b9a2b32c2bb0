#include "sops/value.hpp"

#include <cmath>
#include <limits>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "sops/mac.hpp"
#include "sops/rules.hpp"

namespace skep::sops {
namespace {

const std::string kKey(32, 'k');
const std::string kNonce(32, 'n');

// Expected texts were printed by Go's strconv.FormatFloat(x, 'f', -1, 64).
TEST(Value, NumbersArePrintedAsGoDoes) {
  EXPECT_EQ(plain_number(0), "0");
  EXPECT_EQ(plain_number(-0.0), "-0");
  EXPECT_EQ(plain_number(5), "5");
  EXPECT_EQ(plain_number(1.5), "1.5");
  EXPECT_EQ(plain_number(0.1), "0.1");
  EXPECT_EQ(plain_number(-1234.56789), "-1234.56789");
  EXPECT_EQ(plain_number(1e21), "1000000000000000000000");
  EXPECT_EQ(plain_number(1e23), "100000000000000000000000");
  EXPECT_EQ(plain_number(1.25e-7), "0.000000125");
  EXPECT_EQ(plain_number(9007199254740993.0), "9007199254740992");
  EXPECT_EQ(plain_number(3.4028234663852886e38), "340282346638528860000000000000000000000");
  EXPECT_EQ(plain_number(std::numeric_limits<double>::infinity()), "+Inf");
  EXPECT_EQ(plain_number(std::nan("")), "NaN");
}

TEST(Value, WhatIsSealedOpensAtItsPlaceOnly) {
  for (const auto& value : {Value{Value::Type::text, "s3cret"},
                            Value{Value::Type::integer, "42"},
                            Value{Value::Type::real, "1.5"},
                            Value{Value::Type::boolean, "True"},
                            Value{Value::Type::comment, " note"},
                            Value{Value::Type::bytes, std::string("\0\xff", 2)}}) {
    const auto text = seal_value(value, kKey, {"db", "password"}, kNonce);
    EXPECT_TRUE(is_encrypted_value(text));
    const auto opened = open_value(text, kKey, {"db", "password"});
    ASSERT_TRUE(opened) << opened.error().message;
    EXPECT_EQ(*opened, value);
    EXPECT_FALSE(open_value(text, kKey, {"db", "user"}));
    EXPECT_FALSE(open_value(text, kKey, {"db"}));
    EXPECT_FALSE(open_value(text, std::string(32, 'x'), {"db", "password"}));
  }
}

TEST(Value, EveryChangedCharacterIsRefused) {
  const auto text = seal_value({Value::Type::text, "correct horse"}, kKey, {"a"}, kNonce);
  for (std::size_t i = 0; i < text.size(); ++i) {
    auto changed = text;
    changed[i] = changed[i] == 'A' ? 'B' : 'A';
    EXPECT_FALSE(open_value(changed, kKey, {"a"})) << changed;
    changed = text;
    changed.erase(i, 1);
    EXPECT_FALSE(open_value(changed, kKey, {"a"})) << changed;
  }
}

TEST(Value, AShortenedTagIsRefused) {
  const auto text = seal_value({Value::Type::text, "correct horse"}, kKey, {"a"}, kNonce);
  const auto tag = text.find("tag:") + 4;
  auto changed = text;
  changed.replace(tag, text.find(',', tag) - tag, text.substr(tag, 16));  // 12 of 16 bytes.
  EXPECT_FALSE(parse_sealed(changed));
}

TEST(Value, EmptyValuesStayEmpty) {
  EXPECT_EQ(seal_value({Value::Type::text, ""}, kKey, {"a"}, kNonce), "");
  const auto opened = open_value("", kKey, {"a"});
  ASSERT_TRUE(opened);
  EXPECT_EQ(opened->text, "");
}

TEST(Value, OldWritersOfBooleansAndNumbersAreUnderstood) {
  const auto open = [](Value::Type type, const std::string& text) {
    return open_value(seal_value({type, text}, kKey, {}, kNonce), kKey, {});
  };
  EXPECT_EQ(open(Value::Type::boolean, "true")->text, "True");
  EXPECT_EQ(open(Value::Type::boolean, "F")->text, "False");
  EXPECT_EQ(open(Value::Type::real, "1.50")->text, "1.5");
  EXPECT_EQ(open(Value::Type::integer, "+007")->text, "7");
  EXPECT_FALSE(open(Value::Type::boolean, "perhaps"));
  EXPECT_FALSE(open(Value::Type::integer, "1.5"));
}

TEST(Value, TheMacIsBoundToTheTimeOfTheChange) {
  const auto text = seal_mac("ABC", kKey, "2026-01-02T03:04:05Z", kNonce);
  EXPECT_EQ(*open_mac(text, kKey, "2026-01-02T03:04:05Z"), "ABC");
  EXPECT_FALSE(open_mac(text, kKey, "2026-01-02T03:04:06Z"));
}

TEST(Mac, TheKindThatLeavesOutPlainValuesNeverEqualsTheOther) {
  FileMac all(false);
  FileMac some(true);
  all.add({Value::Type::text, "x"}, true);
  some.add({Value::Type::text, "x"}, true);
  some.add({Value::Type::text, "plain"}, false);
  EXPECT_NE(all.hex(), some.hex());
  FileMac again(true);
  again.add({Value::Type::text, "x"}, true);
  EXPECT_EQ(again.hex(), some.hex());
}

bool selected(Rules::Kind kind, const std::string& text, const Path& path) {
  Rules rules;
  rules.kind = kind;
  rules.text = text;
  return Selector::from(rules)->encrypted(path, {});
}

TEST(Rules, AKeyAnywhereOnThePathDecides) {
  using Kind = Rules::Kind;
  EXPECT_FALSE(selected(Kind::unencrypted_suffix, "_unencrypted", {"a_unencrypted", "b"}));
  EXPECT_TRUE(selected(Kind::unencrypted_suffix, "_unencrypted", {"a", "b"}));
  EXPECT_TRUE(selected(Kind::encrypted_suffix, "_secret", {"a_secret", "b"}));
  EXPECT_FALSE(selected(Kind::encrypted_suffix, "_secret", {"a", "b"}));
  EXPECT_TRUE(selected(Kind::encrypted_regex, "^(data|stringData)$", {"data", "b"}));
  EXPECT_FALSE(selected(Kind::encrypted_regex, "^(data|stringData)$", {"metadata", "b"}));
  EXPECT_FALSE(selected(Kind::unencrypted_regex, "^meta", {"metadata", "b"}));
  EXPECT_TRUE(selected(Kind::unencrypted_regex, "^meta", {"data"}));
}

TEST(Rules, ACommentBeforeAValueOrBeforeWhatItStandsInDecides) {
  Rules rules{Rules::Kind::encrypted_comment_regex, "sops:enc", false};
  const auto marked = *Selector::from(rules);
  EXPECT_TRUE(marked.encrypted({"a"}, {" other", " sops:enc please"}));
  EXPECT_FALSE(marked.encrypted({"a"}, {" other"}));
  rules.kind = Rules::Kind::unencrypted_comment_regex;
  const auto spared = *Selector::from(rules);
  EXPECT_FALSE(spared.encrypted({"a"}, {" sops:enc"}));
  EXPECT_TRUE(spared.encrypted({"a"}, {}));
}

TEST(Rules, ABadExpressionIsAnError) {
  Rules rules;
  rules.kind = Rules::Kind::encrypted_regex;
  rules.text = "(";
  EXPECT_FALSE(Selector::from(rules));
  EXPECT_FALSE(path_matches("[", "x"));
  EXPECT_TRUE(*path_matches("secrets/.*\\.yaml$", "apps/secrets/a.yaml"));
}

}  // namespace
}  // namespace skep::sops
