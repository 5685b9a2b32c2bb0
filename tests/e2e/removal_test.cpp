#include "tests/e2e/e2e.hpp"

namespace skep::e2e {
namespace {

using testing::Contains;
using testing::HasSubstr;
using testing::IsSupersetOf;
using testing::Not;

class Removal : public EndToEnd {
 protected:
  void deploy() {
    for (const auto* name : {"one", "two", "three"})
      repo->stack(name, "services:\n  app: " + service(kImage1) + kHostNetwork);
    repo->stack("leaving",
                "services:\n  app: " +
                    service(kImage1, "configs: [c], secrets: [s], volumes: ['data:/data']") +
                    "configs:\n  c: { file: c.txt }\nsecrets:\n  s: { file: s.txt }\n"
                    "volumes:\n  data: {}\n");
    repo->write("apps/leaving/c.txt", "c\n");
    repo->write("apps/leaving/s.txt", "s\n");
    start_agent();
    ASSERT_TRUE(agent->wait_for_commit(repo->push()));
    ASSERT_THAT(names("services"), Contains("leaving_app"));
    ASSERT_THAT(names("networks"), Contains("leaving_default"));
    ASSERT_THAT(names("configs"), Contains("leaving_c"));
    ASSERT_THAT(names("secrets"), Contains("leaving_s"));
    ASSERT_THAT(docker({"volume", "ls", "-q"}), HasSubstr("leaving_data"));
  }
  /// The engine lists what is left of a network until the last task that used it has ended.
  bool is_gone(const std::string& network) const {
    return eventually([&] { return !testing::Matches(Contains(network))(names("networks")); });
  }
};

TEST_F(Removal, ImixsChange11_ARemovedDirectoryTakesItsStackWithItButNotItsVolumes_F137) {
  deploy();
  const auto before = versions();
  repo->remove("apps/leaving");
  repo->push("remove a stack");
  ASSERT_TRUE(agent->wait_until("the stack is gone", [](const nlohmann::json& status) {
    return stack_of(status, "leaving").is_null() && status.at("stacks").size() == 3;
  }));
  auto expected = before;
  for (const auto* gone : {"services/leaving_app",
                           "networks/leaving_default",
                           "configs/leaving_c",
                           "secrets/leaving_s"}) {
    expected.erase(gone);
  }
  EXPECT_TRUE(is_gone("leaving_default"));
  auto after = versions();
  after["configs/skep-default-state"] = expected["configs/skep-default-state"];
  EXPECT_EQ(after, expected);
  EXPECT_THAT(docker({"volume", "ls", "-q"}), HasSubstr("leaving_data"));
  EXPECT_THAT(agent->metrics(), Not(HasSubstr("apps/leaving")));
}

TEST_F(Removal, AStackWhoseTasksTakeAWhileToStopIsRemovedWithoutAFailure) {
  repo->stack("one", "services:\n  app: " + service(kImage1) + kHostNetwork);
  repo->stack("slow",
              "services:\n  app: { image: " + kImage1 +
                  ", command: [sh, -c, 'trap \"\" TERM; while :; do sleep 1; done'], "
                  "stop_grace_period: 12s }\n");  // Long enough for a plan meanwhile.
  start_agent();
  ASSERT_TRUE(agent->wait_for_commit(repo->push()));
  repo->remove("apps/slow");
  repo->push("remove a stack");
  ASSERT_TRUE(agent->wait_until("its directory is gone", [](const nlohmann::json& status) {
    return stack_of(status, "slow").value("target_revision", "") == "";
  }));
  const auto planned = skep({"plan", "--repo", repo->bare(), "slow"});
  EXPECT_NE(planned.exit_code, 1) << "what explain names: " << planned.err;
  ASSERT_TRUE(agent->wait_until("the stack is gone", [](const nlohmann::json& status) {
    return stack_of(status, "slow").is_null();
  }));
  EXPECT_TRUE(is_gone("slow_default"));
  EXPECT_EQ(agent->metric("skep_syncs_total", "result=\"failure\""), 0) << agent->log();
}

TEST_F(Removal, ARepositoryThatBecomesEmptyRemovesNothing) {
  deploy();
  const auto before = versions();
  repo->remove("apps");
  const auto commit = repo->push("oh no");
  ASSERT_TRUE(agent->wait_until("the empty commit is known", [&](const nlohmann::json& status) {
    return status.at("revision") == commit && stack_of(status, "one").is_object() &&
           stack_of(status, "one").at("held") == true;
  }));
  agent->wait_for_passes();
  auto after = versions();
  // That they left, and since when, is a decision and is written down; nothing of theirs is
  // touched.
  after["configs/skep-default-state"] = before.at("configs/skep-default-state");
  EXPECT_EQ(after, before);
  EXPECT_EQ(skep({"status", "--socket", agent->socket()}).exit_code, 1)
      << "a person has to look at it";
  EXPECT_GT(agent->metric("skep_stack_pending_deletions"), 0) << agent->metrics();
  for (const auto* name : {"one", "two", "three", "leaving"})
    repo->stack(name, "services:\n  app: " + service(kImage2) + kHostNetwork);
  ASSERT_TRUE(agent->wait_for_commit(repo->push("back")));
  EXPECT_THAT(running_images("one_app"), testing::ElementsAre(kImage2));
}

TEST_F(Removal, ARewrittenHistoryStopsEverythingUntilAPersonAcceptsIt_Attack24) {
  deploy();
  repo->remove("apps/leaving");
  repo->stack("one", "services:\n  app: " + service(kImage2) + kHostNetwork);
  const auto commit = repo->rewrite();
  ASSERT_TRUE(agent->wait_until("it is refused", [](const nlohmann::json& status) {
    return status.at("fetch_error").get<std::string>().find("was rewritten") != std::string::npos;
  }));
  EXPECT_THAT(running_images("one_app"), testing::ElementsAre(kImage1));
  EXPECT_THAT(names("services"), Contains("leaving_app"));
  EXPECT_GT(agent->metric("skep_git_verification_failures_total", "reason=\"rewound\""), 0);
  const auto shown = skep({"status", "--socket", agent->socket()});
  EXPECT_EQ(shown.exit_code, 1);
  EXPECT_THAT(shown.out, HasSubstr("skep approve --history"));
  const auto approved = skep({"approve", "--history", "--socket", agent->socket()});
  EXPECT_EQ(approved.exit_code, 0) << approved.err;
  EXPECT_TRUE(agent->wait_for_commit(commit));
  EXPECT_THAT(running_images("one_app"), testing::ElementsAre(kImage2));
  EXPECT_NE(skep({"approve", "--history", "--socket", agent->socket()}).exit_code, 0)
      << "nothing waits any more";
}

TEST_F(Removal, AnUnreadableRepositoryRemovesNothingAndWorkGoesOnWhenItIsBack) {
  deploy();
  const auto before = versions();
  EXPECT_EQ(agent->metric("skep_git_requests_total", R"(result="failure")"), 0);
  repo->hide();
  ASSERT_TRUE(agent->wait_until("git is away", [](const nlohmann::json& status) {
    return !status.at("fetch_error").get<std::string>().empty();
  }));
  agent->wait_for_passes();
  EXPECT_EQ(versions(), before);
  EXPECT_GT(agent->metric("skep_git_requests_total", R"(result="failure")"), 0);
  const auto last = agent->metric("skep_git_last_success_timestamp_seconds");
  EXPECT_GT(last, 0);
  EXPECT_LT(last, agent->metric("skep_last_loop_timestamp_seconds", R"(loop="git")"));
  EXPECT_EQ(agent->metric("skep_sync_failures_total"), 0) << "no stack is to blame";
  const auto shown = skep({"status", "--socket", agent->socket()});
  EXPECT_EQ(shown.exit_code, 1);
  EXPECT_THAT(shown.out, HasSubstr("cannot be read since"));
  // Healing does not need git.
  docker({"service", "rm", "one_app"});
  ASSERT_TRUE(agent->wait_until("healed from the last good commit", [](const nlohmann::json& s) {
    return is(stack_of(s, "one"), "synced", "healthy");
  }));
  ASSERT_TRUE(eventually([this] { return running_images("one_app").size() == 1; }));
  // A restart while git is away neither forgets nor removes.
  EXPECT_EQ(agent->stop(), 0);
  agent->start();
  ASSERT_TRUE(agent->wait_until("it knows the last good commit", [](const nlohmann::json& s) {
    return s.at("stacks").size() == 4 && is(stack_of(s, "two"), "synced", "healthy");
  }));
  EXPECT_THAT(names("services"),
              testing::ElementsAre("leaving_app", "one_app", "three_app", "two_app"));
  repo->bring_back();
  repo->stack("one", "services:\n  app: " + service(kImage2) + kHostNetwork);
  ASSERT_TRUE(agent->wait_for_commit(repo->push("after the trouble")));
  EXPECT_THAT(running_images("one_app"), testing::ElementsAre(kImage2));
  EXPECT_EQ(agent->status().at("fetch_error"), "");
}

TEST_F(Removal, AServiceThatLeavesItsFileGoesAndADisabledStackToo) {
  deploy();
  repo->stack(
      "one",
      "services:\n  app: " + service(kImage1) + "  more: " + service(kImage1) + kHostNetwork);
  ASSERT_TRUE(agent->wait_for_commit(repo->push("one more service")));
  ASSERT_THAT(names("services"), Contains("one_more"));
  repo->stack("one", "services:\n  app: " + service(kImage1) + kHostNetwork);
  repo->write("apps/two/skep.yaml", "enabled: false\n");
  ASSERT_TRUE(agent->wait_for_commit(repo->push("and back")));
  ASSERT_TRUE(eventually([this] { return names("services").size() == 3; }));
  EXPECT_THAT(names("services"), testing::ElementsAre("leaving_app", "one_app", "three_app"));
}

}  // namespace
}  // namespace skep::e2e
