#pragma once

#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "core/redaction.hpp"
#include "core/secret.hpp"
#include "diff/plan.hpp"
#include "swarm/stack_spec.hpp"

namespace skep::reconciler {

/// What of the reconciler's values goes into the process's redaction set (design §9), and what of
/// its sentences must be masked. Safe from several threads.
class Redaction {
 public:
  explicit Redaction(std::shared_ptr<RedactionSet> set = std::make_shared<RedactionSet>())
      : set_(std::move(set)) {}

  /// Of a stack: its secrets, and variables whose name says that they hold a credential.
  void add(const swarm::StackSpec& stack);
  void add(const Secret& value);
  /// As RedactionSet::mask_field.
  void mask(std::string& text) const;

 private:
  std::shared_ptr<RedactionSet> set_;
};

/// Both sides of each difference that a known value reaches are hidden: the side that is not known
/// may be the value's predecessor, or, where a placeholder stands in git's, the value.
void hide_secrets(diff::Plan& plan, const std::function<void(std::string&)>& mask);

/// Hides both sides of each difference that is another one in `other`, which is the plan with other
/// values in place of those that were not read for want of a key: what is live is the value.
void hide_unknown(diff::Plan& plan, const diff::Plan& other);

}  // namespace skep::reconciler
