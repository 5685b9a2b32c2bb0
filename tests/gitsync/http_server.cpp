#include "tests/gitsync/http_server.hpp"

#include <algorithm>
#include <chrono>
#include <cstring>
#include <stdexcept>
#include <thread>

#include <arpa/inet.h>
#include <microhttpd.h>
#include <netinet/in.h>

#include "tests/gitsync/process.hpp"

namespace skep::gitsync::test {

/// One request: its body is collected, then the CGI program answers it.
class HttpServer::Handler {
 public:
  static MHD_Result on_request(void* self,
                               MHD_Connection* connection,
                               const char* path,
                               const char* method,
                               const char*,
                               const char* data,
                               std::size_t* size,
                               void** request) {
    auto& server = *static_cast<HttpServer*>(self);
    if (*request == nullptr) {
      *request = new std::string;
      return MHD_YES;
    }
    auto& body = *static_cast<std::string*>(*request);
    if (*size != 0) {
      body.append(data, *size);
      *size = 0;
      return MHD_YES;
    }
    return Handler(server, connection).answer(path, method, body);
  }

  static void on_completed(void*, MHD_Connection*, void** request, MHD_RequestTerminationCode) {
    delete static_cast<std::string*>(*request);
  }

 private:
  struct Stalled {
    HttpServer& server;
    std::string text;
  };

  Handler(HttpServer& server, MHD_Connection* connection)
      : server_(server), connection_(connection) {}

  MHD_Result answer(const std::string& path, const std::string& method, const std::string& body) {
    ++server_.requests_;
    const auto& options = server_.options_;
    if (!options.redirect_to.empty()) {
      const char* const query =
          MHD_lookup_connection_value(connection_, MHD_GET_ARGUMENT_KIND, "service");
      return send(301,
                  "",
                  {{"Location",
                    options.redirect_to + path + "?service=" + (query == nullptr ? "" : query)}});
    }
    if (options.status != 0) return send(static_cast<unsigned>(options.status), "", {});
    if (!options.user.empty() && !is_authorized())
      return send(401, "", {{"WWW-Authenticate", "Basic realm=\"git\""}});
    const bool download = method == "POST" && path.find("git-upload-pack") != std::string::npos;
    if (download) ++server_.downloads_;
    std::map<std::string, std::string> environment{{"GIT_PROJECT_ROOT", options.root.string()},
                                                   {"GIT_HTTP_EXPORT_ALL", "1"},
                                                   {"PATH_INFO", path},
                                                   {"REQUEST_METHOD", method},
                                                   {"QUERY_STRING", query()},
                                                   {"CONTENT_LENGTH", std::to_string(body.size())},
                                                   {"CONTENT_TYPE", header("Content-Type")},
                                                   {"REMOTE_ADDR", "127.0.0.1"},
                                                   {"HOME", "/nonexistent"},
                                                   {"GIT_CONFIG_COUNT", "1"},
                                                   {"GIT_CONFIG_KEY_0", "safe.directory"},
                                                   {"GIT_CONFIG_VALUE_0", "*"},
                                                   {"PATH", "/usr/bin:/bin"}};
    const auto outcome = run({program("git"), "http-backend"}, body, environment);
    return relay(outcome.output, download);
  }

  /// A CGI answer: headers, an empty line, the body.
  MHD_Result relay(const std::string& output, bool download) {
    const auto head_end = output.find("\r\n\r\n");
    if (head_end == std::string::npos) return send(500, output, {});
    std::map<std::string, std::string> headers;
    unsigned status = 200;
    for (std::size_t start = 0; start < head_end;) {
      const auto end = output.find("\r\n", start);
      const auto colon = output.find(": ", start);
      const auto name = output.substr(start, colon - start);
      const auto value = output.substr(colon + 2, end - colon - 2);
      if (name == "Status")
        status = static_cast<unsigned>(std::stoi(value));
      else
        headers[name] = value;
      start = end + 2;
    }
    const auto body = output.substr(head_end + 4);
    if (download && server_.stall_) return stall(body);
    return send(status, body, headers);
  }

