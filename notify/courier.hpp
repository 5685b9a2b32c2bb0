#pragma once

#include <chrono>
#include <condition_variable>
#include <map>
#include <mutex>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include "notify/mail.hpp"
#include "notify/target.hpp"

namespace skep::notify {

/// Brings deliveries to their targets, each in a thread of its own and one at a time to each
/// target: what hangs holds up what waits for the same target, and nothing else.
class Courier {
 public:
  struct Outcome {
    Delivery delivery;
    bool delivered = false;
    bool final = false;                ///< It will not be taken the next time either.
    std::string trouble = {};          ///< Why it was not delivered.
    std::string said = {};             ///< The beginning of the server's answer, as it came.
    std::chrono::seconds at_least{0};  ///< That the other side asks to be left alone.
    std::vector<RefusedAddress> refused = {};  ///< Addresses of a mail that others got.
  };

  /// Both are called from several threads at once.
  Courier(Send send, SendMail send_mail);
  ~Courier();  ///< Waits for what is under way.
  Courier(const Courier&) = delete;
  Courier& operator=(const Courier&) = delete;

  /// Until its outcome was handed out, too.
  [[nodiscard]] bool is_busy_with(const std::string& target) const;
  /// Takes one to a target that it is not busy with.
  void carry(Target target, Delivery delivery, WallTime now);
  /// What ended since the last call. Where nothing did, waits for the first to end, at most so long
  /// and only if something is under way.
  std::vector<Outcome> ended(std::chrono::milliseconds patience);
  /// The same, once nothing is under way any more.
  std::vector<Outcome> finish();

 private:
  std::vector<Outcome> hand_out();
  [[nodiscard]] Outcome by_http(const Target& target, Delivery delivery, WallTime now) const;
  [[nodiscard]] Outcome by_mail(const Target& target, Delivery delivery) const;

  const Send send_;
  const SendMail send_mail_;
  mutable std::mutex mutex_;  ///< Guards what follows.
  std::condition_variable wake_;
  std::set<std::string> busy_;
  std::vector<Outcome> outcomes_;
  std::map<std::string, std::jthread> threads_;  ///< By target; of the thread that calls.
};

}  // namespace skep::notify
