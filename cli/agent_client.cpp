#include "cli/agent_client.hpp"

#include <filesystem>

#include <nlohmann/json.hpp>

#include "core/ascii.hpp"
#include "engine/endpoint.hpp"
#include "engine/exec.hpp"
#include "engine/http.hpp"
#include "reconciler/agent/named_stack.hpp"
#include "server/status_json.hpp"

namespace skep::cli {
namespace {

using namespace std::chrono_literals;

constexpr std::size_t kLargestAnswer = 64U << 20U;

Result<AgentAnswer> ask(const Session& session,
                        engine::Endpoint endpoint,
                        const std::string& token,
                        const std::string& method,
                        const std::string& path) {
  engine::HttpClient client(std::move(endpoint), 5s);
  engine::HttpRequest request;
  request.method = method;
  request.path = path;
  request.timeout = 30s;
  request.response_limit = kLargestAnswer;
  if (!token.empty()) request.headers.push_back("Authorization: Bearer " + token);
  auto response = client.send(request, session.stop);
  if (!response) return std::move(response).error();
  return AgentAnswer{response->status, std::move(response->body)};
}

/// What to do where one of both speaks TLS and the other one does not, or does not trust it.
std::string hint_at_tls(std::string_view message, const AgentFlags& flags) {
  const auto says = [&](std::string_view words) {
    return message.find(words) != std::string_view::npos;
  };
  if (flags.server.starts_with("http://")) {
    const bool cut_off =
        says("Empty reply") || says("HTTP/0.9") || says("reset by peer") || says("Recv failure");
    return cut_off ? "; an agent with --tls-cert is asked at https://" : "";
  }
  if (says("wrong version number") || says("packet length too long"))
    return "; an agent without --tls-cert is asked at http://";
  if (says("subject name")) return "; name the agent as its certificate does";
  if (!says("certificate")) return "";
  return flags.ca_file.empty()
             ? "; name the PEM file of the authority that signed it with --ca-file"
             : "; " + flags.ca_file + " is not of the authority that signed it";
}

Result<AgentAnswer> ask_server(const Session& session,
                               const AgentFlags& flags,
                               const std::string& method,
                               const std::string& path) {
  engine::Endpoint endpoint;
  endpoint.peer = "agent";
  if (flags.server.starts_with("https://")) {
    endpoint.address = flags.server.substr(8);
    endpoint.tls.emplace().ca = flags.ca_file;
  } else if (flags.server.starts_with("http://")) {
    endpoint.address = flags.server.substr(7);
    if (!flags.ca_file.empty())
      return Error{ErrorKind::invalid_input, "--ca-file is for an https:// server"};
  } else {
    return Error{ErrorKind::invalid_input,
                 "--server must be http://HOST:PORT or https://HOST:PORT"};
  }
  while (endpoint.address.ends_with('/')) endpoint.address.pop_back();
  std::string token;
  if (!flags.token_file.empty()) {
    auto text = read_file(flags.token_file);
    if (!text) return std::move(text).error().within("--token-file");
    token = *std::move(text);
    while (!token.empty() && (token.back() == '\n' || token.back() == '\r')) token.pop_back();
  }
  endpoint.written = flags.server;
  auto answer = ask(session, std::move(endpoint), token, method, path);
  if (answer) return answer;
  auto error = std::move(answer).error();
  error.message += hint_at_tls(error.message, flags);
  return error;
}

/// The agent's socket is inside its container: the same binary there asks for us.
Result<AgentAnswer> ask_container(const Session& session,
                                  const std::string& method,
                                  const std::string& path) {
  auto engine = open_engine(session, false);
  if (!engine) return std::move(engine).error();
  const auto containers = engine::find_containers(**engine, {"io.skep.agent"}, session.stop);
  if (!containers) return containers.error();
  if (containers->empty())
    return Error{ErrorKind::unavailable, "no container of an agent runs on this node"};
  const auto output = engine::exec_in_container(
      **engine, containers->front().id, {"/usr/bin/skep", "__request", method, path}, session.stop);
  if (!output) return output.error();
  if (output->exit_code != 0)
    return Error{ErrorKind::unavailable, "in the agent's container: " + output->err};
  const auto json = nlohmann::json::parse(output->out, nullptr, false);
  if (!json.is_object() || !json.contains("status") || !json.contains("body")) {
    return Error{ErrorKind::unavailable,
                 "the agent's container answered with something else than expected"};
  }
  return AgentAnswer{json["status"].get<int>(), json["body"].get<std::string>()};
}

}  // namespace

void add_agent_flags(Command& app, AgentFlags& flags) {
  app.add_option("--socket", flags.socket, "The agent's local socket; \"\" for none")
      ->envname("SKEP_SOCKET")
      ->may_be_empty()
      ->capture_default_str();
  app.add_option(
         "--server", flags.server, "The agent's address: https://HOST:9920 or http://HOST:9920")
      ->envname("SKEP_SERVER");
  app.add_option("--ca-file", flags.ca_file, "PEM file with the authority of an https --server")
      ->envname("SKEP_CA_FILE");
  app.add_option("--token-file", flags.token_file, "File with a token for --server")
      ->envname("SKEP_TOKEN_FILE");
}

Result<AgentAnswer> ask_socket(const Session& session,
                               const AgentFlags& flags,
                               const std::string& method,
                               const std::string& path) {
  engine::Endpoint endpoint;
  endpoint.peer = "agent";
  endpoint.socket = flags.socket;
  return ask(session, std::move(endpoint), "", method, path);
}

Result<AgentAnswer> ask_agent(const Session& session,
                              const AgentFlags& flags,
                              const std::string& method,
                              const std::string& path) {
  if (!flags.server.empty()) return ask_server(session, flags, method, path);
  std::error_code code;
  if (std::filesystem::exists(flags.socket, code)) {
    auto answer = ask_socket(session, flags, method, path);
    if (answer) return answer;
  }
  auto answer = ask_container(session, method, path);
  if (answer) return answer;
  return Error{ErrorKind::unavailable,
               "the agent was not found: " +
                   (flags.socket.empty() ? "" : "no socket " + flags.socket + ", and ") +
                   answer.error().message +
                   "; run this on the manager where the agent runs, or name it with --server"};
}

Result<std::string> call_agent(const Session& session,
                               const AgentFlags& flags,
                               const std::string& method,
                               const std::string& path) {
  auto answer = ask_agent(session, flags, method, path);
  if (!answer) return std::move(answer).error();
  if (answer->status < 300) return std::move(answer->body);
  const auto json = nlohmann::json::parse(answer->body, nullptr, false);
  const auto words = json.is_object() && json.contains("error") && json["error"].is_string()
                         ? json["error"].get<std::string>()
                         : "the agent answered with status " + std::to_string(answer->status);
  return Error{ErrorKind::invalid_input, words};
}

Result<nlohmann::json> ask_json(const Session& session,
                                const AgentFlags& flags,
                                const std::string& path) {
  const auto body = call_agent(session, flags, "GET", path);
  if (!body) return body.error();
  auto json = nlohmann::json::parse(*body, nullptr, false);
  if (!json.is_object())
    return Error{ErrorKind::unavailable, "the agent answered with something else than expected"};
  return json;
}

Result<std::string> stack_path(const Session& session,
                               const AgentFlags& flags,
                               const std::string& word) {
  auto body = call_agent(session, flags, "GET", "/api/v1/status");
  if (!body) return std::move(body).error();
  const auto status = server::parse_status(*body);
  if (!status) return status.error();
  const auto* stack = reconciler::find_stack(*status, word);
  if (stack == nullptr) return reconciler::no_stack(*status, word);
  return percent_encoded(stack->group) + "/" + percent_encoded(stack->name);
}

}  // namespace skep::cli
