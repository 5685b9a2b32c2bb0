#include "engine/socket_engine.hpp"

#include <algorithm>
#include <utility>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "core/ascii.hpp"
#include "core/digest.hpp"
#include "engine/json_text.hpp"
#include "engine/registry_auth.hpp"
#include "swarm/json.hpp"

namespace skep::engine {
namespace {

/// The list of a swarm's managers only: {"role":["manager"]}.
constexpr std::string_view kManagers = "/nodes?filters=%7B%22role%22%3A%5B%22manager%22%5D%7D";

using nlohmann::json;

// A URL of some 5 kB: far below what any proxy in front of an engine takes.
constexpr std::size_t kServicesPerTaskList = 100;

Result<json> object_of(std::string_view body) {
  auto parsed = json::parse(body.begin(), body.end(), nullptr, false);
  if (!parsed.is_object())
    return Error{ErrorKind::unavailable, "the engine's answer is not valid JSON", {}};
  return parsed;
}

bool is_true(const json& object, const char* key) {
  const auto at = object.find(key);
  return at != object.end() && at->is_boolean() && at->get<bool>();
}

json member(const json& object, const char* key) {
  return object.is_object() ? object.value(key, json::object()) : json::object();
}

/// Networks say Id and Warning, services ID and Warning or Warnings, configs and secrets ID.
Result<ports::Written> written_of(std::string_view body) {
  auto answer = object_of(body);
  if (!answer) return std::move(answer).error();
  ports::Written written;
  written.id = text_of(*answer, "ID");
  if (written.id.empty()) written.id = text_of(*answer, "Id");
  if (auto warning = text_of(*answer, "Warning"); !warning.empty())
    written.warnings.push_back(std::move(warning));
  for (const auto& warning : member(*answer, "Warnings")) {
    if (warning.is_string()) written.warnings.push_back(warning.get<std::string>());
  }
  return written;
}

std::string at_version(std::string_view kind, const std::string& id, swarm::ObjectVersion version) {
  return fmt::format("/{}/{}/update?version={}", kind, percent_encoded(id), version);
}

/// An image name as a path: each of its parts encoded, slashes kept.
std::string image_path(const std::string& image) {
  std::string path = "/distribution/";
  for (std::size_t from = 0; from <= image.size();) {
    const auto slash = std::min(image.find('/', from), image.size());
    path += percent_encoded(std::string_view(image).substr(from, slash - from));
    path += '/';
    from = slash + 1;
  }
  return path + "json";
}

/// Rule D6.5: in the engine's order, without an architecture that says only "arm".
std::vector<swarm::Platform> platforms_of(const json& answer) {
  std::vector<swarm::Platform> platforms;
  for (const auto& entry : member(answer, "Platforms")) {
    swarm::Platform platform{.architecture = text_of(entry, "architecture"),
                             .os = text_of(entry, "os")};
    std::string lower = platform.architecture;
    for (char& c : lower) c = c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
    if (lower == "arm") platform.architecture.clear();
    platforms.push_back(std::move(platform));
  }
  return platforms;
}

}  // namespace

SocketEngine::SocketEngine(EngineOptions options) : api_(std::move(options)) {}
SocketEngine::~SocketEngine() = default;

Result<ports::EngineInfo> SocketEngine::info(std::stop_token stop) {
  auto body = api_.call({.operation = "info", .path = "/info"}, stop);
  if (!body) return std::move(body).error();
  auto answer = object_of(*body);
  if (!answer) return std::move(answer).error();
  auto version = api_.version(std::move(stop));
  if (!version) return std::move(version).error();
  const auto swarm = member(*answer, "Swarm");
  return ports::EngineInfo{.engine_version = text_of(*answer, "ServerVersion"),
                           .api_version = std::move(*version),
                           .swarm_active = text_of(swarm, "LocalNodeState") == "active",
                           .manager = is_true(swarm, "ControlAvailable"),
                           .node_id = text_of(swarm, "NodeID"),
                           .cluster_id = text_of(member(swarm, "Cluster"), "ID"),
                           .node_hostname = text_of(*answer, "Name")};
}

Result<void> SocketEngine::ping(std::stop_token stop) {
  auto answer = api_.call({.operation = "ping", .method = "HEAD", .path = "/_ping"}, stop);
  if (!answer) return std::move(answer).error();
  // A manager without a leader, or without a quorum, answers pings as ever, and lists not at all.
  const auto swarm =
      api_.call({.operation = "manager_ping", .path = std::string(kManagers)}, std::move(stop));
  // What may not be asked is not known to be silent.
  if (!swarm && swarm.error().kind == ErrorKind::unavailable)
    return Error(swarm.error()).within("the swarm does not answer");
  return {};
}

Result<swarm::LiveState> SocketEngine::observe(std::stop_token stop) {
  auto bodies = api_.call_all({{.operation = "service_list", .path = "/services?status=true"},
                               {.operation = "network_list", .path = "/networks"},
                               {.operation = "config_list", .path = "/configs"},
                               {.operation = "secret_list", .path = "/secrets"},
                               {.operation = "node_list", .path = "/nodes"}},
                              std::move(stop));
  if (!bodies) return std::move(bodies).error();
  swarm::LiveState live;
  // Each body goes as soon as it is read: together they can be tens of megabytes.
  const auto take = [&](std::size_t index, auto read, auto& into) -> Result<void> {
    auto values = read(bodies->at(index));
    bodies->at(index) = std::string();
    if (!values) return std::move(values).error();
    into = std::move(*values);
    return {};
  };
  if (auto done = take(0, swarm::read_services, live.services); !done)
    return std::move(done).error();
  if (auto done = take(1, swarm::read_networks, live.networks); !done)
    return std::move(done).error();
  if (auto done = take(2, swarm::read_configs, live.configs); !done) return std::move(done).error();
  if (auto done = take(3, swarm::read_secrets, live.secrets); !done) return std::move(done).error();
  if (auto done = take(4, swarm::read_nodes, live.nodes); !done) return std::move(done).error();
  // A manager always lists itself: what answers without any node is not to be believed.
  if (live.nodes.empty()) {
    return Error{ErrorKind::unavailable,
                 "the engine lists no nodes at all, which no manager of a swarm does; something "
                 "between skep and the engine may answer in its place",
                 {}};
  }
  live.normalise();
  return live;
}

Result<std::vector<swarm::Task>> SocketEngine::tasks(const std::vector<swarm::ObjectId>& services,
                                                     std::stop_token stop) {
  std::vector<swarm::Task> tasks;
  for (std::size_t from = 0; from < services.size(); from += kServicesPerTaskList) {
    const auto first = services.begin() + static_cast<std::ptrdiff_t>(from);
    const auto last = services.begin() + static_cast<std::ptrdiff_t>(std::min(
                                             from + kServicesPerTaskList, services.size()));
    const std::vector<swarm::ObjectId> part(first, last);
    const ApiCall call{.operation = "task_list",
                       .path = "/tasks?filters=" + percent_encoded(json{{"service", part}}.dump())};
    auto answer = api_.ask(call, stop);
    if (!answer) return std::move(answer).error();
    if (answer->status == 404) {
      // One of them was removed meanwhile, and the engine refuses the whole list for it.
      if (part.size() == 1) continue;
      for (const auto& service : part) {
        auto one = this->tasks({service}, stop);
        if (!one) return one;
        tasks.insert(tasks.end(), one->begin(), one->end());
      }
      continue;
    }
    if (answer->status >= 300) return api_error(call, *answer);
    auto read = swarm::read_tasks(answer->body);
    if (!read) return read;
    std::move(read->begin(), read->end(), std::back_inserter(tasks));
  }
  return tasks;
}

Result<std::optional<std::string>> SocketEngine::config_data(const std::string& name,
                                                             std::stop_token stop) {
  const ApiCall call{.operation = "config_inspect", .path = "/configs/" + percent_encoded(name)};
  auto answer = api_.ask(call, std::move(stop));
  if (!answer) return std::move(answer).error();
  if (answer->status == 404) return std::optional<std::string>();
  if (answer->status >= 300) return api_error(call, *answer);
  auto config = object_of(answer->body);
  if (!config) return std::move(config).error();
  const auto spec = member(*config, "Spec");
  // The engine also takes the beginning of an id for a name.
  if (text_of(spec, "Name") != name) return std::optional<std::string>();
  auto data = from_base64(text_of(spec, "Data"));
  if (!data)
    return Error{ErrorKind::unavailable, "the engine's answer holds data that is not base64", {}};
  return data;
}

Result<std::optional<swarm::LiveConfig>> SocketEngine::find_config(const std::string& name,
                                                                   std::stop_token stop) {
  const ApiCall call{.operation = "config_inspect", .path = "/configs/" + percent_encoded(name)};
  auto answer = api_.ask(call, std::move(stop));
  if (!answer) return std::move(answer).error();
  if (answer->status == 404) return std::optional<swarm::LiveConfig>();
  if (answer->status >= 300) return api_error(call, *answer);
  auto read = swarm::read_configs("[" + answer->body + "]");
  if (!read) return std::move(read).error();
  // The engine also takes the beginning of an id for a name.
  if (read->size() != 1 || read->front().name != name) return std::optional<swarm::LiveConfig>();
  return std::optional(std::move(read->front()));
}

Result<diff::ResolvedImage> SocketEngine::resolve_image(const std::string& image,
                                                        std::stop_token stop) {
  // Also keeps a text that is no image name from becoming another path of the API.
  auto registry = registry_of(image);
  if (!registry) return std::move(registry).error();
  auto headers = auth_headers(image, stop);
  if (!headers) return std::move(headers).error();
  auto body = api_.call({.operation = "distribution_inspect",
                         .path = image_path(image),
                         .headers = std::move(*headers)},
                        std::move(stop));
  if (!body) return std::move(body).error();
  auto answer = object_of(*body);
  if (!answer) return std::move(answer).error();
  diff::ResolvedImage resolved{.digest = text_of(member(*answer, "Descriptor"), "digest"),
                               .platforms = platforms_of(*answer)};
  if (resolved.digest.empty())
    return Error{ErrorKind::unavailable, "the engine's answer names no digest", {}};
  return resolved;
}

std::string SocketEngine::credentials_mark(const std::string& image, std::stop_token stop) {
  const auto registry = registry_of(image);
  if (!api_.options().registry_auth || !registry) return "";
  const auto found = find_credentials(api_.options().docker_config, *registry, std::move(stop));
  if (!found || !*found) return "";
  return sha256_hex(registry_auth_header(*found).reveal());
}

Result<std::vector<std::string>> SocketEngine::auth_headers(const std::string& image,
                                                            std::stop_token stop) {
  if (!api_.options().registry_auth) return std::vector<std::string>();
  auto registry = registry_of(image);
  if (!registry) return std::move(registry).error();
  auto credentials = find_credentials(api_.options().docker_config, *registry, std::move(stop));
  if (!credentials) return std::move(credentials).error().within("credentials for " + *registry);
  return std::vector<std::string>{"X-Registry-Auth: " +
                                  std::string(registry_auth_header(*credentials).reveal())};
}

Result<ports::Written> SocketEngine::create(std::string_view operation,
                                            const std::string& path,
                                            std::string_view body,
                                            std::stop_token stop) {
  auto answer = api_.call({.operation = operation, .method = "POST", .path = path, .body = body},
                          std::move(stop));
  if (!answer) return std::move(answer).error();
  return written_of(*answer);
}

Result<void> SocketEngine::remove(std::string_view operation,
                                  const std::string& path,
                                  std::stop_token stop) {
  const ApiCall call{.operation = operation, .method = "DELETE", .path = path};
  auto answer = api_.ask(call, std::move(stop));
  if (!answer) return std::move(answer).error();
  if (answer->status >= 300 && answer->status != 404) return api_error(call, *answer);
  return {};
}

Result<ports::Written> SocketEngine::create_network(const swarm::NetworkSpec& spec,
                                                    std::stop_token stop) {
  auto version = api_.version(stop);
  if (!version) return std::move(version).error();
  auto body = swarm::to_json(spec);
  // Before 1.44 the engine makes a second network of the same name unless it is told to look.
  if (*version != "1.44" && older_version(*version, "1.44") == *version)
    body = "{\"CheckDuplicate\":true," + body.substr(1);
  return create("network_create", "/networks/create", body, std::move(stop));
}

Result<void> SocketEngine::remove_network(const swarm::ObjectId& id, std::stop_token stop) {
  return remove("network_remove", "/networks/" + percent_encoded(id), std::move(stop));
}

Result<ports::Written> SocketEngine::create_config(const swarm::ConfigSpec& spec,
                                                   std::stop_token stop) {
  return create("config_create", "/configs/create", swarm::to_json(spec), std::move(stop));
}

Result<void> SocketEngine::update_config(const swarm::ObjectId& id,
                                         swarm::ObjectVersion version,
                                         const swarm::ConfigSpec& spec,
                                         std::stop_token stop) {
  const auto body = swarm::to_json(spec);
  auto answer = api_.call({.operation = "config_update",
                           .method = "POST",
                           .path = at_version("configs", id, version),
                           .body = body},
                          std::move(stop));
  if (!answer) return std::move(answer).error();
  return {};
}

Result<void> SocketEngine::remove_config(const swarm::ObjectId& id, std::stop_token stop) {
  return remove("config_remove", "/configs/" + percent_encoded(id), std::move(stop));
}

Result<ports::Written> SocketEngine::create_secret(const swarm::SecretSpec& spec,
                                                   std::stop_token stop) {
  const auto body = swarm::to_json(spec);
  return create("secret_create", "/secrets/create", body.reveal(), std::move(stop));
}

Result<void> SocketEngine::update_secret(const swarm::ObjectId& id,
                                         swarm::ObjectVersion version,
                                         const swarm::SecretSpec& spec,
                                         std::stop_token stop) {
  const auto body = swarm::to_json(spec);
  auto answer = api_.call({.operation = "secret_update",
                           .method = "POST",
                           .path = at_version("secrets", id, version),
                           .body = body.reveal()},
                          std::move(stop));
  if (!answer) return std::move(answer).error();
  return {};
}

Result<void> SocketEngine::remove_secret(const swarm::ObjectId& id, std::stop_token stop) {
  return remove("secret_remove", "/secrets/" + percent_encoded(id), std::move(stop));
}

Result<diff::SecretAnswer> SocketEngine::secret_holds(const swarm::ObjectId& id,
                                                      const swarm::SecretSpec& spec,
                                                      std::stop_token stop) {
  // The engine compares only data that is sent; without any it would answer "same".
  if (spec.data.empty()) return diff::SecretAnswer::unknown;
  const auto body = swarm::to_json(spec);
  const ApiCall call{.operation = "secret_compare",
                     .method = "POST",
                     .path = at_version("secrets", id, 0),
                     .body = body.reveal()};
  auto answer = api_.ask(call, std::move(stop));
  if (!answer) return std::move(answer).error();
  if (answer->status < 300)
    return Error{ErrorKind::unavailable, "the engine accepted an update of version 0", {}};
  auto error = api_error(call, *answer);
  if (error.message.find("only updates to Labels are allowed") != std::string::npos)
    return diff::SecretAnswer::different;
  if (error.message.find("update out of sequence") != std::string::npos)
    return diff::SecretAnswer::same;
  if (answer->status == 404) return error;
  if (error.kind == ErrorKind::invalid_input) return diff::SecretAnswer::unknown;
  return error;
}

Result<ports::Written> SocketEngine::create_service(const swarm::ServiceSpec& spec,
                                                    std::stop_token stop) {
  auto headers = auth_headers(spec.task_template.container.image, stop);
  if (!headers) return std::move(headers).error();
  const auto body = swarm::to_json(spec);
  auto answer = api_.call({.operation = "service_create",
                           .method = "POST",
                           .path = "/services/create",
                           .headers = std::move(*headers),
                           .body = body},
                          std::move(stop));
  if (!answer) return std::move(answer).error();
  return written_of(*answer);
}

Result<ports::Written> SocketEngine::update_service(const swarm::ObjectId& id,
                                                    swarm::ObjectVersion version,
                                                    const swarm::ServiceSpec& spec,
                                                    std::stop_token stop) {
  auto headers = auth_headers(spec.task_template.container.image, stop);
  if (!headers) return std::move(headers).error();
  const auto body = swarm::to_json(spec);
  auto answer = api_.call({.operation = "service_update",
                           .method = "POST",
                           .path = at_version("services", id, version),
                           .headers = std::move(*headers),
                           .body = body},
                          std::move(stop));
  if (!answer) return std::move(answer).error();
  auto written = written_of(*answer);
  if (written) written->id = id;
  return written;
}

Result<void> SocketEngine::remove_service(const swarm::ObjectId& id, std::stop_token stop) {
  return remove("service_remove", "/services/" + percent_encoded(id), std::move(stop));
}

Result<void> SocketEngine::update_node(const swarm::LiveNode& node, std::stop_token stop) {
  json spec{{"Labels", node.labels}, {"Role", node.role}, {"Availability", node.availability}};
  if (!node.name.empty()) spec["Name"] = node.name;
  const auto body = spec.dump(-1, ' ', false, json::error_handler_t::replace);
  auto answer = api_.call({.operation = "node_update",
                           .method = "POST",
                           .path = at_version("nodes", node.id, node.version),
                           .body = body},
                          std::move(stop));
  if (!answer) return std::move(answer).error();
  return {};
}

}  // namespace skep::engine
