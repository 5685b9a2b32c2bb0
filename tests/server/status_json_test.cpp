#include "server/status_json.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace skep::server {
namespace {

using namespace std::chrono_literals;
using ::testing::HasSubstr;
using ::testing::Not;

ports::AgentStatus full_status() {
  ports::AgentStatus status;
  status.version = "0.1.0";
  status.instance = "main";
  status.source = "https://git.example.com/cluster.git main";
  status.revision = std::string(40, 'a');
  status.revision_subject = "Say \"hello\"\n";
  status.revision_author = "J\xC3\xBCrgen <j@example.com>";
  status.docker_up = true;
  status.docker_error = "";
  status.last_fetch = WallTime(1'700'000'000'123ms);
  status.fetch_error = "refused";
  status.repository_errors = {"apps/x: no compose file", "management/y: twice"};
  auto& stack = status.stacks.emplace_back();
  stack.group = "apps";
  stack.name = "MY-APP";
  stack.path = "apps/MY-APP";
  stack.mode = "auto";
  stack.sync = ports::SyncState::out_of_sync;
  stack.health = ports::Health::progressing;
  stack.message = "waits for approval";
  stack.held = true;
  stack.suspended = true;
  stack.target_revision = std::string(40, 'a');
  stack.applied_revision = std::string(40, 'b');
  stack.drift_cause = ports::DriftCause::live;
  stack.drift_since = WallTime(1'700'000'001'000ms);
  stack.declared = {{diff::ObjectKind::service, 2}, {diff::ObjectKind::secret, 1}};
  stack.last_success = WallTime(1'699'999'999'999ms);
  stack.last_duration = 1234ms;
  stack.consecutive_failures = 7;
  stack.services.push_back({.name = "MY-APP_app",
                            .image = "app:1",
                            .running = 1,
                            .desired = 2,
                            .update_state = "updating",
                            .mode = "replicated",
                            .trouble = "no suitable node"});
  auto& plan = stack.plan.emplace();
  plan.stack = *swarm::StackName::parse("MY-APP");
  auto& action = plan.actions.emplace_back();
  action.verb = diff::Verb::replace;
  action.kind = diff::ObjectKind::secret;
  action.name = "MY-APP_key-12345678";
  action.key = "key";
  action.impact = diff::Impact::restart;
  action.reason = "replaces MY-APP_key";
  action.changes.push_back({.path = "environment",
                            .item = "A",
                            .kind = diff::FieldChange::Kind::added,
                            .before = "",
                            .after = "1",
                            .secret = false});
  plan.untouched = {"db"};
  plan.notes.push_back({.severity = diff::Note::Severity::blocked,
                        .text = "port 80 is taken",
                        .at = SourcePosition{.file = "apps/MY-APP/docker-compose.yml", .line = 3}});
  status.stacks.emplace_back().name = "empty";
  return status;
}

TEST(StatusJson, ComesBackAsItWas) {
  const auto before = full_status();
  const auto text = to_json(before);
  const auto after = parse_status(text);
  ASSERT_TRUE(after) << after.error().message;
  EXPECT_EQ(to_json(*after), text);
  EXPECT_EQ(after->last_fetch, before.last_fetch);
  EXPECT_EQ(after->repository_errors, before.repository_errors);
  ASSERT_EQ(after->stacks.size(), 2U);
  const auto& stack = after->stacks[0];
  EXPECT_EQ(stack.sync, ports::SyncState::out_of_sync);
  EXPECT_EQ(stack.health, ports::Health::progressing);
  EXPECT_EQ(stack.drift_cause, ports::DriftCause::live);
  EXPECT_EQ(stack.drift_since, before.stacks[0].drift_since);
  EXPECT_EQ(stack.last_success, before.stacks[0].last_success);
  EXPECT_EQ(stack.last_failure, std::nullopt);
  EXPECT_EQ(stack.last_duration, 1234ms);
  EXPECT_EQ(stack.declared, before.stacks[0].declared);
  ASSERT_TRUE(stack.plan);
  EXPECT_EQ(stack.plan->actions, before.stacks[0].plan->actions);
  EXPECT_EQ(stack.plan->notes, before.stacks[0].plan->notes);
  EXPECT_EQ(stack.plan->untouched, before.stacks[0].plan->untouched);
  EXPECT_FALSE(after->stacks[1].plan);
}

TEST(StatusJson, WritesTimesInUtcWithMilliseconds) {
  EXPECT_THAT(to_json(full_status()), HasSubstr("\"last_fetch\":\"2023-11-14T22:13:20.123Z\""));
}

TEST(StatusJson, NeverShowsAValueThatIsMarkedSecret) {
  auto status = full_status();
  status.stacks[0].plan->actions[0].changes[0].secret = true;
  status.stacks[0].plan->actions[0].changes[0].after = "hunter2hunter2";
  const auto text = to_json(status);
  EXPECT_THAT(text, Not(HasSubstr("hunter2")));
  EXPECT_THAT(text, HasSubstr("\"after\":\"***\""));
}

TEST(StatusJson, SurvivesBytesThatAreNotUtf8) {
  auto status = full_status();
  status.revision_subject = "broken \xFF\xFE";
  EXPECT_TRUE(parse_status(to_json(status)));
}

TEST(StatusJson, OfANewerAgentIsReadAsFarAsItIsKnown) {
  const auto status =
      parse_status(R"({"version":"9.0","new_thing":[1],"stacks":[{"name":"web"}]})");
  ASSERT_TRUE(status);
  EXPECT_EQ(status->version, "9.0");
  EXPECT_EQ(status->stacks.at(0).name, "web");
}

struct BadStatus {
  std::string name, json, message;
};
class BadStatuses : public ::testing::TestWithParam<BadStatus> {};

TEST_P(BadStatuses, AreRefusedWithTheFieldsPath) {
  const auto status = parse_status(GetParam().json);
  ASSERT_FALSE(status);
  EXPECT_THAT(status.error().message, HasSubstr(GetParam().message));
}

INSTANTIATE_TEST_SUITE_P(
    Answers,
    BadStatuses,
    ::testing::Values(
        BadStatus{"empty", "", "no JSON"},
        BadStatus{"html", "<html>", "no JSON"},
        BadStatus{"cut", R"({"version":"1)", "no JSON"},
        BadStatus{"list", "[]", "it is not an object"},
        BadStatus{"number_for_text", R"({"version":1})", "version is not a text"},
        BadStatus{"text_for_list", R"({"stacks":"x"})", "stacks is not a list"},
        BadStatus{"list_of_numbers", R"({"stacks":[1]})", "stacks[0] is not an object"},
        BadStatus{"deep",
                  R"({"stacks":[{},{"services":[{"running":-1}]}]})",
                  "stacks[1].services[0].running is not a whole number"},
        BadStatus{"no_word", R"({"stacks":[{"health":"great"}]})", "stacks[0].health"},
        BadStatus{"no_time", R"({"last_fetch":"yesterday"})", "last_fetch is not a time"},
        BadStatus{"no_date", R"({"last_fetch":"2023-02-30T00:00:00.000Z"})", "not a time"},
        BadStatus{"plan_is_text", R"({"stacks":[{"plan":"x"}]})", "stacks[0].plan"}),
    [](const auto& row) { return row.param.name; });

TEST(StatusJson, NestedWithoutEndIsRefusedAndBreaksNothing) {
  EXPECT_FALSE(parse_status(std::string(200'000, '[')));
}

}  // namespace
}  // namespace skep::server
