#pragma once

#include <chrono>
#include <cstddef>
#include <functional>
#include <optional>
#include <stop_token>
#include <string>
#include <string_view>
#include <vector>

#include "core/result.hpp"
#include "engine/socket_engine.hpp"

/// What the command line needs of an engine beyond the reconciler's port: finding the agent's
/// container, running a command in it, reading a service's log.
namespace skep::engine {

struct ContainerSummary {
  std::string id, name, image;
  std::string state;  ///< running, exited …
  swarm::StringMap labels;
};

/// Running containers of this engine's own machine that carry all of `labels` ("key" or
/// "key=value").
Result<std::vector<ContainerSummary>> find_containers(SocketEngine& engine,
                                                      const std::vector<std::string>& labels,
                                                      std::stop_token stop);

struct ExecOutput {
  std::int64_t exit_code = 0;
  std::string out, err;  ///< Raw bytes, each at most the engine's response limit.
};

/// Runs a program inside a running container, without a terminal and without input, and waits for
/// it. Errors: those of the port; invalid_input also where the container does not run or has no
/// such program. When `stop` asks, the program goes on inside the container (the engine cannot end
/// an exec).
Result<ExecOutput> exec_in_container(SocketEngine& engine,
                                     const std::string& container,
                                     const std::vector<std::string>& arguments,
                                     std::stop_token stop);

struct LogLine {
  bool standard_error = false;
  std::string timestamp;         ///< RFC 3339, of the daemon that read it.
  std::string task_id, node_id;  ///< Where it came from.
  std::string text;  ///< Without its line end. Raw: control characters are the reader's to mask.
  bool operator==(const LogLine&) const = default;
};

struct LogOptions {
  std::optional<std::size_t> tail = {};  ///< Lines per task; absent is all.
  std::string since = {};                ///< Seconds since 1970; "" is the beginning.
};

/// The log of a service's tasks so far, by time. Errors: those of the port; invalid_input where the
/// log driver keeps nothing that can be read.
Result<std::vector<LogLine>> service_logs(SocketEngine& engine,
                                          const swarm::ObjectId& service,
                                          const LogOptions& options,
                                          std::stop_token stop);

/// The same, and then what is written from now on, line by line as it comes, until `stop` asks or
/// the service goes. `on_line` is called from this thread.
Result<void> follow_service_logs(SocketEngine& engine,
                                 const swarm::ObjectId& service,
                                 const LogOptions& options,
                                 const std::function<void(const LogLine&)>& on_line,
                                 std::stop_token stop);

/// One piece of a stream in which the engine mixes standard output and error.
struct StreamPiece {
  bool standard_error = false;
  std::string bytes;
  bool operator==(const StreamPiece&) const = default;
};

/// Takes the engine's framing apart: 1 byte stream, 3 zero bytes, 4 bytes length (big endian),
/// content. A body without it (a terminal's) is one piece of standard output; a cut last piece is
/// kept as far as it goes.
[[nodiscard]] std::vector<StreamPiece> demultiplex(std::string_view body);

}  // namespace skep::engine
