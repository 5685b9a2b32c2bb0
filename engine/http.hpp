#pragma once

#include <chrono>
#include <cstddef>
#include <functional>
#include <map>
#include <memory>
#include <stop_token>
#include <string>
#include <string_view>
#include <vector>

#include "core/result.hpp"
#include "engine/endpoint.hpp"

namespace skep::engine {

struct HttpResponse {
  int status = 0;
  std::map<std::string, std::string> headers;  ///< Names in lower case.
  std::string body;                            ///< Empty where `on_data` took it.
};

struct HttpRequest {
  std::string method = "GET";
  std::string path;  ///< With its query, already encoded: "/v1.41/services?status=true".
  std::vector<std::string> headers = {};   ///< "Name: value".
  std::string_view body = {};              ///< JSON; must outlive the call. Sent where not empty.
  std::chrono::milliseconds timeout{};     ///< Of the whole exchange; 0 is none (a stream).
  std::size_t response_limit = 256 << 20;  ///< Bytes; a larger answer is an error. 0 is none.
  /// Called once with status and headers, before the body.
  std::function<void(const HttpResponse&)> on_head = {};
  /// Takes the body of an answer below 400 piece by piece instead of collecting it.
  std::function<void(std::string_view)> on_data = {};
};

/// HTTP/1.1 to one endpoint. Connections are kept and used again; any number of threads may send at
/// once. Follows no redirect and uses no proxy. Errors: unavailable (with what to do about it, as
/// far as it is known), cancelled. An answer of any status is a success here.
class HttpClient {
 public:
  HttpClient(Endpoint endpoint, std::chrono::milliseconds connect_timeout);
  ~HttpClient();
  HttpClient(const HttpClient&) = delete;
  HttpClient& operator=(const HttpClient&) = delete;

  Result<HttpResponse> send(const HttpRequest& request, std::stop_token stop);
  /// All at the same time, each on a connection of its own; answers in the order of the requests.
  std::vector<Result<HttpResponse>> send_all(const std::vector<HttpRequest>& requests,
                                             std::stop_token stop);

  [[nodiscard]] const Endpoint& endpoint() const noexcept { return endpoint_; }

 private:
  struct Pool;
  Endpoint endpoint_;
  std::chrono::milliseconds connect_timeout_;
  std::unique_ptr<Pool> pool_;
};

}  // namespace skep::engine
