#include "engine/curl.hpp"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <utility>

#include <fmt/format.h>

#include "core/ascii.hpp"

namespace skep::engine {
namespace {

constexpr std::size_t kErrorBodyLimit = 1 << 20;
constexpr std::size_t kHeaderLimit = 200;

std::string_view trimmed(std::string_view text) {
  while (!text.empty() && (text.front() == ' ' || text.front() == '\t')) text.remove_prefix(1);
  while (!text.empty() && (static_cast<unsigned char>(text.back()) <= ' ')) text.remove_suffix(1);
  return text;
}

Error unavailable(std::string message) { return {ErrorKind::unavailable, std::move(message), {}}; }

/// In the words that help: what the socket's errno means to the person who runs this.
Error cannot_connect(const Endpoint& endpoint, long os_error, const std::string& detail) {
  if (endpoint.socket.empty())
    return unavailable(
        fmt::format("cannot reach the {} at {}: {}", endpoint.peer, endpoint.text(), detail));
  if (os_error == EACCES || os_error == EPERM)
    return unavailable(fmt::format(
        "permission denied on the engine's socket {}: add this user to the group that owns it "
        "(usually docker) or run with sudo",
        endpoint.socket));
  if (os_error == ENOENT)
    return unavailable(fmt::format(
        "there is no engine's socket at {}: is the Docker daemon running? Another endpoint is "
        "named with -H or DOCKER_HOST",
        endpoint.socket));
  if (os_error == ECONNREFUSED)
    return unavailable(
        fmt::format("nothing listens on the engine's socket {}: is the Docker daemon running?",
                    endpoint.socket));
  return unavailable(
      fmt::format("cannot connect to the {} at {}: {}",
                  endpoint.peer,
                  endpoint.text(),
                  os_error != 0 ? std::strerror(static_cast<int>(os_error)) : detail));
}

}  // namespace

void Exchange::prepare(const HttpRequest& request,
                       const Endpoint& endpoint,
                       std::chrono::milliseconds connect_timeout) {
  request_ = &request;
  CURL* easy = easy_.get();
  const auto set = [easy](CURLoption option, auto value) { curl_easy_setopt(easy, option, value); };

  const bool tls = endpoint.tls.has_value();
  const auto url = std::string(tls ? "https://" : "http://") +
                   (endpoint.socket.empty() ? endpoint.address : "docker") + request.path;
  set(CURLOPT_URL, url.c_str());
  if (!endpoint.socket.empty()) set(CURLOPT_UNIX_SOCKET_PATH, endpoint.socket.c_str());
  if (tls) {
    if (!endpoint.tls->ca.empty()) set(CURLOPT_CAINFO, endpoint.tls->ca.c_str());
    if (!endpoint.tls->certificate.empty()) set(CURLOPT_SSLCERT, endpoint.tls->certificate.c_str());
    if (!endpoint.tls->key.empty()) set(CURLOPT_SSLKEY, endpoint.tls->key.c_str());
    set(CURLOPT_SSL_VERIFYPEER, endpoint.tls->verify ? 1L : 0L);
    set(CURLOPT_SSL_VERIFYHOST, endpoint.tls->verify ? 2L : 0L);
    set(CURLOPT_SSLVERSION, static_cast<long>(CURL_SSLVERSION_TLSv1_2));
  }

  std::vector<std::string> lines = request.headers;
  lines.emplace_back("Expect:");  // Or curl waits a second before it sends a large body.
  if (!request.body.empty()) lines.emplace_back("Content-Type: application/json");
  for (const auto& line : lines) {
    auto* const grown = curl_slist_append(headers_.get(), line.c_str());
    static_cast<void>(headers_.release());
    headers_.reset(grown);
  }
  set(CURLOPT_HTTPHEADER, headers_.get());
  set(CURLOPT_USERAGENT, "skep");
  if (request.method == "HEAD") {
    set(CURLOPT_NOBODY, 1L);
  } else if (request.method == "POST") {
    set(CURLOPT_POST, 1L);
    set(CURLOPT_POSTFIELDSIZE_LARGE, static_cast<curl_off_t>(request.body.size()));
    set(CURLOPT_POSTFIELDS, request.body.empty() ? "" : request.body.data());
  } else {
    set(CURLOPT_CUSTOMREQUEST, request.method.c_str());
  }

  set(CURLOPT_CONNECTTIMEOUT_MS, static_cast<long>(connect_timeout.count()));
  set(CURLOPT_TIMEOUT_MS, static_cast<long>(request.timeout.count()));
  set(CURLOPT_TCP_KEEPALIVE, 1L);
  set(CURLOPT_TCP_KEEPIDLE, 20L);
  set(CURLOPT_TCP_KEEPINTVL, 10L);
  set(CURLOPT_NOSIGNAL, 1L);
  set(CURLOPT_FOLLOWLOCATION, 0L);
  set(CURLOPT_PROXY, "");
  set(CURLOPT_PROTOCOLS_STR, "http,https");
  set(CURLOPT_HTTP_VERSION, static_cast<long>(CURL_HTTP_VERSION_1_1));
  set(CURLOPT_BUFFERSIZE, 256L * 1024L);
  set(CURLOPT_ERRORBUFFER, message_.data());
  set(CURLOPT_HEADERFUNCTION, &Exchange::on_header);
  set(CURLOPT_HEADERDATA, static_cast<void*>(this));
  set(CURLOPT_WRITEFUNCTION, &Exchange::on_body);
  set(CURLOPT_WRITEDATA, static_cast<void*>(this));
}

std::size_t Exchange::on_header(char* data,
                                std::size_t size,
                                std::size_t count,
                                void* self) noexcept {
  auto& exchange = *static_cast<Exchange*>(self);
  try {
    return exchange.take_header({data, size * count}) ? size * count : 0;
  } catch (...) {
    exchange.thrown_ = std::current_exception();
    return 0;
  }
}

std::size_t Exchange::on_body(char* data,
                              std::size_t size,
                              std::size_t count,
                              void* self) noexcept {
  auto& exchange = *static_cast<Exchange*>(self);
  try {
    return exchange.take_body({data, size * count}) ? size * count : 0;
  } catch (...) {
    exchange.thrown_ = std::current_exception();
    return 0;
  }
}

bool Exchange::take_header(std::string_view line) {
  if (line.starts_with("HTTP/")) {
    response_ = {};
    const auto blank = line.find(' ');
    if (blank == std::string_view::npos) return false;
    for (const char c : line.substr(blank + 1, 3)) {
      if (c < '0' || c > '9') return false;
      response_.status = response_.status * 10 + (c - '0');
    }
    return true;
  }
  if (trimmed(line).empty()) {
    if (request_->on_head && response_.status >= 200) request_->on_head(response_);
    return true;
  }
  const auto colon = line.find(':');
  if (colon == std::string_view::npos) return true;
  if (response_.headers.size() >= kHeaderLimit) return false;
  response_.headers[lower(line.substr(0, colon))] = trimmed(line.substr(colon + 1));
  return true;
}

bool Exchange::take_body(std::string_view bytes) {
  const bool streaming = request_->on_data && response_.status < 400;
  const auto limit =
      streaming || response_.status < 400 ? request_->response_limit : kErrorBodyLimit;
  received_ += bytes.size();
  if (limit != 0 && received_ > limit) {
    too_large_ = true;
    return false;
  }
  if (streaming)
    request_->on_data(bytes);
  else
    response_.body += bytes;
  return true;
}

Result<HttpResponse> Exchange::result(const Endpoint& endpoint) {
  if (thrown_) std::rethrow_exception(std::exchange(thrown_, nullptr));
  if (too_large_)
    return unavailable(
        fmt::format("the {}'s answer to {} is larger than {} bytes",
                    endpoint.peer,
                    request_->path.substr(0, request_->path.find('?')),
                    response_.status < 400 ? request_->response_limit : kErrorBodyLimit));
  if (code_ == CURLE_OK) return std::move(response_);
  const std::string detail = message_[0] != '\0' ? message_.data() : curl_easy_strerror(code_);
  if (code_ == CURLE_COULDNT_CONNECT) {
    long os_error = 0;
    curl_easy_getinfo(easy_.get(), CURLINFO_OS_ERRNO, &os_error);
    return cannot_connect(endpoint, os_error, detail);
  }
  if (code_ == CURLE_OPERATION_TIMEDOUT) {
    curl_off_t connected = 0;
    curl_easy_getinfo(easy_.get(), CURLINFO_PRETRANSFER_TIME_T, &connected);
    if (connected == 0)
      return unavailable(
          fmt::format("no connection to the {} at {} in time", endpoint.peer, endpoint.text()));
    return unavailable(fmt::format("the {} at {} did not answer {} within {} ms",
                                   endpoint.peer,
                                   endpoint.text(),
                                   request_->path.substr(0, request_->path.find('?')),
                                   request_->timeout.count()));
  }
  return unavailable(fmt::format(
      "the exchange with the {} at {} broke: {}", endpoint.peer, endpoint.text(), detail));
}

}  // namespace skep::engine
