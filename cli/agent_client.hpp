#pragma once

#include <optional>
#include <string>

#include <nlohmann/json.hpp>

#include "cli/session.hpp"

namespace skep::cli {

/// How to reach the running agent.
struct AgentFlags {
  std::string socket = "/run/skep/skep.sock";
  std::string server;      ///< "http://host:9920"; "" for none.
  std::string token_file;  ///< For --server: to write, and to read where that needs one.
  std::string ca_file;     ///< Of an https --server with an authority of one's own; "" for none.
};
void add_agent_flags(Command& app, AgentFlags& flags);

struct AgentAnswer {
  int status = 0;
  std::string body;
};

/// One request to the agent: over --server if given, else the local socket, else inside the agent's
/// container on this engine. Errors: unavailable, with what was tried; a refusal of the agent is an
/// answer.
Result<AgentAnswer> ask_agent(const Session& session,
                              const AgentFlags& flags,
                              const std::string& method,
                              const std::string& path);

/// The same over the local socket and nothing else.
Result<AgentAnswer> ask_socket(const Session& session,
                               const AgentFlags& flags,
                               const std::string& method,
                               const std::string& path);

/// The same, where anything but a good answer is an error with the agent's own words.
Result<std::string> call_agent(const Session& session,
                               const AgentFlags& flags,
                               const std::string& method,
                               const std::string& path);

/// A GET whose answer is a JSON object.
Result<nlohmann::json> ask_json(const Session& session,
                                const AgentFlags& flags,
                                const std::string& path);

/// "group/name" of the API, for a stack that a person called by name, directory or group/name.
/// Errors: invalid_input where the agent has none, with the nearest one it has; conflict where it
/// stands by, with the one that is active.
Result<std::string> stack_path(const Session& session,
                               const AgentFlags& flags,
                               const std::string& word);

}  // namespace skep::cli
