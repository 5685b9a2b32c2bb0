#include "server/webhook_memory.hpp"

#include <algorithm>

#include "core/digest.hpp"

namespace skep::server {

bool SeenDeliveries::first_time(const std::vector<std::string>& marks) {
  const std::lock_guard lock(mutex_);
  std::vector<std::string> digests;
  for (const auto& mark : marks) digests.push_back(sha256(mark));
  const bool seen = std::any_of(digests.begin(), digests.end(), [&](const std::string& digest) {
    return known_.contains(digest);
  });
  if (seen) return false;
  for (auto& digest : digests) {
    if (known_.insert(digest).second) order_.push_back(std::move(digest));
  }
  while (order_.size() > most_) {
    known_.erase(order_.front());
    order_.pop_front();
  }
  return true;
}

void CallRate::refill(Bucket& bucket, SteadyTime now) const {
  const auto passed = std::chrono::duration<double>(now - bucket.at).count();
  bucket.left = std::min(burst_, bucket.left + std::max(passed, 0.0) * per_second_);
  bucket.at = now;
}

bool CallRate::allowed(const std::string& source, SteadyTime now) {
  const std::lock_guard lock(mutex_);
  auto found = buckets_.find(source);
  if (found == buckets_.end() && buckets_.size() >= most_sources_) {
    for (auto at = buckets_.begin(); at != buckets_.end();) {
      refill(at->second, now);
      at = at->second.left >= burst_ ? buckets_.erase(at) : std::next(at);
    }
    if (buckets_.size() >= most_sources_)
      found = buckets_.try_emplace("", Bucket{burst_, now}).first;
  }
  if (found == buckets_.end()) found = buckets_.try_emplace(source, Bucket{burst_, now}).first;
  refill(found->second, now);
  if (found->second.left < 1) return false;
  found->second.left -= 1;
  return true;
}

bool SeldomSaid::due(const std::string& subject, SteadyTime now) {
  constexpr std::chrono::minutes kPause{1};
  const std::lock_guard lock(mutex_);
  const auto [at, first] = said_.try_emplace(subject, now);
  if (!first && now - at->second < kPause) return false;
  at->second = now;
  return true;
}

}  // namespace skep::server
