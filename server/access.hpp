#pragma once

#include <chrono>
#include <functional>
#include <map>
#include <mutex>
#include <string>
#include <variant>

#include "core/clock.hpp"
#include "server/message.hpp"
#include "server/tokens.hpp"

namespace skep::server {

/// Wrong tokens from one address: so many, and then one now and then, right or wrong. A try is
/// taken before the token is looked at and given back when it was right, so that many at once gain
/// nothing. Safe from several threads.
class TokenTries {
 public:
  static constexpr int kTries = 10;
  static constexpr std::chrono::seconds kOneMore{5};

  bool take(const std::string& source, SteadyTime now);
  void give_back(const std::string& source);

 private:
  struct Bucket {
    double left = kTries;
    SteadyTime at{};
  };
  std::mutex mutex_;  ///< Guards what follows.
  std::map<std::string, Bucket> buckets_;
};

struct AccessOptions {
  Tokens tokens;
  /// Also reading needs a token; without it only writing does.
  bool to_read = false;
  std::function<SteadyTime()> now = [] { return std::chrono::steady_clock::now(); };
};

/// Who may do what. The unix socket may do everything, for its file mode has let the caller in.
/// Over TCP a token decides; a wrong one is refused also where none is needed.
class Access {
 public:
  explicit Access(AccessOptions options) : options_(std::move(options)) {}
  /// Who asks, for the audit ("uid 0", "token ci from 192.0.2.7", "192.0.2.7"); or the refusal: 401
  /// for no token or a wrong one, 403 for a role that is too low and where no token is configured,
  /// 429 after too many wrong ones.
  std::variant<std::string, Response> check(const Request& request, Role needed);

 private:
  const AccessOptions options_;
  TokenTries tries_;
};

}  // namespace skep::server
