#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/clock.hpp"
#include "core/result.hpp"

namespace skep::gitsync {

/// Whose signatures count: the file that git's gpg.ssh.allowedSignersFile names. Source:
/// ssh-keygen(1), ALLOWED SIGNERS.
class AllowedSigners {
 public:
  /// Errors: invalid_input with file and line, also for a certificate authority, which is not
  /// supported, and for a file without a key.
  static Result<AllowedSigners> parse(std::string_view text, const std::string& file);

  struct Answer {
    std::string name;      ///< Of who signs with the key; "" for nobody.
    std::string problem;   ///< Then why, with the key's fingerprint.
    bool expired = false;  ///< It counts, but not at that time.
  };
  [[nodiscard]] Answer signer(std::string_view key, WallTime when) const;

 private:
  struct Signer {
    std::string principals, key;
    bool for_git = true;
    std::optional<WallTime> after, before;
  };
  std::vector<Signer> signers_;
};

}  // namespace skep::gitsync
