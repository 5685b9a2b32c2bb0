#include "server/server.hpp"

#include <atomic>
#include <charconv>
#include <exception>
#include <optional>
#include <utility>

#include <gnutls/gnutls.h>
#include <microhttpd.h>
#include <netdb.h>
#include <sys/socket.h>

#include "core/ascii.hpp"
#include "core/handle.hpp"
#include "server/connections.hpp"
#include "server/listen_socket.hpp"
#include "server/tls_pair.hpp"
#include "server/webhook_memory.hpp"
#include "server/workers.hpp"

namespace skep::server {
namespace {

using Steady = std::chrono::steady_clock;
using DaemonHandle = Handle<MHD_Daemon, MHD_stop_daemon>;
using ResponseHandle = Handle<MHD_Response, MHD_destroy_response>;

// What every answer carries: nothing here is meant for a browser to run, frame, guess at or keep.
constexpr std::array<std::pair<const char*, const char*>, 5> kCommonHeaders = {
    {{"X-Content-Type-Options", "nosniff"},
     {"Cache-Control", "no-store"},
     {"Content-Security-Policy", "default-src 'none'; frame-ancestors 'none'"},
     {"X-Frame-Options", "DENY"},
     {"Referrer-Policy", "no-referrer"}}};

// GnuTLS's own choice, less what is older than TLS 1.2.
constexpr const char* kPriorities = "NORMAL:-VERS-ALL:+VERS-TLS1.3:+VERS-TLS1.2";

// A body over the limit is read on up to here, for the client to get its 413, and cut off then.
constexpr std::size_t kDiscardFactor = 4;

// A request on its way in.
struct Incoming {
  std::string target;
  Steady::time_point begin = Steady::now();
  bool headers_seen = false;
  std::optional<int> refusal;  ///< Decided while the body still comes.
  std::size_t discarded = 0;
  const Router::Route* route = nullptr;
  Request request;
  std::optional<Response> answer;  ///< Of a handler that ran beside the socket's thread.
};

MHD_Result collect_header(void* cls, MHD_ValueKind /*kind*/, const char* key, const char* value) {
  auto& headers = static_cast<Request*>(cls)->headers;
  auto& slot = headers[lower(key)];
  if (!slot.empty()) slot += ", ";
  slot += value == nullptr ? "" : value;
  return MHD_YES;
}

int descriptor_of(MHD_Connection* connection) {
  const auto* info = MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CONNECTION_FD);
  return info == nullptr ? -1 : info->connect_fd;
}

std::string peer_name_of(MHD_Connection* connection, Peer peer) {
  if (peer == Peer::unix_socket) {
    ucred credentials{};
    socklen_t length = sizeof credentials;
    const int fd = descriptor_of(connection);
    if (::getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &credentials, &length) != 0) return "local user";
    return "uid " + std::to_string(credentials.uid);
  }
  const auto* info = MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CLIENT_ADDRESS);
  if (info == nullptr || info->client_addr == nullptr) return "unknown";
  const auto length =
      info->client_addr->sa_family == AF_INET6 ? sizeof(sockaddr_in6) : sizeof(sockaddr_in);
  char host[NI_MAXHOST];
  if (::getnameinfo(info->client_addr,
                    static_cast<socklen_t>(length),
                    host,
                    sizeof host,
                    nullptr,
                    0,
                    NI_NUMERICHOST) != 0) {
    return "unknown";
  }
  return host;
}

// Why a request's framing is refused, before a byte of its body is taken; 0 for not at all.
int framing_refusal(const Request& request, const Limits& limits) {
  // RFC 9112 §5.1: what stands before the colon is a name, and a blank in it hides one.
  for (const auto& [name, value] : request.headers) {
    if (name.find_first_of(" \t") != std::string::npos) return 400;
  }
  const auto length = request.header("content-length");
  const auto coding = lower(request.header("transfer-encoding"));
  // RFC 9112 §6.3: two lengths are how requests are smuggled past a proxy.
  if (!coding.empty() && !length.empty()) return 400;
  if (!coding.empty() && coding != "chunked") return 400;
  if (length.empty()) return 0;
  std::size_t bytes = 0;
  const auto [end, error] = std::from_chars(length.data(), length.data() + length.size(), bytes);
  if (error == std::errc::result_out_of_range) return 413;
  if (error != std::errc() || end != length.data() + length.size()) return 400;
  return bytes > limits.body_bytes ? 413 : 0;
}

