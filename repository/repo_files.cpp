#include "repository/repo_files.hpp"

#include <algorithm>
#include <map>
#include <set>

#include "compose/compose.hpp"
#include "core/digest.hpp"
#include "swarm/json.hpp"
#include "swarm/labels.hpp"

namespace skep::repository {
namespace {

using ports::TreeEntry;

constexpr std::size_t kLargestConfig =
    1'023'999;  // The engine takes less than 1,024,000 bytes (rule D5.5).
constexpr std::size_t kMostFilesOfADirectory = 100;
constexpr std::size_t kDeepestDirectory = 16;
// A checkout is for configuration: what is larger belongs into an image or on a volume.
constexpr std::size_t kMostFilesOfACheckout = 2'000;
constexpr std::size_t kLargestCheckout = 64U << 20U;
constexpr std::size_t kLongestName = 64;  // Of configs (trap 20).

bool in_repository(const swarm::Mount& mount) {
  return mount.type == "bind" && mount.source.starts_with(compose::kRepositoryRoot);
}

/// "management/traefik/traefik.toml" → "file-<8 hex of the path>-traefik.toml": unique in the
/// stack, readable, of allowed characters, and short enough for the name of a config.
std::string config_key(const swarm::StackName& stack, const RepoPath& path) {
  std::string key = "file-" + sha256_hex(path.text()).substr(0, 8) + "-";
  const auto used = stack.scope(key).size();
  const auto room = used < kLongestName ? kLongestName - used : 0;
  for (const char c : path.name().substr(0, std::min<std::size_t>(room, 24))) {
    const bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                       c == '.' || c == '-';
    key += plain ? c : '_';
  }
  while (key.back() == '-' || key.back() == '.') key.pop_back();  // Names end in a letter or digit.
  return key;
}

/// "/etc/app" and "a/b.conf" → "/etc/app/a/b.conf".
std::string below(std::string directory, std::string_view name) {
  while (!directory.empty() && directory.back() == '/') directory.pop_back();
  directory += '/';
  return directory += name;
}

class RepoFileMounts {
 public:
  RepoFileMounts(swarm::StackSpec& stack,
                 const RepoFileOptions& options,
                 const TreeReader& reader,
                 Findings& findings)
      : stack_(stack), options_(options), reader_(reader), findings_(findings) {}

  void resolve(swarm::DesiredService& service) {
    auto& container = service.spec.task_template.container;
    mounted_.clear();
    for (auto& mount : container.mounts) {
      if (in_repository(mount)) carry(service, mount);
    }
    if (!mounted_.empty())
      container.labels[std::string(swarm::kRepoFilesLabel)] = digest_of_mounted();
    std::erase_if(container.mounts, in_repository);
    std::stable_sort(container.configs.begin(),
                     container.configs.end(),
                     [](const swarm::ConfigReference& a, const swarm::ConfigReference& b) {
                       return a.config_name < b.config_name;
                     });
  }

  [[nodiscard]] std::vector<ports::CheckoutFile> checkout() && {
    std::vector<ports::CheckoutFile> files;
    for (auto& [path, file] : checkout_) files.push_back(std::move(file));
    return files;
  }

 private:
  void say(Finding::Severity severity, const swarm::DesiredService& service, std::string message) {
    findings_.push_back({severity, service.spec.name + ": " + std::move(message), service.at});
  }
  void fail(const swarm::DesiredService& service, std::string message) {
    say(Finding::Severity::error, service, std::move(message));
  }
  void warn(const swarm::DesiredService& service, std::string message) {
    say(Finding::Severity::warning, service, std::move(message));
  }

