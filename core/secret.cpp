#include "core/secret.hpp"

#include <openssl/crypto.h>

#include "core/digest.hpp"

namespace skep {
namespace {

void wipe(std::string* value) {
  OPENSSL_cleanse(value->data(), value->size());
  delete value;
}

}  // namespace

Secret::Secret(std::string value) {
  std::shared_ptr<std::string> buffer(new std::string(value), wipe);
  OPENSSL_cleanse(value.data(), value.size());
  value_ = std::move(buffer);
}

std::string_view Secret::reveal() const noexcept {
  return value_ ? std::string_view(*value_) : std::string_view();
}

bool Secret::operator==(const Secret& other) const noexcept {
  return same_bytes(reveal(), other.reveal());
}

}  // namespace skep
