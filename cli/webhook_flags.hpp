#pragma once

#include <string>
#include <vector>

#include "cli/session.hpp"
#include "reconciler/ports/control.hpp"
#include "server/router.hpp"

namespace skep::cli {

struct WebhookFlags {
  std::vector<std::string> secret_files;  ///< "PROVIDER=FILE"
  std::vector<std::string> repositories;  ///< Further addresses of the repository.
};
void add_webhook_flags(Command& app, WebhookFlags& flags);

/// The routes of git hosts' calls. `session`, `control` and `log` outlive the router. Errors:
/// invalid_input (no such provider, a file that cannot be read or is empty).
Result<void> add_webhooks(server::Router& router,
                          const Session& session,
                          const WebhookFlags& flags,
                          const RepositoryFlags& repository,
                          ports::Control& control,
                          spdlog::logger& log);

}  // namespace skep::cli