  /// Every path that becomes a path of the node, or a config, is no path of the repository any
  /// more; what stays one has a finding.
  void carry(swarm::DesiredService& service, swarm::Mount& mount) {
    const auto path = reader_.locate(mount.source);
    if (!path) return fail(service, path.error().message);
    const auto entry = reader_.find(*path);
    if (!entry) return fail(service, entry.error().message);
    const auto what = "the mount of " +
                      (path->is_root() ? std::string("the repository's root") : path->text()) +
                      " at " + mount.target;
    const bool on_the_node = options_.mode != RepoFiles::config || (!*entry && !path->is_root());
    if (on_the_node) {
      if (options_.host_checkout.empty()) {
        return fail(service,
                    options_.mode != RepoFiles::config
                        ? what +
                              " needs a checkout of the repository on the nodes: say where it "
                              "is with --host-checkout DIR, or use repo_files: config"
                        : what +
                              ": git does not hold it; commit it, say where the nodes have it "
                              "with --host-checkout DIR, or mount an absolute path of the node");
      }
      if (options_.mode == RepoFiles::checkout && (*entry || path->is_root()))
        keep(service, *path, path->is_root() || (*entry)->kind == TreeEntry::Kind::directory, what);
      mount.source =
          path->is_root() ? options_.host_checkout : below(options_.host_checkout, path->text());
      return;
    }
    if (path->is_root() || (*entry)->kind == TreeEntry::Kind::directory) {
      if (!is_asked_for(*path)) {
        return fail(service,
                    what +
                        ": a directory is carried to the nodes only when it is asked for by path, "
                        "for configs do not hide what the image has there and cannot be written "
                        "to; mount its files one by one, or write \"repo_files: { directories: [" +
                        path->text() + "] }\" into skep.yaml");
      }
      return carry_directory(service, mount, *path, what);
    }
    if (!mount.read_only) {
      warn(
          service,
          what +
              " becomes a config, which the container cannot write to; add :ro to say so, and keep "
              "what it must write out of git");
    }
    carry_file(service, *path, mount.target, what);
  }

  /// Notes what of a mount is to be in the checkout.
  void keep(const swarm::DesiredService& service,
            const RepoPath& path,
            bool directory,
            const std::string& what) {
    std::vector<RepoPath> files;
    if (!directory) {
      files.push_back(path);
    } else if (!collect(service, path, what, 0, files)) {
      return;
    }
    for (const auto& file : files) {
      if (checkout_.count(file) == 0 && !keep_file(service, file, what)) return;
      mounted_.insert(file);
    }
  }

  bool keep_file(const swarm::DesiredService& service,
                 const RepoPath& path,
                 const std::string& what) {
    const auto secrets = reader_.secrets().size();
    const auto remarks = reader_.findings().size();  // One where there was no key.
    auto file = reader_.file(path);
    if (!file || !*file) {
      fail(service, file ? what + ": no such file in the repository" : file.error().message);
      return false;
    }
    if (reader_.secrets().size() != secrets || reader_.findings().size() != remarks) {
      fail(service,
           what + ": " + path.text() +
               " is encrypted, and what is decrypted is never written to a disk: give it to the "
               "service as a secret");
      return false;
    }
    checkout_bytes_ += (*file)->text.size();
    checkout_[path] = {path, std::move((*file)->text), (*file)->executable};
    if (checkout_.size() <= kMostFilesOfACheckout && checkout_bytes_ <= kLargestCheckout)
      return true;
    fail(service,
         what +
             ": a stack's checkout holds at most 2000 files and 64 MiB; put them into the image "
             "or on a volume");
    return false;
  }

  /// Of the files that the service at hand mounts: other content, another mode or another file is
  /// another digest.
  [[nodiscard]] std::string digest_of_mounted() const {
    std::string text;
    for (const auto& path : mounted_) {
      const auto& file = checkout_.at(path);
      text += path.text() + '\0' + (file.executable ? "x" : "-") + sha256_hex(file.text) + '\n';
    }
    return sha256_hex(text).substr(0, 16);
  }

