#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "core/finding.hpp"
#include "core/result.hpp"

namespace skep::reconciler {

/// What the services of some directories may ask of the engine (design §9). Absent lists restrict
/// nothing but what is dangerous anyway: see docs/policy.md, which this follows line by line.
struct AccessProfile {
  bool everything = false;  ///< No restriction at all.
  /// Begins of image references, "my-registry.com:8300/apps"; nothing: any registry.
  std::optional<std::vector<std::string>> registries = {};
  /// Host directories that may be mounted, with what is below them. The word "ordinary" stands for
  /// all that give no power over the node; nothing: just those.
  std::optional<std::vector<std::string>> bind_sources = {};
  std::vector<std::string> capabilities =
      {};                                 ///< That may be added, beyond the engine's usual ones.
  std::vector<std::string> sysctls = {};  ///< That may be set, beyond net.*.
  /// External networks that may be joined; nothing: all but the node's own ("host").
  std::optional<std::vector<std::string>> networks = {};
  using PortRange = std::pair<std::uint32_t, std::uint32_t>;
  std::optional<std::vector<PortRange>> ports = {};  ///< That may be published; nothing: any.
  bool managers = false;                             ///< May be placed on managers by a constraint.
  bool operator==(const AccessProfile&) const = default;
};

/// One thing that a service asks for and its profile does not allow.
struct AccessBreach {
  std::string rule;     ///< The key of the profile that could allow it: "bind_sources".
  std::string message;  ///< What it may not do: "mount /etc of the node".
  bool operator==(const AccessBreach&) const = default;
};

/// Which directory of the repository has which profile. It comes from a file that the repository
/// cannot change.
class AccessPolicy {
 public:
  /// Without a file: management/* may do everything, all others what an AccessProfile{} allows.
  AccessPolicy() = default;
  /// Errors: invalid_input, positioned, with all mistakes of the file.
  static Result<AccessPolicy> parse(std::string_view text, const std::string& file);
  /// Of a stack in `directory`, "apps/MY-APP": the first rule that matches, else the default.
  [[nodiscard]] AccessProfile profile(std::string_view directory) const;

 private:
  struct Rule {
    std::string path;
    AccessProfile profile;
  };
  std::vector<Rule> rules_;
};

}  // namespace skep::reconciler
