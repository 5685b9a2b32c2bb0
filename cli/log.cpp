#include "cli/log.hpp"

#include <chrono>
#include <cstdio>
#include <mutex>

#include <nlohmann/json.hpp>
#include <spdlog/sinks/base_sink.h>
#include <spdlog/spdlog.h>
#include <unistd.h>

#include "cli/session.hpp"
#include "core/log_scope.hpp"
#include "core/logfmt.hpp"

namespace skep::cli {
namespace {

/// "2026-11-21T09:17:42.123Z"
std::string stamp_of(std::chrono::system_clock::time_point at) {
  const auto whole = std::chrono::floor<std::chrono::milliseconds>(at);
  const auto milliseconds = whole.time_since_epoch().count() % 1000;
  auto text = to_rfc3339(WallTime(whole));
  char part[8];
  std::snprintf(part, sizeof part, ".%03d", static_cast<int>(milliseconds));
  return text.insert(text.size() - 1, part);
}

std::string_view name_of(spdlog::level::level_enum level) {
  switch (level) {
    case spdlog::level::trace:
      return "trace";
    case spdlog::level::debug:
      return "debug";
    case spdlog::level::info:
      return "info";
    case spdlog::level::warn:
      return "warning";
    default:
      return "error";
  }
}

/// Standard error, less what the redaction set knows.
class MaskedLog final : public spdlog::sinks::base_sink<std::mutex> {
 public:
  MaskedLog(std::shared_ptr<const RedactionSet> set, bool as_json)
      : set_(std::move(set)), json_(as_json) {}

 protected:
  void sink_it_(const spdlog::details::log_msg& message) override {
    // Masked before it is put into JSON, whose escapes would hide a value from the set.
    auto text = masked_line({message.payload.data(), message.payload.size()}, *set_);
    const auto time = stamp_of(message.time);
    const auto level = name_of(message.level);
    std::string line;
    if (json_) {
      line = json_line(time, level, text);
    } else {
      for (const auto& [name, value] : LogScope::fields()) text += " " + name + "=" + value;
      line = time + " " + std::string(level) + " " + text;
    }
    line += '\n';
    (void)std::fwrite(line.data(), 1, line.size(), stderr);
  }
  void flush_() override { (void)std::fflush(stderr); }

 private:
  const std::shared_ptr<const RedactionSet> set_;
  const bool json_;
};

}  // namespace

std::string masked_line(std::string_view message, const RedactionSet& set) {
  constexpr std::size_t kCount = 2;  // Digits that are nobody's password.
  auto line = parse_logfmt(message);
  line.sentence = set.mask(line.sentence);  // Of ours, so that a short value in it is chance.
  for (auto& [name, value] : line.fields) {
    const bool stays = name == "stack" || name == "service" || value.size() <= kCount;
    value = stays ? set.mask(value) : set.mask_field(value);
  }
  return logfmt(line);
}

std::string json_line(std::string_view time, std::string_view level, std::string_view message) {
  const auto parsed = parse_logfmt(message);
  nlohmann::ordered_json line = {{"time", time}, {"level", level}, {"message", parsed.sentence}};
  for (const auto& [name, value] : LogScope::fields()) line[name] = value;
  for (const auto& [name, value] : parsed.fields) {
    // What a line says of itself cannot be said by one of its fields.
    const bool taken = line.contains(name);
    line[taken ? "field_" + name : name] = value;
  }
  return line.dump(-1, ' ', false, nlohmann::ordered_json::error_handler_t::replace);
}

std::shared_ptr<spdlog::logger> make_logger(const Session& session, bool daemon) {
  const bool json = session.log_format == "json" ||
                    (session.log_format != "text" && daemon && ::isatty(STDERR_FILENO) == 0);
  auto logger = std::make_shared<spdlog::logger>(
      "skep", std::make_shared<MaskedLog>(session.redaction, json));
  if (session.log_level.empty()) {
    logger->set_level(daemon ? spdlog::level::info : spdlog::level::off);
  } else {
    (void)set_level(*logger, session.log_level);
  }
  logger->flush_on(spdlog::level::trace);
  return logger;
}

std::string level_of(const spdlog::logger& log) { return std::string(name_of(log.level())); }

Result<void> set_level(spdlog::logger& log, std::string_view level) {
  for (const auto known : {spdlog::level::err,
                           spdlog::level::warn,
                           spdlog::level::info,
                           spdlog::level::debug,
                           spdlog::level::trace}) {
    if (name_of(known) != level) continue;
    log.set_level(known);
    return {};
  }
  return Error{ErrorKind::invalid_input, "the level must be error, warning, info, debug or trace"};
}

}  // namespace skep::cli
