#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <functional>
#include <mutex>
#include <optional>
#include <stop_token>
#include <string>

#include <spdlog/logger.h>

#include "reconciler/ports/forwarding_engine.hpp"

namespace skep::reconciler {

/// Time since the machine was started, the time that it slept included: a holder that slept must
/// not believe that its lease still runs.
[[nodiscard]] std::chrono::nanoseconds boot_time();

struct LeaseOptions {
  std::string instance = "default";
  std::string holder;  ///< For people: the host's name.
  std::chrono::milliseconds renewal{10'000};
  std::chrono::milliseconds expiry{30'000};
  std::chrono::milliseconds look{2'000};  ///< Between two looks of one who waits.
  std::function<std::chrono::nanoseconds()> clock = boot_time;
};

/// Who of several agents of one instance is active (design §5, "One active agent"): a swarm config
/// `skep-INSTANCE-lease`, whose labels name the holder and count its renewals, changed only with
/// the version that was read. No two machines' clocks are compared: who waits takes over when the
/// object has not changed for as long as the lease lasts, by its own clock; who holds it stops
/// writing a while before that, counted from the beginning of its last renewal.
/// tick() is for one thread; the rest is safe from any.
class Lease {
 public:
  Lease(ports::Engine& engine, spdlog::logger& log, LeaseOptions options);

  /// Looks, and renews or takes over what is due. Returns how long to wait before the next one.
  std::chrono::milliseconds tick(std::stop_token stop);
  /// Gives the lease back, so that another one may take over at once.
  void release(std::stop_token stop);

  /// Whether this agent may write now.
  [[nodiscard]] bool held() const;
  /// Who holds it, for people; "" where that is not known.
  [[nodiscard]] std::string holder() const;
  [[nodiscard]] const std::string& config_name() const noexcept { return config_name_; }

 private:
  struct Seen {
    swarm::ObjectId id;
    swarm::ObjectVersion version = 0;
    std::chrono::nanoseconds since{};  ///< When it was first seen so.
  };
  [[nodiscard]] swarm::ConfigSpec spec(const std::string& token) const;
  void take(const std::optional<swarm::LiveConfig>& found, std::stop_token stop);
  void hold_from(std::chrono::nanoseconds started);
  void lose(const std::string& why);

  ports::Engine& engine_;
  spdlog::logger& log_;
  LeaseOptions options_;
  std::string config_name_, token_;  ///< The token is of this process.
  std::uint64_t renewals_ = 0;
  std::optional<Seen> seen_;
  std::optional<std::chrono::nanoseconds> renewed_;
  bool active_ = false;
  std::atomic<std::int64_t> deadline_{0};  ///< Of `clock`, in nanoseconds; 0: not held.
  mutable std::mutex mutex_;               ///< Guards holder_.
  std::string holder_;
};

/// An engine that lets no write through but of who holds the lease: the one place where that is
/// checked, right before each write.
class LeasedEngine final : public ports::ForwardingEngine {
 public:
  /// Both outlive it.
  LeasedEngine(ports::Engine& engine, const Lease& lease)
      : ForwardingEngine(engine), lease_(lease) {}

  Result<ports::Written> create_network(const swarm::NetworkSpec& spec,
                                        std::stop_token stop) override;
  Result<void> remove_network(const swarm::ObjectId& id, std::stop_token stop) override;
  Result<ports::Written> create_config(const swarm::ConfigSpec& spec,
                                       std::stop_token stop) override;
  Result<void> update_config(const swarm::ObjectId& id,
                             swarm::ObjectVersion version,
                             const swarm::ConfigSpec& spec,
                             std::stop_token stop) override;
  Result<void> remove_config(const swarm::ObjectId& id, std::stop_token stop) override;
  Result<ports::Written> create_secret(const swarm::SecretSpec& spec,
                                       std::stop_token stop) override;
  Result<void> update_secret(const swarm::ObjectId& id,
                             swarm::ObjectVersion version,
                             const swarm::SecretSpec& spec,
                             std::stop_token stop) override;
  Result<void> remove_secret(const swarm::ObjectId& id, std::stop_token stop) override;
  Result<ports::Written> create_service(const swarm::ServiceSpec& spec,
                                        std::stop_token stop) override;
  Result<ports::Written> update_service(const swarm::ObjectId& id,
                                        swarm::ObjectVersion version,
                                        const swarm::ServiceSpec& spec,
                                        std::stop_token stop) override;
  Result<void> remove_service(const swarm::ObjectId& id, std::stop_token stop) override;
  Result<void> update_node(const swarm::LiveNode& node, std::stop_token stop) override;

 private:
  /// The error of who does not hold it.
  [[nodiscard]] std::optional<Error> refused() const;

  const Lease& lease_;
};

}  // namespace skep::reconciler
