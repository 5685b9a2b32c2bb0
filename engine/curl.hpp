#pragma once

// Private to engine/: no other header includes it.
#include <array>
#include <chrono>
#include <exception>
#include <string>

#include <curl/curl.h>

#include "core/handle.hpp"
#include "engine/http.hpp"

namespace skep::engine {

using EasyHandle = Handle<CURL, curl_easy_cleanup>;
using HeaderList = Handle<curl_slist, curl_slist_free_all>;

struct FreeMulti {
  void operator()(CURLM* multi) const noexcept { curl_multi_cleanup(multi); }
};
using MultiHandle = std::unique_ptr<CURLM, FreeMulti>;

/// One exchange on its way: the easy handle, what its callbacks need, and what came back. Stays
/// where it is made, because curl holds pointers into it.
class Exchange {
 public:
  Exchange() : easy_(curl_easy_init()) {}
  Exchange(const Exchange&) = delete;
  Exchange& operator=(const Exchange&) = delete;

  /// The single place that sets options. `request` and `endpoint` must outlive the exchange.
  void prepare(const HttpRequest& request,
               const Endpoint& endpoint,
               std::chrono::milliseconds connect_timeout);
  [[nodiscard]] CURL* easy() const noexcept { return easy_.get(); }
  [[nodiscard]] bool done() const noexcept { return done_; }
  void finish(CURLcode code) noexcept {
    done_ = true;
    code_ = code;
  }
  /// The answer, or the error in words. Rethrows what a callback of the request threw.
  Result<HttpResponse> result(const Endpoint& endpoint);

 private:
  static std::size_t on_header(char* data,
                               std::size_t size,
                               std::size_t count,
                               void* self) noexcept;
  static std::size_t on_body(char* data, std::size_t size, std::size_t count, void* self) noexcept;
  bool take_header(std::string_view line);
  bool take_body(std::string_view bytes);

  EasyHandle easy_;
  HeaderList headers_;
  std::array<char, CURL_ERROR_SIZE> message_{};
  const HttpRequest* request_ = nullptr;
  HttpResponse response_;
  std::size_t received_ = 0;
  bool too_large_ = false, done_ = false;
  CURLcode code_ = CURLE_OK;
  std::exception_ptr thrown_;
};

}  // namespace skep::engine
