#pragma once

#include <chrono>
#include <filesystem>
#include <mutex>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "reconciler/ports/control.hpp"
#include "server/api.hpp"
#include "server/server.hpp"

namespace skep::server::testing {

/// An agent that holds one stack back and remembers who asked for what.
class FakeControl final : public ports::Control {
 public:
  FakeControl();
  [[nodiscard]] ports::AgentStatus status() const override;
  [[nodiscard]] bool ready() const override { return is_ready; }
  [[nodiscard]] bool alive() const override { return is_alive; }
  Result<void> approve(const std::string& stack, const std::string& actor) override;
  Result<void> sync(const std::string& stack, const std::string& actor) override;
  Result<void> suspend(const std::string& stack,
                       const ports::SuspendRequest& request,
                       const std::string& actor) override;
  Result<void> resume(const std::string& stack, const std::string& actor) override;
  Result<void> rollback(const std::string& stack,
                        const std::string& revision,
                        const std::string& actor) override;
  Result<void> accept_history(const std::string& actor) override;
  [[nodiscard]] Result<ports::Explanation> explain(const std::string& stack) const override;
  [[nodiscard]] Result<std::vector<ports::TaskStatus>> tasks(
      const std::string& stack) const override;
  [[nodiscard]] Result<ports::Trace> trace(const std::string& service) const override;

  bool is_ready = true, is_alive = true;
  std::string engine_trouble;  ///< Why tasks cannot be read; "" while they can.
  ports::AgentStatus current;
  /// "sync apps/web by uid 0"
  [[nodiscard]] std::vector<std::string> calls() const;

 private:
  mutable std::mutex mutex_;
  std::vector<std::string> calls_;
};

struct Reply {
  int status = 0;  ///< 0 where the connection ended without an answer.
  std::string head, body;
};

/// A blocking socket that sends what a client would not.
class RawClient {
 public:
  /// An address as Server::addresses() gives it.
  explicit RawClient(const std::string& address);
  ~RawClient();
  RawClient(RawClient&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
  RawClient& operator=(RawClient&&) = delete;
  RawClient(const RawClient&) = delete;
  RawClient& operator=(const RawClient&) = delete;

  [[nodiscard]] bool connected() const { return fd_ >= 0; }
  /// False where the other side has closed.
  bool send(std::string_view text);
  /// One answer, by its Content-Length.
  Reply receive(bool head_only = false);
  /// What comes until `marker` has come, or the other side closes, or for ten seconds.
  std::string receive_until(std::string_view marker);
  /// Whether something has come, without taking it.
  [[nodiscard]] bool readable(std::chrono::milliseconds time = std::chrono::milliseconds(20)) const;
  /// Waits until the other side closes; false where it does not in that time.
  bool closed_within(std::chrono::milliseconds time);

 private:
  int fd_ = -1;
};

/// One request on a connection of its own.
Reply fetch(const std::string& address,
            const std::string& method,
            const std::string& target,
            const std::vector<std::string>& headers = {},
            const std::string& body = "");

/// For CURLOPT_WRITEFUNCTION, where CURLOPT_WRITEDATA is a std::string.
std::size_t append_for_curl(char* data, std::size_t size, std::size_t count, void* text);

/// A directory that goes with its owner.
class TemporaryDirectory {
 public:
  TemporaryDirectory();
  ~TemporaryDirectory();
  TemporaryDirectory(const TemporaryDirectory&) = delete;
  TemporaryDirectory& operator=(const TemporaryDirectory&) = delete;
  [[nodiscard]] const std::filesystem::path& path() const { return path_; }

 private:
  std::filesystem::path path_;
};

inline const RouteSets kAllRoutes = {
    RouteSet::metrics, RouteSet::health, RouteSet::api, RouteSet::webhook};

}  // namespace skep::server::testing
