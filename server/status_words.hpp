#pragma once

#include <array>
#include <optional>
#include <string_view>
#include <utility>

#include "diff/plan.hpp"
#include "reconciler/ports/observer.hpp"

/// The words that stand for enumerators in JSON, in one place for both directions.
namespace skep::server {

template <typename E, std::size_t N>
using Words = std::array<std::pair<E, std::string_view>, N>;

inline constexpr Words<ports::SyncState, 3> kSyncWords = {
    {{ports::SyncState::synced, "synced"},
     {ports::SyncState::out_of_sync, "out_of_sync"},
     {ports::SyncState::unknown, "unknown"}}};
inline constexpr Words<ports::Health, 5> kHealthWords = {
    {{ports::Health::healthy, "healthy"},
     {ports::Health::progressing, "progressing"},
     {ports::Health::degraded, "degraded"},
     {ports::Health::missing, "missing"},
     {ports::Health::unknown, "unknown"}}};
inline constexpr Words<ports::DriftCause, 2> kCauseWords = {
    {{ports::DriftCause::pending, "pending"}, {ports::DriftCause::live, "live"}}};
inline constexpr Words<diff::ObjectKind, 4> kKindWords = {{{diff::ObjectKind::network, "network"},
                                                           {diff::ObjectKind::secret, "secret"},
                                                           {diff::ObjectKind::config, "config"},
                                                           {diff::ObjectKind::service, "service"}}};
inline constexpr Words<diff::Verb, 4> kVerbWords = {{{diff::Verb::create, "create"},
                                                     {diff::Verb::update, "update"},
                                                     {diff::Verb::remove, "remove"},
                                                     {diff::Verb::replace, "replace"}}};
inline constexpr Words<diff::Impact, 6> kImpactWords = {{{diff::Impact::none, "none"},
                                                         {diff::Impact::start, "start"},
                                                         {diff::Impact::restart, "restart"},
                                                         {diff::Impact::scale, "scale"},
                                                         {diff::Impact::stop, "stop"},
                                                         {diff::Impact::rerun, "rerun"}}};
inline constexpr Words<diff::FieldChange::Kind, 3> kChangeWords = {
    {{diff::FieldChange::Kind::added, "added"},
     {diff::FieldChange::Kind::removed, "removed"},
     {diff::FieldChange::Kind::changed, "changed"}}};
inline constexpr Words<diff::Note::Severity, 3> kSeverityWords = {
    {{diff::Note::Severity::info, "info"},
     {diff::Note::Severity::warning, "warning"},
     {diff::Note::Severity::blocked, "blocked"}}};

template <typename E, std::size_t N>
[[nodiscard]] constexpr std::string_view word_of(const Words<E, N>& words, E value) {
  for (const auto& [enumerator, word] : words) {
    if (enumerator == value) return word;
  }
  return words.back().second;
}

template <typename E, std::size_t N>
[[nodiscard]] constexpr std::optional<E> value_of(const Words<E, N>& words, std::string_view text) {
  for (const auto& [enumerator, word] : words) {
    if (word == text) return enumerator;
  }
  return std::nullopt;
}

}  // namespace skep::server
