#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "core/result.hpp"
#include "swarm/live_state.hpp"
#include "swarm/object_spec.hpp"
#include "swarm/service_spec.hpp"

/// Engine API JSON ↔ values. Reading is by SAX straight into the values: a list of 5,000 services
/// never stands in memory as a tree.
namespace skep::swarm {

/// The body that the Docker CLI sends. `indent` < 0 is one line.
[[nodiscard]] std::string to_json(const ServiceSpec& spec, int indent = -1);
[[nodiscard]] std::string to_json(const NetworkSpec& spec, int indent = -1);
[[nodiscard]] std::string to_json(const ConfigSpec& spec, int indent = -1);
/// Holds the secret's data: for the engine only.
[[nodiscard]] Secret to_json(const SecretSpec& spec);
/// With "***" in the place of the data: for people.
[[nodiscard]] std::string to_masked_json(const SecretSpec& spec, int indent = -1);

/// Errors of all readers: unavailable, "the engine's answer is not valid JSON: …" (the engine, not
/// a person, wrote it).
Result<ServiceSpec> read_service_spec(std::string_view json);
Result<std::vector<LiveService>> read_services(std::string_view json);
Result<std::vector<LiveNetwork>> read_networks(std::string_view json);
/// Data is hashed and dropped.
Result<std::vector<LiveConfig>> read_configs(std::string_view json);
Result<std::vector<LiveSecret>> read_secrets(std::string_view json);
Result<std::vector<LiveNode>> read_nodes(std::string_view json);
Result<std::vector<Task>> read_tasks(std::string_view json);

}  // namespace skep::swarm
