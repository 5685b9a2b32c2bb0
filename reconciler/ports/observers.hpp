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
