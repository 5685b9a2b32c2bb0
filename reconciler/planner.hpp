#pragma once

#include <functional>
#include <map>
#include <set>
#include <stop_token>
#include <string>
#include <vector>

#include <spdlog/logger.h>

#include "core/clock.hpp"
#include "diff/plan.hpp"
#include "reconciler/image_resolver.hpp"
#include "reconciler/ports/engine.hpp"
#include "reconciler/state.hpp"
#include "repository/desired_state.hpp"
#include "repository/secret_digest.hpp"
#include "swarm/live_state.hpp"

namespace skep::reconciler {

/// Gives diff::plan what only the world knows: which policy a stack has, what registries say of its
/// images, whether a live secret holds what git has. Keeps the answers. Not for several threads.
class Planner {
 public:
  /// `on_answer` is called, from any thread, when a registry answered.
  Planner(ports::Engine& engine,
          const Clock& clock,
          spdlog::logger& log,
          std::string instance,
          repository::SecretDigest digest,
          std::function<void()> on_answer);

  struct Planned {
    diff::Plan plan;
    bool waiting_for_registry = false;  ///< The plan is not final yet.
    /// A tag that the stack follows names another image than the one that was rolled out.
    bool tag_moved = false;
    /// Images whose registry was asked a while ago: good enough for a plan that waits.
    std::vector<std::string> old_answers;
  };
  /// Of a stack in git. `record` is null where the stack is not ours.
  Planned plan(const repository::DesiredStack& stack,
               const diff::LiveIndex& live,
               const StackRecord* record,
               std::stop_token stop);
  /// Before a plan with old answers is carried out; what comes of it is in the next plan.
  void ask_anew(const std::vector<std::string>& images);
  /// Registries that failed are not spared any longer.
  void ask_registries_again() { resolver_.forgive(); }
  /// Why no digest came for an image when its registry was asked last; "" where one did.
  [[nodiscard]] std::string registry_trouble(const std::string& image) const;
  /// A tag of a registry may have moved; safe from any thread. Whether a stack follows it.
  bool look_again(std::string_view repository, std::string_view tag) {
    return resolver_.look_again(repository, tag);
  }
  /// Of a stack that left git: its own objects go, volumes never.
  [[nodiscard]] diff::Plan plan_removal(const std::string& stack, const diff::LiveIndex& live);
  /// Whether a live secret holds what git has.
  [[nodiscard]] diff::SecretAnswer compare(const swarm::LiveSecret& live,
                                           const swarm::SecretSpec& spec,
                                           std::stop_token stop);

 private:
  diff::Policy policy_for(const repository::StackPolicy& settings,
                          const StackRecord* record,
                          std::stop_token stop);
  void name_secrets(diff::Policy& policy, std::stop_token stop);
  diff::SecretAnswer secret_holds(const swarm::LiveSecret& live,
                                  const swarm::SecretSpec& spec,
                                  std::stop_token stop);

  ports::Engine& engine_;
  const Clock& clock_;
  spdlog::logger& log_;
  std::string instance_;
  repository::SecretDigest digest_;
  std::string engine_api_;                         ///< "" until the engine told.
  std::map<std::string, std::string> unanswered_;  ///< Images that no digest came for, and why.
  ImageResolver resolver_;
  std::map<std::string, diff::SecretAnswer> secret_answers_;  ///< By id, version and content.
  std::map<std::string, std::string> secret_suffixes_;        ///< By content.
};

}  // namespace skep::reconciler
