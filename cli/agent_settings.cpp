#include "cli/agent_settings.hpp"

#include "repository/settings.hpp"

namespace skep::cli {

Result<void> check_instance(const std::string& name) {
  const bool plain =
      !name.empty() && name.size() <= 40 &&
      name.find_first_not_of("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_") ==
          std::string::npos;
  if (plain) return {};
  return Error{ErrorKind::invalid_input, "--instance must be 1 to 40 letters, digits, - or _"};
}

Result<std::chrono::milliseconds> interval_of(const std::string& text) {
  const auto interval = repository::parse_duration(text);
  if (interval && *interval >= std::chrono::seconds(1)) return *interval;
  return Error{ErrorKind::invalid_input,
               "--interval must be a duration of at least 1s, such as 60s"};
}

}  // namespace skep::cli
