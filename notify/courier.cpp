#include "notify/courier.hpp"

#include <utility>

namespace skep::notify {
namespace {

/// Answers to a message that will not be taken the next time either.
bool is_final(int status) { return status == 400 || status == 413 || status == 422; }

std::string trouble_of(int status) {
  const bool redirects = status >= 300 && status < 400;
  return "it answers " + std::to_string(status) +
         (redirects ? ", a redirect, which is not followed; give the address that it leads to"
                    : "");
}

bool is_success(int status) { return status >= 200 && status < 300; }

}  // namespace

Courier::Courier(Send send, SendMail send_mail)
    : send_(std::move(send)), send_mail_(std::move(send_mail)) {}

Courier::~Courier() = default;

bool Courier::is_busy_with(const std::string& target) const {
  const std::lock_guard lock(mutex_);
  return busy_.contains(target);
}

void Courier::carry(Target target, Delivery delivery, WallTime now) {
  {
    const std::lock_guard lock(mutex_);
    busy_.insert(target.name);
  }
  // The thread before it has ended, or is about to: its outcome was handed out.
  auto& thread = threads_[target.name];
  thread = std::jthread(
      [this, now, target = std::move(target), delivery = std::move(delivery)]() mutable {
        auto outcome = target.type == "email" ? by_mail(target, std::move(delivery))
                                              : by_http(target, std::move(delivery), now);
        const std::lock_guard lock(mutex_);
        outcomes_.push_back(std::move(outcome));
        wake_.notify_all();
      });
}

std::vector<Courier::Outcome> Courier::ended(std::chrono::milliseconds patience) {
  std::unique_lock lock(mutex_);
  wake_.wait_for(lock, patience, [&] { return !outcomes_.empty() || busy_.empty(); });
  return hand_out();
}

std::vector<Courier::Outcome> Courier::finish() {
  std::unique_lock lock(mutex_);
  wake_.wait(lock, [&] { return outcomes_.size() == busy_.size(); });
  return hand_out();
}

std::vector<Courier::Outcome> Courier::hand_out() {
  for (const auto& outcome : outcomes_) busy_.erase(outcome.delivery.target);
  return std::exchange(outcomes_, {});
}

Courier::Outcome Courier::by_http(const Target& target, Delivery delivery, WallTime now) const {
  const auto call = call_for(target, delivery, now);
  if (!call) return {std::move(delivery), false, true, call.error().message};
  const auto answer = send_(*call);
  if (!answer) return {std::move(delivery), false, false, answer.error().message};
  if (is_success(answer->status)) return {std::move(delivery), true};
  return {std::move(delivery),
          false,
          is_final(answer->status),
          trouble_of(answer->status),
          answer->body,
          answer->retry_after};
}

Courier::Outcome Courier::by_mail(const Target& target, Delivery delivery) const {
  const auto mail = mail_for(target, delivery);
  if (!mail) return {std::move(delivery), false, true, mail.error().message};
  auto answer = send_mail_(*mail);
  if (!answer) return {std::move(delivery), false, false, answer.error().message};
  if (is_success(answer->status)) {
    Outcome outcome{std::move(delivery), true};
    outcome.refused = std::move(answer->refused);
    return outcome;
  }
  return {std::move(delivery),
          false,
          answer->status >= 500,
          "the server answers " + std::to_string(answer->status),
          answer->said};
}

}  // namespace skep::notify
