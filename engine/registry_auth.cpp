#include "engine/registry_auth.hpp"

#include <chrono>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <utility>

#include <nlohmann/json.hpp>

#include "core/digest.hpp"
#include "engine/child_process.hpp"
#include "engine/json_text.hpp"
#include "swarm/image_ref.hpp"

namespace skep::engine {
namespace {

using nlohmann::json;

constexpr std::string_view kHubDomain = "docker.io";
constexpr std::string_view kHubKey = "https://index.docker.io/v1/";
constexpr std::string_view kTokenUser = "<token>";
constexpr std::chrono::seconds kHelperDeadline{30};

Error unreadable(std::string message) {
  return Error{ErrorKind::invalid_input, std::move(message), {}};
}

/// What an `auths` key is when it is an address: "https://HOST:PORT/v1/" → "HOST:PORT".
std::string_view host_of(std::string_view key) {
  for (const std::string_view scheme : {"http://", "https://"}) {
    if (key.starts_with(scheme)) {
      key.remove_prefix(scheme.size());
      break;
    }
  }
  return key.substr(0, key.find('/'));
}

Result<RegistryCredentials> from_entry(const std::string& key, const json& entry) {
  RegistryCredentials credentials{.username = text_of(entry, "username"),
                                  .email = text_of(entry, "email"),
                                  .password = Secret(text_of(entry, "password")),
                                  .identity_token = Secret(text_of(entry, "identitytoken")),
                                  .registry_token = Secret(text_of(entry, "registrytoken")),
                                  .server_address = key};
  const auto auth = text_of(entry, "auth");
  if (auth.empty()) return credentials;
  const auto decoded = from_base64(auth);
  const auto colon = decoded ? decoded->find(':') : std::string::npos;
  if (colon == std::string::npos)
    return unreadable("the \"auth\" of " + key + " is not base64 of USER:PASSWORD");
  credentials.username = decoded->substr(0, colon);
  auto password = decoded->substr(colon + 1);
  while (!password.empty() && password.back() == '\0') password.pop_back();
  credentials.password = Secret(std::move(password));
  return credentials;
}

/// Protocol of docker-credential-helpers: `get` with the server on standard input.
Result<std::optional<RegistryCredentials>> ask_helper(const std::string& name,
                                                      const std::string& registry,
                                                      std::stop_token stop) {
  if (name.find('/') != std::string::npos)
    return unreadable("\"" + name + "\" is not the name of a credential helper");
  const auto program = "docker-credential-" + name;
  auto output = run_child({program, "get"}, registry, kHelperDeadline, std::move(stop));
  if (!output) return std::move(output).error();
  const auto said = output->out.reveal();
  if (output->exit_code != 0) {
    // The helpers' own words for "I have none"; any other failure must not become an anonymous
    // pull.
    if (said.find("credentials not found") != std::string_view::npos)
      return std::optional<RegistryCredentials>();
    return unreadable(program + " failed with exit code " + std::to_string(output->exit_code));
  }
  const auto answer = json::parse(said.begin(), said.end(), nullptr, false);
  if (!answer.is_object()) return unreadable(program + " did not answer with a JSON object");
  RegistryCredentials credentials{.username = text_of(answer, "Username"),
                                  .email = {},
                                  .password = Secret(text_of(answer, "Secret")),
                                  .identity_token = {},
                                  .registry_token = {},
                                  .server_address = registry};
  if (credentials.username == kTokenUser) {
    credentials.username.clear();
    credentials.identity_token = std::exchange(credentials.password, Secret());
  }
  return std::optional(std::move(credentials));
}

}  // namespace

Result<std::string> registry_of(const std::string& image) {
  auto parsed = swarm::ImageRef::parse(image);
  if (!parsed) return std::move(parsed).error();
  if (parsed->bare_id) return unreadable("\"" + image + "\" is an image's id, not a name");
  return parsed->domain == kHubDomain ? std::string(kHubKey) : parsed->domain;
}

Result<std::optional<RegistryCredentials>> find_credentials(const std::string& config_file,
                                                            const std::string& registry,
                                                            std::stop_token stop) {
  std::error_code ignored;
  if (config_file.empty() || !std::filesystem::exists(config_file, ignored))
    return std::optional<RegistryCredentials>();
  std::ifstream file(config_file, std::ios::binary);
  if (!file) return unreadable("cannot read " + config_file);
  const std::string text{std::istreambuf_iterator<char>(file), {}};
  const auto config = json::parse(text, nullptr, false);
  if (!config.is_object()) return unreadable(config_file + " is not a JSON object");

  const auto helpers = config.value("credHelpers", json::object());
  auto helper = text_of(helpers, registry.c_str());
  if (helper.empty()) helper = text_of(config, "credsStore");
  if (!helper.empty()) return ask_helper(helper, registry, std::move(stop));

  const auto auths = config.value("auths", json::object());
  if (!auths.is_object()) return std::optional<RegistryCredentials>();
  auto at = auths.find(registry);
  for (auto other = auths.begin(); at == auths.end() && other != auths.end(); ++other) {
    if (host_of(other.key()) == registry) at = other;
  }
  if (at == auths.end()) return std::optional<RegistryCredentials>();
  auto entry = from_entry(at.key(), *at);
  if (!entry) return std::move(entry).error().within(config_file);
  return std::optional(std::move(*entry));
}

Secret registry_auth_header(const std::optional<RegistryCredentials>& credentials) {
  nlohmann::ordered_json object = nlohmann::ordered_json::object();
  const auto add = [&](const char* key, std::string_view value) {
    if (!value.empty()) object[key] = value;
  };
  if (credentials) {
    add("username", credentials->username);
    add("password", credentials->password.reveal());
    add("email", credentials->email);
    add("serveraddress", credentials->server_address);
    add("identitytoken", credentials->identity_token.reveal());
    add("registrytoken", credentials->registry_token.reveal());
  }
  return Secret(
      base64url(object.dump(-1, ' ', false, nlohmann::ordered_json::error_handler_t::replace)));
}

}  // namespace skep::engine
