#include "server/status_json.hpp"

#include <nlohmann/json.hpp>

#include "server/json_text.hpp"
#include "server/status_words.hpp"

namespace skep::server {
namespace {

OrderedJson position_json(const std::optional<SourcePosition>& at) {
  if (!at) return nullptr;
  return {{"file", at->file}, {"line", at->line}, {"column", at->column}};
}

OrderedJson change_json(const diff::FieldChange& change) {
  const auto shown = [&](const std::string& value) -> std::string {
    return change.secret && !value.empty() ? "***" : value;
  };
  return {{"path", change.path},
          {"item", change.item},
          {"kind", word_of(kChangeWords, change.kind)},
          {"before", shown(change.before)},
          {"after", shown(change.after)},
          {"secret", change.secret}};
}

OrderedJson plan_json(const diff::Plan& plan) {
  OrderedJson actions = OrderedJson::array();
  for (const auto& action : plan.actions) {
    OrderedJson changes = OrderedJson::array();
    for (const auto& change : action.changes) changes.push_back(change_json(change));
    actions.push_back({{"verb", word_of(kVerbWords, action.verb)},
                       {"kind", word_of(kKindWords, action.kind)},
                       {"name", action.name},
                       {"key", action.key},
                       {"impact", word_of(kImpactWords, action.impact)},
                       {"reason", action.reason},
                       {"changes", std::move(changes)}});
  }
  OrderedJson notes = OrderedJson::array();
  for (const auto& note : plan.notes) {
    notes.push_back({{"severity", word_of(kSeverityWords, note.severity)},
                     {"text", note.text},
                     {"at", position_json(note.at)}});
  }
  return {{"stack", plan.stack.text()},
          {"actions", std::move(actions)},
          {"untouched", plan.untouched},
          {"notes", std::move(notes)}};
}

OrderedJson stack_json(const ports::StackStatus& stack) {
  OrderedJson services = OrderedJson::array();
  for (const auto& service : stack.services) {
    services.push_back({{"name", service.name},
                        {"image", service.image},
                        {"running", service.running},
                        {"desired", service.desired},
                        {"update_state", service.update_state},
                        {"mode", service.mode},
                        {"trouble", service.trouble}});
  }
  OrderedJson declared = OrderedJson::object();
  for (const auto& [kind, count] : stack.declared) declared[word_of(kKindWords, kind)] = count;
  return {
      {"group", stack.group},
      {"name", stack.name},
      {"path", stack.path},
      {"mode", stack.mode},
      {"sync", word_of(kSyncWords, stack.sync)},
      {"health", word_of(kHealthWords, stack.health)},
      {"message", stack.message},
      {"held", stack.held},
      {"suspended", stack.suspended},
      {"quarantined", stack.quarantined},
      {"target_revision", stack.target_revision},
      {"applied_revision", stack.applied_revision},
      {"healthy_revision", stack.healthy_revision},
      {"drift_cause",
       stack.drift_cause ? OrderedJson(word_of(kCauseWords, *stack.drift_cause)) : OrderedJson()},
      {"drift_since", time_json(stack.drift_since)},
      {"plan", stack.plan ? plan_json(*stack.plan) : OrderedJson()},
      {"services", std::move(services)},
      {"declared", std::move(declared)},
      {"last_success", time_json(stack.last_success)},
      {"last_failure", time_json(stack.last_failure)},
      {"last_duration_ms", stack.last_duration.count()},
      {"consecutive_failures", stack.consecutive_failures}};
}

// One object's fields; the first one of a wrong type becomes the error of the whole reading.
class FieldReader {
 public:
  FieldReader(const OrderedJson& object, std::string where, std::optional<Error>& error)
      : object_(object), where_(std::move(where)), error_(error) {
    if (!object.is_object()) fail("", "an object");
  }

