#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace skep::server {

enum class Peer {
  unix_socket,  ///< The socket's file mode has let the caller in: it may write.
  tcp,
};

/// One HTTP request, complete and within the limits.
struct Request {
  std::string method;  ///< As sent; HEAD reaches a handler as "GET".
  std::string path;    ///< Decoded; no ".", ".." or empty part, no control character.
  std::map<std::string, std::string, std::less<>> query;
  std::map<std::string, std::string, std::less<>> headers;  ///< Names in lower case.
  std::string body;
  Peer peer = Peer::tcp;
  std::string peer_name;  ///< For logs and the audit: "uid 0", "192.0.2.7".
  /// The parts of the path that the route's pattern names: {"group": "apps"}.
  std::map<std::string, std::string, std::less<>> parameters = {};

  /// "" where it was not sent.
  [[nodiscard]] std::string_view header(std::string_view lower_case_name) const {
    const auto found = headers.find(lower_case_name);
    return found == headers.end() ? std::string_view() : std::string_view(found->second);
  }
};

struct Response {
  int status = 200;
  std::string content_type = "application/json";
  std::string body;
  std::vector<std::pair<std::string, std::string>> headers = {};  ///< Besides those that all have.
};

/// Called from the server's threads, several at a time; must answer at once, for other requests
/// wait behind it.
using Handler = std::function<Response(const Request&)>;

/// {"error": "…"}
[[nodiscard]] Response error_response(int status, std::string_view message);

}  // namespace skep::server
