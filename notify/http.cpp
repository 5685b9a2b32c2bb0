#include "notify/http.hpp"

#include <curl/curl.h>

#include "core/handle.hpp"

namespace skep::notify {
namespace {

using EasyHandle = Handle<CURL, curl_easy_cleanup>;
using HeaderList = Handle<curl_slist, curl_slist_free_all>;

constexpr std::size_t kLargestAnswer = 64U << 10U;

std::size_t count_body(char* /*data*/, std::size_t size, std::size_t count, void* total) noexcept {
  auto& received = *static_cast<std::size_t*>(total);
  received += size * count;
  return received > kLargestAnswer ? 0 : size * count;
}

int look_for_stop(void* stop, curl_off_t, curl_off_t, curl_off_t, curl_off_t) noexcept {
  return static_cast<const std::stop_token*>(stop)->stop_requested() ? 1 : 0;
}

Error unavailable(std::string_view why) {
  return Error{ErrorKind::unavailable, std::string(why), std::nullopt};
}

Result<HttpAnswer> send(const HttpCall& call,
                        const std::stop_token& stop,
                        std::chrono::milliseconds limit) {
  const EasyHandle easy(curl_easy_init());
  if (!easy) return unavailable("out of memory");
  HeaderList headers;
  const auto add = [&headers](const std::string& line) {
    auto* longer = curl_slist_append(headers.get(), line.c_str());
    if (longer == nullptr) return;
    (void)headers.release();  // The longer list begins with it.
    headers.reset(longer);
  };
  for (const auto& [name, value] : call.headers) add(name + ": " + value);
  add("Expect:");  // Some chat's proxies do not answer a question before the body.
  auto* handle = easy.get();
  std::size_t received = 0;
  curl_easy_setopt(handle, CURLOPT_URL, call.url.c_str());
  curl_easy_setopt(handle, CURLOPT_CUSTOMREQUEST, call.method.c_str());
  curl_easy_setopt(handle, CURLOPT_POSTFIELDSIZE_LARGE, static_cast<curl_off_t>(call.body.size()));
  curl_easy_setopt(handle, CURLOPT_POSTFIELDS, call.body.data());
  curl_easy_setopt(handle, CURLOPT_HTTPHEADER, headers.get());
  curl_easy_setopt(handle, CURLOPT_PROTOCOLS_STR, "http,https");
  curl_easy_setopt(handle, CURLOPT_FOLLOWLOCATION, 0L);
  curl_easy_setopt(handle, CURLOPT_NOSIGNAL, 1L);
  curl_easy_setopt(handle, CURLOPT_TIMEOUT_MS, static_cast<long>(limit.count()));
  curl_easy_setopt(handle, CURLOPT_CONNECTTIMEOUT_MS, static_cast<long>(limit.count() / 2));
  curl_easy_setopt(handle, CURLOPT_WRITEFUNCTION, &count_body);
  curl_easy_setopt(handle, CURLOPT_WRITEDATA, &received);
  curl_easy_setopt(handle, CURLOPT_NOPROGRESS, 0L);
  curl_easy_setopt(handle, CURLOPT_XFERINFOFUNCTION, &look_for_stop);
  curl_easy_setopt(handle, CURLOPT_XFERINFODATA, const_cast<std::stop_token*>(&stop));
  const auto code = curl_easy_perform(handle);
  long status = 0;
  curl_easy_getinfo(handle, CURLINFO_RESPONSE_CODE, &status);
  // An answer that is too long has a status all the same. The library's own text names hosts.
  const bool answered = code == CURLE_OK || (code == CURLE_WRITE_ERROR && status != 0);
  if (!answered) return unavailable(curl_easy_strerror(code));
  curl_off_t wait = 0;
  curl_easy_getinfo(handle, CURLINFO_RETRY_AFTER, &wait);
  return HttpAnswer{static_cast<int>(status), std::chrono::seconds(wait)};
}

}  // namespace

Send http_sender(std::stop_token stop, std::chrono::milliseconds limit) {
  return [stop = std::move(stop), limit](const HttpCall& call) { return send(call, stop, limit); };
}

}  // namespace skep::notify
