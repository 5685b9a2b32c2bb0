#pragma once

#include <compare>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "core/finding.hpp"
#include "core/result.hpp"
#include "swarm/object_spec.hpp"
#include "swarm/service_spec.hpp"

namespace skep::swarm {

/// The name of a stack: not empty after stripping white space and quotes (rule A1.7); what else the
/// engine wants of names is checked per object.
class StackName {
 public:
  StackName() = default;
  static Result<StackName> parse(std::string_view text);
  [[nodiscard]] const std::string& text() const noexcept { return text_; }
  /// "STACK_key", the engine object's name for a key of the file (rule C1.1).
  [[nodiscard]] std::string scope(std::string_view key) const;
  auto operator<=>(const StackName&) const = default;

 private:
  explicit StackName(std::string text) : text_(std::move(text)) {}
  std::string text_;
};

/// When a service may start, relative to another of the same stack (extension; design §5).
struct ServiceDependency {
  enum class Condition { started, healthy, completed };
  std::string service;  ///< The other service's key.
  Condition condition = Condition::started;
  bool operator==(const ServiceDependency&) const = default;
};

struct DesiredService {
  ServiceSpec spec;  ///< Networks by name; secrets and configs by name, ids empty; image tagged,
                     ///< not pinned.
  std::vector<ServiceDependency> depends_on;
  SourcePosition at;  ///< Of the service's key in the compose file.
  bool operator==(const DesiredService&) const = default;
};

/// Everything one stack wants of the swarm, as the Docker CLI would send it. A pure value: no ids,
/// no digests of images.
struct StackSpec {
  StackName name;
  std::map<std::string, DesiredService> services;  ///< By key in the file.
  std::map<std::string, NetworkSpec>
      networks;  ///< To create, by key; only those that a service uses (rule C2.1).
  std::map<std::string, SourcePosition> networks_at;  ///< Where they are written, by key.
  std::map<std::string, ConfigSpec>
      configs;  ///< By key; all definitions that are not external, used or not (rule C6.1).
  std::map<std::string, SecretSpec> secrets;  ///< As configs.
  std::map<std::string, SourcePosition>
      external_networks;  ///< By object name: must exist, with swarm scope (rule D3.1).
  std::map<std::string, SourcePosition>
      external_configs;  ///< By object name, only those that a service uses.
  std::map<std::string, SourcePosition> external_secrets;
  std::set<std::string> volumes;  ///< Object names of the named volumes that its services mount.
  bool operator==(const StackSpec&) const = default;
};

}  // namespace skep::swarm
