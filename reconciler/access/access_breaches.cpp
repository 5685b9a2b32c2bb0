#include "reconciler/access/access_breaches.hpp"

#include <algorithm>
#include <array>
#include <filesystem>
#include <string_view>

#include "core/ascii.hpp"
#include "swarm/image_ref.hpp"

namespace skep::reconciler {
namespace {

/// Who may write or read there governs the node or holds its secrets.
constexpr std::array<std::string_view, 17> kPowerful = {"/bin",
                                                        "/boot",
                                                        "/dev",
                                                        "/etc",
                                                        "/lib",
                                                        "/lib64",
                                                        "/proc",
                                                        "/root",
                                                        "/run",
                                                        "/sbin",
                                                        "/sys",
                                                        "/usr",
                                                        "/var/run",
                                                        "/var/lib/docker",
                                                        "/var/lib/containerd",
                                                        "/var/lib/skep",
                                                        "/var/spool/cron"};
/// Small things of those that half of all images are told to mount.
constexpr std::array<std::string_view, 4> kHarmlessToRead = {
    "/etc/localtime", "/etc/timezone", "/usr/share/zoneinfo", "/etc/ssl/certs"};
/// What a container has anyway.
constexpr std::array<std::string_view, 14> kUsualCapabilities = {"AUDIT_WRITE",
                                                                 "CHOWN",
                                                                 "DAC_OVERRIDE",
                                                                 "FOWNER",
                                                                 "FSETID",
                                                                 "KILL",
                                                                 "MKNOD",
                                                                 "NET_BIND_SERVICE",
                                                                 "NET_RAW",
                                                                 "SETFCAP",
                                                                 "SETGID",
                                                                 "SETPCAP",
                                                                 "SETUID",
                                                                 "SYS_CHROOT"};

template <typename List>
bool contains(const List& list, std::string_view word) {
  return std::find(list.begin(), list.end(), word) != list.end();
}

/// "/a/b" is below "/a", and below itself.
bool is_below(std::string_view path, std::string_view directory) {
  if (directory == "/") return true;
  return path.starts_with(directory) &&
         (path.size() == directory.size() || path[directory.size()] == '/');
}

/// As the node's kernel reads it, but for symbolic links, which only the node knows of. Swarm's
/// placeholders that can only give one plain word are taken for one.
std::string clean(std::string path) {
  static constexpr std::array<std::string_view, 8> kPlainWords = {".Node.Hostname",
                                                                  ".Node.ID",
                                                                  ".Service.ID",
                                                                  ".Service.Name",
                                                                  ".Task.ID",
                                                                  ".Task.Name",
                                                                  ".Task.Slot",
                                                                  ".Node.Platform.OS"};
  for (auto open = path.find("{{"); open != std::string::npos; open = path.find("{{", open)) {
    const auto close = path.find("}}", open);
    if (close == std::string::npos) break;
    auto word = std::string_view(path).substr(open + 2, close - open - 2);
    while (!word.empty() && word.front() == ' ') word.remove_prefix(1);
    while (!word.empty() && word.back() == ' ') word.remove_suffix(1);
    if (!contains(kPlainWords, word)) break;
    path.replace(open, close + 2 - open, "word");
  }
  auto result = std::filesystem::path(path).lexically_normal().string();
  while (result.size() > 1 && result.back() == '/') result.pop_back();
  while (result.starts_with("//")) result.erase(0, 1);
  return result;
}

bool is_ordinary(const std::string& path, bool read_only) {
  if (!path.starts_with('/') || path.find("{{") != std::string::npos) return false;
  if (read_only && std::any_of(kHarmlessToRead.begin(), kHarmlessToRead.end(), [&](auto harmless) {
        return is_below(path, harmless);
      }))
    return true;
  return std::none_of(kPowerful.begin(), kPowerful.end(), [&](std::string_view powerful) {
    return is_below(path, powerful) || is_below(powerful, path);
  });
}

class Check {
 public:
  Check(const AccessProfile& profile, const std::set<std::string>& own_networks)
      : profile_(profile), own_networks_(own_networks) {}

  std::vector<AccessBreach> of(const swarm::ServiceSpec& spec) && {
    const auto& container = spec.task_template.container;
    image(container.image);
    for (const auto& mount : container.mounts) this->mount(mount);
    for (const auto& name : container.capability_add) capability(name);
    for (const auto& [name, value] : container.sysctls) sysctl(name);
    if (container.privileges) privileges(*container.privileges);
    for (const auto& network : spec.task_template.networks) this->network(network.target);
    if (spec.endpoint_spec) {
      for (const auto& port : spec.endpoint_spec->ports) this->port(port);
    }
    if (spec.task_template.placement) {
      for (const auto& constraint : spec.task_template.placement->constraints)
        this->constraint(constraint);
    }
    if (!spec.task_template.runtime.empty() && spec.task_template.runtime != "container")
      breach("allow", "run as " + spec.task_template.runtime);
    return std::move(found_);
  }

