#pragma once

#include <chrono>
#include <condition_variable>
#include <deque>
#include <functional>
#include <map>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include "core/clock.hpp"
#include "diff/plan.hpp"
#include "reconciler/ports/engine.hpp"

namespace skep::reconciler {

/// Asks registries, through the engine, beside the loop: a registry that hangs holds up nobody but
/// the stacks that wait for its answer. Safe from several threads.
class ImageResolver {
 public:
  struct Answer {
    std::optional<diff::ResolvedImage> image;  ///< Nothing where the registry did not answer.
    std::string error;                         ///< Why not.
    SteadyTime at{};
  };

  /// `on_answer` is called from a thread of the resolver.
  ImageResolver(ports::Engine& engine, const Clock& clock, std::function<void()> on_answer);
  ~ImageResolver();
  ImageResolver(const ImageResolver&) = delete;
  ImageResolver& operator=(const ImageResolver&) = delete;

  /// What is known of an image, if it is not older than `max_age`; else it is asked, and nothing is
  /// returned until the answer is here.
  std::optional<Answer> resolve(const std::string& image, std::chrono::milliseconds max_age);

 private:
  void work(std::stop_token stop);

  ports::Engine& engine_;
  const Clock& clock_;
  std::function<void()> on_answer_;
  std::mutex mutex_;  ///< Guards what follows.
  std::condition_variable_any wake_;
  std::deque<std::string> queue_;
  std::set<std::string> asked_;  ///< Queued or being asked.
  std::map<std::string, Answer> answers_;
  std::vector<std::jthread> workers_;
};

}  // namespace skep::reconciler
