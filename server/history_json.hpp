#pragma once

#include <string>
#include <vector>

#include "core/clock.hpp"
#include "reconciler/ports/explanation.hpp"
#include "reconciler/ports/history.hpp"

/// What the API answers about what was and why. Every field is always there; times are RFC 3339 in
/// UTC with milliseconds, null for what is not known. Bytes that are not UTF-8 are replaced.
namespace skep::server {

/// {"operations": [...], "trouble": ""}; `trouble` says why nothing is kept at present.
[[nodiscard]] std::string to_json(const std::vector<ports::OperationRecord>& operations,
                                  const std::string& trouble);
/// {"events": [...], "trouble": ""}
[[nodiscard]] std::string to_json(const std::vector<ports::EventRecord>& events,
                                  const std::string& trouble);
[[nodiscard]] std::string to_json(const ports::Explanation& explanation);
/// One event, as in that list.
[[nodiscard]] std::string to_json(const ports::EventRecord& event);
/// The lists alone: [...]
[[nodiscard]] std::string to_json(const std::vector<ports::Condition>& conditions);
[[nodiscard]] std::string to_json(const std::vector<ports::TaskStatus>& tasks);
[[nodiscard]] std::string to_json(const std::vector<ports::OperationRecord>& operations);
[[nodiscard]] std::string to_json(const ports::Trace& trace);

}  // namespace skep::server
