#include "sops/mac.hpp"

#include "core/digest.hpp"

namespace skep::sops {

FileMac::FileMac(bool only_encrypted) : only_encrypted_(only_encrypted) {
  // So that the two kinds of MAC never agree, this one begins with the digest of "sops".
  if (only_encrypted) bytes_ = sha256("sops");
}

void FileMac::add(const Value& value, bool encrypted) {
  if (encrypted || !only_encrypted_) bytes_ += value.text;
}

std::string FileMac::hex() const {
  auto text = sha512_hex(bytes_);
  for (auto& c : text) c = c >= 'a' && c <= 'f' ? static_cast<char>(c - 'a' + 'A') : c;
  return text;
}

}  // namespace skep::sops
