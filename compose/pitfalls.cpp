#include "compose/pitfalls.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "compose/text.hpp"
#include "core/ascii.hpp"
#include "swarm/image_ref.hpp"
#include "swarm/subnet.hpp"

namespace skep::compose {
namespace {

/// The looks at one service.
class Look {
 public:
  Look(const std::string& key, const Service& service, Findings& findings)
      : path_("services." + key), service_(service), findings_(findings) {}

  void image() {
    const auto parsed = swarm::ImageRef::parse(service_.image);
    if (!parsed) return;
    const auto& host = parsed->domain;
    const bool is_host = host.find_first_of(".:") != std::string::npos || host == "localhost";
    if (is_host || host.empty() || lower(host) == host) return;
    warn(
        service_.position_of("image"),
        ".image: " + quoted(host) +
            " is taken for the host of a registry, for it has upper case, and older engines refuse "
            "it; names of repositories have small letters only");
  }

  void constraints() {
    for (const auto& constraint : service_.deploy.constraints) {
      const auto sign = constraint.find("==") != std::string::npos   ? constraint.find("==")
                        : constraint.find("!=") != std::string::npos ? constraint.find("!=")
                                                                     : std::string::npos;
      if (sign == std::string::npos) continue;  // Is refused elsewhere.
      const std::string key(trimmed(std::string_view(constraint).substr(0, sign)));
      const std::string value(trimmed(std::string_view(constraint).substr(sign + 2)));
      const auto place = service_.position_of("deploy.placement.constraints." + constraint);
      const auto about = ".deploy.placement.constraints: no node has " + quoted(key);
      if (const auto known = known_attribute(key); known != key) {
        warn(place, about + (known.empty() ? kAttributes : "; did you mean " + known + "?"));
      } else if (lower(key) == "node.role" && lower(value) != "manager" &&
                 lower(value) != "worker") {
        warn(place,
             ".deploy.placement.constraints: a node's role is manager or worker, never " +
                 quoted(value));
      }
    }
  }

  void modes(const std::optional<std::vector<FileReference>>& references, const char* section) {
    if (!references) return;
    for (const auto& reference : *references) {
      if (!reference.mode || !looks_decimal(*reference.mode)) continue;
      std::array<char, 16> octal{};
      const auto end = std::to_chars(octal.begin(), octal.end(), *reference.mode, 8).ptr;
      const auto decimal = std::to_string(*reference.mode);
      warn(reference.at,
           std::string(".") + section + ": mode " + decimal + " is a decimal number, 0" +
               std::string(octal.begin(), end) + " in octal; write 0" + decimal);
    }
  }

  void mounts() {
    if (!service_.volumes) return;
    for (const auto& volume : *service_.volumes) {
      if (volume.target.empty() || volume.target.starts_with("/") || is_windows(volume.target) ||
          volume.target.find('$') != std::string::npos)
        continue;
      warn(service_.position_of("volumes"),
           ".volumes: the target " + quoted(volume.target) +
               " is not absolute: no container can start with it; write /" + volume.target);
    }
  }

  void variables() {
    for (const auto& [name, value] : service_.environment) {
      if (value || name.find_first_of(" :") == std::string::npos) continue;
      const auto parts = cut(name, ':');
      warn(service_.position_of("environment"),
           ".environment: " + quoted(name) +
               " is taken for the name of a variable and has no value; write " +
               (parts.found
                    ? std::string(trimmed(parts.before)) + "=" + std::string(trimmed(parts.after))
                    : "NAME=VALUE"));
    }
  }

  /// The first word is the kind of check. Of another kind none is made, and swarm waits for its
  /// success all the same.
  void healthcheck() {
    const auto& check = service_.healthcheck;
    if (!check || check->disable || check->test.empty()) return;
    const auto& kind = check->test.front();
    if (kind.empty() || kind == "NONE" || kind == "CMD" || kind == "CMD-SHELL") return;
    warn(service_.position_of("healthcheck.test"),
         ".healthcheck.test: a list begins with CMD, CMD-SHELL or NONE, and " + quoted(kind) +
             " is none of them: tasks stay in starting, for none is made; write [CMD, " + kind +
             ", …]");
  }

