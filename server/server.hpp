#pragma once

#include <chrono>
#include <cstddef>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "core/result.hpp"
#include "server/router.hpp"
#include "server/streams.hpp"
#include "server/tls_certificate.hpp"

namespace skep::server {

struct Listener {
  std::string address;  ///< As ListenSocket::open takes it.
  RouteSets routes;
};

/// What one client, or all of them, may cost. Connections are counted per listener.
struct Limits {
  std::size_t header_bytes = 16 * 1024;  ///< Request line and headers; more is 431 or 414.
  std::size_t body_bytes = 1024 * 1024;  ///< More is 413.
  std::size_t all_bodies_bytes = 16 * 1024 * 1024;  ///< Of requests being read; more is 503.
  unsigned connections = 1000;
  /// Not much below `connections`: behind swarm's routing mesh all clients have one address.
  unsigned connections_per_address = 800;
  std::chrono::seconds idle{15};              ///< Without a byte in either direction.
  std::chrono::milliseconds request{20'000};  ///< From connection, or the answer before, to answer.
  unsigned threads = 2;                       ///< Per TCP listener; a unix socket has one.
  /// Of API and metrics from one address over TCP; more is 429. Probes and webhooks do not count:
  /// behind swarm's routing mesh all clients have one address.
  double requests_burst = 200, requests_per_second = 50;
  std::size_t workers =
      4;  ///< Threads for handlers that may wait, and as many that ask the engine.
  /// Requests that wait for one of these; more is 503. Above what one address may send at once.
  std::size_t waiting = 256;
  StreamLimits streams = {};
};

struct ServerOptions {
  std::vector<Listener> listeners;
  Limits limits = {};
  /// Every TCP listener speaks TLS with it; nullptr: none does.
  std::shared_ptr<TlsCertificate> certificate = {};
  /// Told of each answer: the route's pattern ("none" where none matched), method, status,
  /// duration. From the server's threads.
  std::function<void(std::string_view, std::string_view, int, std::chrono::nanoseconds)> answered =
      {};
  /// Has the last word on what an answer says. From the server's threads.
  std::function<void(Response&)> mask = {};
  /// The same for a piece of an answer without an end.
  std::function<void(std::string&)> mask_piece = {};
  /// Told of a handler's exception, which the client sees as a bare 500.
  std::function<void(std::string_view)> failed = {};
};

/// HTTP/1.1 on a few threads with epoll: a connection costs a descriptor and some memory, never a
/// thread, so clients that send nothing hold up nobody.
class Server {
 public:
  /// Listens on all or on none. Errors: as ListenSocket::open.
  static Result<std::unique_ptr<Server>> start(Router router, ServerOptions options);
  /// Stops; waits for handlers that run.
  ~Server();
  Server(const Server&) = delete;
  Server& operator=(const Server&) = delete;
  Server(Server&&) = delete;
  Server& operator=(Server&&) = delete;

  /// Of the listeners, in their order, with the ports that were really taken.
  [[nodiscard]] std::vector<std::string> addresses() const;

 private:
  struct State;
  explicit Server(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

}  // namespace skep::server
