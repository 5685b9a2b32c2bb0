#include "cli/digest_key.hpp"

#include <filesystem>

namespace skep::cli {
namespace {

constexpr const char* kMountedDigestKey = "/run/secrets/skep_digest_key";

}  // namespace

void add_digest_key_flag(Command& app, std::string& file) {
  app.add_option("--digest-key-file",
                 file,
                 std::string("Key that names generations of secrets (default: ") +
                     kMountedDigestKey + " where it is)")
      ->envname("SKEP_DIGEST_KEY_FILE");
}

Result<repository::SecretDigest> read_digest_key(const std::string& file) {
  std::error_code ignored;
  if (file.empty() && !std::filesystem::exists(kMountedDigestKey, ignored))
    return repository::SecretDigest();
  auto key = read_file(file.empty() ? kMountedDigestKey : file);
  if (!key) return std::move(key).error().within("--digest-key-file");
  return repository::SecretDigest::with_key(Secret(*std::move(key)));
}

}  // namespace skep::cli
