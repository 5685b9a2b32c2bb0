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
#include <string_view>
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
    unsigned failures = 0;  ///< In a row.
    bool outdated = false;  ///< The registry said that there is something newer.
  };
  /// What becomes of a good answer that is older than it should be.
  enum class Stale {
    refused,  ///< Waited for a new one.
    used,     ///< Used until the new one is here.
  };

  /// `on_answer` is called from a thread of the resolver.
  ImageResolver(ports::Engine& engine, const Clock& clock, std::function<void()> on_answer);
  ~ImageResolver();
  ImageResolver(const ImageResolver&) = delete;
  ImageResolver& operator=(const ImageResolver&) = delete;

  /// What is known of an image, if it is not older than `max_age`; else it is asked, and nothing is
  /// returned until the answer is here. A registry that failed is asked again after 30 s, then
  /// after twice as long each time up to half an hour; its failure is the answer all the while.
  std::optional<Answer> resolve(const std::string& image,
                                std::chrono::milliseconds max_age,
                                Stale stale = Stale::refused);
  /// A registry says that a tag moved, by the names that it has for them: where an image is
  /// followed (Stale::used) under whatever address, it is asked at the next resolve(), also if it
  /// failed before or is being asked just now. Returns whether one is.
  bool look_again(std::string_view repository, std::string_view tag);
  /// Whoever failed may be asked at once: git changed, or a person wants it.
  void forgive();

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
  std::set<std::string> followed_;  ///< Images that were asked for with Stale::used.
  std::set<std::string> again_;     ///< Outdated while being asked.
  std::vector<std::jthread> workers_;
};

}  // namespace skep::reconciler
