#include "cli/webhook_flags.hpp"

#include <algorithm>
#include <filesystem>

#include "core/logfmt.hpp"
#include "gitsync/remote_url.hpp"
#include "server/webhook.hpp"

namespace skep::cli {
namespace {

constexpr std::size_t kShortSecret = 16;

Result<server::WebhookProvider> provider_of(std::string_view name) {
  std::string known;
  for (const auto provider : server::kWebhookProviders) {
    if (server::to_string(provider) == name) return provider;
    known += (known.empty() ? "" : ", ") + std::string(server::to_string(provider));
  }
  return Error{ErrorKind::invalid_input,
               "there is no provider \"" + std::string(name) + "\"; they are " + known};
}

/// One word of the environment may hold several: "github=/run/secrets/a,gitea=/run/secrets/b".
std::vector<std::string> entries_of(const std::vector<std::string>& words) {
  std::vector<std::string> entries;
  for (const auto& word : words) {
    for (std::size_t at = 0; at <= word.size();) {
      const auto comma = std::min(word.find(',', at), word.size());
      if (comma > at) entries.push_back(word.substr(at, comma - at));
      at = comma + 1;
    }
  }
  return entries;
}

Result<void> add_proof(server::WebhookProofs& proofs,
                       const std::string& entry,
                       spdlog::logger& log) {
  const auto equals = entry.find('=');
  if (equals == std::string::npos) {
    return Error{ErrorKind::invalid_input,
                 "\"" + entry + "\" must be PROVIDER=FILE, such as github=/run/secrets/webhook"};
  }
  const auto provider = provider_of(std::string_view(entry).substr(0, equals));
  if (!provider) return provider.error();
  const auto file = entry.substr(equals + 1);
  auto text = read_file(file);
  if (!text) return std::move(text).error();
  while (text->ends_with('\n') || text->ends_with('\r')) text->pop_back();
  if (!text->empty() && text->size() < kShortSecret) {
    log.warn(logfmt("this webhook secret is short; `openssl rand -hex 32` makes a good one",
                    {{"provider", server::to_string(*provider)}, {"file", file}}));
  }
  auto added = proofs.add(*provider, Secret(*std::move(text)));
  if (!added) return std::move(added).error().within(file);
  return {};
}

}  // namespace

void add_webhook_flags(Command& app, WebhookFlags& flags) {
  app.add_option("--webhook-secret-file",
                 flags.secret_files,
                 "PROVIDER=FILE: the secret with which github, gitlab, gitea, forgejo, generic or "
                 "registry proves its calls to POST /webhook/PROVIDER; several with commas")
      ->envname("SKEP_WEBHOOK_SECRET_FILE");
  app.add_option("--webhook-repository",
                 flags.repositories,
                 "Another address of the repository, where the git host knows it by one that "
                 "--repo does not say")
      ->envname("SKEP_WEBHOOK_REPOSITORY");
}

Result<void> add_webhooks(server::Router& router,
                          const Session& session,
                          const WebhookFlags& flags,
                          const RepositoryFlags& repository,
                          ports::Control& control,
                          spdlog::logger& log) {
  server::WebhookOptions options;
  for (const auto& entry : entries_of(flags.secret_files)) {
    if (auto added = add_proof(options.proofs, entry, log); !added)
      return std::move(added).error().within("--webhook-secret-file");
  }
  options.repositories = flags.repositories;
  options.repositories.push_back(
      gitsync::names_remote(repository.repo)
          ? repository.repo
          : std::filesystem::absolute(repository.repo).lexically_normal().string());
  options.ref = repository.ref;
  options.hint = [&control] { control.hint(); };
  options.image_hint = [&control](std::string_view name, std::string_view tag) {
    return control.image_hint(name, tag);
  };
  options.say = [&log](std::string_view line) { log.warn(std::string(line)); };
  server::add_webhook_routes(router, session.clock, std::move(options));
  return {};
}

}  // namespace skep::cli