  MHD_Result stall(const std::string& body) {
    MHD_Response* const response = MHD_create_response_from_callback(
        MHD_SIZE_UNKNOWN,
        4096,
        [](void* self, std::uint64_t at, char* out, std::size_t size) -> ssize_t {
          auto& stalled = *static_cast<Stalled*>(self);
          const auto half = stalled.text.size() / 2;
          if (at < half) {
            size = std::min(size, half - static_cast<std::size_t>(at));
            std::memcpy(out, stalled.text.data() + at, size);
            return static_cast<ssize_t>(size);
          }
          while (!stalled.server.closing_)
            std::this_thread::sleep_for(std::chrono::milliseconds(10));
          return MHD_CONTENT_READER_END_WITH_ERROR;
        },
        new Stalled{server_, body},
        [](void* self) { delete static_cast<Stalled*>(self); });
    MHD_add_response_header(response, "Content-Type", "application/x-git-upload-pack-result");
    const auto result = MHD_queue_response(connection_, 200, response);
    MHD_destroy_response(response);
    return result;
  }

  MHD_Result send(unsigned status,
                  std::string body,
                  const std::map<std::string, std::string>& headers) {
    MHD_Response* const response =
        MHD_create_response_from_buffer(body.size(), body.data(), MHD_RESPMEM_MUST_COPY);
    for (const auto& [name, value] : headers)
      MHD_add_response_header(response, name.c_str(), value.c_str());
    const auto result = MHD_queue_response(connection_, status, response);
    MHD_destroy_response(response);
    return result;
  }

  bool is_authorized() {
    char* password = nullptr;
    char* const user = MHD_basic_auth_get_username_password(connection_, &password);
    const bool right = user != nullptr && password != nullptr && server_.options_.user == user &&
                       server_.options_.password == password;
    MHD_free(user);
    MHD_free(password);
    return right;
  }

  std::string header(const char* name) {
    const char* const value = MHD_lookup_connection_value(connection_, MHD_HEADER_KIND, name);
    return value == nullptr ? "" : value;
  }

  std::string query() {
    std::string text;
    MHD_get_connection_values(
        connection_,
        MHD_GET_ARGUMENT_KIND,
        [](void* out, MHD_ValueKind, const char* name, const char* value) {
          auto& all = *static_cast<std::string*>(out);
          all += (all.empty() ? "" : "&") + std::string(name) + "=" + (value ? value : "");
          return MHD_YES;
        },
        &text);
    return text;
  }

  HttpServer& server_;
  MHD_Connection* connection_;
};

HttpServer::HttpServer(Options options) : options_(std::move(options)) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  unsigned flags = MHD_USE_INTERNAL_POLLING_THREAD | MHD_USE_THREAD_PER_CONNECTION;
  std::vector<MHD_OptionItem> items{{MHD_OPTION_SOCK_ADDR, 0, &address},
                                    {MHD_OPTION_NOTIFY_COMPLETED,
                                     reinterpret_cast<std::intptr_t>(&Handler::on_completed),
                                     nullptr}};
  if (options_.tls) {
    flags |= MHD_USE_TLS;
    items.push_back({MHD_OPTION_HTTPS_MEM_KEY, 0, const_cast<char*>(options_.tls->key.c_str())});
    items.push_back(
        {MHD_OPTION_HTTPS_MEM_CERT, 0, const_cast<char*>(options_.tls->certificate.c_str())});
  }
  items.push_back({MHD_OPTION_END, 0, nullptr});
  daemon_ = MHD_start_daemon(flags,
                             0,
                             nullptr,
                             nullptr,
                             &Handler::on_request,
                             this,
                             MHD_OPTION_ARRAY,
                             items.data(),
                             MHD_OPTION_END);
  if (daemon_ == nullptr) throw std::runtime_error("HTTP server does not start");
  port_ = MHD_get_daemon_info(daemon_, MHD_DAEMON_INFO_BIND_PORT)->port;
}

HttpServer::~HttpServer() {
  closing_ = true;
  MHD_stop_daemon(daemon_);
}

std::string HttpServer::url(const std::string& repository) const {
  return (options_.tls ? "https://" : "http://") + options_.host + ":" + std::to_string(port_) +
         "/" + repository;
}

}  // namespace skep::gitsync::test
