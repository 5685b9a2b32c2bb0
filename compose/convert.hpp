#pragma once

#include <optional>
#include <string>
#include <vector>

#include "compose/compose.hpp"
#include "compose/types.hpp"
#include "core/finding.hpp"
#include "swarm/stack_spec.hpp"

/// The merged file → engine objects (rules C). One function per object; convert() is the whole.
namespace skep::compose {

/// What all conversions look up and report to.
struct Conversion {
  const ComposeFile& file;
  const Input& input;
  Findings& findings;

  /// An object's name: the `name` it was given, else its scoped key (rule C1.3).
  [[nodiscard]] std::string object_name(const std::string& key, const std::string& name) const;
  /// With the stack's label, which wins over a user's (rule C1.1).
  [[nodiscard]] swarm::StringMap with_stack_label(swarm::StringMap labels) const;
  void error(const SourcePosition& at, std::string message) const;
};

/// What to do about a name that is not defined: the nearest one that is, or the only one that it is
/// a part of or that is a part of it, else where to define it.
[[nodiscard]] std::string advice_for_undefined(const std::string& name,
                                               const std::vector<std::string>& defined,
                                               const std::string& section);
template <typename Map>
[[nodiscard]] std::string advice_for_undefined(const std::string& name,
                                               const Map& defined,
                                               const std::string& section) {
  std::vector<std::string> names;
  for (const auto& [key, unused] : defined) names.push_back(key);
  return advice_for_undefined(name, names, section);
}

/// A service while it is converted: its key stands in front of every message.
struct ServiceConversion {
  const Conversion& all;
  const std::string& key;
  const Service& service;
  void error(const SourcePosition& at, const std::string& message) const;
};

/// Rules C4, C5.4, C5.5, C8: the whole service.
[[nodiscard]] swarm::ServiceSpec convert_service(const ServiceConversion& conversion);

/// Rule C3.
[[nodiscard]] std::vector<swarm::Mount> convert_mounts(const ServiceConversion& conversion);

/// Rules C5.1 … C5.4.
[[nodiscard]] swarm::ServiceMode convert_mode(const ServiceConversion& conversion);
[[nodiscard]] swarm::Resources convert_resources(const ServiceConversion& conversion);
[[nodiscard]] std::optional<swarm::UpdateConfig> convert_update_config(
    const std::optional<UpdateConfig>& config);
[[nodiscard]] std::optional<swarm::RestartPolicy> convert_restart_policy(
    const ServiceConversion& conversion);
[[nodiscard]] swarm::Placement convert_placement(const Deploy& deploy);

/// Rule C7.
[[nodiscard]] std::vector<swarm::NetworkAttachment> convert_attachments(
    const ServiceConversion& conversion);

/// Rules C6.2 … C6.5: references by name, ids empty. The credential spec's config, where it has
/// one, is among the configs.
[[nodiscard]] std::vector<swarm::SecretReference> convert_secret_references(
    const ServiceConversion& conversion);
[[nodiscard]] std::vector<swarm::ConfigReference> convert_config_references(
    const ServiceConversion& conversion);
[[nodiscard]] std::optional<swarm::CredentialSpec> convert_credential_spec(
    const ServiceConversion& conversion);

/// Rule C2: the networks to create and the external ones that must exist, of those in use.
void convert_networks(const Conversion& conversion, swarm::StackSpec& stack);
/// Rule C6.1; reads the files.
void convert_objects(const Conversion& conversion, swarm::StackSpec& stack);

/// Everything.
[[nodiscard]] swarm::StackSpec convert(const Conversion& conversion);

}  // namespace skep::compose
