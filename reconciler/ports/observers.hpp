#pragma once

#include <utility>
#include <vector>

#include "reconciler/ports/observer.hpp"

namespace skep::ports {

/// Tells several observers the same, in their order. They outlive it.
class Observers final : public Observer {
 public:
  explicit Observers(std::vector<Observer*> all) : all_(std::move(all)) {}

  void fetched(const FetchReport& report) override {
    for (auto* one : all_) one->fetched(report);
  }
  void forbidden(const std::string& stack, std::string_view rule) override {
    for (auto* one : all_) one->forbidden(stack, rule);
  }
  void observed(bool ok) override {
    for (auto* one : all_) one->observed(ok);
  }
  void phase(std::string_view name, std::chrono::nanoseconds duration) override {
    for (auto* one : all_) one->phase(name, duration);
  }
  void wrote(const WriteReport& report) override {
    for (auto* one : all_) one->wrote(report);
  }
  void synced(const SyncReport& report) override {
    for (auto* one : all_) one->synced(report);
  }
  void noted(const Note& note) override {
    for (auto* one : all_) one->noted(note);
  }
  void revised(const RevisionReport& report) override {
    for (auto* one : all_) one->revised(report);
  }
  void task_failed(const TaskFailure& failure) override {
    for (auto* one : all_) one->task_failed(failure);
  }
  void inventoried(const Inventory& inventory) override {
    for (auto* one : all_) one->inventoried(inventory);
  }
  void connected(const EngineInfo& engine) override {
    for (auto* one : all_) one->connected(engine);
  }
  void events_opened() override {
    for (auto* one : all_) one->events_opened();
  }
  void heard(std::string_view type) override {
    for (auto* one : all_) one->heard(type);
  }
  void leading() override {
    for (auto* one : all_) one->leading();
  }
  void standing_by(bool docker_up) override {
    for (auto* one : all_) one->standing_by(docker_up);
  }
  void state_lost() override {
    for (auto* one : all_) one->state_lost();
  }
  void idle(bool docker_up) override {
    for (auto* one : all_) one->idle(docker_up);
  }
  void unreadable(const std::string& why) override {
    for (auto* one : all_) one->unreadable(why);
  }
  void status(const std::vector<StackStatus>& stacks) override {
    for (auto* one : all_) one->status(stacks);
  }

 private:
  const std::vector<Observer*> all_;
};

}  // namespace skep::ports
