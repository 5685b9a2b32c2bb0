#include "reconciler/agent/agent.hpp"

#include <mutex>
#include <set>
#include <thread>

#include <gmock/gmock.h>
#include <spdlog/sinks/base_sink.h>

#include "core/log_scope.hpp"
#include "reconciler/agent/lease.hpp"
#include "tests/reconciler/world.hpp"

namespace skep::reconciler {
namespace {

using namespace std::chrono_literals;
using tests::MemorySnapshot;
using tests::one_service;

class MemorySource final : public ports::Source {
 public:
  explicit MemorySource(std::map<std::string, std::string> files) : files_(std::move(files)) {}
  Result<std::shared_ptr<const ports::Snapshot>> fetch(std::stop_token /*stop*/) override {
    ++fetches;
    if (away) return Error{ErrorKind::unavailable, "the host is away"};
    const std::lock_guard lock(mutex_);
    auto snapshot = std::make_shared<MemorySnapshot>(files_, std::string(40, commit_));
    snapshot->set_subject(subject);
    if (ill_disk) {
      snapshot->unreadable.emplace("apps/a/docker-compose.yml",
                                   Error{ErrorKind::unavailable, "the disk is ill"});
    }
    return std::shared_ptr<const ports::Snapshot>(std::move(snapshot));
  }
  /// A push.
  void publish(std::map<std::string, std::string> files, char commit) {
    const std::lock_guard lock(mutex_);
    files_ = std::move(files);
    commit_ = commit;
  }
  std::atomic<std::size_t> fetches{0};
  std::atomic<bool> away{false};
  std::string subject = "A commit";   ///< Set before the agent starts.
  std::atomic<bool> ill_disk{false};  ///< One stack's file cannot be read.
  [[nodiscard]] std::shared_ptr<const ports::Snapshot> last_good() const override { return last; }
  std::shared_ptr<const ports::Snapshot> last;  ///< Of an earlier process.
  std::optional<std::set<std::string>> mirror;  ///< The commits at hand; nothing: cannot be asked.
  [[nodiscard]] Result<std::string> find_commit(const std::string& beginning) const override {
    if (!mirror) return ports::Source::find_commit(beginning);
    if (mirror->count(beginning) > 0) return beginning;
    return Error{ErrorKind::invalid_input, "no such commit"};
  }
  [[nodiscard]] std::string describe() const override { return "memory"; }

 private:
  std::mutex mutex_;
  std::map<std::string, std::string> files_;
  char commit_ = 'a';
};

/// Counts what must not be missed: readings that failed, or were not believed.
class UnknownCounter final : public ports::Observer {
 public:
  void status(const std::vector<ports::StackStatus>& stacks) override {
    for (const auto& stack : stacks) {
      if (stack.sync == ports::SyncState::unknown) ++unknown;
    }
  }
  void idle(bool docker_up) override { idle_with_engine = docker_up; }
  void revised(const ports::RevisionReport& /*report*/) override { ++revisions; }
  void fetched(const ports::FetchReport& report) override {
    hear(report.subject);
    if (!report.usable()) ++unusable;
    if (!report.unreadable.empty()) hear(report.unreadable);
  }
  void noted(const ports::Note& note) override { hear(note.message); }
  void synced(const ports::SyncReport& report) override { hear(report.subject); }
  [[nodiscard]] std::string sentences() const {
    const std::lock_guard lock(mutex_);
    return sentences_;
  }
  std::atomic<int> unknown{0};
  std::atomic<int> revisions{0}, unusable{0};
  std::atomic<bool> idle_with_engine{false};

 private:
  void hear(const std::string& sentence) {
    const std::lock_guard lock(mutex_);
    sentences_ += sentence + '\n';
  }
  mutable std::mutex mutex_;
  std::string sentences_;
};

/// The threads of a real agent on a real clock, with short intervals.
class AgentTest : public testing::Test {
 protected:
  void start() {
    AgentOptions options;
    options.interval = interval;
    options.resync = resync;
    options.probe = probe;
    options.grace = 20ms;
    options.pulse = pulse;
    options.reconciler.seed = 7;
    options.reconciler.settle = 50ms;
    options.lease = lease;
    agent = std::make_unique<Agent>(source, engine, observer, clock, log, options);
    thread = std::jthread([this](std::stop_token stop) { agent->run(std::move(stop)); });
  }
  template <typename Condition>
  [[nodiscard]] bool eventually(Condition&& condition) {
    const auto deadline = clock.steady() + 20s;
    while (clock.steady() < deadline) {
      if (condition()) return true;
      clock.sleep_for(5ms, {});
    }
    return false;
  }
  [[nodiscard]] bool synced() {
    const auto status = agent->status();
    return !status.stacks.empty() && status.stacks[0].sync == ports::SyncState::synced &&
           status.stacks[0].health == ports::Health::healthy;
  }