std::string_view sentence_of(int status) {
  switch (status) {
    case 400:
      return "the request's headers or its length are not clear";
    case 413:
      return "the body is too large";
    case 429:
      return "too many requests from this address; try again in a second";
    case 503:
      return "too much is being sent at once; try again";
    default:
      return "the request was refused";
  }
}

MHD_Result queue(MHD_Connection* connection, const Response& response, ResponseHandle handle) {
  for (const auto& [name, value] : kCommonHeaders) {
    MHD_add_response_header(handle.get(), name, value);
  }
  MHD_add_response_header(handle.get(), "Content-Type", response.content_type.c_str());
  for (const auto& [name, value] : response.headers) {
    MHD_add_response_header(handle.get(), name.c_str(), value.c_str());
  }
  return MHD_queue_response(connection, static_cast<unsigned>(response.status), handle.get());
}

MHD_Result send(MHD_Connection* connection, Response response) {
  auto body = std::make_unique<std::string>(std::move(response.body));
  const auto size = body->size();
  auto* bytes = body->data();
  ResponseHandle handle(MHD_create_response_from_buffer_with_free_callback_cls(
      size, bytes, [](void* cls) { delete static_cast<std::string*>(cls); }, body.get()));
  if (!handle) return MHD_NO;
  (void)body.release();  // the response frees it
  return queue(connection, response, std::move(handle));
}

Response overloaded() {
  auto response = error_response(503, "too much is going on at once; try again");
  response.headers.emplace_back("Retry-After", "5");
  return response;
}

}  // namespace

struct Server::State {
  struct Endpoint {
    State* state = nullptr;
    RouteSets routes;
    Peer peer = Peer::tcp;
    ListenSocket socket;
    DaemonHandle daemon;
  };

  State(Router its_router, ServerOptions given)
      : router(std::move(its_router)),
        options(std::move(given)),
        connections(options.limits.request),
        rate(options.limits.requests_burst, options.limits.requests_per_second),
        streams(options.limits.streams, options.mask_piece, options.failed),
        workers(options.limits.workers, options.limits.waiting),
        engine_workers(options.limits.workers, options.limits.waiting) {}
  ~State() {
    // The library must not be stopped while a connection is set aside.
    workers.close();
    engine_workers.close();
    streams.close();
    endpoints.clear();
  }
  State(const State&) = delete;
  State& operator=(const State&) = delete;

  Result<void> add(const Listener& listener);

  // The callbacks of one endpoint, in the order in which they come.
  static void on_connection(void* cls,
                            MHD_Connection* connection,
                            void** socket_context,
                            MHD_ConnectionNotificationCode code) noexcept;
  static int on_handshake(gnutls_session_t session,
                          const gnutls_datum_t* authorities,
                          int authorities_length,
                          const gnutls_pk_algorithm_t* algorithms,
                          int algorithms_length,
                          gnutls_pcert_st** chain,
                          unsigned* chain_length,
                          gnutls_privkey_t* key) noexcept;
  static void* on_target(void* cls, const char* target, MHD_Connection* connection) noexcept;
  static MHD_Result on_request(void* cls,
                               MHD_Connection* connection,
                               const char* path,
                               const char* method,
                               const char* version,
                               const char* data,
                               std::size_t* size,
                               void** context) noexcept;
  static void on_completed(void* cls,
                           MHD_Connection* connection,
                           void** context,
                           MHD_RequestTerminationCode code) noexcept;

  MHD_Result begin(const Endpoint& endpoint, MHD_Connection* connection, Incoming& incoming);
  MHD_Result take(Incoming& incoming, std::string_view data);
  Response respond(Incoming& incoming);
  MHD_Result respond_later(MHD_Connection* connection, Incoming& incoming);
  void release_body(Incoming& incoming);
  MHD_Result finish(MHD_Connection* connection, Incoming& incoming, Response response);
  std::optional<Response> route(const Endpoint& endpoint, Incoming& incoming);

