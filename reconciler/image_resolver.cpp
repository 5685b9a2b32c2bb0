#include "reconciler/image_resolver.hpp"

#include <algorithm>

#include "swarm/image_ref.hpp"

namespace skep::reconciler {
namespace {

using namespace std::chrono_literals;

constexpr int kWorkers = 4;
constexpr auto kFirstRegistryRetry = 30s;
constexpr auto kLongestRegistryRetry = 30min;
constexpr std::size_t kMostAnswers =
    4096;  // Many times the images of a swarm; then the memory starts anew.

std::chrono::milliseconds patience_after(unsigned failures) {
  const auto doublings = std::min(failures - 1, 10U);
  return std::min<std::chrono::milliseconds>(kFirstRegistryRetry * (1U << doublings),
                                             kLongestRegistryRetry);
}

}  // namespace

ImageResolver::ImageResolver(ports::Engine& engine,
                             const Clock& clock,
                             std::function<void()> on_answer)
    : engine_(engine), clock_(clock), on_answer_(std::move(on_answer)) {
  for (int i = 0; i < kWorkers; ++i)
    workers_.emplace_back([this](std::stop_token stop) { work(std::move(stop)); });
}

ImageResolver::~ImageResolver() {
  for (auto& worker : workers_) worker.request_stop();
}

std::optional<ImageResolver::Answer> ImageResolver::resolve(const std::string& image,
                                                            std::chrono::milliseconds max_age,
                                                            Stale stale) {
  const std::lock_guard lock(mutex_);
  if (stale == Stale::used && followed_.size() < kMostAnswers) followed_.insert(image);
  const auto at = answers_.find(image);
  const bool known = at != answers_.end();
  const bool failed = known && at->second.failures > 0;
  const auto keeps = failed ? patience_after(at->second.failures) : max_age;
  const bool outdated = known && at->second.outdated;
  if (known && !outdated && clock_.steady() - at->second.at <= keeps) return at->second;
  if (asked_.insert(image).second) {
    queue_.push_back(image);
    wake_.notify_one();
  }
  if (known && (failed || stale == Stale::used)) return at->second;
  return std::nullopt;
}

bool ImageResolver::look_again(std::string_view repository, std::string_view tag) {
  const std::lock_guard lock(mutex_);
  bool found = false;
  for (const auto& image : followed_) {
    const auto name = swarm::ImageRef::parse(image);
    if (!name || name->path != repository || !name->digest.empty()) continue;
    if ((name->tag.empty() ? "latest" : name->tag) != tag) continue;
    found = true;
    if (const auto at = answers_.find(image); at != answers_.end()) at->second.outdated = true;
    // What is on its way may be older than the push.
    if (asked_.contains(image)) again_.insert(image);
  }
  return found;
}

void ImageResolver::forgive() {
  const std::lock_guard lock(mutex_);
  std::erase_if(answers_, [](const auto& entry) { return entry.second.failures > 0; });
}

void ImageResolver::work(std::stop_token stop) {
  while (true) {
    std::string image;
    {
      std::unique_lock lock(mutex_);
      if (!wake_.wait(lock, stop, [this] { return !queue_.empty(); })) return;
      image = std::move(queue_.front());
      queue_.pop_front();
    }
    auto result = engine_.resolve_image(image, stop);
    if (stop.stop_requested()) return;
    {
      const std::lock_guard lock(mutex_);
      if (answers_.size() >= kMostAnswers) answers_.clear();
      auto& answer = answers_[image];
      answer.at = clock_.steady();
      answer.failures = result ? 0 : answer.failures + 1;
      answer.image = result ? std::optional(*result) : std::nullopt;
      answer.error = result ? std::string() : result.error().message;
      asked_.erase(image);
      answer.outdated = again_.erase(image) > 0;
    }
    on_answer_();
  }
}

}  // namespace skep::reconciler
