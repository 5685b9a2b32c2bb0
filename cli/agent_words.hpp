#pragma once

#include <string>

#include <nlohmann/json.hpp>

/// For the verbs that print what the agent answered.
namespace skep::cli {

/// What comes from git and from the engine may hold anything: no control character reaches the
/// terminal, and no mark that turns the writing direction.
[[nodiscard]] std::string printable(const std::string& text);

/// A text of an object; "" where there is none.
[[nodiscard]] std::string text_of(const nlohmann::json& object, const char* key);
[[nodiscard]] std::int64_t number_of(const nlohmann::json& object, const char* key);
/// A list of an object; empty where there is none.
[[nodiscard]] nlohmann::json list_of(const nlohmann::json& object, const char* key);

/// "2026-11-21T09:17:42Z" of what the API says with milliseconds; "" for null.
[[nodiscard]] std::string time_of(const nlohmann::json& object, const char* key);

/// The first 12 digits of a commit; "-" for none.
[[nodiscard]] std::string short_commit(const std::string& commit);

/// Filled up with blanks, and two more.
[[nodiscard]] std::string column(std::string text, std::size_t width);

}  // namespace skep::cli