 private:
  void breach(std::string rule, std::string message) {
    AccessBreach next{std::move(rule), std::move(message)};
    if (std::find(found_.begin(), found_.end(), next) == found_.end())
      found_.push_back(std::move(next));
  }

  void image(const std::string& text) {
    if (!profile_.registries) return;
    const auto ref = swarm::ImageRef::parse(text);
    const auto full = ref && !ref->bare_id ? ref->domain + "/" + ref->path : text;
    for (const auto& allowed : *profile_.registries) {
      if (is_below(full, allowed)) return;
    }
    breach("registries", "run the image " + full);
  }

  void mount(const swarm::Mount& mount) {
    const bool no_type = mount.type.empty() && mount.source.starts_with('/');
    if (mount.type == "bind" || mount.type == "npipe" || no_type)
      return host_path(mount.source, mount);
    // The driver of local volumes mounts whatever its options say, so a volume can be a bind.
    if (!mount.volume_options || !mount.volume_options->driver_config) return;
    const auto& options = mount.volume_options->driver_config->options;
    const auto device = options.find("device");
    if (device != options.end() && device->second.starts_with('/') &&
        !device->second.starts_with("//"))
      host_path(device->second, mount);
  }

  void host_path(const std::string& source, const swarm::Mount& mount) {
    const auto path = clean(source);
    const bool ordinary = is_ordinary(path, mount.read_only);
    if (!profile_.bind_sources) {
      if (ordinary) return;
    } else {
      for (const auto& allowed : *profile_.bind_sources) {
        if (allowed == "ordinary"
                ? ordinary
                : path.find("{{") == std::string::npos && is_below(path, clean(allowed)))
          return;
      }
    }
    breach("bind_sources", "mount " + path + " of the node");
  }

  void capability(const std::string& name) {
    auto plain = std::string_view(name);
    if (plain.starts_with("CAP_")) plain.remove_prefix(4);
    if (contains(kUsualCapabilities, plain)) return;
    for (const auto& allowed : profile_.capabilities) {
      if (allowed == plain || allowed == "CAP_" + std::string(plain)) return;
    }
    breach("capabilities", "add the capability " + std::string(plain));
  }

  void sysctl(const std::string& name) {
    if (name.starts_with("net.") || contains(profile_.sysctls, name)) return;
    breach("sysctls", "set the kernel's " + name);
  }

  void privileges(const swarm::Privileges& privileges) {
    if (privileges.credential_spec) breach("allow", "use a credential spec");
    const bool unconfined = (privileges.seccomp && privileges.seccomp->mode != "default" &&
                             !privileges.seccomp->mode.empty()) ||
                            (privileges.app_armor && privileges.app_armor->mode == "disabled") ||
                            (privileges.selinux_context && privileges.selinux_context->disable);
    if (unconfined) breach("allow", "switch off the engine's confinement");
  }

  void network(const std::string& name) {
    if (own_networks_.count(name) != 0) return;
    if (profile_.networks ? contains(*profile_.networks, name) : name != "host") return;
    breach("networks", name == "host" ? "use the node's own network" : "join the network " + name);
  }

  void port(const swarm::PublishedPort& port) {
    if (!profile_.ports) return;
    for (const auto& [first, last] : *profile_.ports) {
      if (port.published >= first && port.published <= last) return;
    }
    breach("ports",
           port.published == 0 ? "publish a port that the engine chooses"
                               : "publish the port " + std::to_string(port.published));
  }

  /// "node.role==manager" and what comes to the same: "node.role != worker".
  void constraint(const std::string& text) {
    if (profile_.managers) return;
    auto plain = lower(text);
    std::erase_if(plain, [](char c) { return c == ' ' || c == '\t'; });
    if (plain == "node.role==manager" || plain == "node.role!=worker")
      breach("managers", "ask for placement on managers");
  }

  const AccessProfile& profile_;
  const std::set<std::string>& own_networks_;
  std::vector<AccessBreach> found_;
};

}  // namespace

std::vector<AccessBreach> breaches(const swarm::ServiceSpec& spec,
                                   const AccessProfile& profile,
                                   const std::set<std::string>& own_networks) {
  if (profile.everything) return {};
  return Check(profile, own_networks).of(spec);
}

}  // namespace skep::reconciler
