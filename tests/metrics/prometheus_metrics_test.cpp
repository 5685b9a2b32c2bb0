#include "metrics/prometheus_metrics.hpp"

#include <thread>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/metrics/metrics_fixture.hpp"

namespace skep::metrics::testing {
namespace {

using namespace std::chrono_literals;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
using ::testing::SizeIs;

class MetricsTest : public ::testing::Test {
 protected:
  StoppedClock clock_;
  PrometheusMetrics metrics_{{.version = "0.1.0", .commit = "abc1234"}, clock_};

  std::string value(std::string_view series) const { return value_of(metrics_.render(), series); }
  void sync(std::string trigger, std::string result, std::string phase = "") {
    metrics_.synced(ended("apps/web",
                          std::move(trigger),
                          std::move(result),
                          std::move(phase),
                          {diff::ObjectKind::service}));
  }
};

TEST_F(MetricsTest, AFreshAgentAlreadyHasItsCountersAtZero) {
  const auto text = metrics_.render();
  EXPECT_THAT(text, HasSubstr("skep_build_info{version=\"0.1.0\",commit=\"abc1234\",compiler=\""));
  EXPECT_EQ(value_of(text, "skep_docker_up"), "0");
  EXPECT_EQ(value_of(text, "skep_docker_event_stream_reconnects_total"), "0");
  EXPECT_EQ(value_of(text, "skep_docker_events_total{type=\"service\"}"), "0");
  EXPECT_EQ(value_of(text,
                     "skep_git_requests_total{repo=\"config\",operation=\"fetch\",result="
                     "\"failure\"}"),
            "0");
  EXPECT_EQ(value_of(text,
                     "skep_resource_changes_total{kind=\"secret\",action=\"replace\",result="
                     "\"failure\"}"),
            "0");
  EXPECT_EQ(value_of(text, "skep_reconcile_duration_seconds_count{phase=\"total\"}"), "0");
  EXPECT_EQ(value_of(text, "skep_last_loop_timestamp_seconds{loop=\"apply\"}"), "1700000000")
      << "no turn yet is as long ago as the start";
  EXPECT_EQ(value_of(text, "skep_leader"), "1");
  EXPECT_EQ(value_of(text, "skep_panics_total"), "0");
  EXPECT_EQ(value_of(text, "skep_drift_correction_seconds_count"), "0");
}

TEST_F(MetricsTest, AKnownStackHasAllItsCountersAtZero) {
  metrics_.status({healthy_stack("apps", "web")});
  const auto text = metrics_.render();
  EXPECT_THAT(lines_with(text, "skep_syncs_total{stack=\"apps/web\""), SizeIs(5 * 3));
  EXPECT_THAT(lines_with(text, "skep_sync_failures_total{stack=\"apps/web\""), SizeIs(5));
  EXPECT_THAT(lines_with(text, "skep_drift_detected_total{stack=\"apps/web\""), SizeIs(4));
  EXPECT_THAT(lines_with(text, "skep_drift_corrected_total{stack=\"apps/web\""), SizeIs(2));
  EXPECT_THAT(lines_with(text, "skep_rollbacks_total{stack=\"apps/web\""), SizeIs(3));
}

TEST_F(MetricsTest, StatesAreSetsWithExactlyOneMember) {
  auto stack = healthy_stack("apps", "web");
  stack.sync = ports::SyncState::out_of_sync;
  stack.health = ports::Health::degraded;
  stack.services[0].update_state = "rollback_paused";
  stack.services[1].update_state = "a word of a newer engine";
  metrics_.status({stack});
  const auto text = metrics_.render();
  EXPECT_THAT(lines_with(text, "skep_stack_sync_state"),
              ElementsAre("skep_stack_sync_state{stack=\"apps/web\",state=\"synced\"} 0",
                          "skep_stack_sync_state{stack=\"apps/web\",state=\"out_of_sync\"} 1",
                          "skep_stack_sync_state{stack=\"apps/web\",state=\"unknown\"} 0"));
  EXPECT_EQ(value_of(text, "skep_stack_health_state{stack=\"apps/web\",state=\"degraded\"}"), "1");
  EXPECT_EQ(value_of(text, "skep_stack_health_state{stack=\"apps/web\",state=\"healthy\"}"), "0");
  EXPECT_EQ(value_of(text,
                     "skep_service_update_state{stack=\"apps/web\",service=\"web_web\",state="
                     "\"rollback_paused\"}"),
            "1");
  EXPECT_EQ(value_of(text,
                     "skep_service_update_state{stack=\"apps/web\",service=\"web_db\",state="
                     "\"none\"}"),
            "1");
  EXPECT_THAT(text, Not(HasSubstr("newer engine")));
}

TEST_F(MetricsTest, SeriesOfAStackThatLeftGoWithTheNextStatus) {
  metrics_.status({healthy_stack("apps", "web"), healthy_stack("apps", "leaves")});
  metrics_.synced(ended("apps/leaves", "git", "success"));
  EXPECT_THAT(lines_with(metrics_.render(), "leaves"), Not(IsEmpty()));
  metrics_.status({healthy_stack("apps", "web")});
  EXPECT_THAT(metrics_.render(), Not(HasSubstr("leaves")));
  EXPECT_THAT(lines_with(metrics_.render(), "apps/web"), Not(IsEmpty()));
}

TEST_F(MetricsTest, CountersOfAStackThatComesBackBeginAtZero) {
  metrics_.status({healthy_stack("apps", "web")});
  sync("git", "success");
  metrics_.status({});
  metrics_.status({healthy_stack("apps", "web")});
  EXPECT_EQ(value("skep_syncs_total{stack=\"apps/web\",trigger=\"git\",result=\"success\"}"), "0");
}

TEST_F(MetricsTest, CountersOfAStackSurviveAStatus) {
  sync("git", "failure", "render");
  metrics_.status({healthy_stack("apps", "web")});
  sync("git", "failure", "render");
  metrics_.status({healthy_stack("apps", "web")});
  EXPECT_EQ(value("skep_syncs_total{stack=\"apps/web\",trigger=\"git\",result=\"failure\"}"), "2");
  EXPECT_EQ(value("skep_sync_failures_total{stack=\"apps/web\",phase=\"render\"}"), "2");
}

TEST_F(MetricsTest, ARevisionHasTwelveDigitsAndIsReplacedAtOnce) {
  auto stack = healthy_stack("apps", "web");
  metrics_.status({stack});
  stack.target_revision = std::string(40, 'c');
  stack.healthy_revision = "";
  metrics_.status({stack});
  EXPECT_THAT(
      lines_with(metrics_.render(), "skep_stack_revision_info"),
      ElementsAre(
          "skep_stack_revision_info{stack=\"apps/web\",kind=\"target\",revision=\"cccccccccccc\"} "
          "1",
          "skep_stack_revision_info{stack=\"apps/web\",kind=\"applied\",revision=\"aaaaaaaaaaaa\"} "
          "1"));
}

TEST_F(MetricsTest, DriftIsCountedByKindCauseAndChange) {
  auto stack = healthy_stack("apps", "web");
  stack.sync = ports::SyncState::out_of_sync;
  stack.drift_cause = ports::DriftCause::live;
  stack.drift_since = WallTime(1'699'999'500s);
  stack.plan = plan_of(diff::Verb::create, diff::ObjectKind::network, "web_default");
  metrics_.status({stack});
  const auto text = metrics_.render();
  EXPECT_EQ(value_of(text,
                     "skep_stack_drift_resources{stack=\"apps/web\",kind=\"network\",cause="
                     "\"live\",change=\"missing\"}"),
            "1");
  EXPECT_EQ(value_of(text,
                     "skep_stack_drift_resources{stack=\"apps/web\",kind=\"network\",cause="
                     "\"pending\",change=\"missing\"}"),
            "0");
  EXPECT_EQ(
      value_of(text, "skep_stack_drift_since_timestamp_seconds{stack=\"apps/web\",cause=\"live\"}"),
      "1699999500");
  EXPECT_THAT(lines_with(text, "skep_stack_drift_resources{stack=\"apps/web\",kind=\"secret\""),
              IsEmpty())
      << "the stack owns no secret";
}

TEST_F(MetricsTest, DriftThatStaysIsDetectedOnce) {
  auto stack = healthy_stack("apps", "web");
  metrics_.status({stack});
  stack.drift_cause = ports::DriftCause::live;
  stack.plan = plan_of(diff::Verb::update, diff::ObjectKind::service, "web_db");
  metrics_.status({stack});
  metrics_.status({stack});
  EXPECT_EQ(value("skep_drift_detected_total{stack=\"apps/web\",kind=\"service\"}"), "1");
  metrics_.status({healthy_stack("apps", "web")});
  metrics_.status({stack});
  EXPECT_EQ(value("skep_drift_detected_total{stack=\"apps/web\",kind=\"service\"}"), "2");
}

// The status at the end of the pass that corrects it still says what it corrected; the operation
// ends some passes later.
TEST_F(MetricsTest, DriftThatOnePassCorrectsIsDetectedOnce) {
  metrics_.status({healthy_stack("apps", "web")});
  for (int i = 0; i < 2; ++i) {
    auto stack = healthy_stack("apps", "web");
    stack.drift_cause = ports::DriftCause::live;
    stack.plan = plan_of(diff::Verb::update, diff::ObjectKind::service, "web_db");
    metrics_.status({stack});
    metrics_.status({healthy_stack("apps", "web")});
    sync("drift", "success");
    metrics_.status({healthy_stack("apps", "web")});
  }
  EXPECT_EQ(value("skep_drift_detected_total{stack=\"apps/web\",kind=\"service\"}"), "2");
  EXPECT_EQ(value("skep_drift_corrected_total{stack=\"apps/web\",result=\"success\"}"), "2");
}

TEST_F(MetricsTest, DriftThatCannotBeCorrectedIsDetectedOnceAndTriedOften) {
  auto stack = healthy_stack("apps", "web");
  stack.drift_cause = ports::DriftCause::live;
  stack.plan = plan_of(diff::Verb::update, diff::ObjectKind::service, "web_db");
  for (int i = 0; i < 3; ++i) {
    sync("drift", "failure", "apply");
    metrics_.status({stack});
  }
  EXPECT_EQ(value("skep_drift_detected_total{stack=\"apps/web\",kind=\"service\"}"), "1");
  EXPECT_EQ(value("skep_drift_corrected_total{stack=\"apps/web\",result=\"failure\"}"), "3");
}

TEST_F(MetricsTest, RemovalsThatAStackHoldsBackArePendingDeletions) {
  auto stack = healthy_stack("apps", "web");
  stack.plan = plan_of(diff::Verb::remove, diff::ObjectKind::service, "web_db");
  metrics_.status({stack});
  EXPECT_EQ(value("skep_stack_pending_deletions{stack=\"apps/web\"}"), "0");
  stack.held = true;
  metrics_.status({stack});
  EXPECT_EQ(value("skep_stack_pending_deletions{stack=\"apps/web\"}"), "1");
  EXPECT_EQ(value("skep_stack_held{stack=\"apps/web\"}"), "1");
}

TEST_F(MetricsTest, TheLastSyncFailedWhenItsFailureIsNewer) {
  auto stack = healthy_stack("apps", "web");
  metrics_.status({stack});
  EXPECT_EQ(value("skep_stack_last_sync_success{stack=\"apps/web\"}"), "1");
  stack.last_failure = WallTime(1'699'999'999s);
  stack.consecutive_failures = 3;
  metrics_.status({stack});
  EXPECT_EQ(value("skep_stack_last_sync_success{stack=\"apps/web\"}"), "0");
  EXPECT_EQ(value("skep_stack_consecutive_failures{stack=\"apps/web\"}"), "3");
  EXPECT_EQ(value("skep_stack_last_sync_timestamp_seconds{stack=\"apps/web\",result=\"failure\"}"),
            "1699999999");
  EXPECT_EQ(value("skep_stack_last_sync_duration_seconds{stack=\"apps/web\"}"), "1.5");
}

TEST_F(MetricsTest, AFailedFetchKeepsTheHeadAndTheTimeOfTheLastGoodOne) {
  metrics_.fetched({.ok = true, .revision = std::string(40, 'b'), .duration = 300ms});
  clock_.seconds += 60;
  metrics_.fetched({.ok = false, .revision = "", .duration = 30s});
  const auto text = metrics_.render();
  EXPECT_EQ(value_of(text, "skep_git_head_info{repo=\"config\",revision=\"bbbbbbbbbbbb\"}"), "1");
  EXPECT_EQ(value_of(text, "skep_git_last_success_timestamp_seconds{repo=\"config\"}"),
            "1700000000");
  EXPECT_EQ(value_of(text, "skep_last_loop_timestamp_seconds{loop=\"git\"}"), "1700000060");
}

// So SkepGitErrors and SkepGitStale tell of it: nothing that is pushed is carried out.
TEST_F(MetricsTest, ACommitThatCannotBeReadAsAWholeIsAFailedFetch) {
  metrics_.fetched({.ok = true, .revision = std::string(40, 'b'), .duration = 300ms});
  clock_.seconds += 60;
  metrics_.fetched({.ok = true,
                    .revision = std::string(40, 'c'),
                    .duration = 300ms,
                    .unreadable = "skep.yaml:3:1: unknown key netwroks"});
  const auto text = metrics_.render();
  EXPECT_EQ(value_of(text,
                     "skep_git_requests_total{repo=\"config\",operation=\"fetch\",result="
                     "\"failure\"}"),
            "1");
  EXPECT_EQ(value_of(text, "skep_git_head_info{repo=\"config\",revision=\"bbbbbbbbbbbb\"}"), "1");
  EXPECT_EQ(value_of(text, "skep_git_last_success_timestamp_seconds{repo=\"config\"}"),
            "1700000000");
  EXPECT_EQ(value_of(text, "skep_last_loop_timestamp_seconds{loop=\"git\"}"), "1700000060");
}

TEST_F(MetricsTest, ANewHeadReplacesTheOldOne) {
  metrics_.fetched({.ok = true, .revision = std::string(40, 'b'), .duration = 1ms});
  metrics_.fetched({.ok = true, .revision = std::string(40, 'c'), .duration = 1ms});
  EXPECT_THAT(lines_with(metrics_.render(), "skep_git_head_info"), SizeIs(1));
}

TEST_F(MetricsTest, ADockerCallWithoutAnAnswerHasTheCodeError) {
  metrics_.docker_request("service_list", 200, 1ms);
  metrics_.docker_request("service_list", 0, 5s);
  const auto text = metrics_.render();
  EXPECT_EQ(value_of(text, "skep_docker_requests_total{operation=\"service_list\",code=\"200\"}"),
            "1");
  EXPECT_EQ(value_of(text, "skep_docker_requests_total{operation=\"service_list\",code=\"error\"}"),
            "1");
  EXPECT_EQ(
      value_of(text, "skep_docker_request_duration_seconds_count{operation=\"service_list\"}"),
      "2");
}

TEST_F(MetricsTest, NoWordFromOutsideCanGrowTheSeriesWithoutEnd) {
  for (int i = 0; i < 5000; ++i) {
    const auto word = "word" + std::to_string(i);
    metrics_.docker_request(word, i, 1ms);
    metrics_.http_request("/" + word, word, i, 1ms);
    metrics_.heard(word);
    metrics_.task_failed({"apps/web", "web_db", word});
    metrics_.phase(word, 1ms);
    sync(word, word, word);
  }
  const auto text = metrics_.render();
  EXPECT_LT(lines_with(text, "skep_docker_requests_total").size(), 1000U);
  EXPECT_LT(lines_with(text, "skep_http_requests_total").size(), 1000U);
  EXPECT_THAT(lines_with(text, "skep_docker_events_total"), SizeIs(6));
  EXPECT_LT(lines_with(text, "skep_syncs_total").size(), 30U);
  EXPECT_THAT(lines_with(text, "skep_service_task_failures_total"), SizeIs(1));
}

TEST_F(MetricsTest, TheFirstOpeningOfTheEventStreamIsNoReconnect) {
  metrics_.events_opened();
  EXPECT_EQ(value("skep_docker_event_stream_reconnects_total"), "0");
  metrics_.events_opened();
  EXPECT_EQ(value("skep_docker_event_stream_reconnects_total"), "1");
}

TEST_F(MetricsTest, TwoStacksOfOneNameGiveNoSeriesTwice) {
  metrics_.status({healthy_stack("apps", "web"), healthy_stack("apps", "web")});
  EXPECT_THAT(lines_with(metrics_.render(), "skep_stack_info"), SizeIs(1));
}

TEST_F(MetricsTest, AFamilyOfManySeriesHasOneHeadAndAllOfThem) {
  std::vector<ports::StackStatus> stacks;
  for (int i = 0; i < 3000; ++i) stacks.push_back(healthy_stack("apps", std::to_string(i)));
  metrics_.status(stacks);
  const auto text = metrics_.render();
  EXPECT_THAT(lines_with(text, "skep_stack_health_state{"), SizeIs(5 * 3000));
  EXPECT_THAT(lines_with(text, "skep_service_replicas{"), SizeIs(2 * 3 * 3000));
  const std::string head = "# HELP skep_stack_health_state ";
  EXPECT_EQ(text.find(head), text.rfind(head));
}

TEST_F(MetricsTest, AMessageOfAnErrorIsNeverALabel) {
  auto stack = healthy_stack("apps", "web");
  stack.message = "fetch: https://user:pw@example.com refused";
  stack.services[0].trouble = "no such image";
  stack.services[0].image = "registry.example.com/app:1";
  metrics_.status({stack});
  const auto text = metrics_.render();
  EXPECT_THAT(text, Not(HasSubstr("example.com")));
  EXPECT_THAT(text, Not(HasSubstr("no such image")));
}

TEST(Metrics, ServicesAreLeftOutWhereTheyAreSwitchedOff) {
  const StoppedClock clock;
  PrometheusMetrics metrics({.version = "1", .commit = "", .per_service = false}, clock);
  metrics.status({healthy_stack("apps", "web")});
  metrics.task_failed({"apps/web", "web_db", "nonzero_exit"});
  EXPECT_THAT(lines_with(metrics.render(), "skep_service_"), IsEmpty());
}

TEST_F(MetricsTest, TheProcessTellsItsMemoryTimeAndDescriptors) {
  const auto text = metrics_.render();
  EXPECT_GT(std::stod(value_of(text, "process_resident_memory_bytes")), 1e6);
  EXPECT_GT(std::stod(value_of(text, "process_open_fds")), 2);
  EXPECT_GE(std::stod(value_of(text, "process_cpu_seconds_total")), 0);
  const double now = std::chrono::duration<double>(SystemClock().now().time_since_epoch()).count();
  EXPECT_NEAR(std::stod(value_of(text, "process_start_time_seconds")), now, 120);
}

TEST_F(MetricsTest, WebhooksAndNotificationsAreCounted) {
  auto text = metrics_.render();
  EXPECT_EQ(
      value_of(text, R"(skep_webhook_requests_total{provider="gitea",result="bad_signature"})"),
      "0");
  EXPECT_EQ(value_of(text, "skep_notification_queue_depth"), "0");
  EXPECT_EQ(text.find(R"(result="other")"), std::string::npos);
  metrics_.webhook("github", "accepted", 1ms);
  metrics_.webhook("github", "accepted", 1ms);
  metrics_.webhook("bitbucket", "surprising", 1ms);
  metrics_.notification("slack", "sent");
  metrics_.notification_queue([] { return std::size_t{7}; });
  text = metrics_.render();
  EXPECT_EQ(value_of(text, R"(skep_webhook_requests_total{provider="github",result="accepted"})"),
            "2");
  EXPECT_EQ(value_of(text, R"(skep_webhook_requests_total{provider="other",result="other"})"), "1");
  EXPECT_EQ(value_of(text, R"(skep_webhook_duration_seconds_count{provider="github"})"), "2");
  EXPECT_EQ(value_of(text, R"(skep_notifications_total{provider="slack",result="sent"})"), "1");
  EXPECT_EQ(value_of(text, "skep_notification_queue_depth"), "7");
}

TEST_F(MetricsTest, ACommitIsTimedFromItsFirstSightForEachStackThatItChanged) {
  const std::string commit(40, 'd');
  metrics_.revised(pushed(commit));
  clock_.seconds += 9;
  auto report = ended("apps/web", "git", "success");
  report.revision_from = std::string(40, 'a');
  report.revision_to = commit;
  report.last_write = WallTime(1'700'000'003s);
  metrics_.synced(report);
  report.trigger = "manual";  // A person let it wait.
  metrics_.synced(report);
  report.trigger = "git";
  report.removal = true;  // Gone is not healthy.
  metrics_.synced(report);
  report.removal = false;
  report.revision_to = std::string(40, 'e');  // Nobody saw that one come.
  metrics_.synced(report);
  const auto text = metrics_.render();
  EXPECT_EQ(value_of(text, R"(skep_commit_to_detect_seconds_sum{source="webhook"})"), "1");
  EXPECT_EQ(value_of(text, R"(skep_commit_to_applied_seconds_sum{group="apps"})"), "2");
  EXPECT_EQ(value_of(text, R"(skep_commit_to_healthy_seconds_sum{group="apps"})"), "8");
  EXPECT_EQ(value_of(text, R"(skep_commit_to_healthy_seconds_count{group="apps"})"), "1");
}

TEST_F(MetricsTest, ACommitThatWaitedForAPersonToResumeIsNotTimed) {
  const std::string commit(40, 'd');
  auto report = ended("apps/web", "git", "success");
  report.revision_from = std::string(40, 'a');
  report.revision_to = commit;
  report.last_write = WallTime(1'700'000'900s);
  auto stack = healthy_stack("apps", "web");
  stack.suspended = true;
  metrics_.status({stack});
  clock_.seconds += 9;
  metrics_.revised(pushed(commit));
  metrics_.status({stack});
  stack.suspended = false;
  metrics_.status({stack});
  metrics_.synced(report);
  constexpr auto kCount = R"(skep_commit_to_applied_seconds_count{group="apps"})";
  EXPECT_EQ(value_of(metrics_.render(), kCount), "0");
  clock_.seconds += 9;
  auto next = pushed(std::string(40, 'e'));
  next.seen_at = clock_.now();
  metrics_.revised(next);
  report.revision_to = next.commit;
  metrics_.synced(report);
  EXPECT_EQ(value_of(metrics_.render(), kCount), "1");
}

TEST_F(MetricsTest, WhatTheAgentBeganWithWasNotDetectedNow) {
  auto report = pushed(std::string(40, 'd'));
  report.source.reset();
  report.rendered = 2;
  report.reused = 1;
  metrics_.revised(report);
  const auto text = metrics_.render();
  EXPECT_EQ(value_of(text, R"(skep_commit_to_detect_seconds_count{source="webhook"})"), "0");
  EXPECT_EQ(value_of(text, R"(skep_render_cache_requests_total{result="miss"})"), "2");
  EXPECT_EQ(value_of(text, R"(skep_render_cache_requests_total{result="hit"})"), "1");
}

TEST_F(MetricsTest, AStackThatGitBrokeIsAFailedSyncUntilItIsMended) {
  auto stack = healthy_stack("apps", "web");
  metrics_.status({stack});
  auto report = pushed(std::string(40, 'd'));
  report.refused = {{"apps/web", "render"}};
  metrics_.revised(report);
  stack.verdict = "broken";
  stack.sync = ports::SyncState::unknown;
  metrics_.status({stack});
  auto text = metrics_.render();
  EXPECT_EQ(value_of(text, R"(skep_sync_failures_total{stack="apps/web",phase="render"})"), "1");
  EXPECT_EQ(value_of(text, R"(skep_syncs_total{stack="apps/web",trigger="git",result="failure"})"),
            "1");
  EXPECT_EQ(value_of(text, R"(skep_stack_last_sync_success{stack="apps/web"})"), "0");
  EXPECT_EQ(value_of(text, R"(skep_stack_consecutive_failures{stack="apps/web"})"), "1");
  EXPECT_EQ(
      value_of(text,
               R"(skep_stack_last_sync_timestamp_seconds{stack="apps/web",result="failure"})"),
      "1700000001");
  stack.verdict = "nothing";
  metrics_.status({stack});
  text = metrics_.render();
  EXPECT_EQ(value_of(text, R"(skep_stack_last_sync_success{stack="apps/web"})"), "1");
  EXPECT_EQ(value_of(text, R"(skep_stack_consecutive_failures{stack="apps/web"})"), "0");
}

TEST_F(MetricsTest, AStackThatHasNotSyncedYetHasNoResultOfIt) {
  auto stack = healthy_stack("apps", "web");
  stack.last_success.reset();
  metrics_.status({stack});
  EXPECT_EQ(value(R"(skep_stack_last_sync_success{stack="apps/web"})"), "");
  EXPECT_EQ(value(R"(skep_stack_last_sync_duration_seconds{stack="apps/web"})"), "");
  EXPECT_EQ(value(R"(skep_stack_consecutive_failures{stack="apps/web"})"), "0");
}

TEST_F(MetricsTest, RollbacksAreCountedByWhoBeganThem) {
  auto stack = healthy_stack("apps", "web");
  stack.services[1].update_state = "rollback_completed";
  metrics_.status({stack});  // It was so before this agent came.
  EXPECT_EQ(value(R"(skep_rollbacks_total{stack="apps/web",initiator="swarm"})"), "0");
  stack.services[0].update_state = "rollback_started";
  metrics_.status({stack});
  stack.services[0].update_state = "rollback_completed";
  metrics_.status({stack});
  EXPECT_EQ(value(R"(skep_rollbacks_total{stack="apps/web",initiator="swarm"})"), "1");
  stack.services[0].update_state = "";
  metrics_.status({stack});
  stack.services[0].update_state = "rollback_completed";
  stack.services[0].sent_back_by_person = true;
  metrics_.status({stack});
  auto report = ended("apps/web", "rollback", "success");
  metrics_.synced(report);
  report.actor = "berta";
  metrics_.synced(report);
  const auto text = metrics_.render();
  EXPECT_EQ(value_of(text, R"(skep_rollbacks_total{stack="apps/web",initiator="swarm"})"), "1");
  EXPECT_EQ(value_of(text, R"(skep_rollbacks_total{stack="apps/web",initiator="agent"})"), "1");
  EXPECT_EQ(value_of(text, R"(skep_rollbacks_total{stack="apps/web",initiator="user"})"), "2");
}

TEST_F(MetricsTest, AnOperationGrowsOldWhileItGoesOn) {
  auto stack = healthy_stack("apps", "web");
  stack.operation = ports::OperationStatus{};
  stack.operation->started = WallTime(1'700'000'000s);
  stack.quarantined = true;
  metrics_.status({stack});
  clock_.seconds += 90;
  EXPECT_EQ(value(R"(skep_stack_operation_running_seconds{stack="apps/web"})"), "90");
  EXPECT_EQ(value(R"(skep_stack_quarantined{stack="apps/web"})"), "1");
  stack.operation.reset();
  metrics_.status({stack});
  EXPECT_EQ(value(R"(skep_stack_operation_running_seconds{stack="apps/web"})"), "0");
}

TEST_F(MetricsTest, ACorrectionTakesFromTheFirstSightToTheLastWrite) {
  auto report = ended("apps/web", "drift", "success");
  report.drift_since = WallTime(1'700'000'000s);
  report.last_write = WallTime(1'700'000'000s) + 250ms;
  metrics_.synced(report);
  EXPECT_EQ(value("skep_drift_correction_seconds_sum"), "0.25");
}

TEST_F(MetricsTest, AReplicaThatStandsByTellsOfNoStackAndIsNotStalled) {
  bool held = true;
  metrics_.leadership([&held] { return held; });
  metrics_.leading();
  metrics_.status({healthy_stack("apps", "web")});
  held = false;
  clock_.seconds += 3600;
  metrics_.standing_by(true);
  const auto text = metrics_.render();
  EXPECT_EQ(value_of(text, "skep_leader"), "0");
  EXPECT_EQ(value_of(text, "skep_lease_transitions_total"), "1");
  EXPECT_EQ(value_of(text, "skep_docker_up"), "1");
  EXPECT_EQ(value_of(text, R"(skep_last_loop_timestamp_seconds{loop="apply"})"), "1700003600");
  EXPECT_THAT(text, Not(HasSubstr("apps/web")));
}

TEST_F(MetricsTest, AnAgentThatNeverReadGitIsNotStalledNorIsItsEngineDown) {
  clock_.seconds += 3600;
  metrics_.idle(true);
  const auto text = metrics_.render();
  EXPECT_EQ(value_of(text, "skep_docker_up"), "1");
  for (const auto* loop : {"live", "apply"}) {
    EXPECT_EQ(
        value_of(text, "skep_last_loop_timestamp_seconds{loop=\"" + std::string(loop) + "\"}"),
        "1700003600");
  }
}

TEST_F(MetricsTest, GenerationsAndOrphansAreCountedByKind) {
  metrics_.wrote({diff::ObjectKind::secret, diff::Verb::create, true, true});
  metrics_.wrote({diff::ObjectKind::config, diff::Verb::create, false, true});
  ports::Inventory inventory;
  inventory.stale[diff::ObjectKind::config] = 3;
  inventory.orphaned[diff::ObjectKind::service] = 2;
  metrics_.inventoried(inventory);
  metrics_.audit_errors([] { return std::uint64_t{4}; });
  metrics_.state_lost();
  metrics_.panicked();
  const auto text = metrics_.render();
  EXPECT_EQ(value_of(text, R"(skep_secrets_rotated_total{kind="secret"})"), "1");
  EXPECT_EQ(value_of(text, R"(skep_secrets_rotated_total{kind="config"})"), "0");
  EXPECT_EQ(value_of(text, R"(skep_stale_objects{kind="config"})"), "3");
  EXPECT_EQ(value_of(text, R"(skep_orphaned_objects{kind="service"})"), "2");
  EXPECT_EQ(value_of(text, R"(skep_orphaned_objects{kind="secret"})"), "0");
  EXPECT_EQ(value_of(text, "skep_audit_write_errors_total"), "4");
  EXPECT_EQ(value_of(text, "skep_state_store_errors_total"), "1");
  EXPECT_EQ(value_of(text, "skep_panics_total"), "1");
}

TEST_F(MetricsTest, ReportsFromSeveralThreadsAreAllCounted) {
  {
    std::vector<std::jthread> threads;
    for (int t = 0; t < 4; ++t) {
      threads.emplace_back([this] {
        for (int i = 0; i < 500; ++i) {
          metrics_.docker_request("service_list", 200, 1ms);
          metrics_.http_request("/metrics", "GET", 200, 1ms);
          sync("git", "success");
          if (i % 100 == 0) (void)metrics_.render();
        }
      });
    }
  }
  const auto text = metrics_.render();
  EXPECT_EQ(value_of(text, "skep_docker_requests_total{operation=\"service_list\",code=\"200\"}"),
            "2000");
  EXPECT_EQ(
      value_of(text, "skep_syncs_total{stack=\"apps/web\",trigger=\"git\",result=\"success\"}"),
      "2000");
}

}  // namespace
}  // namespace skep::metrics::testing