  /// Until it only probes: what happens from now on is not seen by a turn that was due anyway.
  [[nodiscard]] bool idle() {
    const auto looks = engine.calls(fakes::Operation::observe);
    return eventually([&] { return engine.calls(fakes::Operation::observe) > looks + 5; });
  }

  std::chrono::milliseconds pulse = 20ms, interval = 10s, resync = 60s, probe = 20ms;
  MemorySource source{{{"skep.yaml", "defaults: { resolve_image: never }\n"},
                       {"apps/a/docker-compose.yml", one_service("a:1")}}};
  fakes::FakeEngine engine;
  UnknownCounter observer;
  SystemClock clock;
  spdlog::logger log{"test"};
  Lease* lease = nullptr;
  std::unique_ptr<Agent> agent;
  std::jthread thread;
};

TEST_F(AgentTest, ASecretInACommitsSubjectIsTakenOutOfIt) {
  source.publish({{"skep.yaml", "defaults: { resolve_image: never }\n"},
                  {"apps/a/docker-compose.yml",
                   one_service("a:1") + "secrets: { key: { content: correct-horse-battery } }\n"}},
                 'a');
  source.subject = "Use correct-horse-battery as the key";
  start();
  ASSERT_TRUE(eventually([this] { return synced(); }));
  EXPECT_EQ(agent->status().revision_subject, "Use *** as the key");
  EXPECT_THAT(observer.sentences(), testing::HasSubstr("Use *** as the key"));
  EXPECT_THAT(observer.sentences(), testing::Not(testing::HasSubstr("horse")));
}

TEST_F(AgentTest, ARepositoryWithMistakesIsToldWithTheirPlacesAtEachLook) {
  interval = 20ms;
  start();
  ASSERT_TRUE(eventually([this] { return synced(); }));
  for (const std::string skep_yaml : {"nonsense: 1\n", "x: [\n"}) {
    source.publish({{"skep.yaml", skep_yaml}, {"apps/a/docker-compose.yml", one_service("a:1")}},
                   skep_yaml.front() == 'x' ? 'b' : 'c');
    const auto before = observer.unusable.load();
    ASSERT_TRUE(eventually([&] { return observer.unusable > before + 2; }));
    ASSERT_TRUE(eventually([this] {
      const auto status = agent->status();
      return !status.stacks.empty() &&
             status.stacks[0].message.find("skep.yaml:") != std::string::npos;
    })) << agent->status().stacks.at(0).message;
  }
  EXPECT_THAT(observer.sentences(), testing::HasSubstr("skep.yaml:1:1: "));
  EXPECT_THAT(observer.sentences(), testing::HasSubstr("nonsense"));
  source.publish({{"skep.yaml", "defaults: { resolve_image: never }\n"},
                  {"apps/a/docker-compose.yml", one_service("a:1")}},
                 'd');
  ASSERT_TRUE(eventually([this] { return synced(); }));
  const auto unusable = observer.unusable.load();
  const auto looks = source.fetches.load();
  ASSERT_TRUE(eventually([&] { return source.fetches > looks + 2; }));
  EXPECT_EQ(observer.unusable, unusable);
}

TEST_F(AgentTest, Trap37_AStreamThatSaysNothingIsFoundOutAndOpenedAnew) {
  start();
  ASSERT_TRUE(eventually([this] { return synced(); }));
  ASSERT_TRUE(idle());
  const auto opened = engine.calls(fakes::Operation::follow_events);
  engine.mute_events(true);
  engine.edit_service(
      "a_web", [](swarm::ServiceSpec& spec) { spec.task_template.container.env = {"EVIL=1"}; });
  EXPECT_TRUE(eventually([&] {
    return engine.state().find_service("a_web")->spec.task_template.container.env.empty();
  })) << "the edit is never seen";
  EXPECT_GT(observer.unknown, 0) << "what a silent stream hid was taken for known";
  EXPECT_TRUE(eventually([&] { return engine.calls(fakes::Operation::follow_events) > opened; }));
}

TEST_F(AgentTest, Trap37_AQuietSwarmIsProbedWithoutAWriteAndStaysKnown) {
  start();
  ASSERT_TRUE(eventually([this] { return synced(); }));
  const auto unknown = observer.unknown.load();
  engine.clear_writes();
  EXPECT_TRUE(idle());
  EXPECT_EQ(engine.write_count(), 0U);
  EXPECT_EQ(observer.unknown, unknown);
}

TEST_F(AgentTest, WhileGitWasNeverReadTheLoopSaysThatItTurns) {
  source.away = true;
  start();
  EXPECT_TRUE(eventually([this] { return observer.idle_with_engine.load(); }));
  EXPECT_EQ(engine.write_count(), 0U);
}

TEST_F(AgentTest, Trap27_ALostManagerRoleIsUnknownAndComesBack) {
  start();
  ASSERT_TRUE(eventually([this] { return synced(); }));
  engine.clear_writes();
  engine.set_manager(false);
  engine.end_event_streams();
  EXPECT_TRUE(
      eventually([this] { return agent->status().stacks[0].sync == ports::SyncState::unknown; }));
  engine.set_manager(true);
  EXPECT_TRUE(eventually([this] { return synced(); }));
  EXPECT_EQ(engine.write_count(), 0U);
}

TEST_F(AgentTest, OneThatStandsByNamesTheActiveOneAndAcceptsNothing) {
  LeaseOptions of_other, own;
  of_other.holder = "elsewhere";
  Lease other(engine, log, of_other), waiting(engine, log, own);
  (void)other.tick({});
  ASSERT_TRUE(other.held());
  lease = &waiting;
  start();
  ASSERT_TRUE(eventually([this] { return agent->status().standby_for == "elsewhere"; }));
  for (const auto& refused : {agent->sync("", "uid 0"),
                              agent->sync("a", "uid 0"),
                              agent->suspend("a", {}, "uid 0"),
                              agent->resume("a", "uid 0"),
                              agent->approve("a", "uid 0"),
                              agent->rollback("a", "", "uid 0"),
                              agent->accept_history("uid 0")}) {
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().kind, ErrorKind::conflict);
    EXPECT_NE(refused.error().message.find("active is elsewhere: ask there"), std::string::npos)
        << refused.error().message;
  }
  thread = {};  // Before what it uses goes.
}

TEST_F(AgentTest, Trap27_AnEngineThatHangsIsUnknownSoonThoughAReadingIsStillWaitedFor) {
  start();
  ASSERT_TRUE(eventually([this] { return synced(); }));
  engine.clear_writes();
  engine.hang(true);
  ASSERT_TRUE(eventually([this] { return !agent->status().docker_up; }));
  const auto unknown = agent->status();
  EXPECT_EQ(unknown.stacks[0].sync, ports::SyncState::unknown);
  EXPECT_EQ(unknown.stacks[0].health, ports::Health::unknown);
  EXPECT_EQ(unknown.docker_error, "the engine does not answer");
  EXPECT_EQ(unknown.stacks[0].message, "the swarm could not be read") << "why stands once, above";
  ASSERT_TRUE(unknown.observed_at);
  auto before = unknown;  // What was read just before may come in yet.
  EXPECT_TRUE(eventually([&] {
    const auto later = agent->status();
    const bool older =
        later.observed_at == before.observed_at && later.observed_age > before.observed_age;
    before = later;
    return older;
  })) << "the picture does not say how old it is";
  EXPECT_FALSE(agent->ready());
  engine.hang(false);
  EXPECT_TRUE(eventually([this] { return synced() && agent->status().docker_up; }));
  EXPECT_GE(agent->status().observed_at, unknown.observed_at);
  EXPECT_EQ(engine.write_count(), 0U) << "what was not seen was taken for missing";
}

TEST_F(AgentTest, Trap27_AClosedEventStreamAsksAtOnceWhetherTheEngineIsThere) {
  pulse = 1h;
  start();
  ASSERT_TRUE(eventually([this] { return synced(); }));
  engine.clear_writes();
  engine.hang(true);
  engine.end_event_streams(Error{ErrorKind::unavailable, "connection reset"});
  ASSERT_TRUE(eventually([this] { return !agent->status().docker_up; }));
  engine.hang(false);
  EXPECT_TRUE(eventually([this] { return synced() && agent->status().docker_up; }));
  EXPECT_EQ(engine.write_count(), 0U);
}

TEST_F(AgentTest, ACleanHourAddsNothingToRaft) {
  // All that an agent does in 3,600 seconds, its intervals a thousandth of what they are.
  interval = resync = 60ms;
  probe = 10ms;
  pulse = 5ms;
  start();
  ASSERT_TRUE(eventually([&] { return synced(); }));
  const auto turns = engine.calls(fakes::Operation::observe);
  const auto fetches = source.fetches.load();
  const auto pings = engine.calls(fakes::Operation::ping);
  engine.clear_writes();
  ASSERT_TRUE(eventually([&] {
    return engine.calls(fakes::Operation::observe) >= turns + 360 &&
           source.fetches >= fetches + 55 && engine.calls(fakes::Operation::ping) >= pings + 360;
  }));
  EXPECT_EQ(engine.write_count(), 0U);
  EXPECT_EQ(observer.unknown, 0);
  EXPECT_EQ(engine.calls(fakes::Operation::resolve_image), 0U);
}

TEST_F(AgentTest, AFileThatCouldNotBeReadForAWhileIsReadAgainThoughNobodyCommits) {
  interval = 20ms;
  source.ill_disk = true;
  start();
  ASSERT_TRUE(eventually([&] { return observer.revisions == 1; }));
  const auto looks = source.fetches.load();
  ASSERT_TRUE(eventually([&] { return source.fetches > looks + 2; }));
  EXPECT_EQ(observer.revisions, 1) << "it is said once, not at each look";
  EXPECT_EQ(engine.write_count(), 0U);
  source.ill_disk = false;
  EXPECT_TRUE(eventually([&] { return synced(); }));
}

TEST_F(AgentTest, WhatWasFetchedByAnEarlierProcessCountsOnlyWhereGitDoesNotAnswer) {
  source.last = std::make_shared<MemorySnapshot>(
      std::map<std::string, std::string>{{"skep.yaml", "defaults: { resolve_image: never }\n"},
                                         {"apps/a/docker-compose.yml", one_service("a:0")}},
      std::string(40, 'b'));
  start();
  ASSERT_TRUE(eventually([this] { return synced(); }));
  EXPECT_EQ(observer.revisions, 1) << "the older content was wanted for a moment";
}

TEST_F(AgentTest, WhatWasFetchedByAnEarlierProcessIsUsedWhileGitIsAway) {
  interval = 20ms;
  source.last = std::make_shared<MemorySnapshot>(
      std::map<std::string, std::string>{{"skep.yaml", "defaults: { resolve_image: never }\n"},
                                         {"apps/a/docker-compose.yml", one_service("a:0")}},
      std::string(40, 'b'));
  source.away = true;
  start();
  ASSERT_TRUE(eventually([this] { return synced(); }));
  EXPECT_EQ(agent->status().revision, std::string(40, 'b'));
  EXPECT_FALSE(agent->status().fetch_error.empty());
}

TEST_F(AgentTest, WhatWasFetchedByAnEarlierProcessIsNotUsedWhereTheSwarmIsNewer) {
  start();
  ASSERT_TRUE(eventually([this] { return synced(); }));
  thread = {};  // And its state directory is put back from a backup.
  source.last = std::make_shared<MemorySnapshot>(
      std::map<std::string, std::string>{{"skep.yaml", "defaults: { resolve_image: never }\n"},
                                         {"apps/a/docker-compose.yml", one_service("a:0")}},
      std::string(40, 'b'));
  source.mirror = {std::string(40, 'b')};
  source.away = true;
  interval = 20ms;
  engine.clear_writes();
  start();
  ASSERT_TRUE(eventually([this] { return !agent->status().fetch_error.empty(); }));
  EXPECT_THAT(agent->status().fetch_error,
              testing::AllOf(testing::HasSubstr("the host is away"),
                             testing::HasSubstr("stack a is at aaaaaaaaaaaa")));
  const auto fetches = source.fetches.load();
  ASSERT_TRUE(eventually([&] { return source.fetches > fetches + 3; }));
  EXPECT_EQ(engine.write_count(), 0U) << "production went back to what a backup held";
  source.away = false;
  EXPECT_TRUE(eventually([this] { return synced() && agent->status().fetch_error.empty(); }));
  EXPECT_EQ(agent->status().revision, std::string(40, 'a'));
}

TEST_F(AgentTest, ATaskThatEndsWithoutAnEventShowsSoon) {
  start();
  ASSERT_TRUE(eventually([this] { return synced(); }));
  ASSERT_TRUE(idle());
  engine.mute_events(true);
  engine.set_running("a_web", 0);
  EXPECT_TRUE(eventually([&] {
    return agent->status().stacks[0].health != ports::Health::healthy;
  })) << "until the next whole look";
}

TEST_F(AgentTest, AStackThatIsSuspendedIsNotSyncedAndOneThatIsNotIsNotResumed) {
  start();
  ASSERT_TRUE(eventually([this] { return synced(); }));
  EXPECT_FALSE(agent->resume("a", "uid 0"));
  ASSERT_TRUE(agent->suspend("a", {"freeze", std::nullopt}, "uid 0"));
  ASSERT_TRUE(eventually([&] { return agent->status().stacks[0].suspension.has_value(); }));
  const auto refused = agent->sync("a", "uid 0");
  ASSERT_FALSE(refused);
  EXPECT_THAT(refused.error().message, testing::HasSubstr("`skep resume a`"));
  EXPECT_TRUE(agent->resume("a", "uid 0"));
}

TEST_F(AgentTest, ASyncThatFollowsAPushMeansWhatWasPushed) {
  const auto files = [](const std::string& image) {
    return std::map<std::string, std::string>{
        {"skep.yaml", "defaults: { resolve_image: never, sync: manual }\n"},
        {"apps/a/docker-compose.yml", one_service(image)}};
  };
  source.publish(files("a:1"), 'a');
  start();
  ASSERT_TRUE(eventually([this] { return !agent->status().stacks.empty(); }));
  ASSERT_TRUE(agent->sync("a", "uid 0"));
  ASSERT_TRUE(eventually([this] { return synced(); }));
  source.publish(files("a:2"), 'b');
  agent->look_at_git();
  ASSERT_TRUE(eventually([this] { return agent->status().revision == std::string(40, 'b'); }));
  ASSERT_TRUE(idle());
  source.publish(files("a:3"), 'c');
  ASSERT_TRUE(agent->sync("a", "uid 0"));
  const auto image = [this] {
    return engine.state().find_service("a_web")->spec.task_template.container.image;
  };
  std::set<std::string> seen;
  EXPECT_TRUE(eventually([&] {
    seen.insert(image());
    return synced() && image() == "a:3";
  }));
  EXPECT_EQ(seen.count("a:2"), 0U) << "what nobody asked for";
}

TEST_F(AgentTest, ASyncOfEverythingPushesThroughNothingThatWaits) {
  source.publish({{"skep.yaml", "defaults: { resolve_image: never, sync: manual }\n"},
                  {"apps/a/docker-compose.yml", one_service("a:1")}},
                 'a');
  start();
  ASSERT_TRUE(eventually([this] { return !agent->status().stacks.empty(); }));
  ASSERT_TRUE(agent->sync("", "uid 0"));
  ASSERT_TRUE(idle());
  EXPECT_EQ(engine.state().find_service("a_web"), nullptr);
}

TEST_F(AgentTest, TellsTheTasksOfAStack) {
  start();
  ASSERT_TRUE(eventually([this] { return synced(); }));
  const auto tasks = agent->tasks("a");
  ASSERT_TRUE(tasks) << tasks.error().message;
  ASSERT_EQ(tasks->size(), 1U);
  EXPECT_EQ(tasks->front().service, "a_web");
  EXPECT_EQ(tasks->front().state, "running");
  EXPECT_EQ(tasks->front().node, "node1");
  EXPECT_EQ(agent->tasks("none").error().kind, ErrorKind::invalid_input);
}

/// The field "pass" of every line that says something of a deployment.
class PassesOfLines final : public spdlog::sinks::base_sink<std::mutex> {
 public:
  std::set<std::string> seen() {
    const std::lock_guard lock(mutex_);
    return seen_;
  }

 protected:
  void sink_it_(const spdlog::details::log_msg& message) override {
    const std::string text(message.payload.data(), message.payload.size());
    if (text.find("stack=a") == std::string::npos) return;
    std::string pass = "none";
    for (const auto& [name, value] : LogScope::fields()) {
      if (name == "pass") pass = value;
    }
    seen_.insert(pass);
  }
  void flush_() override {}

 private:
  std::set<std::string> seen_;
};

TEST_F(AgentTest, EveryLineOfAPassCarriesItsId) {
  const auto sink = std::make_shared<PassesOfLines>();
  log.sinks().push_back(sink);
  start();
  ASSERT_TRUE(eventually([this] { return synced(); }));
  EXPECT_TRUE(eventually([&] { return !sink->seen().empty(); }));
  EXPECT_THAT(sink->seen(), testing::Each(testing::MatchesRegex("[0-9a-f]{6}-[0-9]+")));
}

}  // namespace
}  // namespace skep::reconciler
