#include "cli/turn_report.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

namespace skep::cli {
namespace {

using nlohmann::json;
using testing::HasSubstr;
using testing::Not;

diff::Action action(diff::ObjectKind kind, diff::Verb verb, std::string name, std::string key) {
  diff::Action made;
  made.kind = kind;
  made.verb = verb;
  made.name = std::move(name);
  made.key = std::move(key);
  return made;
}

ports::StackStatus planned(const std::string& name, std::vector<diff::Action> actions = {}) {
  ports::StackStatus stack;
  stack.group = "apps";
  stack.name = name;
  stack.path = "apps/" + name;
  stack.plan.emplace();
  stack.plan->stack = swarm::StackName::parse(name).value();
  stack.plan->actions = std::move(actions);
  return stack;
}

ports::StackStatus broken() {
  auto stack = planned("bad");
  stack.plan.reset();
  stack.message = "apps/bad/docker-compose.yml:1:11: `@everyone` is no service";
  return stack;
}

/// A stack that waits, one that cannot be rendered and one with nothing to do.
reconciler::Turn turn() {
  reconciler::Turn turn;
  auto held =
      planned("shop", {action(diff::ObjectKind::service, diff::Verb::update, "shop_web", "web")});
  held.held = true;
  held.message = "runs already and differs: `skep approve shop`";
  turn.stacks = {held, broken(), planned("quiet")};
  turn.notes = {"the shared network front differs from skep.yaml"};
  return turn;
}

TEST(TurnReport, TellsOfNotesOfWhatWaitsAndOfWhatHasNoPlan) {
  const auto text = to_text(turn(), false);
  const auto markdown = to_markdown(turn());
  for (const auto& report : {text, markdown}) {
    EXPECT_THAT(report, HasSubstr("the shared network front differs from skep.yaml\n"));
    EXPECT_THAT(report, HasSubstr("! runs already and differs: `skep approve shop`\n"));
    EXPECT_THAT(report, HasSubstr("no plan\n"));
    EXPECT_THAT(report, HasSubstr("! apps/bad/docker-compose.yml:1:11: "));
  }
  EXPECT_THAT(text, HasSubstr("apps/bad   no plan\n"));
  EXPECT_THAT(text, HasSubstr("\n1 other stack without changes\n"));
  EXPECT_THAT(markdown, HasSubstr("**`apps/bad`** no plan\n\n```diff\n! apps/bad"))
      << "where nothing is a mention";
  EXPECT_THAT(markdown, HasSubstr("**`cluster`**\n\n```diff\nthe shared network"));
}

TEST(TurnReport, ANoteIsAChangeOnlyWhereItAnnouncesOne) {
  reconciler::Turn noted;
  noted.stacks = {planned("quiet")};
  noted.notes = {"skep.yaml names the node n9, which is not there or not ready"};
  EXPECT_FALSE(has_changes(noted));
  EXPECT_THAT(to_text(noted, false), HasSubstr("No changes: 1 stack is as git says."));
  noted.notes = {"the shared network front will be created"};
  noted.announces_writes = true;
  EXPECT_TRUE(has_changes(noted));
  EXPECT_THAT(to_text(noted, false), Not(HasSubstr("No changes")));
  EXPECT_TRUE(has_changes(turn()));
}

class SavedPlans : public testing::Test {
 protected:
  /// With the name that this process gave to a new secret.
  static reconciler::Turn with_secret(const std::string& suffix) {
    auto made = turn();
    auto& plan = *made.stacks[0].plan;
    plan.actions.push_back(
        action(diff::ObjectKind::secret, diff::Verb::create, "shop_key-" + suffix, "key"));
    plan.actions[0].changes = {{"secrets", "key", {}, "shop_key", "shop_key-" + suffix}};
    return made;
  }
  static std::string saved(const reconciler::Turn& turn, const std::string& commit = "c1") {
    return to_json(turn, commit, {"shop"}, [](std::string_view text) { return std::string(text); });
  }
  static std::string why_not(const std::string& text) {
    const auto plan = read_saved_plan("p.json", text);
    return plan ? "" : plan.error().message;
  }
  static std::string edited(std::string text, const std::string& from, const std::string& to) {
    const auto at = text.find(from);
    EXPECT_NE(at, std::string::npos) << from;
    return text.replace(at, from.size(), to);
  }
};

TEST_F(SavedPlans, AreTheSameWhateverASecretIsCalledInEachProcess) {
  const auto plan = read_saved_plan("p.json", saved(with_secret("11111111")));
  ASSERT_TRUE(plan) << plan.error().message;
  EXPECT_EQ(plan->selection, std::set<std::string>{"shop"});
  EXPECT_TRUE(check_reviewed(*plan, saved(with_secret("22222222"))));
  EXPECT_FALSE(check_reviewed(*plan, saved(turn()))) << "the swarm changed";
  EXPECT_FALSE(check_reviewed(*plan, saved(with_secret("11111111"), "c2"))) << "git changed";
}

TEST_F(SavedPlans, AreThoseThatArriveMaskedWhereTheyHoldASecret) {
  auto secret = turn();
  secret.stacks[0].plan->actions[0].changes = {{"command", "", {}, "", "--password hunter2"}};
  const auto text = to_json(secret, "c1", {}, [](std::string_view given) {
    std::string masked(given);
    return masked.replace(masked.find("hunter2"), 7, "***");
  });
  EXPECT_THAT(text, HasSubstr("--password ***"));
  EXPECT_EQ(why_not(text), "");
}

TEST_F(SavedPlans, ThatWereEditedAreRefused) {
  const auto text = saved(turn());
  EXPECT_EQ(why_not(text), "");
  for (const auto& [from, to] : {std::pair("\"shop_web\"", "\"shop_db\""),
                                 std::pair("\"update\"", "\"create\""),
                                 std::pair("\"revision\": \"c1\"", "\"revision\": \"c2\""),
                                 std::pair("\"update\"", "7")})
    EXPECT_THAT(why_not(edited(text, from, to)), HasSubstr("p.json was edited")) << to;
}

TEST_F(SavedPlans, OfAnotherFormatOrNoneAtAllAreRefused) {
  const auto text = saved(turn());
  EXPECT_THAT(why_not(edited(text, "\"format\": 1", "\"format\": 2")),
              HasSubstr("has the format 2, and this skep reads 1"));
  for (const auto* other : {"", "{}", "[]", "{\"digest\": 1}", "{\"digest\": \"x\"}"})
    EXPECT_THAT(why_not(other), HasSubstr("p.json is no saved plan")) << other;
}

}  // namespace
}  // namespace skep::cli
