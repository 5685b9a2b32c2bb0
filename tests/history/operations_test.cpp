#include <gmock/gmock.h>

#include "history/sqlite_history.hpp"
#include "reconciler/redaction.hpp"
#include "tests/history/recorded.hpp"
#include "tests/reconciler/world.hpp"

namespace skep::history::test {
namespace {

using namespace std::chrono_literals;
using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
using ::testing::SizeIs;
using tests::one_service;
using tests::World;

/// A reconciler on a swarm that behaves, and its history in a real file.
class Operations : public ::testing::Test {
 protected:
  Operations() {
    world.listener = &history;
    world.options.describe = [this](const std::string& commit) -> std::optional<ports::Revision> {
      const auto at = world.history.commits.find(commit);
      if (at == world.history.commits.end()) return std::nullopt;
      return at->second->revision();
    };
    world.options.mask = [this](std::string& text) { redaction.mask(text); };
    world.restart_agent();
  }
  void settle() {
    last = world.settle();
    ASSERT_TRUE(last) << world.error;
    ASSERT_TRUE(history.flush());
    ASSERT_EQ(history.trouble(), "");
  }
  void deploy(const std::string& compose) {
    world.files["apps/a/docker-compose.yml"] = compose;
    world.commit();
    for (const auto& stack : world.desired().stacks) redaction.add(stack->spec);
    settle();
  }
  [[nodiscard]] std::vector<ports::OperationRecord> operations() const {
    auto found = history.operations({});
    EXPECT_TRUE(found);
    return found ? *found : std::vector<ports::OperationRecord>();
  }
  [[nodiscard]] ports::SyncReport newest() const {
    const auto all = operations();
    EXPECT_FALSE(all.empty());
    return all.empty() ? ports::SyncReport() : all.front().report;
  }
  [[nodiscard]] std::vector<std::string> events() const {
    std::vector<std::string> told;
    const auto found = history.events({.limit = 1'000});
    EXPECT_TRUE(found);
    for (const auto& one : *found) {
      told.push_back(one.stack + " " + one.kind + " " + one.value +
                     (one.message.empty() ? "" : ": " + one.message));
    }
    return told;
  }
  /// "update web_app image, environment A"
  static std::vector<std::string> changes(const ports::SyncReport& report) {
    std::vector<std::string> lines;
    for (const auto& object : report.objects) {
      std::string line = object.verb == diff::Verb::create   ? "create "
                         : object.verb == diff::Verb::remove ? "remove "
                                                             : "update ";
      line += object.name;
      for (const auto& field : object.fields)
        line += (line.ends_with(object.name) ? " " : ", ") + field;
      lines.push_back(line);
    }
    return lines;
  }
  [[nodiscard]] static std::string commit(int number) {
    return std::string(39, 'a') + std::to_string(number);
  }

  TemporaryDirectory directory;
  spdlog::logger log{"test"};
  World world;
  reconciler::Redaction redaction;
  SqliteHistory history{{.file = directory.path() / "history.db"}, world.clock, log};
  std::optional<reconciler::Turn> last;
};

TEST_F(Operations, AFirstDeploymentTellsWhatItMade) {
  deploy(one_service("a:1"));
  const auto report = newest();
  EXPECT_EQ(report.stack, "apps/a");
  EXPECT_EQ(report.trigger, "git");
  EXPECT_EQ(report.result, "success");
  EXPECT_EQ(report.revision_to, commit(1));
  EXPECT_THAT(changes(report), ElementsAre("create a_default", "create a_web"));
  EXPECT_THAT(report.plan_digest, ::testing::MatchesRegex("[0-9a-f]{16}"));
  EXPECT_EQ(report.actor, "");
}

TEST_F(Operations, ANewCommitTellsFromWhereToWhereAndWhichFields) {
  deploy(one_service("a:1"));
  deploy("services: {web: {image: 'a:2', environment: {LEVEL: info}}}");
  const auto report = newest();
  EXPECT_EQ(report.trigger, "git");
  EXPECT_EQ(report.revision_from, commit(1));
  EXPECT_EQ(report.revision_to, commit(2));
  EXPECT_THAT(changes(report), ElementsAre("update a_web image, environment LEVEL"));
}

TEST_F(Operations, ACleanPassIsNoOperationAndNoEvent) {
  deploy(one_service("a:1"));
  const auto before = operations().size();
  const auto told = events();
  settle();
  settle();
  EXPECT_THAT(operations(), SizeIs(before));
  EXPECT_EQ(events(), told);
}

TEST_F(Operations, AnEditByHandIsDriftThatIsHealedAtTheSameRevision) {
  deploy(one_service("a:1"));
  world.engine.edit_service("a_web", [](swarm::ServiceSpec& spec) {
    spec.task_template.container.env = {"EVIL=canary"};
  });
  settle();
  const auto report = newest();
  EXPECT_EQ(report.trigger, "drift");
  EXPECT_EQ(report.result, "success");
  EXPECT_EQ(report.revision_from, report.revision_to);
  EXPECT_THAT(changes(report), ElementsAre("update a_web environment EVIL"));
  EXPECT_THAT(all_bytes(directory.path()), Not(HasSubstr("canary")));
}

TEST_F(Operations, WhoAskedIsPartOfIt) {
  world.files["apps/a/skep.yaml"] = "sync: manual\n";
  deploy(one_service("a:1"));
  EXPECT_THAT(operations(), IsEmpty());
  world.agent().request("a", "uid 1000");
  settle();
  EXPECT_EQ(newest().trigger, "manual");
  EXPECT_EQ(newest().actor, "uid 1000");
}

TEST_F(Operations, ARolloutThatFailsAndItsWayBackAreTwoOperationsAndAQuarantine) {
  world.files["apps/a/skep.yaml"] = "on_failure: rollback\n";
  deploy(one_service("a:1"));
  world.engine.fail_tasks("a_web", "task: non-zero exit (3)");
  world.files["apps/a/docker-compose.yml"] = one_service("a:2");
  world.commit();
  for (int i = 0; i < 20; ++i) {
    ASSERT_TRUE(world.agent().turn(world.desired(), {}));
    world.clock.advance(500ms);
    const auto status = world.agent().turn(world.desired(), {});
    ASSERT_TRUE(status);
    if (World::status(*status, "a").quarantined) break;
  }
  world.engine.fail_tasks("a_web", "");
  settle();
  const auto all = operations();
  ASSERT_THAT(all, SizeIs(3));
  EXPECT_EQ(all[1].report.result, "failure");
  EXPECT_EQ(all[1].report.failed_phase, "health");
  EXPECT_THAT(all[1].report.message, HasSubstr("non-zero exit (3)"));
  EXPECT_EQ(all[1].report.revision_to, commit(2));
  EXPECT_EQ(all[0].report.trigger, "rollback");
  EXPECT_EQ(all[0].report.result, "success");
  EXPECT_EQ(all[0].report.revision_from, commit(2));
  EXPECT_EQ(all[0].report.revision_to, commit(1));
  EXPECT_THAT(events(), Contains(HasSubstr("apps/a quarantined true: ")));
  EXPECT_THAT(events(), Contains(HasSubstr("apps/a held true: rolled back to")));
}

TEST_F(Operations, ACommitThatOvertakesAnOperationEndsItAndBeginsItsOwn) {
  deploy(one_service("a:1"));
  world.engine.set_running("a_web", 0);
  world.engine.edit_service(
      "a_web", [](swarm::ServiceSpec& spec) { spec.task_template.container.env = {"EVIL=1"}; });
  const auto look = [&] {
    for (int i = 0; i < 4; ++i) {
      ASSERT_TRUE(world.agent().turn(world.desired(), {}));
      world.clock.advance(500ms);
    }
  };
  look();
  world.files["apps/a/docker-compose.yml"] = one_service("a:2");
  world.commit();
  look();
  world.engine.set_running("a_web", std::nullopt);
  settle();
  const auto all = operations();
  ASSERT_THAT(all, SizeIs(3));
  EXPECT_EQ(all[1].report.trigger, "drift");
  EXPECT_EQ(all[1].report.result, "cancelled");
  EXPECT_THAT(changes(all[1].report), ElementsAre("update a_web environment EVIL"));
  EXPECT_EQ(all[0].report.trigger, "git");
  EXPECT_EQ(all[0].report.result, "success");
  EXPECT_EQ(all[0].report.revision_from, commit(1));
  EXPECT_EQ(all[0].report.revision_to, commit(2));
  EXPECT_THAT(changes(all[0].report), ElementsAre("update a_web image"));
}

TEST_F(Operations, ARefusedWriteTellsTheObjectAndTheEnginesWords) {
  deploy(one_service("a:1"));
  world.engine.fail_next(fakes::Operation::update_service,
                         {ErrorKind::invalid_input, "port 80 is in use"});
  world.files["apps/a/docker-compose.yml"] = one_service("a:2");
  world.commit();
  settle();
  world.clock.advance(5s);  // It is tried again then.
  settle();
  const auto all = operations();
  ASSERT_THAT(all, SizeIs(3));
  EXPECT_EQ(all[1].report.result, "failure");
  EXPECT_EQ(all[1].report.failed_phase, "apply");
  EXPECT_THAT(all[1].report.objects.at(0).error, HasSubstr("port 80 is in use"));
  EXPECT_EQ(all[0].report.trigger, "retry");
  EXPECT_EQ(all[0].report.result, "success");
  EXPECT_EQ(all[0].report.revision_from, commit(1));
}

TEST_F(Operations, RemovalOfAStackIsAnOperationAndSaysThatItIsGone) {
  world.files["apps/b/docker-compose.yml"] = one_service("a:1");
  world.files["apps/c/docker-compose.yml"] = one_service("a:1");
  deploy(one_service("a:1"));
  world.files.erase("apps/a/docker-compose.yml");
  world.commit();
  settle();
  const auto report = newest();
  EXPECT_EQ(report.stack, "apps/a");
  EXPECT_EQ(report.revision_to, commit(2));
  EXPECT_THAT(changes(report), Contains("remove a_web"));
  EXPECT_THAT(events().back(), HasSubstr("apps/a removed : left git and is gone"));
}

TEST_F(Operations, AdoptionWithoutChangesIsAnEvent) {
  deploy(one_service("a:1"));
  EXPECT_THAT(events(), Not(Contains(HasSubstr("adopted"))));
  const auto swarm = world.engine.state();  // The records go, what runs stays.
  ASSERT_TRUE(world.engine.remove_config(swarm.find_config("skep-default-state")->id, {}));
  settle();
  EXPECT_THAT(events(), Contains(HasSubstr("apps/a adopted : runs as git says")));
  EXPECT_THAT(operations(), SizeIs(1)) << "nothing was done to it";
}

TEST_F(Operations, NoValueOfASecretReachesTheFileByAnyWay) {
  const std::string canary = "c4n4ry-Value/+=1234";
  world.files["apps/a/pass.txt"] = canary + "\n";
  const auto compose = [&](const std::string& more) {
    return "services:\n  web:\n    image: 'a:1'\n    secrets: [pass]\n    environment:\n      "
           "DB_PASSWORD: '" +
           canary + more + "'\nsecrets: {pass: {file: ./pass.txt}}\n";
  };
  deploy(compose(""));
  // The engine repeats it in its own words, in several forms.
  world.engine.fail_next(fakes::Operation::update_service,
                         {ErrorKind::invalid_input, "invalid environment DB_PASSWORD=" + canary});
  world.files["apps/a/docker-compose.yml"] = compose("-2");
  world.files["apps/a/pass.txt"] = canary + "-3\n";
  world.commit();
  for (const auto& stack : world.desired().stacks) redaction.add(stack->spec);
  settle();
  world.engine.fail_tasks("a_web", "cannot log in with " + base64(canary));
  world.engine.edit_service("a_web", [&](swarm::ServiceSpec& spec) {
    spec.task_template.container.env = {"DB_PASSWORD=" + canary + "-4"};
  });
  settle();
  ASSERT_THAT(operations(), Not(IsEmpty()));
  EXPECT_THAT(changes(newest()), Not(IsEmpty()));
  const auto bytes = all_bytes(directory.path());
  EXPECT_THAT(bytes, HasSubstr("environment DB_PASSWORD")) << "the field's name is what is kept";
  EXPECT_THAT(bytes, Not(HasSubstr("c4n4ry")));
  EXPECT_THAT(bytes, Not(HasSubstr(base64(canary).substr(0, 12))));
}

}  // namespace
}  // namespace skep::history::test
