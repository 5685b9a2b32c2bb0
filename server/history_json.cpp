#include "server/history_json.hpp"

#include <nlohmann/json.hpp>

#include "server/json_text.hpp"
#include "server/status_words.hpp"

namespace skep::server {
namespace {

OrderedJson operation_json(const ports::OperationRecord& record) {
  const auto& report = record.report;
  OrderedJson objects = OrderedJson::array();
  for (const auto& object : report.objects) {
    objects.push_back({{"kind", word_of(kKindWords, object.kind)},
                       {"verb", word_of(kVerbWords, object.verb)},
                       {"name", object.name},
                       {"fields", object.fields},
                       {"error", object.error}});
  }
  return {{"id", record.id},
          {"stack", report.stack},
          {"trigger", report.trigger},
          {"result", report.result},
          {"failed_phase", report.failed_phase},
          {"message", report.message},
          {"started", time_json(report.started)},
          {"duration_ms", report.duration.count()},
          {"attempts", record.attempts},
          {"last_ended", time_json(record.last_ended)},
          {"revision_from", report.revision_from},
          {"revision_to", report.revision_to},
          {"author", report.author},
          {"subject", report.subject},
          {"plan_digest", report.plan_digest},
          {"actor", report.actor},
          {"objects", std::move(objects)}};
}

OrderedJson revision_json(const std::optional<ports::Revision>& revision) {
  if (!revision) return nullptr;
  return {{"commit", revision->commit},
          {"author", revision->author},
          {"subject", revision->subject},
          {"committed_at", time_json(revision->committed_at)}};
}

OrderedJson event_json(const ports::EventRecord& event) {
  return {{"id", event.id},
          {"at", time_json(event.at)},
          {"stack", event.stack},
          {"kind", event.kind},
          {"before", event.before},
          {"value", event.value},
          {"message", event.message},
          {"actor", event.actor}};
}

OrderedJson operations_json(const std::vector<ports::OperationRecord>& operations) {
  OrderedJson list = OrderedJson::array();
  for (const auto& record : operations) list.push_back(operation_json(record));
  return list;
}

OrderedJson conditions_json(const std::vector<ports::Condition>& conditions) {
  OrderedJson list = OrderedJson::array();
  for (const auto& condition : conditions) {
    list.push_back({{"name", condition.name},
                    {"state", ports::to_string(condition.state)},
                    {"text", condition.text},
                    {"remedy", condition.remedy},
                    {"since", time_json(condition.since)},
                    {"until", time_json(condition.until)}});
  }
  return list;
}

}  // namespace

std::string to_json(const std::vector<ports::OperationRecord>& operations,
                    const std::string& trouble) {
  return text_of({{"operations", operations_json(operations)}, {"trouble", trouble}});
}

std::string to_json(const std::vector<ports::EventRecord>& events, const std::string& trouble) {
  OrderedJson list = OrderedJson::array();
  for (const auto& event : events) list.push_back(event_json(event));
  return text_of({{"events", std::move(list)}, {"trouble", trouble}});
}

std::string to_json(const ports::Explanation& explanation) {
  OrderedJson services = OrderedJson::array();
  for (const auto& service : explanation.services) {
    services.push_back({{"name", service.name},
                        {"image", service.image},
                        {"running", service.running},
                        {"desired", service.desired},
                        {"update_state", service.update_state},
                        {"trouble", service.trouble},
                        {"log", service.log}});
  }
  return text_of({{"stack", explanation.stack},
                  {"summary", explanation.summary},
                  {"conditions", conditions_json(explanation.conditions)},
                  {"services", std::move(services)}});
}

std::string to_json(const ports::EventRecord& event) { return text_of(event_json(event)); }

std::string to_json(const std::vector<ports::Condition>& conditions) {
  return text_of(conditions_json(conditions));
}

std::string to_json(const std::vector<ports::TaskStatus>& tasks) {
  OrderedJson list = OrderedJson::array();
  for (const auto& task : tasks) {
    list.push_back({{"id", task.id},
                    {"service", task.service},
                    {"node", task.node},
                    {"slot", task.slot},
                    {"image", task.image},
                    {"state", task.state},
                    {"desired_state", task.desired_state},
                    {"message", task.message},
                    {"error", task.error},
                    {"timestamp", task.timestamp}});
  }
  return text_of(list);
}

std::string to_json(const std::vector<ports::OperationRecord>& operations) {
  return text_of(operations_json(operations));
}

std::string to_json(const ports::Trace& trace) {
  OrderedJson at;
  if (trace.at)
    at = {{"file", trace.at->file}, {"line", trace.at->line}, {"column", trace.at->column}};
  return text_of({{"service", trace.service},
                  {"stack", trace.stack},
                  {"image", trace.image},
                  {"at", std::move(at)},
                  {"running", revision_json(trace.running)},
                  {"last_change", revision_json(trace.last_change)},
                  {"note", trace.note}});
}

}  // namespace skep::server
