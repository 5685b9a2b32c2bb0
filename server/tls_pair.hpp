#pragma once

#include <vector>

#include <gnutls/abstract.h>

#include "server/tls_certificate.hpp"

namespace skep::server {

struct TlsCertificate::Pair {
  Pair() = default;
  ~Pair() {
    for (auto& certificate : chain) gnutls_pcert_deinit(&certificate);
    if (key != nullptr) gnutls_privkey_deinit(key);
  }
  Pair(const Pair&) = delete;
  Pair& operator=(const Pair&) = delete;

  std::vector<gnutls_pcert_st> chain;
  gnutls_privkey_t key = nullptr;
};

}  // namespace skep::server
