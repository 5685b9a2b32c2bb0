#pragma once

#include <string>

namespace skep::gitsync::test {

/// A self-signed certificate for localhost that can also stand as its own CA; PEM.
struct TlsCertificate {
  std::string certificate, key;
};

/// `days` from now until it expires; negative for one that has expired.
[[nodiscard]] TlsCertificate make_certificate(const std::string& host = "localhost", int days = 1);

}  // namespace skep::gitsync::test
