#include "repository/job_hashes.hpp"

#include "core/digest.hpp"
#include "swarm/json.hpp"

namespace skep::repository {

std::map<std::string, std::string> job_hashes(const swarm::StackSpec& spec) {
  std::map<std::string, std::string> hashes;
  for (const auto& [key, service] : spec.services) {
    if (!service.spec.mode.is_job()) continue;
    auto bare = service.spec;
    bare.labels.clear();
    bare.update_config.reset();
    bare.rollback_config.reset();
    auto text = to_json(bare);
    for (const auto& reference : bare.task_template.container.configs) {
      for (const auto& [config_key, config] : spec.configs) {
        if (config.name == reference.config_name) text += sha256_hex(config.data);
      }
    }
    hashes[key] = sha256_hex(text).substr(0, 16);
  }
  return hashes;
}

}  // namespace skep::repository
