#pragma once

#include <chrono>
#include <cstddef>
#include <deque>
#include <map>
#include <mutex>
#include <set>
#include <string>
#include <vector>

#include "core/clock.hpp"

namespace skep::server {

/// The last deliveries that were dealt with. Bounded; after a restart nothing is remembered. Safe
/// from several threads.
class SeenDeliveries {
 public:
  explicit SeenDeliveries(std::size_t most = 4096) : most_(most) {}
  /// Takes note of all marks of one delivery (its id, its signature). False where one of them was
  /// there already.
  bool first_time(const std::vector<std::string>& marks);

 private:
  const std::size_t most_;
  std::mutex mutex_;             ///< Guards what follows.
  std::set<std::string> known_;  ///< Digests: ids are as long as a sender likes.
  std::deque<std::string> order_;
};

/// How often one source may call: a bucket of `burst` calls that fills by `per_second`. Sources are
/// forgotten when their bucket is full again; where there are too many at once, all that come new
/// share one. Safe from several threads.
class CallRate {
 public:
  CallRate(double burst, double per_second, std::size_t most_sources = 4096)
      : burst_(burst), per_second_(per_second), most_sources_(most_sources) {}
  bool allowed(const std::string& source, SteadyTime now);

 private:
  struct Bucket {
    double left = 0;
    SteadyTime at{};
  };
  void refill(Bucket& bucket, SteadyTime now) const;

  const double burst_, per_second_;
  const std::size_t most_sources_;
  std::mutex mutex_;  ///< Guards what follows.
  std::map<std::string, Bucket> buckets_;
};

/// Lets a sentence into the log once a minute for each subject, so that a flood fills no disk.
class SeldomSaid {
 public:
  bool due(const std::string& subject, SteadyTime now);

 private:
  std::mutex mutex_;  ///< Guards what follows.
  std::map<std::string, SteadyTime> said_;
};

}  // namespace skep::server
