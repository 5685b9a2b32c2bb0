#pragma once

#include <algorithm>
#include <atomic>
#include <chrono>
#include <condition_variable>
#include <functional>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include <gtest/gtest.h>

#include "reconciler/ports/engine.hpp"

/// What every ports::Engine must do. The same assertions run on the fake (always) and on a real
/// dockerd (label e2e); a difference is mended in the fake. A Backend gives `static void prepare()`
/// (may skip the test) and `static ports::Engine& engine()`.
namespace skep::engine_contract {

inline constexpr const char* kImage = "skep-test/busybox:1.0";

/// Tests share one real engine: every object has a name of its own.
inline std::string unique(const std::string& name) {
  static std::atomic<int> count{0};
  return name + "-" + std::to_string(++count);
}

inline swarm::ServiceSpec service(const std::string& name, std::uint64_t replicas = 0) {
  swarm::ServiceSpec spec;
  spec.name = name;
  spec.labels["team"] = "a";
  spec.task_template.container.image = kImage;
  spec.task_template.container.args = {"sleep", "1000"};
  spec.task_template.container.stop_grace_period = std::chrono::milliseconds(100);
  spec.mode.replicated.emplace().replicas = replicas;
  return spec;
}

inline swarm::ConfigSpec config(const std::string& name, const std::string& data = "a=1") {
  return {.name = name, .labels = {{"team", "a"}}, .data = data, .templating = {}};
}

inline swarm::SecretSpec secret(const std::string& name, const std::string& data = "hush") {
  return {.name = name,
          .labels = {{"team", "a"}},
          .data = Secret(data),
          .driver = {},
          .templating = {}};
}

inline swarm::NetworkSpec network(const std::string& name) {
  swarm::NetworkSpec spec;
  spec.name = name;
  spec.labels["team"] = "a";
  return spec;
}

/// Polls a real engine; the fake is there at once.
inline bool eventually(const std::function<bool()>& holds) {
  const auto until = std::chrono::steady_clock::now() + std::chrono::seconds(30);
  while (!holds()) {
    if (std::chrono::steady_clock::now() > until) return false;
    std::this_thread::sleep_for(std::chrono::milliseconds(100));
  }
  return true;
}

template <typename Backend>
class EngineContract : public testing::Test {
 protected:
  void SetUp() override { Backend::prepare(); }

  ports::Engine& engine() { return Backend::engine(); }

