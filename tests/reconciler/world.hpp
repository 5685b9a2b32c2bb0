#pragma once

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include <gtest/gtest.h>
#include <spdlog/logger.h>

#include "reconciler/reconciler.hpp"
#include "tests/fakes/fake_engine.hpp"
#include "tests/fakes/memory_repository.hpp"

namespace skep::tests {

/// The state object of an agent with no `--instance`.
inline const std::string kState = "skep-default-state";

/// A clock that only moves when it is told to.
class ManualClock final : public Clock {
 public:
  [[nodiscard]] WallTime now() const override {
    return WallTime(std::chrono::milliseconds(1'700'000'000'000) + elapsed_ + set_by_);
  }
  [[nodiscard]] SteadyTime steady() const override {
    return SteadyTime(std::chrono::hours(1) + elapsed_);
  }
  bool sleep_for(std::chrono::milliseconds /*duration*/, std::stop_token /*stop*/) const override {
    return true;
  }
  void advance(std::chrono::milliseconds by) { elapsed_ += by; }
  /// Somebody sets the day's clock; no time passes.
  void set_the_day(std::chrono::milliseconds by) { set_by_ += by; }

 private:
  std::chrono::milliseconds elapsed_{0}, set_by_{0};
};

/// Keeps what it is told of operations.
class Operations final : public ports::Observer {
 public:
  void synced(const ports::SyncReport& report) override { reports.push_back(report); }
  std::vector<ports::SyncReport> reports;
};

/// A swarm that behaves, a repository in memory, and a reconciler between them.
class World {
 public:
  explicit World(std::string instance = "default") : instance_(std::move(instance)) {
    restart_agent();
    files["skep.yaml"] = "defaults: { resolve_image: never }\n";
  }

  /// As after `kill -9`: everything that was only in memory is gone.
  void restart_agent() {
    options.digest = load.digest;
    options.instance = instance_;
    options.seed = 7;
    options.revision = [this](const std::string& commit, const std::string& stack) {
      return repository::stack_at(history, load, commit, stack);
    };
    auto& told = listener == nullptr ? observer : *listener;
    reconciler_ =
        std::make_unique<reconciler::Reconciler>(engine, told, clock, log_, options, [] {});
  }

  /// What stands in `files` now becomes the next commit.
  void commit() {
    ++commits_;
    const auto id = std::string(39, 'a') + std::to_string(commits_);
    const auto snapshot = std::make_shared<const MemorySnapshot>(files, id);
    history.commits[id] = snapshot;
    auto loaded = repository::load_desired_state(*snapshot, load, desired_ ? &*desired_ : nullptr);
    ASSERT_TRUE(loaded) << loaded.error().message;
    desired_ = *std::move(loaded);
  }

  /// Turns until nothing goes on by itself. The last turn, or nothing where the swarm could not be
  /// read.
  std::optional<reconciler::Turn> settle() {
    std::optional<reconciler::Turn> last;
    for (int i = 0; i < 2000; ++i) {
      auto turn = reconciler_->turn(*desired_, {});
      if (!turn) {
        error = turn.error().message;
        return std::nullopt;
      }
      last = *std::move(turn);
      if (!last->wrote && !last->moving) return last;
      clock.advance(std::chrono::milliseconds(500));
    }
    ADD_FAILURE() << "it never settles";
    return last;
  }

  [[nodiscard]] static const ports::StackStatus& status(const reconciler::Turn& turn,
                                                        const std::string& stack) {
    for (const auto& status : turn.stacks) {
      if (status.name == stack) return status;
    }
    static const ports::StackStatus kNone;
    ADD_FAILURE() << "no stack " << stack;
    return kNone;
  }

  reconciler::Reconciler& agent() { return *reconciler_; }
  [[nodiscard]] const repository::DesiredState& desired() const { return *desired_; }

  reconciler::ReconcilerOptions options;  ///< Of the next restart_agent().
  repository::LoadOptions load;           ///< Of the next commit(), its key of restart_agent().
  MemoryHistory history;
  fakes::FakeEngine engine;
  ports::Observer observer;
  ports::Observer* listener = nullptr;  ///< Is told instead, from the next restart_agent() on.
  ManualClock clock;
  std::map<std::string, std::string> files;
  std::string error;

 private:
  std::string instance_;
  spdlog::logger log_{"test"};
  std::unique_ptr<reconciler::Reconciler> reconciler_;
  std::optional<repository::DesiredState> desired_;
  int commits_ = 0;
};

/// A test on a world of its own.
class WorldTest : public testing::Test {
 protected:
  reconciler::Turn settle() {
    auto turn = world.settle();
    EXPECT_TRUE(turn) << world.error;
    return turn ? *turn : reconciler::Turn{};
  }
  reconciler::Turn push() {
    world.commit();
    return settle();
  }
  /// One turn, whatever it leaves to be done.
  reconciler::Turn turn() {
    auto turn = world.agent().turn(world.desired(), {});
    EXPECT_TRUE(turn);
    return turn ? *turn : reconciler::Turn{};
  }
  /// Turns until the rollout of a commit has reached the service, and no further.
  void turn_until(const std::string& service, const std::string& image) {
    for (int i = 0; i < 700 && image_of(service) != image; ++i) turn();
    ASSERT_EQ(image_of(service), image);
  }
  /// "" where there is no such service.
  std::string image_of(const std::string& service) {
    const auto state = world.engine.state();
    const auto* found = state.find_service(service);
    return found == nullptr ? "" : found->spec.task_template.container.image;
  }
  World world;
};

}  // namespace skep::tests
