#include "server/access.hpp"

#include <algorithm>

namespace skep::server {
namespace {

constexpr std::size_t kMostSources = 4096;

}  // namespace

bool TokenTries::take(const std::string& source, SteadyTime now) {
  const std::lock_guard lock(mutex_);
  const auto left = [now](const Bucket& bucket) {
    const std::chrono::duration<double> passed = now - bucket.at;
    return std::min<double>(kTries, bucket.left + passed / kOneMore);
  };
  if (buckets_.size() >= kMostSources && !buckets_.contains(source))
    std::erase_if(buckets_, [&](const auto& one) { return left(one.second) >= kTries; });
  // Where there are too many at once, all that come new share one.
  const bool room = buckets_.size() < kMostSources || buckets_.contains(source);
  auto& bucket =
      buckets_.try_emplace(room ? source : std::string(), Bucket{.at = now}).first->second;
  bucket = {.left = left(bucket), .at = now};
  if (bucket.left < 1) return false;
  bucket.left -= 1;
  return true;
}

void TokenTries::give_back(const std::string& source) {
  const std::lock_guard lock(mutex_);
  auto found = buckets_.find(source);
  if (found == buckets_.end()) found = buckets_.find("");
  if (found != buckets_.end())
    found->second.left = std::min<double>(kTries, found->second.left + 1);
}

std::variant<std::string, Response> Access::check(const Request& request, Role needed) {
  if (request.peer == Peer::unix_socket) return request.peer_name;
  const auto authorization = request.header("authorization");
  if (authorization.empty() && needed == Role::viewer && !options_.to_read)
    return request.peer_name;
  if (options_.tokens.empty()) {
    return error_response(403,
                          "writing over TCP is off: no API token is configured; use the agent's "
                          "unix socket, or give the agent the SHA-256 of a token and send the "
                          "token as \"Authorization: Bearer TOKEN\"");
  }
  const auto refused = [](std::string_view why) {
    auto response = error_response(401, why);
    response.headers.emplace_back("WWW-Authenticate", "Bearer realm=\"skep\"");
    return response;
  };
  if (authorization.empty())
    return refused("this needs a token that the agent knows: \"Authorization: Bearer TOKEN\"");
  if (!tries_.take(request.peer_name, options_.now())) {
    auto response = error_response(429, "too many wrong tokens from this address; try again later");
    response.headers.emplace_back("Retry-After", std::to_string(TokenTries::kOneMore.count()));
    return response;
  }
  const auto identity = options_.tokens.identity(authorization);
  if (!identity)
    return refused("this needs a token that the agent knows: \"Authorization: Bearer TOKEN\"");
  tries_.give_back(request.peer_name);
  if (identity->role < needed)
    return error_response(403, "this token may only read; this needs one with the role operator");
  return identity->name + " from " + request.peer_name;
}

}  // namespace skep::server
