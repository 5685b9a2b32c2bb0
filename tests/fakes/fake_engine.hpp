#pragma once

#include <condition_variable>
#include <cstdint>
#include <deque>
#include <map>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "reconciler/ports/engine.hpp"

namespace skep::fakes {

enum class Operation {
  info,
  observe,
  tasks,
  config_data,
  resolve_image,
  create_network,
  remove_network,
  create_config,
  update_config,
  remove_config,
  create_secret,
  update_secret,
  remove_secret,
  secret_holds,
  create_service,
  update_service,
  remove_service,
  update_node,
  follow_events,
  ping,
};
[[nodiscard]] std::string_view to_string(Operation operation);
[[nodiscard]] bool is_write(Operation operation);

/// A write that the engine accepted.
struct Write {
  Operation operation{};
  std::string name;
  bool operator==(const Write&) const = default;
};

/// A swarm manager in memory that behaves as the real one does (the contract tests run on both):
/// versions, conflicts, defaults that it fills in, what it refuses and in which words. Tasks are
/// where they should be at once, unless told otherwise. Safe from several threads.
class FakeEngine final : public ports::Engine {
 public:
  /// One ready manager, "node-1", and the networks that every engine has.
  FakeEngine();

  // --- what a test arranges

  /// The next call of this operation fails with this error and does nothing. Repeated calls queue
  /// up.
  void fail_next(Operation operation, Error error);
  /// The next call of this write takes effect, but its caller gets this error: an answer that was
  /// lost.
  void lose_answer_of_next(Operation operation, Error error);
  /// After `writes` more accepted writes every call fails, as for an agent that was killed between
  /// two of them, until `recover()`.
  void fail_after(std::size_t writes);
  void recover();
  /// No longer (or again) a manager: every call but info fails as the real engine's do.
  void set_manager(bool manager);
  void set_info(ports::EngineInfo info);

  /// Credentials for any registry, by a mark: credentials_mark().
  void set_credentials(const std::string& mark);
  /// From now on so many of the service's tasks run, whatever is desired; nothing: as desired
  /// again.
  void set_running(const std::string& service, std::optional<std::uint64_t> running);
  /// So many of the running tasks are of the update that is going on, the others of before it.
  void set_updated(const std::string& service, std::uint64_t tasks);
  /// Tasks of this service fail with this error: none run, a rollout ends by its failure action
  /// (paused, rolled back, or goes on). "" mends it.
  void fail_tasks(const std::string& service, const std::string& error);
  /// As fail_tasks(), of a service that is created next under that name, and only of that one.
  void fail_tasks_of_next(const std::string& service, const std::string& error);
  /// The tasks of the next one of that name start and come to no end, until set_running(nothing).
  void hang_tasks_of_next(const std::string& service);
  void set_update_status(const std::string& service, swarm::UpdateStatus status);
  /// What `docker service rollback` does: spec and previous spec change places.
  void roll_back_by_hand(const std::string& service);
  /// What a person does with `docker service update`. No write of ours.
  void edit_service(const std::string& service,
                    const std::function<void(swarm::ServiceSpec&)>& edit);
  /// The version moves though nobody wrote: the engine itself does so when it gives a service its
  /// addresses or ends a rollout.
  void touch_service(const std::string& service);
  void edit_config_labels(const std::string& config, const swarm::StringMap& labels);
  /// What a person removes. No write of ours.
  void drop_service(const std::string& service);
  void drop_network(const std::string& network);
  /// As `docker stack rm` does while tasks are still ending: a rest stays until drop_network().
  void leave_network(const std::string& network);
  /// The next one of that name gets no place: it reads back without driver and subnets.
  void starve_next_network(const std::string& network);
  void drop_config(const std::string& config);
  void add_node(swarm::LiveNode node);
  void set_node_state(const std::string& hostname, const std::string& state);
  void set_image(const std::string& image, diff::ResolvedImage resolved);
  /// Ends every open event stream, with success or with this error.
  void end_event_streams(std::optional<Error> error = {});
  /// Answers nothing more (a stopped process): readings wait until it goes on, pings fail soon.
  void hang(bool hanging);
  /// Events are lost from now on (a stream that says nothing) or come again.
  void mute_events(bool muted);

  // --- what a test looks at

  [[nodiscard]] swarm::LiveState state() const;
  [[nodiscard]] std::vector<Write> writes() const;
  [[nodiscard]] std::size_t write_count() const;
  void clear_writes();
  /// Calls of an operation, failed ones too.
  [[nodiscard]] std::size_t calls(Operation operation) const;
  /// The spec that a rollback would return to.
  [[nodiscard]] std::optional<swarm::ServiceSpec> previous_spec(const std::string& service) const;
  [[nodiscard]] std::optional<Secret> secret_data(const std::string& name) const;
  [[nodiscard]] std::size_t open_event_streams() const;
  /// Times that a job ran.
  [[nodiscard]] std::uint64_t job_iterations(const std::string& service) const;