  const Router router;
  const ServerOptions options;
  Connections connections;
  CallRate rate;
  Streams streams;
  Workers workers;
  Workers engine_workers;                   ///< For Pace::asks_engine.
  std::atomic<std::size_t> body_bytes = 0;  ///< Of requests that are being read or answered.
  std::vector<std::unique_ptr<Endpoint>> endpoints;  ///< Last: daemons end before what they use.
};

Result<void> Server::State::add(const Listener& listener) {
  auto socket = ListenSocket::open(listener.address);
  if (!socket) return std::move(socket).error();
  const bool local = socket->is_unix();
  auto endpoint =
      std::unique_ptr<Endpoint>(new Endpoint{.state = this,
                                             .routes = listener.routes,
                                             .peer = local ? Peer::unix_socket : Peer::tcp,
                                             .socket = *std::move(socket),
                                             .daemon = nullptr});
  const auto& limits = options.limits;
  std::vector<MHD_OptionItem> settings = {
      {MHD_OPTION_NOTIFY_CONNECTION, reinterpret_cast<intptr_t>(&on_connection), endpoint.get()},
      {MHD_OPTION_URI_LOG_CALLBACK, reinterpret_cast<intptr_t>(&on_target), endpoint.get()},
      {MHD_OPTION_NOTIFY_COMPLETED, reinterpret_cast<intptr_t>(&on_completed), endpoint.get()},
      {MHD_OPTION_CONNECTION_LIMIT, static_cast<intptr_t>(limits.connections), nullptr},
      {MHD_OPTION_CONNECTION_TIMEOUT, static_cast<intptr_t>(limits.idle.count()), nullptr},
      {MHD_OPTION_CONNECTION_MEMORY_LIMIT, static_cast<intptr_t>(limits.header_bytes), nullptr},
      {MHD_OPTION_STRICT_FOR_CLIENT, 1, nullptr},
  };
  if (!local) {
    settings.push_back({MHD_OPTION_PER_IP_CONNECTION_LIMIT,
                        static_cast<intptr_t>(limits.connections_per_address),
                        nullptr});
    if (limits.threads > 1) {
      settings.push_back(
          {MHD_OPTION_THREAD_POOL_SIZE, static_cast<intptr_t>(limits.threads), nullptr});
    }
  }
  unsigned flags =
      MHD_USE_EPOLL | MHD_USE_INTERNAL_POLLING_THREAD | MHD_USE_ITC | MHD_ALLOW_SUSPEND_RESUME;
  if (!local && options.certificate != nullptr) {
    flags |= MHD_USE_TLS;
    settings.push_back({MHD_OPTION_HTTPS_CERT_CALLBACK, 0, reinterpret_cast<void*>(&on_handshake)});
    settings.push_back({MHD_OPTION_HTTPS_PRIORITIES, 0, const_cast<char*>(kPriorities)});
  }
  settings.push_back({MHD_OPTION_END, 0, nullptr});
  // From here on the library closes the descriptor, also where it does not start.
  endpoint->daemon.reset(MHD_start_daemon(flags,
                                          0,
                                          nullptr,
                                          nullptr,
                                          &on_request,
                                          endpoint.get(),
                                          MHD_OPTION_LISTEN_SOCKET,
                                          endpoint->socket.release(),
                                          MHD_OPTION_ARRAY,
                                          settings.data(),
                                          MHD_OPTION_END));
  if (!endpoint->daemon) {
    return Error{
        .kind = ErrorKind::unavailable,
        .message = "listen on " + endpoint->socket.address() + ": the server did not start"};
  }
  endpoints.push_back(std::move(endpoint));
  return {};
}

void Server::State::on_connection(void* cls,
                                  MHD_Connection* connection,
                                  void** socket_context,
                                  MHD_ConnectionNotificationCode code) noexcept {
  auto& state = *static_cast<Endpoint*>(cls)->state;
  if (code == MHD_CONNECTION_NOTIFY_STARTED) {
    *socket_context = cls;
    state.connections.opened(connection, descriptor_of(connection));
  } else {
    state.connections.closed(connection);
  }
}

