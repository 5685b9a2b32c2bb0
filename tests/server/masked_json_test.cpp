#include "server/masked_json.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "core/redaction.hpp"
#include "server/api.hpp"
#include "server/history_json.hpp"
#include "server/status_json.hpp"
#include "server/status_words.hpp"

namespace skep::server {
namespace {

using Json = nlohmann::json;
using ::testing::HasSubstr;
using ::testing::Not;

/// With what the agent would have decrypted.
std::string masked_of(const std::string& text, const std::vector<std::string>& secrets) {
  RedactionSet set;
  for (const auto& secret : secrets) set.add(secret);
  return masked_json(text, [&](std::string_view part) { return set.mask(part); });
}

/// As if every word were somebody's password.
std::string all_masked(const std::string& text) {
  return masked_json(text, [](std::string_view) { return std::string(RedactionSet::kMask); });
}

ports::AgentStatus status_with(diff::Note note) {
  ports::AgentStatus status;
  status.docker_up = true;
  auto& stack = status.stacks.emplace_back();
  stack.group = "apps";
  stack.name = "web";
  stack.mode = "manual";
  auto& plan = stack.plan.emplace();
  plan.stack = *swarm::StackName::parse("web");
  plan.notes.push_back(std::move(note));
  return status;
}

TEST(MaskedJson, AnImageIsMaskedAsAFieldForItsTagMayBeAShortSecret) {
  RedactionSet set;
  for (const auto* value : {"z9Kq", "web"}) set.add(value);
  const auto masked = masked_json(
      R"({"name":"web","image":"registry/web:1","tasks":[{"image":"a:z9Kq@sha256:1"}]})",
      [&](std::string_view text) { return set.mask(text); },
      [&](std::string_view image) { return set.mask_field(image); });
  EXPECT_EQ(masked, R"({"name":"web","image":"***","tasks":[{"image":"***"}]})");
}

TEST(MaskedJson, ASecretThatIsAWordOfTheApiTakesTheWordNowhereFromTheApi) {
  const auto text = to_json(status_with({.severity = diff::Note::Severity::warning,
                                         .text = "warning",
                                         .at = SourcePosition{"apps/web/warning.yml", 3, 5}}));
  const auto masked = masked_of(text, {"warning", "docker", "manual", "source"});
  const auto read = parse_status(masked);
  ASSERT_TRUE(read) << read.error().message << "\n" << masked;
  EXPECT_TRUE(read->docker_up);
  const auto& stack = read->stacks.at(0);
  EXPECT_EQ(stack.mode, "manual");
  const auto& note = stack.plan->notes.at(0);
  EXPECT_EQ(note.severity, diff::Note::Severity::warning);
  EXPECT_EQ(note.text, "***") << "the same word as a free text is a secret";
  EXPECT_EQ(note.at->file, "apps/web/***.yml");
}

TEST(MaskedJson, ASecretInsideOfALongerMessageIsMasked) {
  const auto text = to_json(status_with(
      {.severity = diff::Note::Severity::blocked, .text = "a \"quoted\" hunter22 here", .at = {}}));
  const auto masked = masked_of(text, {"hunter22"});
  EXPECT_THAT(masked, Not(HasSubstr("hunter22")));
  EXPECT_THAT(masked, HasSubstr(R"("text":"a \"quoted\" *** here")"));
}

TEST(MaskedJson, AStatusCanBeReadWhateverIsMasked) {
  // Each word once, the longest list as often as it is long.
  for (std::size_t i = 0; i < kImpactWords.size(); ++i) {
    const auto nth = [i](const auto& words) { return words[i % words.size()].first; };
    auto status = status_with({.severity = nth(kSeverityWords), .text = "said", .at = {}});
    status.observed_at = WallTime(std::chrono::milliseconds(1'700'000'000'123));
    status.observed_age = std::chrono::milliseconds(123'456);
    status.notes = {"a note"};
    auto& stack = status.stacks[0];
    stack.sync = nth(kSyncWords);
    stack.health = nth(kHealthWords);
    stack.drift_cause = nth(kCauseWords);
    stack.declared[nth(kKindWords)] = 7;
    stack.services.push_back({.name = "web_app",
                              .image = "app:1",
                              .running = 123'456,
                              .desired = 2,
                              .update_state = "rollback_completed",
                              .mode = "replicated-job",
                              .trouble = "no suitable node"});
    auto& action = stack.plan->actions.emplace_back();
    action.verb = nth(kVerbWords);
    action.kind = nth(kKindWords);
    action.impact = nth(kImpactWords);
    action.name = "web_app";
    auto& change = action.changes.emplace_back();
    change.kind = nth(kChangeWords);
    change.path = "environment";
    change.before = "healthy";  // A value of a compose file is nobody's word.
    change.after = "synced";
    const auto masked = all_masked(to_json(status));
    const auto read = parse_status(masked);
    ASSERT_TRUE(read) << read.error().message << "\n" << masked;
    // What is left are the words, the numbers and the times.
    for (auto* text : {&status.version,
                       &status.instance,
                       &status.source,
                       &status.revision,
                       &status.revision_subject,
                       &status.revision_author,
                       &status.standby_for,
                       &status.docker_error,
                       &status.fetch_error,
                       &status.notes[0],
                       &stack.group,
                       &stack.name,
                       &stack.path,
                       &stack.message,
                       &stack.target_revision,
                       &stack.applied_revision,
                       &stack.healthy_revision,
                       &stack.services[0].name,
                       &stack.services[0].image,
                       &stack.services[0].trouble,
                       &stack.plan->notes[0].text,
                       &action.name,
                       &action.key,
                       &action.reason,
                       &change.path,
                       &change.item,
                       &change.before,
                       &change.after})
      *text = "***";
    auto expected = Json::parse(to_json(status));
    expected["stacks"][0]["plan"]["stack"] = "***";
    EXPECT_EQ(Json::parse(to_json(*read)), expected);
  }
}

TEST(MaskedJson, OperationsConditionsAndTasksKeepTheirWords) {
  ports::OperationRecord record;
  record.report.stack = "apps/web";
  record.report.trigger = "rollback";
  record.report.result = "failure";
  record.report.failed_phase = "health";
  record.report.message = "health";
  record.report.objects = {
      {diff::ObjectKind::service, diff::Verb::replace, "web_app", {"image"}, "refused"}};
  const auto operation = Json::parse(all_masked(to_json(std::vector{record}, ""))).at("operations");
  EXPECT_EQ(operation[0]["trigger"], "rollback");
  EXPECT_EQ(operation[0]["result"], "failure");
  EXPECT_EQ(operation[0]["failed_phase"], "health");
  EXPECT_EQ(operation[0]["message"], "***");
  EXPECT_EQ(operation[0]["objects"][0]["kind"], "service");
  EXPECT_EQ(operation[0]["objects"][0]["verb"], "replace");
  EXPECT_EQ(operation[0]["objects"][0]["fields"][0], "***");

  ports::Explanation explanation;
  ports::Condition condition;
  condition.name = "suspension";
  condition.state = ports::Condition::State::stopped;
  condition.text = "stopped";
  explanation.conditions = {condition};
  explanation.services = {{"suspension", "app:1", 0, 2, "updating", "updating", {"a line"}}};
  const auto told = Json::parse(all_masked(to_json(explanation)));
  EXPECT_EQ(told["conditions"][0]["name"], "suspension");
  EXPECT_EQ(told["conditions"][0]["state"], "stopped");
  EXPECT_EQ(told["conditions"][0]["text"], "***");
  EXPECT_EQ(told["services"][0]["name"], "***") << "somebody named it";
  EXPECT_EQ(told["services"][0]["update_state"], "updating");
  EXPECT_EQ(told["services"][0]["trouble"], "***");
  EXPECT_EQ(told["services"][0]["log"][0], "***");

  ports::TaskStatus task;
  task.state = "rejected";
  task.desired_state = "shutdown";
  task.error = "rejected";
  const auto tasks =
      Json::parse(all_masked("{\"tasks\":" + to_json(std::vector{task}) + "}")).at("tasks");
  EXPECT_EQ(tasks[0]["state"], "rejected");
  EXPECT_EQ(tasks[0]["desired_state"], "shutdown");
  EXPECT_EQ(tasks[0]["error"], "***");
}

TEST(MaskedJson, AnEventOfAStreamIsMaskedLikeAnAnswer) {
  ports::EventRecord event;
  event.id = 123'456;
  event.stack = "apps/web";
  event.kind = "health";
  event.before = "healthy";
  event.value = "degraded";
  event.message = "degraded: cannot log in with hunter22";
  const auto piece =
      "retry: 3000\n: events of skep\n\nid: 123456\ndata: " + to_json(event) + "\n\n";
  const auto masked =
      masked_of(piece, {"health", "healthy", "degraded", "123456", "message", "hunter22"});
  EXPECT_THAT(masked,
              ::testing::StartsWith("retry: 3000\n: events of skep\n\nid: 123456\ndata: {\"id\":"));
  EXPECT_THAT(masked, ::testing::EndsWith("}\n\n"));
  EXPECT_THAT(masked, Not(HasSubstr("hunter22")));
  const auto read = Json::parse(masked.substr(masked.find('{')));
  EXPECT_EQ(read["id"], 123'456);
  EXPECT_EQ(read["kind"], "health");
  EXPECT_EQ(read["before"], "healthy");
  EXPECT_EQ(read["value"], "degraded");
  EXPECT_EQ(read["message"], "***: cannot log in with ***");
}

// "\nextcloud" holds the letters of "nextcloud", and is none.
TEST(MaskedJson, NoHalfOfAnEscapeIsLeft) {
  const auto text = Json({{"error", "first\nextcloud \"nextcloud\" \xC3\xA4\t"}}).dump();
  const auto masked = masked_of(text, {"nextcloud"});
  EXPECT_EQ(Json::parse(masked)["error"], "first\nextcloud \"***\" \xC3\xA4\t");
}

TEST(MaskedJson, AFieldThatIsDescribedNowhereIsFreeText) {
  EXPECT_EQ(all_masked(R"({"new":"warning","notes":[{"severity":"warning","more":"info"}]})"),
            R"({"new":"***","notes":[{"severity":"warning","more":"***"}]})");
  EXPECT_EQ(all_masked(R"({"notes":[{"severity":"warnings"}]})"),
            R"({"notes":[{"severity":"***"}]})");
}

TEST(MaskedJson, OfATextThatBreaksOffNothingIsShown) {
  EXPECT_EQ(all_masked(R"({"error":"hunter22)"), R"({"error":"***)");
  EXPECT_EQ(all_masked(R"({"error":"hunter22\)"), R"({"error":"***)");
  EXPECT_EQ(all_masked(R"("hunter22")"), R"("***")");
  EXPECT_EQ(all_masked("}]"), "}]");
}

TEST(MaskedJson, TheDescriptionStaysAsItIs) {
  EXPECT_EQ(all_masked(std::string(openapi())), openapi());
}

}  // namespace
}  // namespace skep::server
