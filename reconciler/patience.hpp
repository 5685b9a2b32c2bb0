#pragma once

#include <chrono>
#include <stop_token>
#include <thread>
#include <utility>

#include "core/clock.hpp"

namespace skep::reconciler {

/// Stops what is asked of the engine after a while, for somebody waits for the answer.
class Patience {
 public:
  /// `clock` outlives this. It is over with `stop` too.
  Patience(const Clock& clock, std::chrono::milliseconds time, std::stop_token stop = {})
      : over_(std::move(stop), Stop{source_}), timer_([this, &clock, time](std::stop_token done) {
          if (clock.sleep_for(time, std::move(done))) source_.request_stop();
        }) {}
  [[nodiscard]] std::stop_token token() const { return source_.get_token(); }

 private:
  struct Stop {
    std::stop_source& source;
    void operator()() const { source.request_stop(); }
  };
  std::stop_source source_;
  std::stop_callback<Stop> over_;
  std::jthread timer_;  ///< Last, so that it ends first.
};

}  // namespace skep::reconciler
