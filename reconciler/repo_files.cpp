#include "reconciler/repo_files.hpp"

#include <algorithm>

#include "compose/compose.hpp"
#include "core/digest.hpp"
#include "swarm/json.hpp"
#include "swarm/labels.hpp"

namespace skep::reconciler {
namespace {

constexpr std::size_t kLargestConfig =
    1'023'999;  // The engine takes less than 1,024,000 bytes (rule D5.5).

bool in_repository(const swarm::Mount& mount) {
  return mount.type == "bind" && mount.source.starts_with(compose::kRepositoryRoot);
}

/// "management/traefik/traefik.toml" → "traefik.toml-<8 hex of the path>": unique in the stack,
/// readable, of allowed characters.
std::string config_key(const RepoPath& path) {
  std::string key;
  for (const char c : path.name().substr(0, 24)) {
    const bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                       c == '.' || c == '-';
    key += plain ? c : '_';
  }
  return "file-" + sha256_hex(path.text()).substr(0, 6) + "-" + key;
}

class RepoFileMounts {
 public:
  RepoFileMounts(swarm::StackSpec& stack,
                 RepoFiles mode,
                 const TreeReader& reader,
                 Findings& findings)
      : stack_(stack), mode_(mode), reader_(reader), findings_(findings) {}

  void resolve(swarm::DesiredService& service) {
    auto& container = service.spec.task_template.container;
    for (const auto& mount : container.mounts) {
      if (in_repository(mount)) carry(service, mount);
    }
    std::erase_if(container.mounts, in_repository);
    std::stable_sort(container.configs.begin(),
                     container.configs.end(),
                     [](const swarm::ConfigReference& a, const swarm::ConfigReference& b) {
                       return a.config_name < b.config_name;
                     });
  }

 private:
  void fail(const swarm::DesiredService& service, std::string message) {
    findings_.push_back(
        {Finding::Severity::error, service.spec.name + ": " + std::move(message), service.at});
  }

  void carry(swarm::DesiredService& service, const swarm::Mount& mount) {
    auto path = reader_.locate(mount.source);
    if (!path) return fail(service, path.error().message);
    const auto entry = reader_.find(*path);
    if (!entry) return fail(service, entry.error().message);
    const auto what = "the mount of " +
                      (path->is_root() ? std::string("the repository's root") : path->text()) +
                      " at " + mount.target;
    if (mode_ == RepoFiles::host) {
      return fail(service,
                  what +
                      " needs a checkout of the repository on the node (repo_files: host); use "
                      "repo_files: config, or an absolute path of the node");
    }
    if (!*entry) {
      return fail(
          service,
          what +
              ": no such file in the repository; commit it, or mount an absolute path of the node");
    }
    if ((*entry)->kind != ports::TreeEntry::Kind::file) {
      return fail(service,
                  what +
                      ": only a single file can be carried to the nodes as a config; mount its "
                      "files one by "
                      "one, or use configs:");
    }
    auto file = reader_.file(*path);
    if (!file) return fail(service, file.error().message);
    if (!*file) return fail(service, what + ": no such file in the repository");
    auto& content = **file;
    if (content.text.empty() || content.text.size() > kLargestConfig) {
      return fail(service,
                  what + ": a config holds 1 to 1023999 bytes, this file has " +
                      std::to_string(content.text.size()));
    }
    const auto key = config_key(*path);
    auto& config = stack_.configs[key];
    config.name = stack_.name.scope(key);
    config.labels = {{std::string(swarm::kStackLabel), stack_.name.text()}};
    config.data = std::move(content.text);
    swarm::ConfigReference reference;
    reference.config_name = config.name;
    reference.file =
        swarm::ReferenceFile{mount.target, "0", "0", content.executable ? 0555U : 0444U};
    service.spec.task_template.container.configs.push_back(std::move(reference));
  }

  swarm::StackSpec& stack_;
  RepoFiles mode_;
  const TreeReader& reader_;
  Findings& findings_;
};

}  // namespace

void resolve_repo_files(swarm::StackSpec& stack,
                        RepoFiles mode,
                        const TreeReader& reader,
                        Findings& findings) {
  RepoFileMounts mounts(stack, mode, reader, findings);
  for (auto& [key, service] : stack.services) {
    mounts.resolve(service);
    // Whatever else took $PWD or a relative path along would reach the nodes as a path that exists
    // nowhere.
    if (swarm::to_json(service.spec).find(compose::kRepositoryRoot) != std::string::npos) {
      findings.push_back(
          {Finding::Severity::error,
           service.spec.name +
               ": $PWD or a relative path stands where only a path of the node has a meaning",
           service.at});
    }
  }
}

}  // namespace skep::reconciler