  // --- ports::Engine

  Result<ports::EngineInfo> info(std::stop_token stop) override;
  Result<void> ping(std::stop_token stop) override;
  Result<swarm::LiveState> observe(std::stop_token stop) override;
  Result<std::vector<swarm::Task>> tasks(const std::vector<swarm::ObjectId>& services,
                                         std::stop_token stop) override;
  Result<std::optional<std::string>> config_data(const std::string& name,
                                                 std::stop_token stop) override;
  /// One line, "the last line", of any service there is.
  Result<std::vector<std::string>> log_tail(const std::string& service,
                                            std::size_t lines,
                                            std::stop_token stop) override;
  Result<std::optional<swarm::LiveConfig>> find_config(const std::string& name,
                                                       std::stop_token stop) override;
  std::string credentials_mark(const std::string& image, std::stop_token stop) override;
  Result<diff::ResolvedImage> resolve_image(const std::string& image,
                                            std::stop_token stop) override;
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
  Result<diff::SecretAnswer> secret_holds(const swarm::ObjectId& id,
                                          const swarm::SecretSpec& spec,
                                          std::stop_token stop) override;
  Result<ports::Written> create_service(const swarm::ServiceSpec& spec,
                                        std::stop_token stop) override;
  Result<ports::Written> update_service(const swarm::ObjectId& id,
                                        swarm::ObjectVersion version,
                                        const swarm::ServiceSpec& spec,
                                        std::stop_token stop) override;
  Result<void> remove_service(const swarm::ObjectId& id, std::stop_token stop) override;
  Result<void> update_node(const swarm::LiveNode& node, std::stop_token stop) override;
  Result<void> follow_events(const std::function<void(const ports::EngineEvent&)>& on_event,
                             const std::function<void()>& on_open,
                             std::stop_token stop) override;

 private:
  struct StoredService {
    swarm::LiveService live;  ///< Network targets are ids, as the engine keeps them.
    std::optional<swarm::ServiceSpec> previous;
    std::optional<std::uint64_t> pinned_running;
    std::uint64_t updated = 0;
    std::string task_error;
    std::uint64_t job_iterations = 0;
  };
  struct StoredConfig {
    swarm::LiveConfig live;
    std::string data;
  };
  struct StoredSecret {
    swarm::LiveSecret live;
    Secret data;
  };
  struct Subscriber {
    std::deque<ports::EngineEvent> events;
    bool ended = false;
    std::optional<Error> error;
  };
  /// What `enter` decided for a call: go on, or fail now, or take effect and fail.
  struct Admission {
    std::optional<Error> refused;
    std::optional<Error> lost_answer;
  };

  Admission enter(Operation operation, const std::stop_token& stop);
  /// Books an accepted write and gives its answer, unless that is to be lost.
  template <typename Answer>
  Result<Answer> accept(Operation operation,
                        const std::string& name,
                        const Admission& admission,
                        Answer answer);
  void announce(const std::string& type,
                const std::string& action,
                const swarm::ObjectId& id,
                const std::string& name);
  swarm::ObjectId new_id(std::string_view kind);
  std::string now();
  StoredService* service_named(const std::string& name);
  const StoredService* service_named(const std::string& name) const;
  std::optional<Error> resolve_references(swarm::ServiceSpec& spec) const;
  std::optional<Error> port_clash(const swarm::ServiceSpec& spec,
                                  const swarm::ObjectId& self) const;
  std::uint64_t desired_tasks(const swarm::ServiceSpec& spec) const;
  void settle(StoredService& service) const;
  void roll_out(StoredService& service);
  void store_spec(StoredService& service, swarm::ServiceSpec spec);
  std::string user_of(const swarm::ObjectId& config_or_secret) const;
  swarm::LiveState snapshot() const;

  mutable std::mutex mutex_;
  std::condition_variable_any changed_;
  ports::EngineInfo info_;
  std::map<swarm::ObjectId, StoredService> services_;
  std::map<swarm::ObjectId, swarm::LiveNetwork> networks_;
  std::set<std::string> starved_networks_;  ///< The next one of that name.
  std::map<swarm::ObjectId, StoredConfig> configs_;
  std::map<swarm::ObjectId, StoredSecret> secrets_;
  std::map<swarm::ObjectId, swarm::LiveNode> nodes_;
  std::map<std::string, diff::ResolvedImage> images_;
  std::string credentials_;
  std::map<Operation, std::deque<Error>> failures_, lost_answers_;
  std::map<Operation, std::size_t> calls_;
  std::vector<Write> writes_;
  std::optional<std::size_t> writes_left_;
  std::vector<Subscriber*> subscribers_;
  std::map<std::string, std::string> failing_next_;
  std::set<std::string> hanging_next_;
  bool muted_ = false;
  bool hanging_ = false;
  std::uint64_t index_ = 10;
  std::uint64_t ids_ = 0;
  std::uint64_t ticks_ = 0;
};

}  // namespace skep::fakes