  bool is_asked_for(const RepoPath& path) const {
    const auto& list = options_.directories;
    return std::any_of(list.begin(), list.end(), [&](const std::string& directory) {
      const auto near = reader_.stack_directory().join(directory);
      const auto far = reader_.root().join(directory);
      return (near && *near == path) || (far && *far == path);
    });
  }

  void carry_directory(swarm::DesiredService& service,
                       const swarm::Mount& mount,
                       const RepoPath& directory,
                       const std::string& what) {
    std::vector<RepoPath> files;
    if (!collect(service, directory, what, 0, files)) return;
    if (files.empty()) return fail(service, what + ": the directory is empty");
    if (files.size() > kMostFilesOfADirectory) {
      return fail(service,
                  what + ": the directory holds " + std::to_string(files.size()) +
                      " files, at most " + std::to_string(kMostFilesOfADirectory) +
                      " become configs; put them into the image or on a volume");
    }
    const auto prefix = directory.is_root() ? 0 : directory.text().size() + 1;
    for (const auto& file : files) {
      const auto target = below(mount.target, std::string_view(file.text()).substr(prefix));
      carry_file(service, file, target, "the mount of " + file.text() + " at " + target);
    }
    warn(service,
         what + " becomes " + std::to_string(files.size()) +
             (files.size() == 1 ? " config" : " configs") +
             ": read-only, and what the image has in that directory stays visible");
  }

  bool collect(const swarm::DesiredService& service,
               const RepoPath& directory,
               const std::string& what,
               std::size_t depth,
               std::vector<RepoPath>& files) {
    const auto entries = reader_.list(directory);
    if (!entries) {
      fail(service, entries.error().message);
      return false;
    }
    for (const auto& entry : *entries) {
      const auto path = directory.join(entry.name);
      const bool usable =
          path && depth < kDeepestDirectory &&
          (entry.kind == TreeEntry::Kind::file || entry.kind == TreeEntry::Kind::directory);
      if (!usable) {
        fail(service, what + ": " + entry.name + " is neither a file nor a directory");
        return false;
      }
      if (entry.kind == TreeEntry::Kind::file) {
        files.push_back(*path);
      } else if (!collect(service, *path, what, depth + 1, files)) {
        return false;
      }
    }
    return true;
  }

  void carry_file(swarm::DesiredService& service,
                  const RepoPath& path,
                  const std::string& target,
                  const std::string& what) {
    auto file = reader_.file(path);
    if (!file) return fail(service, file.error().message);
    if (!*file) return fail(service, what + ": no such file in the repository");
    auto& content = **file;
    if (content.text.empty() || content.text.size() > kLargestConfig) {
      return fail(service,
                  what + ": a config holds 1 to 1023999 bytes, this file has " +
                      std::to_string(content.text.size()));
    }
    const auto key = config_key(stack_.name, path);
    auto& config = stack_.configs[key];
    config.name = stack_.name.scope(key);
    config.labels = {{std::string(swarm::kStackLabel), stack_.name.text()}};
    config.data = std::move(content.text);
    swarm::ConfigReference reference;
    reference.config_name = config.name;
    reference.file = swarm::ReferenceFile{target, "0", "0", content.executable ? 0555U : 0444U};
    service.spec.task_template.container.configs.push_back(std::move(reference));
  }

  swarm::StackSpec& stack_;
  const RepoFileOptions& options_;
  const TreeReader& reader_;
  Findings& findings_;
  std::map<RepoPath, ports::CheckoutFile> checkout_;  ///< Of the whole stack.
  std::size_t checkout_bytes_ = 0;
  std::set<RepoPath> mounted_;  ///< Of these, what the service at hand mounts.
};

}  // namespace

std::vector<ports::CheckoutFile> resolve_repo_files(swarm::StackSpec& stack,
                                                    const RepoFileOptions& options,
                                                    const TreeReader& reader,
                                                    Findings& findings) {
  RepoFileMounts mounts(stack, options, reader, findings);
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
  return std::move(mounts).checkout();
}

}  // namespace skep::repository
