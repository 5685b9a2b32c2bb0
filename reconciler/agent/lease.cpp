#include "reconciler/agent/lease.hpp"

#include <time.h>

#include "core/digest.hpp"
#include "core/logfmt.hpp"
#include "swarm/labels.hpp"

namespace skep::reconciler {
namespace {

using std::chrono::nanoseconds;

constexpr std::string_view kHolderLabel = "io.skep.lease.holder";
constexpr std::string_view kTokenLabel = "io.skep.lease.token";
constexpr std::string_view kRenewalsLabel = "io.skep.lease.renewals";
constexpr std::string_view kLeaseData =
    "Which skep agent is active stands in the labels of this object.\n";
constexpr std::size_t kTokenBytes = 8;
constexpr auto kAgain = std::chrono::seconds(1);  ///< After a failure, and after a lost race.

std::string label(const swarm::LiveConfig& config, std::string_view name) {
  const auto at = config.labels.find(std::string(name));
  return at == config.labels.end() ? std::string() : at->second;
}

}  // namespace

nanoseconds boot_time() {
  timespec now{};
  ::clock_gettime(CLOCK_BOOTTIME, &now);
  return std::chrono::seconds(now.tv_sec) + nanoseconds(now.tv_nsec);
}

Lease::Lease(ports::Engine& engine, spdlog::logger& log, LeaseOptions options)
    : engine_(engine),
      log_(log),
      options_(std::move(options)),
      config_name_("skep-" + options_.instance + "-lease"),
      token_(to_hex(random_bytes(kTokenBytes))) {}

bool Lease::held() const { return options_.clock().count() < deadline_.load(); }

std::string Lease::holder() const {
  const std::lock_guard lock(mutex_);
  return holder_;
}

swarm::ConfigSpec Lease::spec(const std::string& token) const {
  swarm::ConfigSpec spec;
  spec.name = config_name_;
  spec.data = kLeaseData;
  spec.labels[std::string(swarm::kInstanceLabel)] = options_.instance;
  spec.labels[std::string(kHolderLabel)] = options_.holder;
  spec.labels[std::string(kTokenLabel)] = token;
  spec.labels[std::string(kRenewalsLabel)] = std::to_string(renewals_);
  return spec;
}

void Lease::hold_from(nanoseconds started) {
  // It ends for its holder before anybody else may think so: a write takes a while, and one clock
  // runs a little faster than another.
  const auto margin = options_.expiry / 6;
  deadline_ = (started + options_.expiry - margin).count();
  renewed_ = started;
  ++renewals_;
  if (!active_) log_.info(logfmt("this agent is active now", {{"lease", config_name_}}));
  active_ = true;
  const std::lock_guard lock(mutex_);
  holder_ = options_.holder;
}

void Lease::lose(const std::string& why) {
  deadline_ = 0;
  renewed_.reset();
  if (active_) log_.warn(logfmt("this agent is not active any more", {{"reason", why}}));
  active_ = false;
}

std::chrono::milliseconds Lease::tick(std::stop_token stop) {
  const auto now = options_.clock();
  if (active_ && !held()) lose("its lease ran out");
  if (renewed_ && now - *renewed_ < options_.renewal) {
    return std::chrono::ceil<std::chrono::milliseconds>(*renewed_ + options_.renewal - now);
  }
  auto found = engine_.find_config(config_name_, stop);
  if (!found) return kAgain;
  const bool ours = *found && label(**found, kTokenLabel) == token_;
  if (active_ && !ours) lose(*found ? "another agent took over" : "its lease was removed");
  if (*found) {
    const std::lock_guard lock(mutex_);
    holder_ = label(**found, kTokenLabel).empty() ? "" : label(**found, kHolderLabel);
  }
  if (*found && !ours && !label(**found, kTokenLabel).empty()) {
    const auto& object = **found;
    // Counted from the answer, not from the question: it may have taken long, and be fresh.
    const auto answered = options_.clock();
    if (!seen_ || seen_->id != object.id || seen_->version != object.version)
      seen_ = Seen{object.id, object.version, answered};
    const auto left =
        std::chrono::ceil<std::chrono::milliseconds>(seen_->since + options_.expiry - answered);
    if (left > std::chrono::milliseconds::zero()) return std::min(options_.look, left);
  }
  take(*found, std::move(stop));
  return active_ ? std::min<std::chrono::milliseconds>(options_.renewal, kAgain) : kAgain;
}

void Lease::take(const std::optional<swarm::LiveConfig>& found, std::stop_token stop) {
  const auto started = options_.clock();
  if (!found) {
    if (engine_.create_config(spec(token_), stop)) hold_from(started);
    return;  // Lost the race, or could not ask: the next look tells.
  }
  const auto written = engine_.update_config(found->id, found->version, spec(token_), stop);
  if (written) {
    hold_from(started);
  } else if (written.error().kind == ErrorKind::conflict) {
    seen_.reset();
  }
}

void Lease::release(std::stop_token stop) {
  if (!active_) return;
  deadline_ = 0;
  const auto found = engine_.find_config(config_name_, stop);
  if (!found || !*found || label(**found, kTokenLabel) != token_) return;
  (void)engine_.update_config((*found)->id, (*found)->version, spec(""), std::move(stop));
  active_ = false;
}

std::optional<Error> LeasedEngine::refused() const {
  if (lease_.held()) return std::nullopt;
  return Error{ErrorKind::cancelled,
               "this agent is not the active one; nothing is written until it is"};
}

Result<ports::Written> LeasedEngine::create_network(const swarm::NetworkSpec& spec,
                                                    std::stop_token stop) {
  if (auto error = refused()) return *std::move(error);
  return ForwardingEngine::create_network(spec, std::move(stop));
}
Result<void> LeasedEngine::remove_network(const swarm::ObjectId& id, std::stop_token stop) {
  if (auto error = refused()) return *std::move(error);
  return ForwardingEngine::remove_network(id, std::move(stop));
}
Result<ports::Written> LeasedEngine::create_config(const swarm::ConfigSpec& spec,
                                                   std::stop_token stop) {
  if (auto error = refused()) return *std::move(error);
  return ForwardingEngine::create_config(spec, std::move(stop));
}
Result<void> LeasedEngine::update_config(const swarm::ObjectId& id,
                                         swarm::ObjectVersion version,
                                         const swarm::ConfigSpec& spec,
                                         std::stop_token stop) {
  if (auto error = refused()) return *std::move(error);
  return ForwardingEngine::update_config(id, version, spec, std::move(stop));
}
Result<void> LeasedEngine::remove_config(const swarm::ObjectId& id, std::stop_token stop) {
  if (auto error = refused()) return *std::move(error);
  return ForwardingEngine::remove_config(id, std::move(stop));
}
Result<ports::Written> LeasedEngine::create_secret(const swarm::SecretSpec& spec,
                                                   std::stop_token stop) {
  if (auto error = refused()) return *std::move(error);
  return ForwardingEngine::create_secret(spec, std::move(stop));
}
Result<void> LeasedEngine::update_secret(const swarm::ObjectId& id,
                                         swarm::ObjectVersion version,
                                         const swarm::SecretSpec& spec,
                                         std::stop_token stop) {
  if (auto error = refused()) return *std::move(error);
  return ForwardingEngine::update_secret(id, version, spec, std::move(stop));
}
Result<void> LeasedEngine::remove_secret(const swarm::ObjectId& id, std::stop_token stop) {
  if (auto error = refused()) return *std::move(error);
  return ForwardingEngine::remove_secret(id, std::move(stop));
}
Result<ports::Written> LeasedEngine::create_service(const swarm::ServiceSpec& spec,
                                                    std::stop_token stop) {
  if (auto error = refused()) return *std::move(error);
  return ForwardingEngine::create_service(spec, std::move(stop));
}
Result<ports::Written> LeasedEngine::update_service(const swarm::ObjectId& id,
                                                    swarm::ObjectVersion version,
                                                    const swarm::ServiceSpec& spec,
                                                    std::stop_token stop) {
  if (auto error = refused()) return *std::move(error);
  return ForwardingEngine::update_service(id, version, spec, std::move(stop));
}
Result<void> LeasedEngine::remove_service(const swarm::ObjectId& id, std::stop_token stop) {
  if (auto error = refused()) return *std::move(error);
  return ForwardingEngine::remove_service(id, std::move(stop));
}
Result<void> LeasedEngine::update_node(const swarm::LiveNode& node, std::stop_token stop) {
  if (auto error = refused()) return *std::move(error);
  return ForwardingEngine::update_node(node, std::move(stop));
}

}  // namespace skep::reconciler
