#include "engine/endpoint.hpp"

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string_view>

#include <nlohmann/json.hpp>

#include "core/digest.hpp"

namespace skep::engine {
namespace {

constexpr std::string_view kDefaultSocket = "/var/run/docker.sock";
constexpr std::string_view kDefaultContext = "default";

Error invalid(std::string message) { return Error{ErrorKind::invalid_input, std::move(message)}; }

std::string variable(const Environment& environment, const std::string& name) {
  const auto at = environment.find(name);
  return at == environment.end() ? std::string() : at->second;
}

bool exists(const std::string& path) {
  std::error_code ignored;
  return std::filesystem::exists(path, ignored);
}

Result<nlohmann::json> read_json(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  if (!file) return invalid("cannot read " + path);
  const std::string text{std::istreambuf_iterator<char>(file), {}};
  auto json = nlohmann::json::parse(text, nullptr, false);
  if (json.is_discarded() || !json.is_object()) return invalid(path + " is not a JSON object");
  return json;
}

/// The string at a path of keys, "" where there is none.
std::string text_at(const nlohmann::json& json, std::initializer_list<const char*> keys) {
  const auto* at = &json;
  for (const char* key : keys) {
    if (!at->is_object() || !at->contains(key)) return {};
    at = &at->at(key);
  }
  return at->is_string() ? at->get<std::string>() : std::string();
}

TlsFiles tls_files_in(const std::string& directory, bool verify) {
  const auto optional_file = [&](const char* name) {
    auto path = directory + "/" + name;
    return exists(path) ? path : std::string();
  };
  return {.ca = optional_file("ca.pem"),
          .certificate = optional_file("cert.pem"),
          .key = optional_file("key.pem"),
          .verify = verify};
}

Error ssh_refused(std::string_view rest) {
  std::string target(rest.substr(0, rest.find('/')));
  std::string port;
  if (const auto colon = target.rfind(':'); colon != std::string::npos) {
    port = " -p " + target.substr(colon + 1);
    target.resize(colon);
  }
  const auto slash = rest.find('/');
  const std::string socket(slash == std::string_view::npos || slash + 1 == rest.size()
                               ? kDefaultSocket
                               : rest.substr(slash));
  return invalid(
      "ssh:// endpoints are not supported; forward the socket and use that:\n"
      "  ssh -nNT" +
      port + " -L \"$HOME/docker-remote.sock:" + socket + "\" " + target +
      " &\n"
      "  export DOCKER_HOST=unix://$HOME/docker-remote.sock");
}

Result<std::string> tcp_address(std::string rest, bool tls, const std::string& written) {
  std::string path;
  if (const auto slash = rest.find('/'); slash != std::string::npos) {
    path = rest.substr(slash);
    rest.resize(slash);
    while (!path.empty() && path.back() == '/') path.pop_back();
  }
  std::string host = rest, port;
  const auto colon = rest.rfind(':');
  if (colon != std::string::npos && rest.find(']', colon) == std::string::npos) {
    host = rest.substr(0, colon);
    port = rest.substr(colon + 1);
  }
  if (host.find(':') != std::string::npos && host.front() != '[')
    return invalid("\"" + written +
                   "\": an IPv6 address must stand in brackets, as in tcp://[::1]:2376");
  if (host.empty()) host = "127.0.0.1";
  if (port.empty()) port = tls ? "2376" : "2375";
  const bool digits =
      std::all_of(port.begin(), port.end(), [](char c) { return c >= '0' && c <= '9'; });
  if (!digits || port.size() > 5 || std::stoi(port) > 65535 || std::stoi(port) == 0)
    return invalid("\"" + written + "\": \"" + port + "\" is not a port");
  for (const char c : host + path) {
    if (c <= ' ' || c == '@' || c == '?' || c == '#' || c == '\\' || c == 0x7f)
      return invalid("\"" + written + "\" is not an address of an engine");
  }
  return host + ":" + port + path;
}

Result<Endpoint> parse_host(const std::string& written, std::optional<TlsFiles> tls) {
  const auto separator = written.find("://");
  const auto scheme = separator == std::string::npos ? "tcp" : written.substr(0, separator);
  const auto rest = separator == std::string::npos ? written : written.substr(separator + 3);
  if (scheme == "unix")
    return Endpoint{
        .socket = rest.empty() ? std::string(kDefaultSocket) : rest, .address = {}, .tls = {}};
  if (scheme == "ssh") return ssh_refused(rest);
  if (scheme != "tcp" && scheme != "http" && scheme != "https")
    return invalid("\"" + written + "\": use unix:///PATH or tcp://HOST:PORT");
  if (scheme == "https" && !tls) tls = TlsFiles{};
  auto address = tcp_address(rest, tls.has_value(), written);
  if (!address) return std::move(address).error();
  return Endpoint{.socket = {}, .address = std::move(*address), .tls = std::move(tls)};
}

std::string certificate_directory(const Environment& environment) {
  auto directory = variable(environment, "DOCKER_CERT_PATH");
  return directory.empty() ? docker_config_directory(environment) : directory;
}

std::optional<TlsFiles> tls_of(const Environment& environment) {
  const bool verify = !variable(environment, "DOCKER_TLS_VERIFY").empty();
  if (!verify && variable(environment, "DOCKER_TLS").empty()) return std::nullopt;
  return tls_files_in(certificate_directory(environment), verify);
}

/// Layout of docker/cli's context store: contexts/{meta,tls}/SHA256(name).
Result<Endpoint> endpoint_of_context(const std::string& name, const std::string& config) {
  const auto id = sha256_hex(name);
  const auto path = config + "/contexts/meta/" + id + "/meta.json";
  if (!exists(path))
    return invalid("docker context \"" + name + "\" does not exist: see docker context ls");
  auto meta = read_json(path);
  if (!meta) return std::move(meta).error().within("docker context \"" + name + "\"");
  const auto host = text_at(*meta, {"Endpoints", "docker", "Host"});
  if (host.empty()) return invalid("docker context \"" + name + "\" names no host");
  bool skip_verify = false;
  const auto& endpoint = meta->at("Endpoints").at("docker");
  if (const auto at = endpoint.find("SkipTLSVerify"); at != endpoint.end() && at->is_boolean())
    skip_verify = at->get<bool>();
  std::optional<TlsFiles> tls;
  const auto files = config + "/contexts/tls/" + id + "/docker";
  if (exists(files) || skip_verify) tls = tls_files_in(files, !skip_verify);
  auto parsed = parse_host(host, std::move(tls));
  if (!parsed) return std::move(parsed).error().within("docker context \"" + name + "\"");
  return parsed;
}

/// Without the authority that was meant, the system's would be trusted in its place.
Result<Endpoint> of_environment(const std::string& host, const Environment& environment) {
  auto tls = tls_of(environment);
  const bool unproved = tls && tls->verify && tls->ca.empty();
  auto parsed = parse_host(host, std::move(tls));
  if (unproved && parsed && parsed->tls) {
    return invalid("DOCKER_TLS_VERIFY is set, but " + certificate_directory(environment) +
                   "/ca.pem is not there; DOCKER_CERT_PATH names the directory");
  }
  return parsed;
}

Result<Endpoint> chosen(const Environment& environment,
                        const std::optional<std::string>& host_flag) {
  if (host_flag && !host_flag->empty()) return of_environment(*host_flag, environment);
  if (const auto host = variable(environment, "DOCKER_HOST"); !host.empty()) {
    auto parsed = of_environment(host, environment);
    if (!parsed) return std::move(parsed).error().within("DOCKER_HOST");
    return parsed;
  }
  const auto config = docker_config_directory(environment);
  auto context = variable(environment, "DOCKER_CONTEXT");
  if (context.empty() && exists(config + "/config.json")) {
    auto json = read_json(config + "/config.json");
    if (!json) return std::move(json).error();
    context = text_at(*json, {"currentContext"});
  }
  if (!context.empty() && context != kDefaultContext) return endpoint_of_context(context, config);
  return Endpoint{.socket = std::string(kDefaultSocket), .address = {}, .tls = {}};
}

}  // namespace

std::string Endpoint::text() const {
  if (!written.empty()) return written;
  return socket.empty() ? "tcp://" + address : "unix://" + socket;
}

std::string docker_config_directory(const Environment& environment) {
  if (auto given = variable(environment, "DOCKER_CONFIG"); !given.empty()) return given;
  const auto home = variable(environment, "HOME");
  return home.empty() ? std::string() : home + "/.docker";
}

Result<Endpoint> endpoint_from(const Environment& environment,
                               const std::optional<std::string>& host_flag) {
  auto endpoint = chosen(environment, host_flag);
  if (!endpoint) return endpoint;
  auto version = variable(environment, "DOCKER_API_VERSION");
  if (version.starts_with('v')) version.erase(0, 1);
  if (version.find_first_not_of("0123456789.") != std::string::npos)
    return invalid("DOCKER_API_VERSION is \"" + version + "\", not a version like 1.44");
  endpoint->api_version = std::move(version);
  return endpoint;
}

}  // namespace skep::engine
