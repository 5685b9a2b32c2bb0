#include <filesystem>
#include <fstream>
#include <mutex>
#include <thread>

#include <gtest/gtest.h>

#include "core/digest.hpp"
#include "engine/exec.hpp"
#include "engine/socket_engine.hpp"
#include "tests/lab/lab.hpp"

// What only a real engine can show: registries, containers, logs, an engine that is no manager.
namespace skep::engine {
namespace {

using lab::LabEngine;

constexpr const char* kImage = "skep-test/busybox:1.0";

EngineOptions options_for(const LabEngine& engine) {
  return {.endpoint = {.socket = engine.socket(), .address = {}, .tls = {}}};
}

class SocketEngineLab : public testing::Test {
 protected:
  void SetUp() override { SKEP_NEEDS_ENGINE(LabEngine::shared()); }

  /// A service with one running task, removed at the test's end.
  swarm::LiveService run_service(const std::string& name,
                                 const std::vector<std::string>& arguments) {
    SocketEngine engine(options_for(LabEngine::shared()));
    swarm::ServiceSpec spec;
    spec.name = name;
    spec.task_template.container.image = kImage;
    spec.task_template.container.args = arguments;
    spec.task_template.container.labels = {{"io.skep.test", name}};
    spec.task_template.container.stop_grace_period = std::chrono::milliseconds(100);
    spec.mode.replicated.emplace().replicas = 1;
    const auto created = engine.create_service(spec, {});
    EXPECT_TRUE(created) << to_string(created.error());
    if (created) created_.push_back(created->id);
    for (int i = 0; i < 300; ++i) {
      const auto live = engine.observe({});
      if (live && live->find_service(name)->running_tasks == 1) return *live->find_service(name);
      std::this_thread::sleep_for(std::chrono::milliseconds(100));
    }
    ADD_FAILURE() << name << " does not run";
    return {};
  }
  void TearDown() override {
    SocketEngine engine(options_for(LabEngine::shared()));
    for (const auto& id : created_) EXPECT_TRUE(engine.remove_service(id, {}));
  }

 private:
  std::vector<swarm::ObjectId> created_;
};

TEST_F(SocketEngineLab, ImagesOfAPrivateRegistryAreResolvedWithItsCredentialsOnly_D6_5_D7_2) {
  auto& lab = LabEngine::shared();
  const auto& registry = lab.registry();
  ASSERT_EQ(lab.docker({"login", "-u", registry.user, "--password-stdin", registry.address},
                       registry.password)
                .exit_code,
            0);
  const auto image = registry.address + "/apps/my-app:1.0.0";
  ASSERT_EQ(lab.docker({"tag", kImage, image}).exit_code, 0);
  const auto pushed = lab.docker({"push", image});
  ASSERT_EQ(pushed.exit_code, 0) << pushed.err;

  SocketEngine anonymous(options_for(lab));
  const auto refused = anonymous.resolve_image(image, {});
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().kind, ErrorKind::unauthorized) << refused.error().message;

  auto options = options_for(lab);
  options.registry_auth = true;
  options.docker_config = lab.environment().at("DOCKER_CONFIG") + "/config.json";
  SocketEngine engine(options);
  const auto resolved = engine.resolve_image(image, {});
  ASSERT_TRUE(resolved) << to_string(resolved.error());
  EXPECT_NE(pushed.out.find(resolved->digest), std::string::npos) << pushed.out;
  EXPECT_EQ(resolved->digest.size(), std::string("sha256:").size() + 64);
  ASSERT_EQ(resolved->platforms.size(), 1U);
  EXPECT_EQ(resolved->platforms[0].os, "linux");

  const auto missing = engine.resolve_image(registry.address + "/apps/none:1", {});
  ASSERT_FALSE(missing);
  EXPECT_EQ(missing.error().kind, ErrorKind::invalid_input) << missing.error().message;
  const auto nobody = engine.resolve_image("127.0.0.1:1/none:1", {});
  ASSERT_FALSE(nobody);
  EXPECT_EQ(nobody.error().kind, ErrorKind::unavailable) << nobody.error().message;