  void read(const char* key, std::string& value) {
    if (const auto* json = find(key)) {
      if (!json->is_string()) return fail(key, "a text");
      value = json->get<std::string>();
    }
  }
  void read(const char* key, bool& value) {
    if (const auto* json = find(key)) {
      if (!json->is_boolean()) return fail(key, "true or false");
      value = json->get<bool>();
    }
  }
  void read(const char* key, std::uint64_t& value) {
    if (const auto* json = find(key)) {
      if (!json->is_number_unsigned()) return fail(key, "a whole number");
      value = json->get<std::uint64_t>();
    }
  }
  void read(const char* key, int& value) {
    if (const auto* json = find(key)) {
      if (!json->is_number_integer()) return fail(key, "a whole number");
      value = json->get<int>();
    }
  }
  void read(const char* key, std::chrono::milliseconds& value) {
    if (const auto* json = find(key)) {
      if (!json->is_number_integer()) return fail(key, "a whole number");
      value = std::chrono::milliseconds(json->get<std::int64_t>());
    }
  }
  void read(const char* key, std::optional<WallTime>& value);
  template <typename E, std::size_t N>
  void read(const char* key, E& value, const Words<E, N>& words) {
    std::string word;
    read(key, word);
    if (word.empty()) return;
    if (const auto known = value_of(words, word)) {
      value = *known;
    } else {
      fail(key, "a word that this version knows");
    }
  }
  void read(const char* key, std::vector<std::string>& values) {
    each(key, [&](const OrderedJson& json, const std::string& where) {
      if (!json.is_string()) return fail_at(where, "a text");
      values.push_back(json.get<std::string>());
    });
  }
  /// A list of objects.
  template <typename T, typename Read>
  void read(const char* key, std::vector<T>& values, Read&& read_one) {
    each(key, [&](const OrderedJson& json, const std::string& where) {
      read_one(FieldReader(json, where, error_), values.emplace_back());
    });
  }
  /// A list's or object's members, with their paths.
  template <typename Visit>
  void each(const char* key, Visit&& visit) {
    const auto* json = find(key);
    if (json == nullptr) return;
    if (!json->is_array()) return fail(key, "a list");
    std::size_t i = 0;
    for (const auto& element : *json) visit(element, path(key) + "[" + std::to_string(i++) + "]");
  }
  /// An object in a field; nothing for null.
  [[nodiscard]] std::optional<FieldReader> object(const char* key) {
    const auto* json = find(key);
    if (json == nullptr) return std::nullopt;
    return FieldReader(*json, path(key), error_);
  }
  [[nodiscard]] const OrderedJson& json() const { return object_; }
  void fail(const std::string& key, const char* expected) { fail_at(path(key), expected); }

 private:
  [[nodiscard]] const OrderedJson* find(const char* key) const {
    if (!object_.is_object()) return nullptr;
    const auto found = object_.find(key);
    return found == object_.end() || found->is_null() ? nullptr : &*found;
  }
  [[nodiscard]] std::string path(const std::string& key) const {
    return where_.empty() || key.empty() ? where_ + key : where_ + "." + key;
  }
  void fail_at(const std::string& where, const char* expected) {
    if (error_) return;
    error_ = Error{
        .kind = ErrorKind::invalid_input,
        .message = "the agent's answer: " + (where.empty() ? "it" : where) + " is not " + expected};
  }

