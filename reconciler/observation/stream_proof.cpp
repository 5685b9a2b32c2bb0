#include "reconciler/observation/stream_proof.hpp"

#include <functional>
#include <string>

namespace skep::reconciler {
namespace {

class Mixer {
 public:
  void add(std::uint64_t value) {
    value_ ^= value + 0x9e3779b97f4a7c15ULL + (value_ << 6U) + (value_ >> 2U);
  }
  void add(const std::string& text) {
    add(static_cast<std::uint64_t>(std::hash<std::string>{}(text)));
  }
  [[nodiscard]] std::uint64_t value() const { return value_; }

 private:
  std::uint64_t value_ = 0;
};

}  // namespace

std::uint64_t fingerprint_of(const swarm::LiveState& live) {
  Mixer mixer;
  const auto versioned = [&](const auto& objects) {
    for (const auto& object : objects) {
      mixer.add(object.id);
      mixer.add(object.version);
    }
    mixer.add(objects.size());
  };
  versioned(live.services);
  versioned(live.configs);
  versioned(live.secrets);
  versioned(live.nodes);
  // Local networks are this engine's own business: their events have another scope.
  for (const auto& network : live.networks) {
    if (network.scope == "swarm") mixer.add(network.id);
  }
  return mixer.value();
}

std::uint64_t task_counts(const swarm::LiveState& live) {
  Mixer mixer;
  for (const auto& service : live.services) {
    mixer.add(service.id);
    mixer.add(service.running_tasks);
    mixer.add(service.completed_tasks);
  }
  return mixer.value();
}

void StreamProof::listed(std::uint64_t announced_before, std::uint64_t fingerprint) noexcept {
  last_ = Listing{announced_before, fingerprint};
}

bool StreamProof::contradicted_by(std::uint64_t fingerprint) const noexcept {
  return last_ && last_->fingerprint != fingerprint && last_->announced == announcements_;
}

}  // namespace skep::reconciler
