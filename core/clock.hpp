#pragma once

#include <chrono>
#include <stop_token>
#include <string>

namespace skep {

using WallTime = std::chrono::sys_time<std::chrono::milliseconds>;
using SteadyTime = std::chrono::steady_clock::time_point;

/// Time and waiting, so that no test sleeps. Safe to call from several threads.
class Clock {
 public:
  virtual ~Clock() = default;

  /// For people and for what is stored.
  [[nodiscard]] virtual WallTime now() const = 0;
  /// For deadlines and durations; never jumps.
  [[nodiscard]] virtual SteadyTime steady() const = 0;
  /// Returns early, with false, when the token asks to stop.
  virtual bool sleep_for(std::chrono::milliseconds duration, std::stop_token stop) const = 0;
};

/// The machine's clocks.
class SystemClock final : public Clock {
 public:
  [[nodiscard]] WallTime now() const override;
  [[nodiscard]] SteadyTime steady() const override;
  bool sleep_for(std::chrono::milliseconds duration, std::stop_token stop) const override;
};

/// "2026-11-21T09:17:42Z".
[[nodiscard]] std::string to_rfc3339(WallTime time);

}  // namespace skep
