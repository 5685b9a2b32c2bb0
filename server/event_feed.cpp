#include "server/event_feed.hpp"

#include <algorithm>
#include <utility>

#include "server/history_json.hpp"

namespace skep::server {
namespace {

using namespace std::chrono_literals;

constexpr std::size_t kAtOnce = 100;    ///< Events of one piece.
constexpr auto kNews = 100ms;           ///< As long the newest id is believed.
constexpr std::int64_t kBeginning = 1;  ///< 0 asks for the newest ones, not for all after it.

}  // namespace

/// One client's place in the events.
class EventPieces final : public PieceSource {
 public:
  EventPieces(EventFeed& feed, std::string stack, std::optional<std::int64_t> after)
      : feed_(feed), stack_(std::move(stack)), after_(after) {}

  std::string next() override {
    std::string text;
    // The first piece goes out at once: it carries the headers, and tells that somebody is there.
    if (!std::exchange(greeted_, true)) text = "retry: 3000\n: events of skep\n\n";
    const auto newest = feed_.newest();
    if (!newest) return text;
    if (!after_) after_ = std::max(*newest, kBeginning);
    if (*newest <= *after_) return text;
    ports::HistoryQuery query;
    query.stack = stack_;
    query.after = std::max(*after_, kBeginning);
    query.limit = kAtOnce;
    const auto events = feed_.history_.events(query);
    if (!events) return text;  // It is tried again; `trouble` of the other routes says why.
    for (const auto& event : *events) {
      text += "id: " + std::to_string(event.id) + "\ndata: " + to_json(event) + "\n\n";
      after_ = event.id;
    }
    // Nothing more of this stack up to there.
    if (events->size() < kAtOnce) after_ = std::max(*after_, *newest);
    return text;
  }
  [[nodiscard]] std::string heartbeat() const override { return ": still here\n\n"; }

 private:
  EventFeed& feed_;
  const std::string stack_;
  std::optional<std::int64_t> after_;
  bool greeted_ = false;
};

std::shared_ptr<PieceSource> EventFeed::open(std::string stack, std::optional<std::int64_t> after) {
  if (!after) {
    ports::HistoryQuery query;
    query.limit = 1;
    const auto last = history_.events(query);
    if (last) after = last->empty() ? kBeginning : last->back().id;
  }
  return std::make_shared<EventPieces>(*this, std::move(stack), after);
}

std::optional<std::int64_t> EventFeed::newest() {
  const auto now = std::chrono::steady_clock::now();
  if (asked_ != std::chrono::steady_clock::time_point{} && now - asked_ < kNews) return newest_;
  asked_ = now;
  ports::HistoryQuery query;
  query.limit = 1;
  const auto last = history_.events(query);
  // While it cannot be read nothing is new; an empty history is at its beginning.
  if (last) newest_ = last->empty() ? kBeginning : last->back().id;
  return newest_;
}

}  // namespace skep::server
