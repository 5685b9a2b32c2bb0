#pragma once

#include <array>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "core/result.hpp"

namespace skep::server {

/// Who calls. Forgejo is Gitea with headers of its own name; `generic` is our own form; `registry`
/// is no git host, but keeps images.
enum class WebhookProvider { github, gitlab, gitea, forgejo, generic, registry };

inline constexpr std::array<WebhookProvider, 6> kWebhookProviders = {WebhookProvider::github,
                                                                     WebhookProvider::gitlab,
                                                                     WebhookProvider::gitea,
                                                                     WebhookProvider::forgejo,
                                                                     WebhookProvider::generic,
                                                                     WebhookProvider::registry};

/// As in the path: "github".
[[nodiscard]] std::string_view to_string(WebhookProvider provider);

/// A ref of a repository moved. Claims of the sender: compared with what the agent follows, never
/// contacted, never checked out.
struct WebhookPush {
  std::string ref;  ///< "refs/heads/main"; "" where a generic call names none.
  bool deleted = false;
  /// Every address that the payload gives for its repository; empty where a generic call names
  /// none.
  std::vector<std::string> repositories = {};
  bool operator==(const WebhookPush&) const = default;
};

/// Nothing to do, and why in one sentence.
struct WebhookNothing {
  std::string reason;
  bool operator==(const WebhookNothing&) const = default;
};

/// A tag of a registry, by the registry's own name for it: no address, for it may not know the one
/// by which others reach it. A claim, as a push is.
struct WebhookImage {
  std::string repository, tag;  ///< "apps/my-app", "1.0.0"
  auto operator<=>(const WebhookImage&) const = default;
};

/// Tags were pushed.
struct WebhookImages {
  std::vector<WebhookImage> images = {};  ///< Sorted, at least one.
  std::string id = {};                    ///< Of the delivery, where the registry gives one.
  bool operator==(const WebhookImages&) const = default;
};

using WebhookPayload = std::variant<WebhookPush, WebhookNothing, WebhookImages>;

/// Reads what a host sent. `event` is the host's own event header. Takes memory in proportion to
/// the few strings that it looks for, however the JSON is built. Errors: invalid_input, for JSON
/// that is none or that lacks what such an event has; the message quotes nothing of the payload.
[[nodiscard]] Result<WebhookPayload> parse_webhook(WebhookProvider provider,
                                                   std::string_view event,
                                                   std::string_view json);

/// The field `payload` of an application/x-www-form-urlencoded body. Errors: invalid_input.
[[nodiscard]] Result<std::string> payload_of_form(std::string_view body);

}  // namespace skep::server
