#include "cli/age_keys.hpp"

#include <filesystem>
#include <optional>

namespace skep::cli {
namespace {

constexpr const char* kMountedAgeKey = "/run/secrets/skep_age_key";

/// Where sops looks for keys of its own accord.
std::optional<std::string> home_file(const Session& session) {
  if (const auto config = session.variable("XDG_CONFIG_HOME"); !config.empty())
    return config + "/sops/age/keys.txt";
  if (const auto home = session.variable("HOME"); !home.empty())
    return home + "/.config/sops/age/keys.txt";
  return std::nullopt;
}

bool is_there(const std::string& path) {
  std::error_code ignored;
  return std::filesystem::exists(path, ignored);
}

Result<void> add_file(sops::Identities& keys, const std::string& path, const char* named_by) {
  const auto text = read_file(path);
  if (!text) return Error(text.error()).within(named_by);
  auto more = sops::parse_identities(*text, path);
  if (!more) return std::move(more).error();
  keys.insert(keys.end(), more->begin(), more->end());
  return {};
}

}  // namespace

void add_age_key_flag(Command& app, std::string& file) {
  app.add_option("--age-key-file",
                 file,
                 std::string("File with the age key of encrypted files (default: SOPS_AGE_KEY, "
                             "SOPS_AGE_KEY_FILE, ") +
                     kMountedAgeKey + ", ~/.config/sops/age/keys.txt)")
      ->envname("SKEP_AGE_KEY_FILE")
      ->group("Repository");
}

Result<sops::Identities> read_age_keys(const Session& session, const std::string& file) {
  sops::Identities keys;
  if (!file.empty()) {
    if (auto added = add_file(keys, file, "--age-key-file"); !added)
      return std::move(added).error();
    return keys;
  }
  if (const auto text = session.variable("SOPS_AGE_KEY"); !text.empty()) {
    auto own = sops::parse_identities(text, "SOPS_AGE_KEY");
    if (!own) return own;
    keys = *std::move(own);
  }
  if (const auto path = session.variable("SOPS_AGE_KEY_FILE"); !path.empty()) {
    if (auto added = add_file(keys, path, "SOPS_AGE_KEY_FILE"); !added)
      return std::move(added).error();
  }
  if (is_there(kMountedAgeKey)) {
    if (auto added = add_file(keys, kMountedAgeKey, kMountedAgeKey); !added)
      return std::move(added).error();
  }
  if (const auto path = home_file(session); path && is_there(*path)) {
    // Nobody named this file: what it holds for other programs is no mistake here.
    const auto text = read_file(*path);
    const bool ours = text && text->find("AGE-SECRET-KEY-") != std::string::npos;
    if (auto added = ours ? add_file(keys, *path, "the age keys of sops") : Result<void>(); !added)
      return std::move(added).error();
  }
  return keys;
}

}  // namespace skep::cli
