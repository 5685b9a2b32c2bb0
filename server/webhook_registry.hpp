#pragma once

#include <string_view>

#include "core/result.hpp"
#include "server/webhook_payload.hpp"

namespace skep::server {

/// What a registry says of pushes: the envelope of distribution (docker-registry), Docker Hub's
/// form, and both of Harbor's. Pulls, layers, and manifests without a tag are nothing. Takes memory
/// in proportion to the tags that it names, of which the first 100 count. Errors: invalid_input,
/// for JSON that is none or has a text where none may be; the message quotes nothing of it.
[[nodiscard]] Result<WebhookPayload> parse_registry_event(std::string_view json);

}  // namespace skep::server