// GnuTLS hands over the session only; the library keeps its connection there, and with that what
// on_connection() has put into it.
int Server::State::on_handshake(gnutls_session_t session,
                                const gnutls_datum_t* /*authorities*/,
                                int /*authorities_length*/,
                                const gnutls_pk_algorithm_t* /*algorithms*/,
                                int /*algorithms_length*/,
                                gnutls_pcert_st** chain,
                                unsigned* chain_length,
                                gnutls_privkey_t* key) noexcept {
  auto* const connection = static_cast<MHD_Connection*>(gnutls_session_get_ptr(session));
  if (connection == nullptr) return -1;
  const auto* info = MHD_get_connection_info(connection, MHD_CONNECTION_INFO_SOCKET_CONTEXT);
  if (info == nullptr || info->socket_context == nullptr) return -1;
  const auto& state = *static_cast<const Endpoint*>(info->socket_context)->state;
  const auto pair = state.options.certificate->current();
  // They stay as long as a handshake may take: TlsCertificate sees to that.
  *chain = const_cast<gnutls_pcert_st*>(pair->chain.data());
  *chain_length = static_cast<unsigned>(pair->chain.size());
  *key = pair->key;
  return 0;
}

// The library decodes a target as a whole, so that "a%2Fb" would become two parts: we take it as it
// came.
void* Server::State::on_target(void* /*cls*/,
                               const char* target,
                               MHD_Connection* /*connection*/) noexcept {
  auto incoming = std::make_unique<Incoming>();
  incoming->target = target;
  return incoming.release();
}

MHD_Result Server::State::on_request(void* cls,
                                     MHD_Connection* connection,
                                     const char* /*path*/,
                                     const char* method,
                                     const char* /*version*/,
                                     const char* data,
                                     std::size_t* size,
                                     void** context) noexcept {
  auto& endpoint = *static_cast<Endpoint*>(cls);
  auto& state = *endpoint.state;
  auto& incoming = *static_cast<Incoming*>(*context);
  try {
    if (!incoming.headers_seen) {
      incoming.headers_seen = true;
      incoming.request.method = method;
      return state.begin(endpoint, connection, incoming);
    }
    if (*size > 0) {
      const auto result = state.take(incoming, {data, *size});
      *size = 0;
      return result;
    }
    if (incoming.refusal) {
      return state.finish(
          connection, incoming, error_response(*incoming.refusal, sentence_of(*incoming.refusal)));
    }
    if (incoming.route->pace != Pace::at_once && !incoming.answer) {
      return state.respond_later(connection, incoming);
    }
    return state.finish(
        connection,
        incoming,
        incoming.answer ? *std::exchange(incoming.answer, {}) : state.respond(incoming));
  } catch (const std::exception& error) {
    if (state.options.failed) state.options.failed(error.what());
    return MHD_NO;
  }
}

void Server::State::on_completed(void* cls,
                                 MHD_Connection* connection,
                                 void** context,
                                 MHD_RequestTerminationCode /*code*/) noexcept {
  auto& state = *static_cast<Endpoint*>(cls)->state;
  state.connections.answered(connection);
  const std::unique_ptr<Incoming> incoming(static_cast<Incoming*>(*context));
  *context = nullptr;
  if (incoming) state.release_body(*incoming);
}

void Server::State::release_body(Incoming& incoming) {
  body_bytes -= incoming.request.body.size();
  incoming.request.body = {};
}

// Finds the route; the answer where there is none.
std::optional<Response> Server::State::route(const Endpoint& endpoint, Incoming& incoming) {
  auto& request = incoming.request;
  auto target = parse_target(incoming.target);
  if (!target) return error_response(400, target.error().message);
  auto match = router.find(endpoint.routes, request.method, *target);
  if (match.route == nullptr) {
    if (match.allowed.empty()) return error_response(404, "there is nothing at this path");
    auto response = error_response(405, "this path takes " + match.allowed);
    response.headers.emplace_back("Allow", match.allowed);
    return response;
  }
  incoming.route = match.route;
  request.path = std::move(target->path);
  request.query = std::move(target->query);
  request.parameters = std::move(match.parameters);
  return std::nullopt;
}

