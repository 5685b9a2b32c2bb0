#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "core/result.hpp"
#include "core/secret.hpp"

namespace skep::sops {

/// The public half of a key: files are encrypted to it. "age1…".
class Recipient {
 public:
  /// Errors: invalid_input, without quoting what was typed where it looks like a secret key.
  static Result<Recipient> parse(std::string_view text);

  [[nodiscard]] const std::string& text() const noexcept { return text_; }
  [[nodiscard]] const std::string& point() const noexcept { return point_; }  ///< 32 bytes.
  bool operator==(const Recipient&) const = default;

 private:
  friend class Identity;
  explicit Recipient(std::string point);

  std::string point_;
  std::string text_;
};

/// The secret half: decrypts what was encrypted to its recipient.
class Identity {
 public:
  /// From the system's generator.
  static Identity generate();
  /// "AGE-SECRET-KEY-1…". Errors: invalid_input, never quoting the text.
  static Result<Identity> parse(std::string_view text);

  [[nodiscard]] const Recipient& recipient() const noexcept { return recipient_; }
  [[nodiscard]] const Secret& key() const noexcept { return key_; }  ///< 32 bytes.
  /// "AGE-SECRET-KEY-1…".
  [[nodiscard]] Secret text() const;

 private:
  explicit Identity(Secret key);

  Secret key_;
  Recipient recipient_;
};

using Identities = std::vector<Identity>;

/// A key file as age-keygen writes it: one identity a line, blank lines and `#` comments between.
/// Keys of plugins beside ours are passed by. `file` names it in errors. Errors: invalid_input
/// (positioned; no key at all, only such of another kind, a key file that is itself encrypted).
Result<Identities> parse_identities(std::string_view text, const std::string& file);

/// A file in the age format, not armored. `recipients` is not empty.
/// Source: age-encryption.org/v1.
[[nodiscard]] std::string age_encrypt(std::string_view plain,
                                      const std::vector<Recipient>& recipients);

/// Takes a file as it is or armored. Errors: unauthorized (none of the identities fits; the message
/// says for what kinds of key the file is), invalid_input (damaged, cut off, another version).
Result<std::string> age_decrypt(std::string_view file, const Identities& identities);

}  // namespace skep::sops
