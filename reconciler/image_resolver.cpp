#include "reconciler/image_resolver.hpp"

namespace skep::reconciler {
namespace {

constexpr int kWorkers = 4;
constexpr std::size_t kMostAnswers =
    4096;  // Many times the images of a swarm; then the memory starts anew.

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
                                                            std::chrono::milliseconds max_age) {
  const std::lock_guard lock(mutex_);
  if (const auto at = answers_.find(image);
      at != answers_.end() && clock_.steady() - at->second.at <= max_age) {
    return at->second;
  }
  if (asked_.insert(image).second) {
    queue_.push_back(image);
    wake_.notify_one();
  }
  return std::nullopt;
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
      answer.image = result ? std::optional(*result) : std::nullopt;
      answer.error = result ? std::string() : result.error().message;
      asked_.erase(image);
    }
    on_answer_();
  }
}

}  // namespace skep::reconciler