  // The node pulls it with the credentials that went along with the service.
  ASSERT_EQ(lab.docker({"image", "rm", image}).exit_code, 0);
  swarm::ServiceSpec spec;
  spec.name = "private";
  spec.task_template.container.image = image + "@" + resolved->digest;
  spec.task_template.container.args = {"sleep", "1000"};
  spec.task_template.container.stop_grace_period = std::chrono::milliseconds(100);
  spec.mode.replicated.emplace().replicas = 1;
  const auto created = engine.create_service(spec, {});
  ASSERT_TRUE(created) << to_string(created.error());
  bool runs = false;
  for (int i = 0; i < 300 && !runs; ++i) {
    runs = engine.observe({})->find_service("private")->running_tasks == 1;
    if (!runs) std::this_thread::sleep_for(std::chrono::milliseconds(100));
  }
  EXPECT_TRUE(runs) << (*engine.tasks({created->id}, {})).at(0).error;
  EXPECT_TRUE(engine.remove_service(created->id, {}));
}

TEST_F(SocketEngineLab, CommandsRunInAContainerFoundByItsLabel) {
  const auto service = run_service("exec-target", {"sleep", "1000"});
  SocketEngine engine(options_for(LabEngine::shared()));
  const auto containers = find_containers(engine, {"io.skep.test=exec-target"}, {});
  ASSERT_TRUE(containers) << to_string(containers.error());
  ASSERT_EQ(containers->size(), 1U);
  const auto& container = containers->at(0);
  EXPECT_EQ(container.state, "running");
  EXPECT_EQ(container.labels.at("com.docker.swarm.service.id"), service.id);
  EXPECT_TRUE(container.name.starts_with("exec-target.1."));

  const auto output =
      exec_in_container(engine, container.id, {"sh", "-c", "echo out; echo err >&2; exit 7"}, {});
  ASSERT_TRUE(output) << to_string(output.error());
  EXPECT_EQ(output->out, "out\n");
  EXPECT_EQ(output->err, "err\n");
  EXPECT_EQ(output->exit_code, 7);
  const auto large =
      exec_in_container(engine, container.id, {"sh", "-c", "head -c 3000000 /dev/zero"}, {});
  ASSERT_TRUE(large) << to_string(large.error());
  EXPECT_EQ(large->out.size(), 3'000'000U);
  const auto nothing = exec_in_container(engine, container.id, {"no-such-program"}, {});
  EXPECT_TRUE(!nothing || nothing->exit_code != 0);
  const auto nowhere = exec_in_container(engine, "no-such-container", {"true"}, {});
  ASSERT_FALSE(nowhere);
  EXPECT_EQ(nowhere.error().kind, ErrorKind::invalid_input);

  std::stop_source stop;
  std::jthread soon([&stop] {
    std::this_thread::sleep_for(std::chrono::milliseconds(200));
    stop.request_stop();
  });
  const auto started = std::chrono::steady_clock::now();
  const auto stopped = exec_in_container(engine, container.id, {"sleep", "30"}, stop.get_token());
  ASSERT_FALSE(stopped);
  EXPECT_EQ(stopped.error().kind, ErrorKind::cancelled);
  EXPECT_LT(std::chrono::steady_clock::now() - started, std::chrono::milliseconds(1200));
}

TEST_F(SocketEngineLab, LogsOfAServiceComeLineByLineWithTheirOrigin) {
  const auto service = run_service(
      "talker", {"sh", "-c", "echo one; echo two >&2; printf 'a\\033[31mb\\n'; sleep 1000"});
  SocketEngine engine(options_for(LabEngine::shared()));
  std::vector<LogLine> lines;
  for (int i = 0; i < 100 && lines.size() < 3; ++i) {
    const auto read = service_logs(engine, service.id, {}, {});
    ASSERT_TRUE(read) << to_string(read.error());
    lines = *read;
    if (lines.size() < 3) std::this_thread::sleep_for(std::chrono::milliseconds(100));
  }
  ASSERT_EQ(lines.size(), 3U);
  const auto by_text = [&](const std::string& text) {
    const auto at = std::find_if(
        lines.begin(), lines.end(), [&](const auto& line) { return line.text == text; });
    EXPECT_NE(at, lines.end()) << text;
    return at == lines.end() ? LogLine() : *at;
  };
  EXPECT_FALSE(by_text("one").standard_error);
  EXPECT_TRUE(by_text("two").standard_error);
  const auto raw = by_text("a\033[31mb");
  EXPECT_EQ(raw.task_id, engine.tasks({service.id}, {})->at(0).id);
  EXPECT_EQ(raw.node_id, engine.info({})->node_id);
  EXPECT_TRUE(raw.timestamp.starts_with("20"));
  const auto last = service_logs(engine, service.id, {.tail = 1}, {});
  ASSERT_TRUE(last);
  EXPECT_EQ(last->size(), 1U);
}

TEST_F(SocketEngineLab, AnEngineThatIsNoManagerIsAnErrorAndNeverAnEmptySwarm) {
  LabEngine alone({"--no-swarm"});
  SKEP_NEEDS_ENGINE(alone);
  SocketEngine engine(options_for(alone));
  const auto info = engine.info({});
  ASSERT_TRUE(info) << to_string(info.error());
  EXPECT_FALSE(info->manager);
  EXPECT_FALSE(info->swarm_active);
  const auto live = engine.observe({});
  ASSERT_FALSE(live);
  EXPECT_EQ(live.error().kind, ErrorKind::unavailable);
  EXPECT_NE(live.error().message.find("docker swarm init"), std::string::npos);
}

TEST_F(SocketEngineLab, AnEngineThatWentAwayIsAnErrorAndItsEventStreamEnds) {
  auto passing = std::make_unique<LabEngine>();
  SKEP_NEEDS_ENGINE(*passing);
  SocketEngine engine(options_for(*passing));
  ASSERT_TRUE(engine.observe({}));
  std::jthread killer;
  const auto ended = engine.follow_events(
      [](const auto&) {}, [&] { killer = std::jthread([&] { passing.reset(); }); }, {});
  killer.join();
  if (!ended) {
    EXPECT_EQ(ended.error().kind, ErrorKind::unavailable) << ended.error().message;
  }
  const auto live = engine.observe({});
  ASSERT_FALSE(live);
  EXPECT_EQ(live.error().kind, ErrorKind::unavailable);
}

TEST_F(SocketEngineLab, ObservingTakesFiveListCallsWithoutFilterAndWritesNothing_D1_3) {
  std::mutex mutex;
  std::vector<std::string> operations;
  auto options = options_for(LabEngine::shared());
  options.on_request = [&](std::string_view operation, int status, std::chrono::nanoseconds) {
    const std::lock_guard lock(mutex);
    EXPECT_EQ(status, 200);
    operations.emplace_back(operation);
  };
  SocketEngine engine(options);
  ASSERT_TRUE(engine.observe({}));
  EXPECT_EQ(
      operations,
      (std::vector<std::string>{
          "ping", "service_list", "network_list", "config_list", "secret_list", "node_list"}));
}

TEST_F(SocketEngineLab, ManyThreadsMayAskAtOnce) {
  SocketEngine engine(options_for(LabEngine::shared()));
  std::vector<std::jthread> threads;
  std::atomic<int> good{0};
  for (int i = 0; i < 8; ++i) {
    threads.emplace_back([&] {
      for (int n = 0; n < 20; ++n) good += engine.observe({}).has_value() ? 1 : 0;
    });
  }
  threads.clear();
  EXPECT_EQ(good, 160);
}

}  // namespace
}  // namespace skep::engine
