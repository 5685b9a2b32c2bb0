#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <vector>

#include "reconciler/ports/observer.hpp"
#include "swarm/live_state.hpp"

namespace skep::reconciler {

/// One service as a person wants to hear of it. `tasks` are those of this service, or none where
/// they were not asked for; `now` tells which of their failures are of today's trouble.
[[nodiscard]] ports::ServiceStatus describe_service(const swarm::LiveService& service,
                                                    const std::vector<swarm::Task>& tasks,
                                                    WallTime now);

/// Healthy: as many tasks run as should, or have done what they were for (a job; a service that is
/// not restarted after it succeeded), and no rollout is going on or has stopped half-way.
/// Progressing: not yet, and nothing says that it will not get there. Degraded: the engine gave up
/// (paused, rolled back), tasks keep failing, or what failed is not started again.
[[nodiscard]] ports::Health health_of(const swarm::LiveService& service,
                                      const std::vector<swarm::Task>& tasks,
                                      WallTime now);

/// Running tasks that the update which is going on has made, one for each place; 0 where none is.
[[nodiscard]] std::uint64_t updated_tasks(const swarm::LiveService& service,
                                          const std::vector<swarm::Task>& tasks);

/// So long swarm lets pass between two tasks of the update that is going on, as the service wants
/// it; 0 where none is.
[[nodiscard]] std::chrono::milliseconds pause_between_tasks(const swarm::LiveService& service);

/// Whether a service was sent back with `docker service rollback` (trap 34).
[[nodiscard]] bool by_a_person(const swarm::UpdateStatus& update);

/// Failed, or never could run; a task that was asked to end did neither.
[[nodiscard]] bool is_failure(const swarm::Task& task);
/// Why it failed, as one of a few words: nonzero_exit, rejected, unhealthy, image, node_down,
/// other.
[[nodiscard]] std::string failure_reason(const swarm::Task& task);

/// Whether a job has done what it was for. Of a global one the engine counts only nodes on which it
/// goes on or succeeded, so none before swarm has looked for them nor after it failed everywhere
/// (seen): it takes its tasks to tell.
[[nodiscard]] bool is_completed(const swarm::LiveService& job,
                                const std::vector<swarm::Task>& tasks);

/// Whether it did what it was for and is not started again: a job, or another service whose restart
/// policy says so.
[[nodiscard]] bool has_done_its_work(const swarm::LiveService& service,
                                     const std::vector<swarm::Task>& tasks);

/// What a task ended with that is not started again, in the engine's words; "" where there is none.
[[nodiscard]] std::string failure_for_good(const swarm::LiveService& service,
                                           const std::vector<swarm::Task>& tasks);

/// What the newest of these tasks that failed ended with, however long ago, in the engine's words.
[[nodiscard]] std::string last_failure(const swarm::LiveService& service,
                                       const std::vector<swarm::Task>& tasks);

/// Whether it is not up because its image does not come: no such image, or no access.
[[nodiscard]] bool is_unpullable(const swarm::LiveService& service,
                                 const std::vector<swarm::Task>& tasks);

/// The worst of a stack's services; healthy where it has none.
[[nodiscard]] ports::Health worst(ports::Health a, ports::Health b);

/// Whether it is worth asking for the service's tasks: something is not as it should be.
[[nodiscard]] bool needs_tasks(const swarm::LiveService& service);

}  // namespace skep::reconciler