  /// An item of a list without a '=' is the name of a label.
  void labels(const StringMap& labels, const std::string& key) {
    for (const auto& [name, value] : labels) {
      const auto colon = name.find(": ");
      if (!value.empty() || colon == std::string::npos) continue;
      warn(service_.position_of(key),
           "." + key + ": " + quoted(name) +
               " is taken for the name of a label without a value; write " + name.substr(0, colon) +
               "=" + std::string(trimmed(std::string_view(name).substr(colon + 1))));
    }
  }

  void limits() {
    for (const auto& [name, limit] : service_.ulimits) {
      if (limit.hard >= 0 && limit.soft > limit.hard) {
        warn(service_.position_of("ulimits"),
             ".ulimits." + name + ": soft is more than hard: no container can start with it");
      }
    }
  }

 private:
  static constexpr const char* kAttributes =
      "; it may be node.id, node.hostname, node.ip, node.role, node.platform.os, "
      "node.platform.arch, node.labels.NAME or engine.labels.NAME";

  /// The same where a node has such a thing, what was meant, or "". The engine heeds no case.
  static std::string known_attribute(const std::string& key) {
    static const std::vector<std::string> kKeys = {"node.id",
                                                   "node.hostname",
                                                   "node.ip",
                                                   "node.role",
                                                   "node.platform.os",
                                                   "node.platform.arch"};
    const auto word = lower(key);
    if (std::find(kKeys.begin(), kKeys.end(), word) != kKeys.end()) return key;
    for (const auto* labels : {"node.labels.", "engine.labels."}) {
      if (word.starts_with(labels)) return key;
    }
    for (const auto* wrong : {"node.label.", "node.lables.", "labels.", "label."}) {
      if (word.starts_with(wrong))
        return "node.labels." + key.substr(std::string_view(wrong).size());
    }
    return nearest(word, kKeys);
  }

  /// 0644 is 420 when it is read; nobody means 01204, which 644 is.
  static bool looks_decimal(std::uint32_t mode) {
    const auto digits = std::to_string(mode);
    if (digits.size() != 3 || digits.find_first_of("89") != std::string::npos) return false;
    constexpr std::uint32_t kAll = 0777;
    return mode > kAll || mode == 400 || mode == 440 || mode == 444 || mode == 500;
  }

  static bool is_windows(const std::string& path) {
    return path.starts_with("\\") || (path.size() > 1 && path[1] == ':');
  }

  void warn(const SourcePosition& at, const std::string& message) {
    findings_.push_back({Finding::Severity::warning, path_ + message, at});
  }

  std::string path_;
  const Service& service_;
  Findings& findings_;
};

/// The engine gives the addresses to the first that asks; tasks of the other wait for ever (seen).
void warn_of_overlaps(const ComposeFile& file, Findings& findings) {
  std::map<std::string, const Network*> made;  // Networks that nothing uses are not.
  for (const auto& [unused, service] : file.services) {
    for (const auto& [key, use] : service.networks) {
      const auto found = file.networks.find(key);
      if (found != file.networks.end() && !found->second.external) made[key] = &found->second;
    }
    const auto fallback = file.networks.find("default");
    if (service.networks.empty() && fallback != file.networks.end() && !fallback->second.external)
      made["default"] = &fallback->second;
  }
  for (auto other = made.begin(); other != made.end(); ++other) {
    for (auto one = made.begin(); one != other; ++one) {
      for (const auto& taken : one->second->subnets) {
        for (const auto& subnet : other->second->subnets) {
          if (!swarm::subnets_overlap(taken.text, subnet.text)) continue;
          findings.push_back({Finding::Severity::warning,
                              "networks." + other->first + ".ipam: the subnet " + subnet.text +
                                  " overlaps with " + taken.text + " of the network " + one->first +
                                  ": the engine gives it to one of them, and tasks that use the "
                                  "other never start; write subnets that have nothing in common",
                              subnet.at});
        }
      }
    }
  }
}

}  // namespace

void warn_of_pitfalls(const ComposeFile& file, Findings& findings) {
  for (const auto& [key, service] : file.services) {
    Look look(key, service, findings);
    look.image();
    look.constraints();
    look.modes(service.secrets, "secrets");
    look.modes(service.configs, "configs");
    look.mounts();
    look.variables();
    look.limits();
    look.healthcheck();
    look.labels(service.labels, "labels");
    look.labels(service.deploy.labels, "deploy.labels");
  }
  warn_of_overlaps(file, findings);
}

}  // namespace skep::compose
