#include "tests/lab/http.hpp"

#include <memory>

#include <curl/curl.h>

namespace skep::lab {
namespace {

struct EndEasy {
  void operator()(CURL* easy) const noexcept { curl_easy_cleanup(easy); }
};

}  // namespace

std::string ask(const std::string& socket, const std::string& path, const std::string& method) {
  thread_local const std::unique_ptr<CURL, EndEasy> easy(curl_easy_init());
  std::string body;
  const auto take =
      +[](char* data, std::size_t size, std::size_t count, void* into) -> std::size_t {
    static_cast<std::string*>(into)->append(data, size * count);
    return size * count;
  };
  curl_easy_reset(easy.get());  // Connections stay.
  curl_easy_setopt(easy.get(), CURLOPT_UNIX_SOCKET_PATH, socket.c_str());
  curl_easy_setopt(easy.get(), CURLOPT_URL, ("http://local" + path).c_str());
  curl_easy_setopt(easy.get(), CURLOPT_CUSTOMREQUEST, method.c_str());
  curl_easy_setopt(easy.get(), CURLOPT_TIMEOUT, 20L);
  curl_easy_setopt(easy.get(), CURLOPT_NOSIGNAL, 1L);
  curl_easy_setopt(easy.get(), CURLOPT_WRITEFUNCTION, take);
  curl_easy_setopt(easy.get(), CURLOPT_WRITEDATA, &body);
  return curl_easy_perform(easy.get()) == CURLE_OK ? body : std::string();
}

}  // namespace skep::lab
