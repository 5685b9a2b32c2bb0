#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "core/finding.hpp"
#include "core/result.hpp"
#include "swarm/service_spec.hpp"

namespace skep::repository {

/// A place inside a service, as a JSON pointer (RFC 6901) into the Engine API's ServiceSpec, split
/// at its slashes: {"Mode", "Replicated", "Replicas"}.
using ServicePointer = std::vector<std::string>;

/// A part of a service that is somebody else's business: an autoscaler's, a person's.
struct IgnoreRule {
  std::string service;  ///< Key in the file.
  ServicePointer path;
  std::string text;  ///< The pointer as written.
  SourcePosition at;
  bool operator==(const IgnoreRule&) const = default;
};

/// Errors: invalid_input for text that is no pointer, or that points to nothing a service can have,
/// or to its name, which cannot differ.
[[nodiscard]] Result<ServicePointer> parse_service_pointer(std::string_view text);

/// Puts what stands there in `live` into `desired`, also where that is nothing: then it is no
/// difference, and an update of something else carries it along. Pure.
void carry_live(swarm::ServiceSpec& desired,
                const swarm::ServiceSpec& live,
                const ServicePointer& path);

}  // namespace skep::repository
