#include "reconciler/decryption.hpp"

#include <utility>

namespace skep::reconciler {

Result<PlainFile> plain_file(const std::string& path,
                             std::string text,
                             const Decryption* decryption) {
  const auto format = sops::encrypted_format(path, text);
  if (!format) return format.error();
  if (!*format) return PlainFile{std::move(text), {}, false};
  if (decryption == nullptr) {
    return Error{ErrorKind::invalid_input,
                 "this file must not be encrypted: skep reads it before it has a key",
                 SourcePosition{path}};
  }
  const bool masked = decryption->identities.empty() && decryption->placeholders;
  auto plain = masked ? sops::masked(text, path, **format)
                      : sops::decrypt(text, path, **format, decryption->identities);
  if (!plain) return std::move(plain).error();
  for (const auto& secret : plain->secrets) decryption->redaction->add(secret);
  return PlainFile{std::move(plain->text), std::move(plain->secrets), masked};
}

}  // namespace skep::reconciler
