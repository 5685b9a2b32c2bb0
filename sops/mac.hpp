#pragma once

#include <string>

#include "sops/value.hpp"

namespace skep::sops {

/// A file's checksum over its plain values in their order; the file keeps it encrypted.
class FileMac {
 public:
  explicit FileMac(bool only_encrypted);
  void add(const Value& value, bool encrypted);
  /// Upper case, as SOPS writes it.
  [[nodiscard]] std::string hex() const;

 private:
  bool only_encrypted_;
  std::string bytes_;
};

}  // namespace skep::sops
