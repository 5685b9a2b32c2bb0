#pragma once

#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "diff/plan.hpp"

namespace skep::diff {

/// Makes one Plan, step by step. Private to this folder.
class Planner {
 public:
  Planner(const swarm::StackSpec& desired, const LiveIndex& live, const Policy& policy);
  Plan make() &&;

 private:
  // objects.cpp
  void plan_secrets();
  void plan_configs();
  void check_external_objects();
  void rewrite_references();
  void collect_objects();
  // networks.cpp
  void check_external_networks();
  void plan_networks();
  void plan_network(const std::string& key, const swarm::NetworkSpec& spec);
  /// Which network of somebody else holds a subnet that `spec` asks for, in words; "" for none.
  [[nodiscard]] std::string overlapping(const swarm::NetworkSpec& spec,
                                        const swarm::LiveNetwork& own) const;
  void collect_networks();
  [[nodiscard]] std::optional<SourcePosition> place_of_network(const std::string& key) const;
  // services.cpp
  void find_removed_services();
  void plan_services();
  void plan_service(const std::string& key);
  void check_ports(const std::string& key, const swarm::ServiceSpec& spec);
  void note_volumes(const std::string& key,
                    const swarm::ServiceSpec& live,
                    const swarm::ServiceSpec* desired);
  void remove_services();
  [[nodiscard]] bool holds_port_of_nodes(const swarm::LiveService& leaving) const;
  void order_services();
  std::vector<Action>::iterator cut_circle();

  void note(Note::Severity severity,
            std::string text,
            const std::optional<SourcePosition>& at = {});
  [[nodiscard]] bool owns(const swarm::StringMap& labels) const;
  /// The object's name without "STACK_".
  [[nodiscard]] std::string key_of(const std::string& name) const;
  /// The live service of this stack with that name.
  [[nodiscard]] const swarm::LiveService* own_service(const std::string& name) const;
  /// Whether a service that stays cites the object, now or for a rollback.
  [[nodiscard]] bool is_cited(const swarm::ObjectId& id) const;
  /// Whether a live task uses the object, or that cannot be told.
  [[nodiscard]] bool is_held_by_task(const swarm::ObjectId& id);
  void put_instance_label(swarm::StringMap& labels) const;

  template <typename Kind>
  void plan_objects();
  template <typename Kind>
  void collect(const std::vector<const typename Kind::Live*>& live_objects);

  const swarm::StackSpec& wanted_;
  const LiveIndex& live_;
  const swarm::LiveStack& own_;
  const Policy& policy_;
  Plan plan_;
  std::map<std::string, std::string> secret_names_, config_names_;  ///< Plain name → final name.
  std::set<std::string> removed_;  ///< Names of the live services that this plan removes.
  std::vector<Action> first_;      ///< Services that make room for a network's replacement.
  std::vector<Action> service_actions_, removals_;
  std::set<std::string> replaced_networks_;  ///< By name.
  bool tasks_asked_ = false;
  std::optional<std::set<swarm::ObjectId>> held_by_tasks_;  ///< Nothing: not known.
};

/// Labels that are skep's own and no difference.
[[nodiscard]] swarm::StringMap without_our_labels(swarm::StringMap labels);

[[nodiscard]] std::string quoted(std::string_view text);

}  // namespace skep::diff
