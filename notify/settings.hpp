#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "core/result.hpp"
#include "notify/git_host.hpp"
#include "notify/target.hpp"

namespace skep::notify {

/// The file of `--notify-file` (docs/notifications.md).
struct Settings {
  std::string commit_url;  ///< With {commit} in it; "" for no links.
  std::vector<Target> targets;
  std::vector<GitHost> statuses;
};

/// What the agent follows, for what the file leaves out.
struct Followed {
  std::string repository;  ///< Its address, "" where it is none.
  std::string branch;      ///< "" for the default one.
};

/// Reads a file that the settings name: a secret.
using ReadFile = std::function<Result<std::string>(const std::string& path)>;

/// Errors: invalid_input, positioned; no message holds the content of a secret.
[[nodiscard]] Result<Settings> parse_settings(std::string_view text,
                                              const std::string& file,
                                              const ReadFile& read,
                                              const Followed& followed = {});

}  // namespace skep::notify