  swarm::LiveState live() {
    auto state = engine().observe({});
    EXPECT_TRUE(state) << to_string(state.error());
    return state ? std::move(*state) : swarm::LiveState();
  }
  swarm::LiveService live_service(const std::string& name) {
    const auto state = live();
    const auto* found = state.find_service(name);
    EXPECT_NE(found, nullptr) << name;
    return found == nullptr ? swarm::LiveService() : *found;
  }
  swarm::ObjectId created(Result<ports::Written> written) {
    EXPECT_TRUE(written) << to_string(written.error());
    return written ? written->id : std::string();
  }
  /// As the loop does it: reads the version and writes, again if it moved meanwhile (the engine
  /// moves it itself when it gives a new service its addresses).
  void update(const swarm::ServiceSpec& spec) {
    EXPECT_TRUE(eventually([&] {
      const auto now = live_service(spec.name);
      const auto updated = engine().update_service(now.id, now.version, spec, {});
      if (!updated) {
        EXPECT_EQ(updated.error().kind, ErrorKind::conflict) << updated.error().message;
      }
      return updated.has_value();
    }));
  }
  void remove_service(const swarm::ObjectId& id) {
    auto removed = engine().remove_service(id, {});
    EXPECT_TRUE(removed) << to_string(removed.error());
  }
};

template <typename T>
testing::AssertionResult fails_as(ErrorKind kind,
                                  const std::string& words,
                                  const Result<T>& result) {
  if (result) return testing::AssertionFailure() << "succeeded";
  if (result.error().kind != kind || result.error().message.find(words) == std::string::npos)
    return testing::AssertionFailure()
           << to_string(result.error().kind) << ": " << result.error().message;
  return testing::AssertionSuccess();
}

TYPED_TEST_SUITE_P(EngineContract);

TYPED_TEST_P(EngineContract, ASwarmManagerSaysThatItIsOne) {
  const auto info = this->engine().info({});
  ASSERT_TRUE(info);
  EXPECT_TRUE(info->swarm_active);
  EXPECT_TRUE(info->manager);
  EXPECT_FALSE(info->engine_version.empty());
  EXPECT_FALSE(info->api_version.empty());
  const auto nodes = this->live().nodes;
  ASSERT_EQ(nodes.size(), 1U);
  EXPECT_EQ(nodes[0].id, info->node_id);
  EXPECT_EQ(nodes[0].hostname, info->node_hostname);
  EXPECT_EQ(nodes[0].role, "manager");
  EXPECT_EQ(nodes[0].availability, "active");
  EXPECT_EQ(nodes[0].state, "ready");
}

TYPED_TEST_P(EngineContract, ANewServiceReadsBackWithTheDefaultsThatTheEngineFillsIn_E3) {
  auto spec = service(unique("svc"));
  spec.mode = {};
  spec.endpoint_spec.emplace().ports.push_back(
      {.name = {}, .protocol = {}, .target = 80, .published = 0, .mode = {}});
  spec.task_template.restart_policy.emplace();
  spec.update_config.emplace();
  swarm::Mount mount;
  mount.type = "bind";
  mount.source = "/tmp";
  mount.target = "/host";
  mount.consistency = "cached";
  mount.bind_options.emplace();
  spec.task_template.container.mounts.push_back(mount);
  spec.task_template.placement.emplace().constraints = {"node.labels.nowhere==true"};
  const auto id = this->created(this->engine().create_service(spec, {}));

  auto expected = spec;
  expected.mode.replicated.emplace().replicas = 1;
  expected.endpoint_spec->mode = "vip";
  expected.endpoint_spec->ports[0].protocol = "tcp";
  expected.endpoint_spec->ports[0].mode = "ingress";
  expected.task_template.runtime = "container";
  expected.task_template.container.isolation = "default";
  expected.task_template.container.mounts[0].consistency.clear();
  expected.task_template.container.mounts[0].bind_options.reset();
  expected.task_template.restart_policy->condition = "any";
  expected.task_template.restart_policy->max_attempts = 0;
  expected.update_config->failure_action = "pause";
  expected.update_config->order = "stop-first";
  const auto stored = this->live_service(spec.name);
  EXPECT_EQ(stored.id, id);
  EXPECT_TRUE(stored.spec == expected);
  EXPECT_TRUE(stored.spec.mode == expected.mode);
  EXPECT_TRUE(stored.spec.endpoint_spec == expected.endpoint_spec);
  EXPECT_TRUE(stored.spec.update_config == expected.update_config);
  EXPECT_TRUE(stored.spec.task_template.container == expected.task_template.container);
  EXPECT_TRUE(stored.spec.task_template.restart_policy == expected.task_template.restart_policy);
  EXPECT_FALSE(stored.has_previous_spec);
  EXPECT_EQ(stored.update.state, "");
  this->remove_service(id);
}

TYPED_TEST_P(EngineContract, AnUpdateMovesTheVersionAndKeepsThePreviousSpec) {
  auto spec = service(unique("svc"));
  const auto id = this->created(this->engine().create_service(spec, {}));
  const auto before = this->live_service(spec.name);
  spec.labels["team"] = "b";
  ASSERT_TRUE(this->engine().update_service(id, before.version, spec, {}));
  const auto after = this->live_service(spec.name);
  EXPECT_GT(after.version, before.version);
  EXPECT_TRUE(after.has_previous_spec);
  EXPECT_EQ(after.spec.labels.at("team"), "b");
  EXPECT_EQ(after.update.state, "");
  this->remove_service(id);
}

TYPED_TEST_P(EngineContract, AStaleVersionIsAConflictAndChangesNothing_D6_9_F133) {
  auto spec = service(unique("svc"));
  const auto id = this->created(this->engine().create_service(spec, {}));
  const auto first = this->live_service(spec.name).version;
  ASSERT_TRUE(this->engine().update_service(id, first, spec, {}));
  spec.labels["team"] = "b";
  EXPECT_TRUE(fails_as(ErrorKind::conflict,
                       "update out of sequence",
                       this->engine().update_service(id, first, spec, {})));
  EXPECT_EQ(this->live_service(spec.name).spec.labels.at("team"), "a");
  this->remove_service(id);
}

TYPED_TEST_P(EngineContract, ANameThatIsTakenIsAConflict) {
  const auto name = unique("taken");
  const auto service_id = this->created(this->engine().create_service(service(name), {}));
  const auto config_id = this->created(this->engine().create_config(config(name), {}));
  const auto secret_id = this->created(this->engine().create_secret(secret(name), {}));
  const auto network_id = this->created(this->engine().create_network(network(name), {}));
  EXPECT_TRUE(
      fails_as(ErrorKind::conflict, name, this->engine().create_service(service(name), {})));
  EXPECT_TRUE(fails_as(ErrorKind::conflict, name, this->engine().create_config(config(name), {})));
  EXPECT_TRUE(fails_as(ErrorKind::conflict, name, this->engine().create_secret(secret(name), {})));
  EXPECT_TRUE(
      fails_as(ErrorKind::conflict, name, this->engine().create_network(network(name), {})));
  this->remove_service(service_id);
  EXPECT_TRUE(this->engine().remove_config(config_id, {}));
  EXPECT_TRUE(this->engine().remove_secret(secret_id, {}));
  EXPECT_TRUE(this->engine().remove_network(network_id, {}));
  const auto state = this->live();
  EXPECT_EQ(state.find_service(name), nullptr);
  EXPECT_EQ(state.find_config(name), nullptr);
  EXPECT_EQ(state.find_secret(name), nullptr);
  EXPECT_EQ(state.find_network(name), nullptr);
}

TYPED_TEST_P(EngineContract, AnotherModeIsRefused_D8_2) {
  auto spec = service(unique("svc"));
  const auto id = this->created(this->engine().create_service(spec, {}));
  spec.mode = {};
  spec.mode.global.emplace();
  EXPECT_TRUE(
      fails_as(ErrorKind::invalid_input,
               "service mode change is not allowed",
               this->engine().update_service(id, this->live_service(spec.name).version, spec, {})));
  this->remove_service(id);
}

TYPED_TEST_P(EngineContract, APublishedPortOfAnotherServiceIsRefused_D8_2) {
  auto spec = service(unique("svc"));
  spec.endpoint_spec.emplace().ports.push_back(
      {.name = {}, .protocol = "tcp", .target = 80, .published = 18080, .mode = "ingress"});
  const auto id = this->created(this->engine().create_service(spec, {}));
  auto second = spec;
  second.name = unique("svc");
  EXPECT_TRUE(fails_as(ErrorKind::invalid_input,
                       "port '18080' is already in use by service '" + spec.name + "'",
                       this->engine().create_service(second, {})));
  this->remove_service(id);
  const auto second_id = this->created(this->engine().create_service(second, {}));
  this->remove_service(second_id);
}

TYPED_TEST_P(EngineContract, WhatTheEngineDoesNotAcceptIsInvalidInput_D5_5_D8_1) {
  EXPECT_TRUE(fails_as(ErrorKind::invalid_input,
                       "DNS name component",
                       this->engine().create_service(service("a.b"), {})));
  EXPECT_TRUE(fails_as(ErrorKind::invalid_input,
                       "config data must be larger than 0",
                       this->engine().create_config(config(unique("c"), ""), {})));
  EXPECT_TRUE(
      fails_as(ErrorKind::invalid_input,
               "secret data must be larger than 0",
               this->engine().create_secret(secret(unique("s"), std::string(512'000, 'x')), {})));
  EXPECT_TRUE(fails_as(
      ErrorKind::invalid_input, "invalid name", this->engine().create_secret(secret("-s"), {})));
}

TYPED_TEST_P(EngineContract, AConfigTakesChangesOfItsLabelsOnly_D5_2) {
  auto spec = config(unique("conf"), std::string("raw\0bytes\n", 10));
  const auto id = this->created(this->engine().create_config(spec, {}));
  const auto before = *this->live().find_config(spec.name);
  EXPECT_EQ(before.id, id);
  EXPECT_EQ(before.data_size, 10U);
  spec.labels = {{"team", "b"}, {"more", ""}};
  ASSERT_TRUE(this->engine().update_config(id, before.version, spec, {}));
  const auto after = *this->live().find_config(spec.name);
  EXPECT_EQ(after.labels, spec.labels);
  EXPECT_EQ(after.data_sha256, before.data_sha256);
  EXPECT_TRUE(fails_as(ErrorKind::conflict,
                       "update out of sequence",
                       this->engine().update_config(id, before.version, spec, {})));
  spec.data = "other";
  EXPECT_TRUE(fails_as(ErrorKind::invalid_input,
                       "only updates to Labels are allowed",
                       this->engine().update_config(id, after.version, spec, {})));
  EXPECT_TRUE(this->engine().remove_config(id, {}));
}

TYPED_TEST_P(EngineContract, ASecretTakesChangesOfItsLabelsOnly_D5_2) {
  auto spec = secret(unique("sec"));
  const auto id = this->created(this->engine().create_secret(spec, {}));
  const auto before = *this->live().find_secret(spec.name);
  spec.labels = {{"team", "b"}};
  ASSERT_TRUE(this->engine().update_secret(id, before.version, spec, {}));
  const auto after = *this->live().find_secret(spec.name);
  EXPECT_EQ(after.labels, spec.labels);
  spec.data = Secret("other");
  EXPECT_TRUE(fails_as(ErrorKind::invalid_input,
                       "only updates to Labels are allowed",
                       this->engine().update_secret(id, after.version, spec, {})));
  EXPECT_TRUE(this->engine().remove_secret(id, {}));
}

TYPED_TEST_P(EngineContract, SecretHoldsTellsTheSameFromAnotherWithoutAWrite) {
  const auto spec = secret(unique("sec"));
  const auto id = this->created(this->engine().create_secret(spec, {}));
  const auto before = *this->live().find_secret(spec.name);
  auto relabelled = spec;
  relabelled.labels = {{"other", "label"}};
  auto other = spec;
  other.data = Secret("something else");
  const auto same = this->engine().secret_holds(id, spec, {});
  ASSERT_TRUE(same) << to_string(same.error());
  EXPECT_EQ(*same, diff::SecretAnswer::same);
  const auto still_same = this->engine().secret_holds(id, relabelled, {});
  ASSERT_TRUE(still_same);
  EXPECT_EQ(*still_same, diff::SecretAnswer::same);
  const auto different = this->engine().secret_holds(id, other, {});
  ASSERT_TRUE(different) << to_string(different.error());
  EXPECT_EQ(*different, diff::SecretAnswer::different);
  EXPECT_TRUE(*this->live().find_secret(spec.name) == before);
  EXPECT_TRUE(this->engine().remove_secret(id, {}));
}

TYPED_TEST_P(EngineContract, WhatAServiceUsesIsNotRemoved) {
  const auto name = unique("used");
  const auto config_id = this->created(this->engine().create_config(config(name), {}));
  const auto secret_id = this->created(this->engine().create_secret(secret(name), {}));
  const auto network_id = this->created(this->engine().create_network(network(name), {}));
  auto spec = service(name);
  const swarm::ReferenceFile file{.name = name, .uid = "0", .gid = "0", .mode = 0444};
  spec.task_template.container.configs = {
      {.file = file, .runtime = {}, .config_id = config_id, .config_name = name}};
  spec.task_template.container.secrets = {
      {.file = file, .secret_id = secret_id, .secret_name = name}};
  spec.task_template.networks = {{.target = name, .aliases = {"web"}, .driver_opts = {}}};
  const auto id = this->created(this->engine().create_service(spec, {}));

  const auto stored = this->live_service(name);
  EXPECT_TRUE(stored.spec.task_template.networks == spec.task_template.networks);
  EXPECT_TRUE(stored.spec.task_template.container.configs == spec.task_template.container.configs);
  EXPECT_TRUE(
      fails_as(ErrorKind::unavailable, "in use", this->engine().remove_config(config_id, {})));
  EXPECT_TRUE(
      fails_as(ErrorKind::unavailable, "in use", this->engine().remove_secret(secret_id, {})));
  EXPECT_TRUE(
      fails_as(ErrorKind::unavailable, "in use", this->engine().remove_network(network_id, {})));

  // References of the previous spec alone do not keep an object from being removed.
  auto without = spec;
  without.task_template.container.configs.clear();
  without.task_template.container.secrets.clear();
  this->update(without);
  const auto previous = this->live_service(name).previous_references;
  EXPECT_NE(std::find(previous.begin(), previous.end(), config_id), previous.end());
  EXPECT_NE(std::find(previous.begin(), previous.end(), secret_id), previous.end());
  EXPECT_TRUE(this->engine().remove_config(config_id, {}));
  EXPECT_TRUE(this->engine().remove_secret(secret_id, {}));
  this->remove_service(id);
  EXPECT_TRUE(
      eventually([&] { return this->engine().remove_network(network_id, {}).has_value(); }));
}

TYPED_TEST_P(EngineContract, RemovingWhatIsGoneSucceedsAndWritingToItIsAConflict) {
  auto spec = service(unique("svc"));
  const auto id = this->created(this->engine().create_service(spec, {}));
  const auto version = this->live_service(spec.name).version;
  this->remove_service(id);
  this->remove_service(id);
  EXPECT_TRUE(this->engine().remove_config("no-such-config", {}));
  EXPECT_TRUE(this->engine().remove_secret("no-such-secret", {}));
  EXPECT_TRUE(this->engine().remove_network("no-such-network", {}));
  EXPECT_TRUE(fails_as(
      ErrorKind::conflict, "not found", this->engine().update_service(id, version, spec, {})));
  EXPECT_TRUE(fails_as(ErrorKind::conflict,
                       "not found",
                       this->engine().update_config("no-such", 1, config("x"), {})));
  EXPECT_TRUE(fails_as(
      ErrorKind::conflict, "not found", this->engine().secret_holds("no-such", secret("x"), {})));
}

TYPED_TEST_P(EngineContract, AServiceWhoseNetworkOrSecretIsMissingIsNotCreated) {
  auto spec = service(unique("svc"));
  spec.task_template.networks = {{.target = "no-such-network", .aliases = {}, .driver_opts = {}}};
  EXPECT_TRUE(fails_as(
      ErrorKind::conflict, "no-such-network not found", this->engine().create_service(spec, {})));
  spec.task_template.networks.clear();
  spec.task_template.container.secrets = {
      {.file = swarm::ReferenceFile{.name = "s", .uid = "0", .gid = "0", .mode = 0444},
       .secret_id = "no-such-id",
       .secret_name = "s"}};
  EXPECT_TRUE(fails_as(
      ErrorKind::invalid_input, "secret not found", this->engine().create_service(spec, {})));
}

TYPED_TEST_P(EngineContract, ConfigDataIsFoundByItsExactNameOnly_D1_3) {
  const auto spec = config(unique("state"), std::string("line\n\0end", 9));
  const auto id = this->created(this->engine().create_config(spec, {}));
  const auto data = this->engine().config_data(spec.name, {});
  ASSERT_TRUE(data) << to_string(data.error());
  EXPECT_EQ(*data, spec.data);
  const auto by_id = this->engine().config_data(id, {});
  ASSERT_TRUE(by_id);
  EXPECT_EQ(*by_id, std::nullopt);
  const auto none = this->engine().config_data("no-such", {});
  ASSERT_TRUE(none);
  EXPECT_EQ(*none, std::nullopt);
  EXPECT_TRUE(this->engine().remove_config(id, {}));
}

TYPED_TEST_P(EngineContract, ANetworkReadsBackWithWhatTheEngineAdds_E3_28) {
  auto spec = network(unique("net"));
  spec.attachable = true;
  const auto id = this->created(this->engine().create_network(spec, {}));
  // For a moment a new network reads back without driver and subnet.
  EXPECT_TRUE(eventually([&] {
    const auto now = this->live();
    const auto* found = now.find_network(spec.name);
    return found != nullptr && !found->spec.driver.empty();
  }));
  const auto state = this->live();
  const auto* stored = state.find_network(spec.name);
  ASSERT_NE(stored, nullptr);
  EXPECT_EQ(stored->id, id);
  EXPECT_EQ(stored->scope, "swarm");
  EXPECT_FALSE(stored->ingress);
  EXPECT_EQ(stored->spec.driver, "overlay");
  EXPECT_TRUE(stored->spec.attachable);
  EXPECT_FALSE(stored->spec.internal);
  EXPECT_EQ(stored->spec.labels, spec.labels);
  EXPECT_EQ(stored->spec.options.count("com.docker.network.driver.overlay.vxlanid_list"), 1U);
  ASSERT_TRUE(stored->spec.ipam);
  EXPECT_EQ(stored->spec.ipam->driver, "default");
  EXPECT_EQ(stored->spec.ipam->config.size(), 1U);
  const auto* ingress = state.find_network("ingress");
  ASSERT_NE(ingress, nullptr);
  EXPECT_TRUE(ingress->ingress);
  const auto* host = state.find_network("host");
  ASSERT_NE(host, nullptr);
  EXPECT_EQ(host->scope, "local");
  EXPECT_TRUE(this->engine().remove_network(id, {}));
}

TYPED_TEST_P(EngineContract, NodeLabelsAreSetAndTheRestStays) {
  auto node = this->live().nodes.at(0);
  const auto before = node;
  node.labels = {{"appserver", "true"}, {"empty", ""}};
  ASSERT_TRUE(this->engine().update_node(node, {}));
  const auto after = this->live().nodes.at(0);
  EXPECT_EQ(after.labels, node.labels);
  EXPECT_EQ(after.role, before.role);
  EXPECT_EQ(after.availability, before.availability);
  EXPECT_EQ(after.name, before.name);
  EXPECT_TRUE(fails_as(
      ErrorKind::conflict, "update out of sequence", this->engine().update_node(node, {})));
  auto back = after;
  back.labels = before.labels;
  EXPECT_TRUE(this->engine().update_node(back, {}));
}

TYPED_TEST_P(EngineContract, TasksRunUntilAsManyAsDesiredDo) {
  auto spec = service(unique("svc"), 2);
  const auto id = this->created(this->engine().create_service(spec, {}));
  ASSERT_TRUE(eventually([&] { return this->live_service(spec.name).running_tasks == 2; }));
  EXPECT_EQ(this->live_service(spec.name).desired_tasks, 2U);
  const auto tasks = this->engine().tasks({id}, {});
  ASSERT_TRUE(tasks) << to_string(tasks.error());
  ASSERT_EQ(tasks->size(), 2U);
  for (const auto& task : *tasks) {
    EXPECT_EQ(task.service_id, id);
    EXPECT_EQ(task.desired_state, "running");
    EXPECT_EQ(task.state, "running");
    EXPECT_EQ(task.error, "");
    EXPECT_EQ(task.image, kImage);
  }
  spec.task_template.container.env = {"A=1"};
  spec.update_config.emplace().parallelism = 0;
  this->update(spec);
  EXPECT_TRUE(
      eventually([&] { return this->live_service(spec.name).update.state == "completed"; }));
  this->remove_service(id);
  const auto gone = this->engine().tasks({id}, {});
  ASSERT_TRUE(gone) << to_string(gone.error());
  EXPECT_TRUE(gone->empty());
}

TYPED_TEST_P(EngineContract, AJobCompletes) {
  auto spec = service(unique("job"));
  spec.mode = {};
  spec.mode.replicated_job.emplace().max_concurrent = 2;
  spec.mode.replicated_job->total_completions = 3;
  spec.task_template.container.args = {"true"};
  spec.task_template.restart_policy.emplace().condition = "none";
  const auto id = this->created(this->engine().create_service(spec, {}));
  EXPECT_TRUE(eventually([&] { return this->live_service(spec.name).completed_tasks == 3; }));
  const auto done = this->live_service(spec.name);
  EXPECT_EQ(done.running_tasks, 0U);
  EXPECT_EQ(done.desired_tasks, 2U);
  this->remove_service(id);
}

/// Follows events in a thread of its own until it goes.
class Follower {
 public:
  explicit Follower(ports::Engine& engine) {
    thread_ = std::jthread([this, &engine](std::stop_token stop) {
      auto result = engine.follow_events(
          [this](const ports::EngineEvent& event) {
            const std::lock_guard lock(mutex_);
            events_.push_back(event);
            changed_.notify_all();
          },
          [this] {
            const std::lock_guard lock(mutex_);
            open_ = true;
            changed_.notify_all();
          },
          stop);
      const std::lock_guard lock(mutex_);
      result_ = std::move(result);
      ended_ = true;
      changed_.notify_all();
    });
  }
  bool wait_open() {
    return wait([this] { return open_; });
  }
  bool wait_for(const std::string& type, const std::string& action, const swarm::ObjectId& id) {
    return wait([&] {
      return std::any_of(events_.begin(), events_.end(), [&](const auto& event) {
        return event.type == type && event.action == action && event.id == id;
      });
    });
  }
  /// Asks it to stop; how long that took.
  std::chrono::milliseconds stop() {
    const auto started = std::chrono::steady_clock::now();
    thread_.request_stop();
    EXPECT_TRUE(wait([this] { return ended_; }));
    return std::chrono::duration_cast<std::chrono::milliseconds>(std::chrono::steady_clock::now() -
                                                                 started);
  }
  Result<void> result() {
    const std::lock_guard lock(mutex_);
    return result_;
  }
  std::vector<ports::EngineEvent> events() {
    const std::lock_guard lock(mutex_);
    return events_;
  }

 private:
  template <typename Holds>
  bool wait(Holds holds) {
    std::unique_lock lock(mutex_);
    return changed_.wait_for(lock, std::chrono::seconds(10), holds);
  }
  std::mutex mutex_;
  std::condition_variable changed_;
  std::vector<ports::EngineEvent> events_;
  bool open_ = false, ended_ = false;
  Result<void> result_;
  std::jthread thread_;
};

TYPED_TEST_P(EngineContract, FollowersHearOfEveryWriteAndStopWithinASecond) {
  Follower follower(this->engine());
  ASSERT_TRUE(follower.wait_open());
  const auto name = unique("event");
  const auto config_id = this->created(this->engine().create_config(config(name), {}));
  const auto secret_id = this->created(this->engine().create_secret(secret(name), {}));
  const auto network_id = this->created(this->engine().create_network(network(name), {}));
  const auto service_id = this->created(this->engine().create_service(service(name), {}));
  this->update(service(name));
  this->remove_service(service_id);
  ASSERT_TRUE(this->engine().remove_config(config_id, {}));
  ASSERT_TRUE(this->engine().remove_secret(secret_id, {}));
  ASSERT_TRUE(this->engine().remove_network(network_id, {}));
  EXPECT_TRUE(follower.wait_for("config", "create", config_id));
  EXPECT_TRUE(follower.wait_for("secret", "create", secret_id));
  EXPECT_TRUE(follower.wait_for("network", "create", network_id));
  EXPECT_TRUE(follower.wait_for("service", "create", service_id));
  EXPECT_TRUE(follower.wait_for("service", "update", service_id));
  EXPECT_TRUE(follower.wait_for("service", "remove", service_id));
  EXPECT_TRUE(follower.wait_for("config", "remove", config_id));
  EXPECT_TRUE(follower.wait_for("secret", "remove", secret_id));
  EXPECT_TRUE(follower.wait_for("network", "remove", network_id));
  for (const auto& event : follower.events()) {
    if (event.id == service_id) {
      EXPECT_EQ(event.name, name);
    }
  }
  EXPECT_LT(follower.stop(), std::chrono::seconds(1));
  EXPECT_TRUE(fails_as(ErrorKind::cancelled, "", follower.result()));
}

TYPED_TEST_P(EngineContract, AStoppedCallIsCancelled) {
  std::stop_source stopped;
  stopped.request_stop();
  EXPECT_TRUE(fails_as(ErrorKind::cancelled, "", this->engine().observe(stopped.get_token())));
  EXPECT_TRUE(fails_as(ErrorKind::cancelled, "", this->engine().info(stopped.get_token())));
  const auto name = unique("never");
  EXPECT_TRUE(fails_as(
      ErrorKind::cancelled, "", this->engine().create_service(service(name), stopped.get_token())));
  EXPECT_EQ(this->live().find_service(name), nullptr);
}

REGISTER_TYPED_TEST_SUITE_P(EngineContract,
                            ASwarmManagerSaysThatItIsOne,
                            ANewServiceReadsBackWithTheDefaultsThatTheEngineFillsIn_E3,
                            AnUpdateMovesTheVersionAndKeepsThePreviousSpec,
                            AStaleVersionIsAConflictAndChangesNothing_D6_9_F133,
                            ANameThatIsTakenIsAConflict,
                            AnotherModeIsRefused_D8_2,
                            APublishedPortOfAnotherServiceIsRefused_D8_2,
                            WhatTheEngineDoesNotAcceptIsInvalidInput_D5_5_D8_1,
                            AConfigTakesChangesOfItsLabelsOnly_D5_2,
                            ASecretTakesChangesOfItsLabelsOnly_D5_2,
                            SecretHoldsTellsTheSameFromAnotherWithoutAWrite,
                            WhatAServiceUsesIsNotRemoved,
                            RemovingWhatIsGoneSucceedsAndWritingToItIsAConflict,
                            AServiceWhoseNetworkOrSecretIsMissingIsNotCreated,
                            ConfigDataIsFoundByItsExactNameOnly_D1_3,
                            ANetworkReadsBackWithWhatTheEngineAdds_E3_28,
                            NodeLabelsAreSetAndTheRestStays,
                            TasksRunUntilAsManyAsDesiredDo,
                            AJobCompletes,
                            FollowersHearOfEveryWriteAndStopWithinASecond,
                            AStoppedCallIsCancelled);

}  // namespace skep::engine_contract
