#include "reconciler/observation/health.hpp"

#include <gmock/gmock.h>

namespace skep::reconciler {
namespace {

using namespace std::chrono_literals;
using ports::Health;
using testing::HasSubstr;

const WallTime kNow{std::chrono::hours(400'000)};

/// A service of one task that was last changed a quarter of an hour ago, and what became of it.
class HealthTest : public testing::Test {
 protected:
  HealthTest() {
    service.id = "s";
    service.spec.name = "shop_app";
    service.spec.mode.replicated.emplace();
    service.desired_tasks = 1;
    service.updated_at = to_rfc3339(kNow - 15min);
  }
  swarm::Task& task(const std::string& state, std::chrono::seconds ago, std::uint64_t slot = 1) {
    tasks.push_back({});
    auto& task = tasks.back();
    task.service_id = "s";
    task.slot = slot;
    task.state = task.message = state;
    task.desired_state =
        state == "running" || state == "pending" || state == "starting" ? "running" : "shutdown";
    task.timestamp = to_rfc3339(kNow - ago);
    if (state == "failed") task.exit_code = 3;
    return task;
  }
  void restarts(const std::string& condition) {
    service.spec.task_template.restart_policy.emplace().condition = condition;
  }
  [[nodiscard]] Health health() const { return health_of(service, tasks, kNow); }
  [[nodiscard]] std::string trouble() const {
    return describe_service(service, tasks, kNow).trouble;
  }

  swarm::LiveService service;
  std::vector<swarm::Task> tasks;
};

TEST_F(HealthTest, DownAndFailingAgainAndAgainIsDegraded) {
  for (const auto ago : {5s, 65s, 125s}) task("failed", ago);
  task("starting", 1s);
  EXPECT_EQ(health(), Health::degraded);
  EXPECT_EQ(trouble(), "task: non-zero exit (3)");
}

TEST_F(HealthTest, WhatFailedLongAgoSaysNothingOfToday) {
  for (const auto ago : {11min, 12min, 13min}) task("failed", ago);
  task("starting", 1s);
  EXPECT_EQ(health(), Health::progressing);
  EXPECT_EQ(trouble(), "starting");
}

TEST_F(HealthTest, WhatFailedBeforeTheLastChangeSaysNothingOfTheNewSpec) {
  for (const auto ago : {20s, 30s, 40s}) task("failed", ago);
  task("starting", 1s);
  service.updated_at = to_rfc3339(kNow - 10s);
  EXPECT_EQ(health(), Health::progressing);
}

TEST_F(HealthTest, WhatStoppedARolloutIsStillTold) {
  task("failed", 20s).error = "No such image: shop:2";
  service.updated_at = to_rfc3339(kNow - 10s);
  service.update.state = "paused";
  service.update.message = "update paused";
  EXPECT_EQ(health(), Health::degraded);
  EXPECT_EQ(trouble(), "update paused: No such image: shop:2");
}

TEST_F(HealthTest, UpAtTheMomentAndFallingOverAllTheTimeIsDegraded) {
  service.running_tasks = 1;
  for (const auto ago : {15s, 30s, 45s}) task("failed", ago);
  task("running", 1s);
  EXPECT_EQ(health(), Health::degraded);
  EXPECT_EQ(trouble(), "ends again and again: task: non-zero exit (3)");
  for (auto& old : tasks) old.timestamp = to_rfc3339(kNow - 90s);
  EXPECT_EQ(health(), Health::healthy) << "it came up after all";
}

TEST_F(HealthTest, AContainerThatEndsWithoutAnErrorIsStartedAgainAndThatIsNoHealthEither) {
  for (const auto ago : {12s, 24s, 36s}) task("complete", ago);
  task("starting", 1s);
  EXPECT_EQ(health(), Health::degraded);
  EXPECT_THAT(trouble(), HasSubstr("ended by itself, with exit code 0"));
  service.spec.task_template.container.healthcheck.emplace();
  EXPECT_THAT(trouble(), HasSubstr("health check"));
}

TEST_F(HealthTest, WhatIsNotRestartedAfterSuccessHasDoneItsWork) {
  restarts("on-failure");
  task("complete", 12s);
  EXPECT_EQ(health(), Health::healthy);
  EXPECT_EQ(describe_service(service, tasks, kNow).running, 1U);
  restarts("none");
  EXPECT_EQ(health(), Health::healthy);
  restarts("any");
  EXPECT_EQ(health(), Health::progressing);
}

TEST_F(HealthTest, ATaskThatSucceededOnceAndRunsAgainCountsOnce) {
  restarts("on-failure");
  service.desired_tasks = 2;
  service.running_tasks = 1;
  task("complete", 30s);
  task("running", 10s);
  EXPECT_EQ(health(), Health::progressing);
}

TEST_F(HealthTest, WhatFailedAndIsNotStartedAgainIsDegradedAtOnce) {
  restarts("none");
  task("failed", 12s);
  EXPECT_EQ(health(), Health::degraded);
  EXPECT_EQ(trouble(), "task: non-zero exit (3)");
}

TEST_F(HealthTest, AJobThatFailedAndIsNotStartedAgainIsDegradedAtOnce) {
  service.spec.mode = {};
  service.spec.mode.replicated_job.emplace();
  restarts("none");
  task("failed", 10s);
  EXPECT_EQ(health(), Health::degraded);
  EXPECT_EQ(failure_for_good(service, tasks), "task: non-zero exit (3)");
}

/// As the engine counts: it wants only those that go on.
TEST_F(HealthTest, AGlobalJobIsDoneWhenEachNodeIs) {
  service.spec.mode = {};
  service.spec.mode.global_job.emplace();
  restarts("none");
  EXPECT_TRUE(needs_tasks(service));
  service.desired_tasks = 0;
  service.updated_at = to_rfc3339(kNow - 1s);
  EXPECT_EQ(health(), Health::progressing) << "swarm has not looked for nodes yet";
  service.updated_at = to_rfc3339(kNow - 1min);
  EXPECT_EQ(health(), Health::healthy) << "there is no node for it";
  service.completed_tasks = 1;
  service.desired_tasks = 1;
  task("complete", 5s, 0).node_id = "n1";
  task("running", 5s, 0).node_id = "n2";
  EXPECT_EQ(health(), Health::progressing);
  EXPECT_FALSE(has_done_its_work(service, tasks));
  tasks.back().state = "complete";
  EXPECT_EQ(health(), Health::healthy);
  EXPECT_TRUE(has_done_its_work(service, tasks));
  tasks.back().state = "failed";
  tasks.back().exit_code = 3;
  service.desired_tasks = 0;
  EXPECT_EQ(health(), Health::degraded);
  EXPECT_EQ(trouble(), "task: non-zero exit (3)");
  EXPECT_FALSE(has_done_its_work(service, tasks)) << "on one node is not on all";
}

TEST_F(HealthTest, TheLastFailureIsToldHoweverOldItIs) {
  EXPECT_EQ(last_failure(service, tasks), "");
  task("failed", 3600s);
  service.updated_at = to_rfc3339(kNow - 1s);
  EXPECT_EQ(last_failure(service, tasks), "task: non-zero exit (3)");
}

TEST_F(HealthTest, AWaitingTaskTellsWhyBeforeAnOlderFailureDoes) {
  task("failed", 12s);
  task("pending", 1s).error = "no suitable node (insufficient resources on 1 node)";
  EXPECT_EQ(health(), Health::progressing);
  EXPECT_THAT(trouble(), HasSubstr("no suitable node"));
}

TEST_F(HealthTest, WhenSwarmBeginsToGoBackTheTaskThatFailedIsStillWhatIsWrong) {
  task("failed", 12s);
  task("starting", 1s);
  service.updated_at = to_rfc3339(kNow - 2s);
  service.update.state = "rollback_started";
  service.update.message = "update rolled back due to failure or early termination of task x";
  EXPECT_EQ(health(), Health::progressing);
  EXPECT_THAT(trouble(), testing::EndsWith("of task x: task: non-zero exit (3)"));
  service.update.message = "manually requested rollback";
  EXPECT_THAT(trouble(), testing::EndsWith("starting"));
}

TEST_F(HealthTest, ARollbackThatAPersonWantedIsJudgedByItsTasks) {
  service.running_tasks = 1;
  task("running", 60s);
  service.update.state = "rollback_completed";
  service.update.message = "rollback completed";
  EXPECT_EQ(health(), Health::degraded) << "swarm's own is a failure";
  service.update.message = "manually requested rollback completed";
  ASSERT_TRUE(by_a_person(service.update));
  EXPECT_EQ(health(), Health::healthy);
  service.running_tasks = 0;
  EXPECT_EQ(health(), Health::progressing);
}

}  // namespace
}  // namespace skep::reconciler
