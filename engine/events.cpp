#include <utility>

#include <nlohmann/json.hpp>

#include "core/ascii.hpp"
#include "engine/json_text.hpp"
#include "engine/socket_engine.hpp"

namespace skep::engine {
namespace {

using nlohmann::json;

constexpr std::size_t kEventLimit = 1 << 20;

std::optional<ports::EngineEvent> event_of(std::string_view line) {
  const auto event = json::parse(line.begin(), line.end(), nullptr, false);
  if (!event.is_object()) return std::nullopt;
  const auto actor = event.value("Actor", json::object());
  return ports::EngineEvent{
      .type = text_of(event, "Type"),
      .action = text_of(event, "Action"),
      .id = text_of(actor, "ID"),
      .name = text_of(
          actor.is_object() ? actor.value("Attributes", json::object()) : json::object(), "name")};
}

/// Cuts the stream into its JSON objects, one a line.
class Lines {
 public:
  /// False where a line has no end in sight.
  template <typename Take>
  bool add(std::string_view bytes, Take take) {
    pending_ += bytes;
    std::size_t from = 0;
    for (auto end = pending_.find('\n'); end != std::string::npos;
         end = pending_.find('\n', from)) {
      take(std::string_view(pending_).substr(from, end - from));
      from = end + 1;
    }
    pending_.erase(0, from);
    return pending_.size() <= kEventLimit;
  }

 private:
  std::string pending_;
};

}  // namespace

Result<void> SocketEngine::follow_events(
    const std::function<void(const ports::EngineEvent&)>& on_event,
    const std::function<void()>& on_open,
    std::stop_token stop) {
  const json filters{{"scope", json::array({"swarm"})},
                     {"type", json::array({"service", "network", "config", "secret", "node"})}};
  Lines lines;
  // Bytes that are no events end the stream: whoever follows must not believe that it hears all.
  std::optional<Error> broken;
  std::stop_source enough;
  const std::stop_callback forward(stop, [&enough] { enough.request_stop(); });
  const auto on_line = [&](std::string_view line) {
    if (line.find_first_not_of(" \r\t") == std::string_view::npos || broken) return;
    if (auto event = event_of(line))
      on_event(*event);
    else
      broken = Error{ErrorKind::unavailable, "the engine's event stream is not valid JSON", {}};
  };
  auto done = api_.stream(
      {.operation = "events", .path = "/events?filters=" + percent_encoded(filters.dump())},
      on_open,
      [&](std::string_view bytes) {
        if (!lines.add(bytes, on_line) && !broken)
          broken = Error{ErrorKind::unavailable, "an event of the engine is larger than 1 MiB", {}};
        if (broken) enough.request_stop();
      },
      enough.get_token());
  if (broken) return std::move(*broken);
  return done;
}

}  // namespace skep::engine
