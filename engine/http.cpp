#include "engine/http.hpp"

#include <deque>
#include <mutex>
#include <stdexcept>
#include <utility>

#include "engine/curl.hpp"

namespace skep::engine {
namespace {

// curl_multi_poll is woken by the stop callback; this only bounds what a lost wake-up could cost.
constexpr int kPollMilliseconds = 500;
constexpr long kConnectionsKept = 8;
constexpr std::size_t kIdleKept = 8;

MultiHandle make_multi() {
  static std::once_flag once;
  std::call_once(once, [] {
    if (curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK)
      throw std::logic_error("libcurl does not initialise");
  });
  MultiHandle multi(curl_multi_init());
  if (!multi) throw std::bad_alloc();
  curl_multi_setopt(multi.get(), CURLMOPT_MAXCONNECTS, kConnectionsKept);
  return multi;
}

void run(CURLM* multi, std::deque<Exchange>& exchanges, const std::stop_token& stop) {
  const std::stop_callback wake(stop, [multi] { curl_multi_wakeup(multi); });
  int running = 1;
  while (running > 0 && !stop.stop_requested()) {
    if (curl_multi_perform(multi, &running) != CURLM_OK) break;
    int left = 0;
    while (const CURLMsg* message = curl_multi_info_read(multi, &left)) {
      if (message->msg != CURLMSG_DONE) continue;
      for (auto& exchange : exchanges) {
        if (exchange.easy() == message->easy_handle) exchange.finish(message->data.result);
      }
    }
    if (running > 0) curl_multi_poll(multi, nullptr, 0, kPollMilliseconds, nullptr);
  }
}

}  // namespace

/// Multi handles that nobody uses right now; each keeps its connections open.
struct HttpClient::Pool {
  std::mutex mutex;
  std::vector<MultiHandle> idle;

  MultiHandle take() {
    const std::lock_guard lock(mutex);
    if (idle.empty()) return make_multi();
    auto multi = std::move(idle.back());
    idle.pop_back();
    return multi;
  }
  void give_back(MultiHandle multi) {
    const std::lock_guard lock(mutex);
    if (idle.size() < kIdleKept) idle.push_back(std::move(multi));
  }
};

HttpClient::HttpClient(Endpoint endpoint, std::chrono::milliseconds connect_timeout)
    : endpoint_(std::move(endpoint)),
      connect_timeout_(connect_timeout),
      pool_(std::make_unique<Pool>()) {}

HttpClient::~HttpClient() = default;

Result<HttpResponse> HttpClient::send(const HttpRequest& request, std::stop_token stop) {
  return std::move(send_all({request}, std::move(stop)).front());
}

std::vector<Result<HttpResponse>> HttpClient::send_all(const std::vector<HttpRequest>& requests,
                                                       std::stop_token stop) {
  auto multi = pool_->take();
  std::deque<Exchange> exchanges;
  for (const auto& request : requests) {
    auto& exchange = exchanges.emplace_back();
    exchange.prepare(request, endpoint_, connect_timeout_);
    curl_multi_add_handle(multi.get(), exchange.easy());
  }
  run(multi.get(), exchanges, stop);
  std::vector<Result<HttpResponse>> results;
  results.reserve(requests.size());
  for (auto& exchange : exchanges) curl_multi_remove_handle(multi.get(), exchange.easy());
  for (auto& exchange : exchanges) {
    if (exchange.done())
      results.push_back(exchange.result(endpoint_));
    else if (stop.stop_requested())
      results.emplace_back(Error{ErrorKind::cancelled, "stopped while the engine was asked", {}});
    else
      results.emplace_back(Error{ErrorKind::unavailable, "the connection to the engine broke", {}});
  }
  pool_->give_back(std::move(multi));
  return results;
}

}  // namespace skep::engine
