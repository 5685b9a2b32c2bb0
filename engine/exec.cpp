#include "engine/exec.hpp"

#include <algorithm>
#include <utility>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "core/ascii.hpp"
#include "engine/json_text.hpp"

namespace skep::engine {
namespace {

using nlohmann::json;

constexpr std::size_t kFrameHeader = 8;

Error malformed() {
  return Error{ErrorKind::unavailable, "the engine's answer is not valid JSON", {}};
}

std::string dump(const json& value) {
  return value.dump(-1, ' ', false, json::error_handler_t::replace);
}

bool is_frame(std::string_view body) {
  return body.size() >= kFrameHeader && static_cast<unsigned char>(body[0]) <= 3 &&
         body.substr(1, 3) == std::string_view("\0\0\0", 3);
}

/// The value of NAME in "a=1,b=2".
std::string detail(std::string_view details, std::string_view name) {
  while (!details.empty()) {
    const auto comma = std::min(details.find(','), details.size());
    const auto pair = details.substr(0, comma);
    if (pair.size() > name.size() && pair.starts_with(name) && pair[name.size()] == '=')
      return std::string(pair.substr(name.size() + 1));
    details.remove_prefix(std::min(comma + 1, details.size()));
  }
  return {};
}

/// With timestamps=1 and details=1 the engine writes "TIME KEY=VALUE,KEY=VALUE TEXT".
LogLine log_line(bool standard_error, std::string_view line) {
  LogLine result{
      .standard_error = standard_error, .timestamp = {}, .task_id = {}, .node_id = {}, .text = {}};
  const auto first = line.find(' ');
  const auto second = first == std::string_view::npos ? first : line.find(' ', first + 1);
  if (second == std::string_view::npos ||
      line.substr(first + 1, second - first - 1).find("com.docker.swarm.") ==
          std::string_view::npos) {
    result.text = line;
    return result;
  }
  result.timestamp = line.substr(0, first);
  const auto details = line.substr(first + 1, second - first - 1);
  result.task_id = detail(details, "com.docker.swarm.task.id");
  result.node_id = detail(details, "com.docker.swarm.node.id");
  result.text = line.substr(second + 1);
  return result;
}

std::string log_path(const swarm::ObjectId& service, const LogOptions& options, bool follow) {
  auto path = fmt::format("/services/{}/logs?stdout=1&stderr=1&timestamps=1&details=1&tail={}",
                          percent_encoded(service),
                          options.tail ? std::to_string(*options.tail) : "all");
  if (!options.since.empty()) path += "&since=" + percent_encoded(options.since);
  if (follow) path += "&follow=1";
  return path;
}

void add_lines(const StreamPiece& piece, std::vector<LogLine>& lines) {
  std::string_view rest = piece.bytes;
  while (!rest.empty()) {
    const auto end = std::min(rest.find('\n'), rest.size());
    auto line = rest.substr(0, end);
    if (line.ends_with('\r')) line.remove_suffix(1);
    lines.push_back(log_line(piece.standard_error, line));
    rest.remove_prefix(std::min(end + 1, rest.size()));
  }
}

/// How much of a stream is complete; without framing, up to the last line end.
std::size_t whole_frames(std::string_view body) {
  if (body.size() < kFrameHeader) return 0;
  if (!is_frame(body)) {
    const auto end = body.rfind('\n');
    return end == std::string_view::npos ? 0 : end + 1;
  }
  std::size_t whole = 0;
  while (is_frame(body.substr(whole))) {
    std::size_t length = 0;
    for (std::size_t i = 4; i < kFrameHeader; ++i)
      length = length << 8U | static_cast<unsigned char>(body[whole + i]);
    if (body.size() - whole - kFrameHeader < length) break;
    whole += kFrameHeader + length;
  }
  return whole;
}

}  // namespace

std::vector<StreamPiece> demultiplex(std::string_view body) {
  std::vector<StreamPiece> pieces;
  if (body.empty()) return pieces;
  if (!is_frame(body)) {
    pieces.push_back({.standard_error = false, .bytes = std::string(body)});
    return pieces;
  }
  while (is_frame(body)) {
    std::size_t length = 0;
    for (std::size_t i = 4; i < kFrameHeader; ++i)
      length = length << 8U | static_cast<unsigned char>(body[i]);
    const bool standard_error = body[0] == 2;
    body.remove_prefix(kFrameHeader);
    const auto content = body.substr(0, std::min(length, body.size()));
    pieces.push_back({.standard_error = standard_error, .bytes = std::string(content)});
    body.remove_prefix(content.size());
  }
  return pieces;
}

Result<std::vector<ContainerSummary>> find_containers(SocketEngine& engine,
                                                      const std::vector<std::string>& labels,
                                                      std::stop_token stop) {
  const json filters{{"label", labels}, {"status", json::array({"running"})}};
  auto body =
      engine.api().call({.operation = "container_list",
                         .path = "/containers/json?filters=" + percent_encoded(dump(filters))},
                        std::move(stop));
  if (!body) return std::move(body).error();
  const auto answer = json::parse(*body, nullptr, false);
  if (!answer.is_array()) return malformed();
  std::vector<ContainerSummary> containers;
  for (const auto& entry : answer) {
    if (!entry.is_object()) return malformed();
    ContainerSummary container{.id = text_of(entry, "Id"),
                               .name = {},
                               .image = text_of(entry, "Image"),
                               .state = text_of(entry, "State"),
                               .labels = {}};
    const auto names = entry.value("Names", json::array());
    if (names.is_array() && !names.empty() && names[0].is_string()) {
      container.name = names[0].get<std::string>();
      if (container.name.starts_with('/')) container.name.erase(0, 1);
    }
    const auto found = entry.value("Labels", json::object());
    for (const auto& [key, value] : found.items()) {
      if (value.is_string()) container.labels.emplace(key, value.get<std::string>());
    }
    containers.push_back(std::move(container));
  }
  return containers;
}

Result<ExecOutput> exec_in_container(SocketEngine& engine,
                                     const std::string& container,
                                     const std::vector<std::string>& arguments,
                                     std::stop_token stop) {
  auto& api = engine.api();
  const auto wanted =
      dump({{"AttachStdout", true}, {"AttachStderr", true}, {"Tty", false}, {"Cmd", arguments}});
  const ApiCall create{.operation = "exec_create",
                       .method = "POST",
                       .path = "/containers/" + percent_encoded(container) + "/exec",
                       .body = wanted};
  auto created = api.ask(create, stop);
  if (!created) return std::move(created).error();
  if (created->status >= 300) {
    auto error = api_error(create, *created);
    // Not running (409) or not there (404): nothing that observing again would change.
    if (error.kind == ErrorKind::conflict) error.kind = ErrorKind::invalid_input;
    return error;
  }
  const auto exec = json::parse(created->body, nullptr, false);
  const auto id = text_of(exec, "Id");
  if (id.empty()) return malformed();

  std::string framed;
  bool too_large = false;
  std::stop_source enough;
  const std::stop_callback forward(stop, [&enough] { enough.request_stop(); });
  constexpr std::string_view kStart = R"({"Detach":false,"Tty":false})";
  auto done = api.stream(
      {.operation = "exec_start",
       .method = "POST",
       .path = "/exec/" + id + "/start",
       .body = kStart},
      {},
      [&](std::string_view bytes) {
        framed += bytes;
        if (framed.size() <= api.options().response_limit) return;
        too_large = true;
        enough.request_stop();
      },
      enough.get_token());
  if (too_large)
    return Error{ErrorKind::unavailable, "the command in the container says too much", {}};
  if (!done) return std::move(done).error();

  ExecOutput output;
  for (auto& piece : demultiplex(framed))
    (piece.standard_error ? output.err : output.out) += piece.bytes;
  auto inspected =
      api.call({.operation = "exec_inspect", .path = "/exec/" + id + "/json"}, std::move(stop));
  if (!inspected) return std::move(inspected).error();
  const auto state = json::parse(*inspected, nullptr, false);
  if (!state.is_object()) return malformed();
  const auto code = state.find("ExitCode");
  if (code == state.end() || !code->is_number_integer())
    return Error{ErrorKind::unavailable, "the command in the container has not ended", {}};
  output.exit_code = code->get<std::int64_t>();
  return output;
}

Result<std::vector<LogLine>> service_logs(SocketEngine& engine,
                                          const swarm::ObjectId& service,
                                          const LogOptions& options,
                                          std::stop_token stop) {
  auto body = engine.api().call(
      {.operation = "service_logs", .path = log_path(service, options, false)}, std::move(stop));
  if (!body) return std::move(body).error();
  std::vector<LogLine> lines;
  for (const auto& piece : demultiplex(*body)) add_lines(piece, lines);
  // Each task's lines arrive in order, tasks one after another or mixed.
  std::stable_sort(lines.begin(), lines.end(), [](const LogLine& a, const LogLine& b) {
    return a.timestamp < b.timestamp;
  });
  return lines;
}

Result<void> follow_service_logs(SocketEngine& engine,
                                 const swarm::ObjectId& service,
                                 const LogOptions& options,
                                 const std::function<void(const LogLine&)>& on_line,
                                 std::stop_token stop) {
  std::string pending;  // Of a frame that has not come whole yet.
  return engine.api().stream(
      {.operation = "service_logs", .path = log_path(service, options, true)},
      {},
      [&](std::string_view bytes) {
        pending += bytes;
        const auto whole = whole_frames(pending);
        std::vector<LogLine> lines;
        for (const auto& piece : demultiplex(std::string_view(pending).substr(0, whole)))
          add_lines(piece, lines);
        pending.erase(0, whole);
        for (const auto& line : lines) on_line(line);
      },
      std::move(stop));
}

Result<std::vector<std::string>> SocketEngine::log_tail(const std::string& service,
                                                        std::size_t lines,
                                                        std::stop_token stop) {
  auto read = service_logs(*this, service, {.tail = lines, .since = {}}, std::move(stop));
  if (!read) return std::move(read).error();
  std::vector<std::string> tail;
  for (auto& line : *read) tail.push_back(std::move(line.text));
  if (tail.size() > lines)
    tail.erase(tail.begin(), tail.end() - static_cast<std::ptrdiff_t>(lines));
  return tail;
}

}  // namespace skep::engine
