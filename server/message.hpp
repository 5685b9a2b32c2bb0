#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
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

/// An answer without an end, sent piece by piece for as long as the client stays.
class PieceSource {
 public:
  virtual ~PieceSource() = default;
  /// What there is to send now; "" for nothing at present. Asked again and again from one thread,
  /// only while the client has taken everything before; must not wait.
  virtual std::string next() = 0;
  /// Sent now and then while there is nothing else, so that both sides notice when the other one
  /// is gone.
  [[nodiscard]] virtual std::string heartbeat() const = 0;
};

struct Response {
  int status = 200;
  std::string content_type = "application/json";
  std::string body;
  std::vector<std::pair<std::string, std::string>> headers = {};  ///< Besides those that all have.
  std::shared_ptr<PieceSource> pieces = {};                       ///< Instead of a body.
};

/// Called from the server's threads, several at a time. How long it may take is the route's Pace.
using Handler = std::function<Response(const Request&)>;

/// {"error": "…"}
[[nodiscard]] Response error_response(int status, std::string_view message);

}  // namespace skep::server
