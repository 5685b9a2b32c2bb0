#include "helm-like-templates/package/values.hpp"

#include <gmock/gmock.h>

#include "helm-like-templates/package/json_equal.hpp"
#include "yaml/parse.hpp"

namespace skep::package {
namespace {

using testing::HasSubstr;

yaml::Node parse(const std::string& text) {
  auto node = yaml::parse(text, "values.yaml");
  EXPECT_TRUE(node) << node.error().message;
  return *std::move(node);
}

bool same(const yaml::Node& a, const std::string& b) {
  std::size_t visited = 0;
  return json_equal(a, parse(b), visited);
}

TEST(Values, MapsAreMergedDeeplyAndEverythingElseIsReplaced) {
  auto values = parse("a: {x: 1, y: {p: 1}}\nl: [1, 2]\ns: old\n");
  merge(values, parse("a: {y: {q: 2}, z: 3}\nl: [3]\ns: {now: map}\n"));
  EXPECT_TRUE(same(values, "{a: {x: 1, y: {p: 1, q: 2}, z: 3}, l: [3], s: {now: map}}"));
}

TEST(Values, ANullDeletesADefaultAndIsNotThereAfterwards) {
  const auto values = over_defaults(parse("a: {x: 1, y: 2}\nb: 1\nc: null\n"),
                                    parse("a: {x: null}\nb: null\nnew: {n: null, m: 1}\n"));
  EXPECT_TRUE(same(values, "{a: {y: 2}, c: null, new: {m: 1}}"));
}

TEST(Values, ALaterFileMayUndoANull) {
  auto values = parse("a: null\n");
  merge(values, parse("a: {x: 5}\n"));
  EXPECT_TRUE(same(over_defaults(parse("a: {x: 1, y: 2}\n"), values), "{a: {x: 5, y: 2}}"));
}

TEST(Values, AMergedMapStandsWhereItWasWrittenLast) {
  auto values = parse("a:\n  x: 1\n");
  auto later = yaml::parse("# more\n\na:\n  y: 2\n", "later.yaml");
  merge(values, *std::move(later));
  EXPECT_EQ(to_string(values.find("a")->at()), "later.yaml:4:3");
  EXPECT_EQ(to_string(values.find("a")->find("x")->at()), "values.yaml:2:6");
}

struct SetCase {
  std::string name;
  std::string base;
  std::string setting;
  std::string expected;
  bool text = false;
};

class SetTest : public testing::TestWithParam<SetCase> {};

TEST_P(SetTest, SetsAsHelmDoes) {
  auto values = parse(GetParam().base);
  const auto done = set(values, GetParam().setting, GetParam().text);
  ASSERT_TRUE(done) << done.error().message;
  EXPECT_TRUE(same(values, GetParam().expected)) << GetParam().setting;
}

INSTANTIATE_TEST_SUITE_P(
    Syntax,
    SetTest,
    testing::Values(
        SetCase{"one", "{}", "a=b", "{a: b}"},
        SetCase{"several", "{}", "a=b,c=d", "{a: b, c: d}"},
        SetCase{"deep", "{a: {x: 1}}", "a.b.c=1", "{a: {x: 1, b: {c: 1}}}"},
        SetCase{"empty_value", "{}", "a=,b=1", "{a: '', b: 1}"},
        SetCase{"nothing_behind", "{}", "a=", "{a: ''}"},
        SetCase{"numbers", "{}", "a=12,b=-3,c=0,d=+7", "{a: 12, b: -3, c: 0, d: 7}"},
        SetCase{"a_leading_zero_is_text", "{}", "a=007", "{a: '007'}"},
        SetCase{"fractions_are_text", "{}", "a=1.5", "{a: '1.5'}"},
        SetCase{
            "too_long_for_a_number", "{}", "a=92233720368547758089", "{a: '92233720368547758089'}"},
        SetCase{"booleans", "{}", "a=true,b=FALSE", "{a: true, b: false}"},
        SetCase{"null_stays_for_the_merge", "{a: 1}", "a=null", "{a: null}"},
        SetCase{"strings", "{}", "a=12,b=true,c=null", "{a: '12', b: 'true', c: 'null'}", true},
        SetCase{"list", "{}", "a={1,x,true}", "{a: [1, x, true]}"},
        SetCase{"empty_list", "{}", "a={}", "{a: []}"},
        SetCase{"list_and_more", "{}", "a={x},b=1", "{a: [x], b: 1}"},
        SetCase{"index", "{}", "a[0]=x,a[2]=y", "{a: [x, null, y]}"},
        SetCase{"index_in_a_list", "{a: [p, q]}", "a[1]=x", "{a: [p, x]}"},
        SetCase{"map_in_a_list", "{}", "s[0].port=80,s[0].host=h", "{s: [{port: 80, host: h}]}"},
        SetCase{"list_in_a_list", "{}", "a[1][0]=x", "{a: [null, [x]]}"},
        SetCase{"escaped_comma", "{}", R"(a=x\,y)", "{a: 'x,y'}"},
        SetCase{"escaped_dot", "{}", R"(a.traefik\.enable=true)", "{a: {traefik.enable: true}}"},
        SetCase{"escaped_equals_in_a_key", "{}", R"(a\=b=c)", "{a=b: c}"},
        SetCase{"equals_in_a_value", "{}", "a=b=c", "{a: b=c}"},
        SetCase{"escaped_in_a_list", "{}", R"(a={x\,y,z\}})", "{a: ['x,y', 'z}']}"},
        SetCase{"brackets_in_a_value", "{}", "a=[1]", "{a: '[1]'}"},
        SetCase{"a_value_becomes_a_map", "{a: 1}", "a.b=2", "{a: {b: 2}}"},
        SetCase{"blanks_stay", "{}", "a= b c ", "{a: ' b c '}"},
        SetCase{"nothing", "{a: 1}", "", "{a: 1}"},
        SetCase{"the_last_one_wins", "{}", "a=1,a=2", "{a: 2}"}),
    [](const auto& row) { return row.param.name; });

TEST(Set, SaysWhatIsWrong) {
  const std::vector<std::pair<std::string, std::string>> cases = {
      {"a", "has no value"},
      {"a.b", "key \"b\" has no value"},
      {"a,b=1", "has no value"},
      {"=1", "a key is empty"},
      {"a..b=1", "a key is empty"},
      {"a[x]=1", "no index"},
      {"a[]=1", "no index"},
      {"a[-1]=1", "no index"},
      {"a[0=1", "without its ]"},
      {"a[0]b=1", "after ]"},
      {"a[99999]=1", "limit of 65536"},
      {"a[99999999999999999999]=1", "no index"},
      {"a={1,2", "without its }"},
      {"a={1}b", "comma"},
  };
  for (const auto& [setting, expected] : cases) {
    auto values = parse("{}");
    const auto done = set(values, setting, false);
    ASSERT_FALSE(done) << setting;
    EXPECT_THAT(done.error().message, HasSubstr(expected)) << setting;
  }
  std::string deep = "a";
  for (int i = 0; i < 40; ++i) deep += ".a";
  auto values = parse("{}");
  EXPECT_FALSE(set(values, deep + "=1", false));
}

TEST(Set, ValuesAreInNoError) {
  auto values = parse("{}");
  EXPECT_THAT(set(values, "password={hunter2", false).error().message,
              testing::Not(HasSubstr("hunter2")));
}

}  // namespace
}  // namespace skep::package
