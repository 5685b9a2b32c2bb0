#include "cli/docker_plugin.hpp"

#include <nlohmann/json.hpp>

namespace skep::cli {
namespace {

/// One of Docker's global flags, by its long name; "" for another word.
std::string long_name(const std::string& word) {
  static const std::map<std::string, std::string> kShort = {
      {"-c", "--context"}, {"-H", "--host"}, {"-D", "--debug"}, {"-l", "--log-level"}};
  const auto name = word.substr(0, word.find('='));
  const auto found = kShort.find(name);
  return found == kShort.end() ? name : found->second;
}

/// Docker's words for ours.
std::string plugin_level(const std::string& level) {
  if (level == "warn") return "warning";
  return level == "fatal" ? "error" : level;
}

}  // namespace

std::string plugin_metadata() {
  return nlohmann::ordered_json{{"SchemaVersion", "0.1.0"},
                                {"Vendor", "skep"},
                                {"Version", SKEP_VERSION},
                                {"ShortDescription", "GitOps for Docker Swarm"}}
      .dump();
}

Result<std::optional<PluginCall>> plugin_call(const std::vector<std::string>& arguments) {
  PluginCall call;
  if (arguments.empty()) return std::optional<PluginCall>();
  call.arguments.push_back(arguments.front());
  if (arguments.size() > 2 && arguments[1] == "help" && arguments[2] == "skep") {
    call.arguments.insert(call.arguments.end(), arguments.begin() + 3, arguments.end());
    call.arguments.emplace_back("--help");
    return std::optional(std::move(call));
  }
  std::string refused;
  for (std::size_t i = 1; i < arguments.size(); ++i) {
    const auto& word = arguments[i];
    if (!word.starts_with('-')) {
      if (word != "skep") break;
      if (!refused.empty()) {
        return Error{ErrorKind::invalid_input,
                     "docker's " + refused +
                         " is not taken; put the files into a directory as ca.pem, cert.pem and "
                         "key.pem and name it by DOCKER_CERT_PATH"};
      }
      call.arguments.insert(call.arguments.end(),
                            arguments.begin() + static_cast<std::ptrdiff_t>(i) + 1,
                            arguments.end());
      return std::optional(std::move(call));
    }
    const auto name = long_name(word);
    const auto equals = word.find('=');
    if (name == "--debug") {
      call.arguments.insert(call.arguments.end(), {"--log-level", "debug"});
    } else if (name == "--tls") {
      call.environment["DOCKER_TLS"] = "1";
    } else if (name == "--tlsverify") {
      call.environment["DOCKER_TLS_VERIFY"] = "1";
    } else if (equals != std::string::npos || i + 1 < arguments.size()) {
      const auto value = equals == std::string::npos ? arguments[++i] : word.substr(equals + 1);
      if (name == "--context" || name == "--host") {
        call.arguments.insert(call.arguments.end(), {name, value});
      } else if (name == "--log-level") {
        call.arguments.insert(call.arguments.end(), {name, plugin_level(value)});
      } else if (name == "--config") {
        call.environment["DOCKER_CONFIG"] = value;
      } else if (name == "--tlscacert" || name == "--tlscert" || name == "--tlskey") {
        refused = name;
      } else {
        break;
      }
    }
  }
  return std::optional<PluginCall>();
}

}  // namespace skep::cli
