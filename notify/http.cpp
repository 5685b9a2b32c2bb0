#include "notify/http.hpp"

#include <algorithm>
#include <charconv>

#include <curl/curl.h>

#include "core/ascii.hpp"
#include "core/handle.hpp"
#include "notify/curl.hpp"

namespace skep::notify {
namespace {

using UrlHandle = Handle<CURLU, curl_url_cleanup>;

constexpr std::size_t kLargestAnswer = 64U << 10U;  ///< Then the connection ends.
constexpr std::size_t kKept = 4U << 10U;            ///< Of an answer.
constexpr std::size_t kLongestAddress = 4U << 10U;
constexpr int kMostRedirects = 3;

/// What comes back, as far as somebody reads it.
struct Received {
  std::size_t bytes = 0;
  std::string body;
  std::optional<std::int64_t> calls_left;
  std::optional<WallTime> calls_again;
};

std::size_t take_body(char* data, std::size_t size, std::size_t count, void* into) noexcept {
  auto& received = *static_cast<Received*>(into);
  const auto bytes = size * count;
  received.bytes += bytes;
  if (received.bytes > kLargestAnswer) return 0;
  try {
    received.body.append(data, std::min(bytes, kKept - std::min(kKept, received.body.size())));
  } catch (...) {
    return 0;
  }
  return bytes;
}

std::optional<std::int64_t> number_in(std::string_view text) {
  const auto begin = text.find_first_not_of(" \t");
  const auto end = text.find_last_not_of(" \t\r\n");
  if (begin == std::string_view::npos) return std::nullopt;
  text = text.substr(begin, end - begin + 1);
  std::int64_t number = 0;
  const auto [at, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc() || at != text.data() + text.size() || number < 0) return std::nullopt;
  return number;
}

/// GitHub and Gitea begin these names with "X-", GitLab does not.
std::size_t take_header(char* data, std::size_t size, std::size_t count, void* into) noexcept {
  auto& received = *static_cast<Received*>(into);
  const std::string_view line(data, size * count);
  const auto colon = line.find(':');
  if (colon == std::string_view::npos) return line.size();
  auto name = line.substr(0, colon);
  if (name.size() > 2 && lower(name[0]) == 'x' && name[1] == '-') name.remove_prefix(2);
  const auto is = [&](std::string_view word) {
    return std::equal(
        name.begin(), name.end(), word.begin(), word.end(), [](char left, char right) {
          return lower(left) == right;
        });
  };
  constexpr std::int64_t kLatest = 253'402'300'799;  // The year 9999.
  if (is("ratelimit-remaining")) received.calls_left = number_in(line.substr(colon + 1));
  if (is("ratelimit-reset")) {
    const auto at = number_in(line.substr(colon + 1));
    received.calls_again = std::nullopt;
    if (at && *at <= kLatest) received.calls_again = WallTime(std::chrono::seconds(*at));
  }
  return line.size();
}

std::string part_of(CURLU* url, CURLUPart part) {
  char* raw = nullptr;
  if (curl_url_get(url, part, &raw, CURLU_DEFAULT_PORT) != CURLUE_OK) return {};
  std::string text(raw);
  curl_free(raw);
  return text;
}

/// Scheme, host and port; "" for what is no address.
std::string origin_of(const std::string& address) {
  const UrlHandle url(curl_url());
  if (!url || curl_url_set(url.get(), CURLUPART_URL, address.c_str(), 0) != CURLUE_OK) return {};
  return lower(part_of(url.get(), CURLUPART_SCHEME)) + "://" +
         lower(part_of(url.get(), CURLUPART_HOST)) + ":" + part_of(url.get(), CURLUPART_PORT);
}

struct Sent {
  HttpAnswer answer;
  std::string redirect;  ///< The absolute address that it names; "" for none.
};

Result<Sent> send_once(const HttpCall& call,
                       const std::stop_token& stop,
                       std::chrono::milliseconds limit) {
  const EasyHandle easy(curl_easy_init());
  if (!easy) return unavailable("out of memory");
  CurlList headers;
  const auto add = [&headers](const std::string& line) {
    auto* longer = curl_slist_append(headers.get(), line.c_str());
    if (longer == nullptr) return;
    (void)headers.release();  // The longer list begins with it.
    headers.reset(longer);
  };
  for (const auto& [name, value] : call.headers) add(name + ": " + value);
  add("Expect:");  // Some chat's proxies do not answer a question before the body.
  auto* handle = easy.get();
  Received received;
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
  curl_easy_setopt(handle, CURLOPT_WRITEFUNCTION, &take_body);
  curl_easy_setopt(handle, CURLOPT_WRITEDATA, &received);
  curl_easy_setopt(handle, CURLOPT_HEADERFUNCTION, &take_header);
  curl_easy_setopt(handle, CURLOPT_HEADERDATA, &received);
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
  Sent sent;
  sent.answer = {static_cast<int>(status),
                 std::chrono::seconds(wait),
                 std::move(received.body),
                 received.calls_left,
                 received.calls_again};
  const char* redirect = nullptr;
  curl_easy_getinfo(handle, CURLINFO_REDIRECT_URL, &redirect);
  if (redirect != nullptr) sent.redirect = redirect;
  return sent;
}

Result<HttpAnswer> send(HttpCall call,
                        const std::stop_token& stop,
                        std::chrono::milliseconds limit) {
  for (int hop = 0;; ++hop) {
    auto sent = send_once(call, stop, limit);
    if (!sent) return std::move(sent).error();
    const auto status = sent->answer.status;
    const bool moved = status == 301 || status == 307 || status == 308;
    if (!call.follow || !moved || hop == kMostRedirects || sent->redirect.empty() ||
        sent->redirect.size() > kLongestAddress || origin_of(sent->redirect) != origin_of(call.url))
      return std::move(sent->answer);
    call.url = std::move(sent->redirect);
  }
}

}  // namespace

Send http_sender(std::stop_token stop, std::chrono::milliseconds limit) {
  return [stop = std::move(stop), limit](const HttpCall& call) { return send(call, stop, limit); };
}

}  // namespace skep::notify