  const OrderedJson& object_;
  std::string where_;
  std::optional<Error>& error_;
};

std::optional<WallTime> time_of(const std::string& text) {
  int year = 0, month = 0, day = 0, hour = 0, minute = 0, second = 0, milli = 0, length = 0;
  const int count = std::sscanf(text.c_str(),
                                "%4d-%2d-%2dT%2d:%2d:%2d.%3dZ%n",
                                &year,
                                &month,
                                &day,
                                &hour,
                                &minute,
                                &second,
                                &milli,
                                &length);
  const auto date = std::chrono::year_month_day(std::chrono::year(year),
                                                std::chrono::month(static_cast<unsigned>(month)),
                                                std::chrono::day(static_cast<unsigned>(day)));
  if (count != 7 || static_cast<std::size_t>(length) != text.size() || !date.ok()) {
    return std::nullopt;
  }
  return WallTime(std::chrono::sys_days(date)) + std::chrono::hours(hour) +
         std::chrono::minutes(minute) + std::chrono::seconds(second) +
         std::chrono::milliseconds(milli);
}

void FieldReader::read(const char* key, std::optional<WallTime>& value) {
  std::string text;
  read(key, text);
  if (text.empty()) return;
  value = time_of(text);
  if (!value) fail(key, "a time");
}

void read_plan(FieldReader fields, diff::Plan& plan) {
  std::string stack;
  fields.read("stack", stack);
  if (auto name = swarm::StackName::parse(stack)) plan.stack = *std::move(name);
  fields.read("actions", plan.actions, [](FieldReader of, diff::Action& action) {
    of.read("verb", action.verb, kVerbWords);
    of.read("kind", action.kind, kKindWords);
    of.read("name", action.name);
    of.read("key", action.key);
    of.read("impact", action.impact, kImpactWords);
    of.read("reason", action.reason);
    of.read("changes", action.changes, [](FieldReader part, diff::FieldChange& change) {
      part.read("path", change.path);
      part.read("item", change.item);
      part.read("kind", change.kind, kChangeWords);
      part.read("before", change.before);
      part.read("after", change.after);
      part.read("secret", change.secret);
    });
  });
  fields.read("untouched", plan.untouched);
  fields.read("notes", plan.notes, [](FieldReader of, diff::Note& note) {
    of.read("severity", note.severity, kSeverityWords);
    of.read("text", note.text);
    if (auto at = of.object("at")) {
      auto& position = note.at.emplace();
      at->read("file", position.file);
      at->read("line", position.line);
      at->read("column", position.column);
    }
  });
}

void read_stack(FieldReader fields, ports::StackStatus& stack) {
  fields.read("group", stack.group);
  fields.read("name", stack.name);
  fields.read("path", stack.path);
  fields.read("mode", stack.mode);
  fields.read("sync", stack.sync, kSyncWords);
  fields.read("health", stack.health, kHealthWords);
  fields.read("message", stack.message);
  fields.read("held", stack.held);
  fields.read("suspended", stack.suspended);
  fields.read("quarantined", stack.quarantined);
  fields.read("target_revision", stack.target_revision);
  fields.read("applied_revision", stack.applied_revision);
  fields.read("healthy_revision", stack.healthy_revision);
  std::string cause;
  fields.read("drift_cause", cause);
  if (!cause.empty()) fields.read("drift_cause", stack.drift_cause.emplace(), kCauseWords);
  fields.read("drift_since", stack.drift_since);
  if (auto plan = fields.object("plan")) read_plan(*plan, stack.plan.emplace());
  fields.read("services", stack.services, [](FieldReader of, ports::ServiceStatus& service) {
    of.read("name", service.name);
    of.read("image", service.image);
    of.read("running", service.running);
    of.read("desired", service.desired);
    of.read("update_state", service.update_state);
    of.read("mode", service.mode);
    of.read("trouble", service.trouble);
  });
  if (auto declared = fields.object("declared")) {
    for (const auto& [kind, word] : kKindWords) {
      if (!declared->json().is_object() || !declared->json().contains(word)) continue;
      declared->read(std::string(word).c_str(), stack.declared[kind]);
    }
  }
  fields.read("last_success", stack.last_success);
  fields.read("last_failure", stack.last_failure);
  fields.read("last_duration_ms", stack.last_duration);
  fields.read("consecutive_failures", stack.consecutive_failures);
}

}  // namespace

std::string to_json(const ports::StackStatus& status) { return text_of(stack_json(status)); }

std::string to_json(const ports::AgentStatus& status) {
  OrderedJson stacks = OrderedJson::array();
  for (const auto& stack : status.stacks) stacks.push_back(stack_json(stack));
  return text_of({{"version", status.version},
                  {"instance", status.instance},
                  {"source", status.source},
                  {"revision", status.revision},
                  {"revision_subject", status.revision_subject},
                  {"revision_author", status.revision_author},
                  {"standby_for", status.standby_for},
                  {"docker_up", status.docker_up},
                  {"docker_error", status.docker_error},
                  {"observed_at", time_json(status.observed_at)},
                  {"observed_age_ms",
                   status.observed_age ? OrderedJson(status.observed_age->count()) : OrderedJson()},
                  {"last_fetch", time_json(status.last_fetch)},
                  {"fetch_error", status.fetch_error},
                  {"repository_errors", status.repository_errors},
                  {"notes", status.notes},
                  {"stacks", std::move(stacks)}});
}

Result<ports::AgentStatus> parse_status(std::string_view json) {
  const auto parsed = OrderedJson::parse(json, nullptr, false);
  if (parsed.is_discarded()) {
    return Error{.kind = ErrorKind::invalid_input, .message = "the agent's answer is no JSON"};
  }
  std::optional<Error> error;
  ports::AgentStatus status;
  FieldReader fields(parsed, "", error);
  fields.read("version", status.version);
  fields.read("instance", status.instance);
  fields.read("source", status.source);
  fields.read("revision", status.revision);
  fields.read("revision_subject", status.revision_subject);
  fields.read("revision_author", status.revision_author);
  fields.read("standby_for", status.standby_for);
  fields.read("docker_up", status.docker_up);
  fields.read("docker_error", status.docker_error);
  fields.read("observed_at", status.observed_at);
  if (status.observed_at) fields.read("observed_age_ms", status.observed_age.emplace());
  fields.read("last_fetch", status.last_fetch);
  fields.read("fetch_error", status.fetch_error);
  fields.read("repository_errors", status.repository_errors);
  fields.read("notes", status.notes);
  fields.read("stacks", status.stacks, read_stack);
  if (error) return *std::move(error);
  return status;
}

}  // namespace skep::server
