// What functions make of decrypted texts is told, and nothing else is.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "helm-like-templates/renderer/render.hpp"

namespace skep::templates {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::IsSupersetOf;
using ::testing::UnorderedElementsAre;

class OneSecret final : public Secrets {
 public:
  [[nodiscard]] bool holds(const std::string& text) const override {
    return text.find(without_key ? kStandIn : known) != std::string::npos;
  }
  void derived(const std::string& text) override { told.push_back(text); }
  [[nodiscard]] bool masked() const override { return without_key; }
  bool without_key = false;
  std::string known = "cGFzc3dvcmQ=";
  std::vector<std::string> told;
};

class SecretsOfTemplates : public testing::Test {
 protected:
  Result<std::string> made(const std::string& text) {
    Map values;
    values.entries.emplace("pw", Value(secrets.without_key ? Secrets::kStandIn : secrets.known));
    values.entries.emplace("name", Value("shop"));
    Context context;
    context.values = Value(std::move(values));
    context.secrets = &secrets;
    return render({{"t", text}}, "t", context);
  }
  OneSecret secrets;
};

TEST_F(SecretsOfTemplates, WhatAFunctionMakesOfOneIsTold) {
  EXPECT_EQ(*made("{{ .Values.pw | b64dec | upper }}"), "PASSWORD");
  EXPECT_THAT(secrets.told, ElementsAre("password"));
  secrets.told.clear();
  EXPECT_TRUE(
      made("{{ trunc 4 .Values.pw }}{{ .Values.pw | splitList \"c3\" }}{{ lower .Values.pw }}"));
  EXPECT_THAT(secrets.told, UnorderedElementsAre("cGFz", "cGFz", "dvcmQ=", "cgfzc3dvcmq="));
}

TEST_F(SecretsOfTemplates, WhatShowsItOrWasGivenIsNot) {
  EXPECT_EQ(*made("{{ printf \"%s:%s\" .Values.name .Values.pw }} {{ quote .Values.pw }} "
                  "{{ .Values.pw | default \"fallback\" }} {{ default .Values.pw \"chosen\" }} "
                  "{{ ternary .Values.pw \"plain\" false }} {{ upper .Values.name }}"),
            "shop:cGFzc3dvcmQ= \"cGFzc3dvcmQ=\" cGFzc3dvcmQ= chosen plain SHOP");
  EXPECT_THAT(secrets.told, IsEmpty());
  EXPECT_TRUE(
      made("{{ $d := dict \"a\" \"public\" }}{{ $_ := set $d \"b\" .Values.pw }}{{ toYaml $d }}"));
  EXPECT_THAT(secrets.told, IsEmpty());
}

TEST_F(SecretsOfTemplates, PiecesOfOneAreToldWhateverTakesItApart) {
  secrets.known = "admin:horse.battery";
  for (const auto* apart : {"{{ (split \":\" .Values.pw)._1 }}",
                            "{{ (splitn \":\" 2 .Values.pw)._1 }}",
                            "{{ index (splitList \":\" .Values.pw) 1 }}",
                            "{{ index (regexSplit \":\" .Values.pw -1) 1 }}",
                            "{{ index (regexFindAll \"horse.*\" .Values.pw -1) 0 }}",
                            "{{ (fromYaml (printf \"a: %s\" .Values.pw)).a }}",
                            "{{ (urlParse (printf \"x://%s@h\" .Values.pw)).userinfo }}",
                            "{{ (urlParse (printf \"x://h/%s\" .Values.pw)).path }}"}) {
    secrets.told.clear();
    const auto shown = made(apart);
    ASSERT_TRUE(shown) << apart;
    EXPECT_TRUE(secrets.holds(*shown) ||
                std::count(secrets.told.begin(), secrets.told.end(), *shown) == 1)
        << apart << ": " << *shown;
  }
  secrets.known = "{\"a\": [\"horse.battery\", {\"b\": \"staple.horse\"}]}";
  for (const auto* read : {"{{ (index (fromJson .Values.pw).a 1).b }}",
                           "{{ (index (mustFromJson .Values.pw).a 1).b }}",
                           "{{ (index (fromYaml .Values.pw).a 1).b }}"}) {
    secrets.told.clear();
    EXPECT_EQ(*made(read), "staple.horse");
    EXPECT_THAT(secrets.told, UnorderedElementsAre("horse.battery", "staple.horse")) << read;
  }
  secrets.known = "[\"horse.battery\", [\"staple.horse\"]]";
  for (const auto* read : {"{{ index (fromJsonArray .Values.pw) 1 0 }}",
                           "{{ index (fromYamlArray .Values.pw) 1 0 }}"}) {
    secrets.told.clear();
    EXPECT_EQ(*made(read), "staple.horse");
    EXPECT_THAT(secrets.told, IsSupersetOf({"horse.battery", "staple.horse"})) << read;
  }
}

TEST_F(SecretsOfTemplates, WhatIsJoinedFromPiecesOfOneIsTold) {
  EXPECT_EQ(*made("{{ splitList \"\" .Values.pw | reverse | join \"\" }}"), "=Qmcvd3czFGc");
}

TEST_F(SecretsOfTemplates, WithoutAKeyAFunctionThatCannotDoWithTheStandInGivesItBack) {
  secrets.without_key = true;
  EXPECT_EQ(*made("{{ .Values.pw | b64dec }} {{ index (splitList \":\" .Values.pw) 1 }}"),
            "*** ***");
  const auto own = made("{{ .Values.pw | b64dec }}{{ \"!\" | b64dec }}");
  ASSERT_FALSE(own) << "a mistake of the template stays one";
  const auto asked = made("{{ fail .Values.pw }}");
  EXPECT_FALSE(asked);
}

}  // namespace
}  // namespace skep::templates
