#include "reconciler/state.hpp"

#include <nlohmann/json.hpp>

#include "swarm/labels.hpp"

namespace skep::reconciler {
namespace {

using Json = nlohmann::json;

constexpr std::string_view kStackPrefix = "io.skep.stack.";
constexpr std::string_view kSuspendedPrefix = "io.skep.suspended.";
constexpr std::string_view kApprovedPrefix = "io.skep.approved.";
constexpr std::string_view kFormatLabel = "io.skep.state.format";
constexpr std::string_view kFormat = "1";
constexpr std::string_view kData =
    "The decisions of a skep agent stand in the labels of this object.\n";

std::string to_label(const StackRecord& record) {
  Json json = Json::object();
  const auto put = [&](const char* name, const std::string& value) {
    if (!value.empty()) json[name] = value;
  };
  put("path", record.path);
  put("content", record.content);
  put("applied", record.applied);
  put("healthy", record.healthy);
  if (!record.digests.empty()) json["digests"] = record.digests;
  if (!record.jobs.empty()) json["jobs"] = record.jobs;
  if (!record.earlier_rollbacks.empty()) json["earlier_rollbacks"] = record.earlier_rollbacks;
  put("healthy_content", record.healthy_content);
  put("quarantined", record.quarantined);
  put("quarantine_deadlines", record.quarantine_deadlines);
  put("quarantine_reason", record.quarantine_reason);
  put("pre_hooks", record.pre_hooks);
  put("post_hooks", record.post_hooks);
  put("hook_failure", record.hook_failure);
  put("rollback_to", record.rollback_to);
  put("earlier_healthy", record.earlier_healthy);
  if (record.leaving_since)
    json["leaving_since_ms"] = record.leaving_since->time_since_epoch().count();
  if (record.removal_held) json["removal_held"] = true;
  if (record.ejected) json["ejected"] = true;
  // Words of engines and logs are cut to a length, and need not be text to begin with.
  return json.dump(-1, ' ', false, Json::error_handler_t::replace);
}

std::optional<StackRecord> from_label(const std::string& label) {
  const auto json = Json::parse(label, nullptr, false);
  if (!json.is_object()) return std::nullopt;
  StackRecord record;
  const auto get = [&](const char* name, std::string& into) {
    const auto at = json.find(name);
    if (at != json.end() && at->is_string()) into = at->get<std::string>();
  };
  get("path", record.path);
  get("content", record.content);
  get("applied", record.applied);
  get("healthy", record.healthy);
  get("healthy_content", record.healthy_content);
  get("quarantined", record.quarantined);
  get("quarantine_deadlines", record.quarantine_deadlines);
  get("quarantine_reason", record.quarantine_reason);
  get("pre_hooks", record.pre_hooks);
  get("post_hooks", record.post_hooks);
  get("hook_failure", record.hook_failure);
  get("rollback_to", record.rollback_to);
  get("earlier_healthy", record.earlier_healthy);
  const auto get_map = [&](const char* name, std::map<std::string, std::string>& into) {
    const auto at = json.find(name);
    if (at == json.end() || !at->is_object()) return;
    for (const auto& [key, value] : at->items()) {
      if (value.is_string()) into[key] = value.get<std::string>();
    }
  };
  get_map("digests", record.digests);
  get_map("jobs", record.jobs);
  if (const auto at = json.find("earlier_rollbacks"); at != json.end() && at->is_array()) {
    for (const auto& began : *at) {
      if (began.is_string()) record.earlier_rollbacks.insert(began.get<std::string>());
    }
  }
  if (const auto since = json.find("leaving_since_ms");
      since != json.end() && since->is_number_integer())
    record.leaving_since = WallTime(std::chrono::milliseconds(since->get<std::int64_t>()));
  const auto flag = [&](const char* name) {
    const auto at = json.find(name);
    return at != json.end() && at->is_boolean() && at->get<bool>();
  };
  record.removal_held = flag("removal_held");
  record.ejected = flag("ejected");
  return record;
}

std::string to_label(const Suspension& suspension) {
  Json json = {{"reason", suspension.reason},
               {"actor", suspension.actor},
               {"since_ms", suspension.since.time_since_epoch().count()}};
  if (suspension.until) json["until_ms"] = suspension.until->time_since_epoch().count();
  return json.dump(-1, ' ', false, Json::error_handler_t::replace);
}

std::optional<Suspension> suspension_from(const std::string& label) {
  const auto json = Json::parse(label, nullptr, false);
  if (!json.is_object()) return std::nullopt;
  const auto text = [&](const char* name) {
    const auto at = json.find(name);
    return at != json.end() && at->is_string() ? at->get<std::string>() : std::string();
  };
  const auto time = [&](const char* name) -> std::optional<WallTime> {
    const auto at = json.find(name);
    if (at == json.end() || !at->is_number_integer()) return std::nullopt;
    return WallTime(std::chrono::milliseconds(at->get<std::int64_t>()));
  };
  return Suspension{
      text("reason"), text("actor"), time("since_ms").value_or(WallTime{}), time("until_ms")};
}

}  // namespace

StateStore::StateStore(ports::Engine& engine, std::string instance)
    : engine_(engine),
      instance_(std::move(instance)),
      config_name_("skep-" + instance_ + "-state") {}

Result<State> StateStore::read(const swarm::LiveState& live) const {
  State state;
  const auto* object = live.find_config(config_name_);
  if (object == nullptr) return state;
  const auto format = object->labels.find(std::string(kFormatLabel));
  if (format == object->labels.end() || format->second != kFormat) {
    return Error{ErrorKind::unavailable,
                 "the config " + config_name_ +
                     " was written by another version of skep; update this one, nothing is changed "
                     "until then"};
  }
  for (const auto& [name, value] : object->labels) {
    if (name.starts_with(kStackPrefix)) {
      const auto stack = name.substr(kStackPrefix.size());
      if (auto record = from_label(value)) {
        state.stacks[stack] = *std::move(record);
      } else {  // Only that stack is unknown (promise 5).
        state.damaged[stack] = value;
      }
    } else if (name.starts_with(kSuspendedPrefix)) {
      // Somebody wanted it left alone; that much is still known.
      state.suspensions[name.substr(kSuspendedPrefix.size())] = suspension_from(value).value_or(
          Suspension{"why and until when is lost, for its record is damaged", "somebody", {}, {}});
    } else if (name.starts_with(kApprovedPrefix)) {
      state.approvals[name.substr(kApprovedPrefix.size())] = value;
    }
  }
  return state;
}

std::string StateStore::other_owner(const swarm::LiveState& live, const std::string& stack) const {
  for (const auto& config : live.configs) {
    if (config.name == config_name_ || !config.labels.contains(std::string(kFormatLabel))) continue;
    const auto label = config.labels.find(std::string(kStackPrefix) + stack);
    const auto instance = config.labels.find(std::string(swarm::kInstanceLabel));
    if (label == config.labels.end() || instance == config.labels.end()) continue;
    const auto record = from_label(label->second);
    if (!record || !record->ejected) return instance->second;
  }
  return "";
}

Result<bool> StateStore::write(const State& state,
                               const swarm::LiveState& live,
                               std::stop_token stop) {
  const auto held = read(live);
  if (!held) return held.error();
  const auto* object = live.find_config(config_name_);
  if (*held == state && (object != nullptr || state.empty())) return false;
  swarm::ConfigSpec spec;
  spec.name = config_name_;
  spec.data = kData;
  spec.labels[std::string(kFormatLabel)] = kFormat;
  spec.labels[std::string(swarm::kInstanceLabel)] = instance_;
  for (const auto& [name, record] : state.stacks)
    spec.labels[std::string(kStackPrefix) + name] = to_label(record);
  for (const auto& [name, raw] : state.damaged) spec.labels[std::string(kStackPrefix) + name] = raw;
  for (const auto& [name, suspension] : state.suspensions)
    spec.labels[std::string(kSuspendedPrefix) + name] = to_label(suspension);
  for (const auto& [name, content] : state.approvals)
    spec.labels[std::string(kApprovedPrefix) + name] = content;
  if (object == nullptr) {
    auto created = engine_.create_config(spec, stop);
    if (!created) return std::move(created).error().within("state object");
    return true;
  }
  auto updated = engine_.update_config(object->id, object->version, spec, stop);
  if (!updated) return std::move(updated).error().within("state object");
  return true;
}

}  // namespace skep::reconciler
