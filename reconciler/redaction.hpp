#pragma once

#include <map>
#include <mutex>
#include <set>
#include <string>
#include <string_view>

#include "core/secret.hpp"
#include "swarm/stack_spec.hpp"

namespace skep::reconciler {

/// The values that no sentence may hold (design §9), in the forms in which programs repeat them:
/// raw, escaped, for URLs, as base64. Values are only ever added: what a revision held stays a
/// secret when git has moved on. Safe from several threads.
class Redaction {
 public:
  /// Of a stack: its secrets, and variables whose name says that they hold a credential.
  void add(const swarm::StackSpec& stack);
  void add(const Secret& value);
  /// A value of 6 bytes or more becomes "***"; where a shorter one stands as a word the whole text
  /// does.
  void mask(std::string& text) const;

 private:
  void add_forms(std::string_view value);

  mutable std::mutex mutex_;  ///< Guards what follows.
  struct LongestFirst {
    bool operator()(const std::string& a, const std::string& b) const {
      return a.size() != b.size() ? a.size() > b.size() : a < b;
    }
  };
  std::set<std::string, LongestFirst> forms_;
  std::set<std::string> short_values_;
  /// The same few sentences come again with each turn.
  mutable std::map<std::string, std::string> answers_;
};

}  // namespace skep::reconciler
