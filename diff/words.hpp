#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "swarm/service_spec.hpp"

/// How values are shown to a person, and which must not be.
namespace skep::diff {

/// A variable, label or option whose name says that its value is a credential ("DB_PASSWORD",
/// "traefik.….basicauth.users").
[[nodiscard]] bool is_credential_name(std::string_view name);
/// A value that looks like, or carries, a credential whatever its name: a URL with a password, a
/// password hash, a key in PEM form, "password=…".
[[nodiscard]] bool holds_credential(std::string_view value);

/// By the one or the other. The path of the file that holds a credential (DB_PASSWORD_FILE) is
/// none.
[[nodiscard]] bool is_credential(std::string_view name, std::string_view value);

/// Without control characters, line breaks and the marks that turn the writing direction.
[[nodiscard]] std::string printable(std::string_view text);

[[nodiscard]] std::string show_bytes(std::int64_t bytes);              ///< "64M", "1536K", "100B".
[[nodiscard]] std::string show_cpus(std::int64_t nano_cpus);           ///< "0.5"
[[nodiscard]] std::string show_duration(swarm::Nanoseconds duration);  ///< "1m30s", "500ms".
/// Words as they would stand on a command line.
[[nodiscard]] std::string show_words(const std::vector<std::string>& words);
[[nodiscard]] std::string show_ratio(float ratio);

}  // namespace skep::diff