// The headers are here: whatever can be refused is refused before the body is read.
MHD_Result Server::State::begin(const Endpoint& endpoint,
                                MHD_Connection* connection,
                                Incoming& incoming) {
  auto& request = incoming.request;
  MHD_get_connection_values(connection, MHD_HEADER_KIND, &collect_header, &request);
  request.peer = endpoint.peer;
  request.peer_name = peer_name_of(connection, endpoint.peer);
  auto answer = route(endpoint, incoming);  // First: what is refused is counted under its route.
  if (const int status = framing_refusal(request, options.limits); status != 0) {
    auto refused = error_response(status, sentence_of(status));
    // Where the next request would begin is not clear either.
    if (status == 400) refused.headers.emplace_back("Connection", "close");
    return finish(connection, incoming, std::move(refused));
  }
  const bool counted = endpoint.peer == Peer::tcp &&
                       (incoming.route == nullptr || incoming.route->set == RouteSet::api ||
                        incoming.route->set == RouteSet::metrics);
  if (counted && !rate.allowed(request.peer_name, Steady::now())) {
    answer = error_response(429, sentence_of(429));
    answer->headers.emplace_back("Retry-After", "1");
  }
  if (answer) return finish(connection, incoming, *std::move(answer));
  if (request.method == "HEAD") request.method = "GET";
  return MHD_YES;
}

MHD_Result Server::State::take(Incoming& incoming, std::string_view data) {
  auto& body = incoming.request.body;
  const auto& limits = options.limits;
  if (!incoming.refusal && body.size() + data.size() > limits.body_bytes) incoming.refusal = 413;
  if (!incoming.refusal && body_bytes + data.size() > limits.all_bodies_bytes) {
    incoming.refusal = 503;
  }
  if (!incoming.refusal) {
    body_bytes += data.size();
    body.append(data);
    return MHD_YES;
  }
  // The library sends no answer before the body's end.
  release_body(incoming);
  incoming.discarded += data.size();
  return incoming.discarded > kDiscardFactor * limits.body_bytes ? MHD_NO : MHD_YES;
}

Response Server::State::respond(Incoming& incoming) {
  try {
    return incoming.route->handler(incoming.request);
  } catch (const std::exception& error) {
    if (options.failed) options.failed(error.what());
    return error_response(500, "the agent made a mistake; its log tells more");
  }
}

// The connection is set aside until the answer is there; then the library calls on_request() again.
MHD_Result Server::State::respond_later(MHD_Connection* connection, Incoming& incoming) {
  MHD_suspend_connection(connection);
  auto& pool = incoming.route->pace == Pace::asks_engine ? engine_workers : workers;
  const bool taken = pool.post([this, connection, &incoming] {
    incoming.answer = respond(incoming);
    MHD_resume_connection(connection);
  });
  if (!taken) {
    incoming.answer = overloaded();
    MHD_resume_connection(connection);
  }
  return MHD_YES;
}

MHD_Result Server::State::finish(MHD_Connection* connection,
                                 Incoming& incoming,
                                 Response response) {
  // Before the answer goes out: who has it may send the next request at once, and a client that is
  // slow to take it must not keep others from sending.
  release_body(incoming);
  ResponseHandle endless;
  if (response.pieces) {
    endless.reset(streams.open(response.pieces, connection));
    if (!endless) response = overloaded();
  }
  if (options.mask) options.mask(response);
  if (options.answered) {
    options.answered(incoming.route == nullptr ? "none" : std::string_view(incoming.route->pattern),
                     incoming.request.method,
                     response.status,
                     Steady::now() - incoming.begin);
  }
  if (!endless) return send(connection, std::move(response));
  connections.endless(connection);
  return queue(connection, response, std::move(endless));
}

Result<std::unique_ptr<Server>> Server::start(Router router, ServerOptions options) {
  auto state = std::make_unique<State>(std::move(router), std::move(options));
  for (const auto& listener : state->options.listeners) {
    if (auto added = state->add(listener); !added) return std::move(added).error();
  }
  return std::unique_ptr<Server>(new Server(std::move(state)));
}

Server::Server(std::unique_ptr<State> state) : state_(std::move(state)) {}
Server::~Server() = default;

std::vector<std::string> Server::addresses() const {
  std::vector<std::string> addresses;
  for (const auto& endpoint : state_->endpoints) addresses.push_back(endpoint->socket.address());
  return addresses;
}

}  // namespace skep::server
