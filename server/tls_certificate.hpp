#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

#include "core/result.hpp"

namespace skep::server {

struct TlsFiles {
  std::string certificate;  ///< PEM: the server's own, then those between it and the authority.
  std::string key;          ///< PEM, without a password.
};

/// A certificate in two files that somebody renews: each handshake gets what the files hold at that
/// time. Where the new ones cannot be used the old certificate stays, and `say` is told why. Safe
/// from several threads.
class TlsCertificate {
 public:
  /// Errors: invalid_input, with the file's name and what is wrong with it.
  static Result<std::unique_ptr<TlsCertificate>> load(
      TlsFiles files, std::function<void(std::string_view)> say = {});
  ~TlsCertificate();
  TlsCertificate(const TlsCertificate&) = delete;
  TlsCertificate& operator=(const TlsCertificate&) = delete;

  /// What GnuTLS takes; opaque here. Stays valid for a minute after it was replaced, which is
  /// longer than any handshake may take.
  struct Pair;
  [[nodiscard]] std::shared_ptr<const Pair> current();

 private:
  using Steady = std::chrono::steady_clock;
  TlsCertificate(TlsFiles files, std::function<void(std::string_view)> say);
  [[nodiscard]] std::string stamp() const;
  static Result<std::shared_ptr<const Pair>> read(const TlsFiles& files);

  const TlsFiles files_;
  const std::function<void(std::string_view)> say_;
  std::mutex mutex_;  ///< Guards what follows.
  std::shared_ptr<const Pair> pair_;
  std::string stamp_;  ///< Of the files as they were read, or were tried to be read, last.
  Steady::time_point looked_{};
  struct Retired {
    Steady::time_point at;
    std::shared_ptr<const Pair> pair;
  };
  std::vector<Retired> retired_;
};

}  // namespace skep::server
