#include "reconciler/redaction.hpp"

#include <algorithm>

#include "diff/words.hpp"

namespace skep::reconciler {
namespace {

/// Parts of a secret that are shorter stand in every sentence.
constexpr std::size_t kShortestPart = 4;

/// Also where a placeholder stands for a value that could not be decrypted: then what is live is
/// the value.
bool is_masked(std::string text, const std::function<void(std::string&)>& mask) {
  if (text.find(RedactionSet::kMask) != std::string::npos) return true;
  const auto before = text;
  mask(text);
  return text != before;
}

}  // namespace

void Redaction::add(const swarm::StackSpec& stack) {
  for (const auto& [key, secret] : stack.secrets) add(secret.data);
  for (const auto& [key, service] : stack.services) {
    for (const auto& variable : service.spec.task_template.container.env) {
      const auto equals = variable.find('=');
      if (equals == std::string::npos) continue;
      const auto name = std::string_view(variable).substr(0, equals);
      const auto value = std::string_view(variable).substr(equals + 1);
      const bool secret = diff::is_credential(name, value);
      // A short variable would silence too much: its name alone makes it no secret.
      if (secret && value.size() >= RedactionSet::kShort) set_->add(value);
    }
  }
}

void Redaction::add(const Secret& value) { set_->add(value.reveal()); }

void Redaction::mask(std::string& text) const {
  if (!text.empty()) text = set_->mask_field(text);
}

void hide_secrets(Findings& findings,
                  const std::vector<std::string>& secrets,
                  const RedactionSet& set) {
  if (secrets.empty()) return;
  const auto is_part = [&secrets](std::string_view text) {
    return text.size() >= kShortestPart &&
           std::any_of(secrets.begin(), secrets.end(), [text](const std::string& secret) {
             return secret.find(text) != std::string::npos;
           });
  };
  for (auto& finding : findings) {
    auto& message = finding.message;
    message = set.mask_field(message);
    if (message == RedactionSet::kMask) message = "(not shown: it would quote a decrypted value)";
    for (const char quote : {'"', '\''}) {
      for (auto begin = message.find(quote); begin != std::string::npos;) {
        const auto end = message.find(quote, begin + 1);
        if (end == std::string::npos) break;
        const auto inside = std::string_view(message).substr(begin + 1, end - begin - 1);
        if (is_part(inside)) {
          message.replace(begin + 1, inside.size(), RedactionSet::kMask);
          begin = message.find(quote, begin + RedactionSet::kMask.size() + 2);
        } else {
          begin = end;  // An apostrophe is no quote: what ends one may begin the next.
        }
      }
    }
  }
}

void hide_secrets(diff::Plan& plan, const std::function<void(std::string&)>& mask) {
  if (!mask) return;
  for (auto& action : plan.actions) {
    mask(action.reason);
    for (auto& change : action.changes) {
      mask(change.item);
      if (!change.secret && !is_masked(change.before, mask) && !is_masked(change.after, mask))
        continue;
      change.secret = true;
      for (auto* side : {&change.before, &change.after}) {
        if (!side->empty()) *side = RedactionSet::kMask;
      }
    }
  }
  for (auto& note : plan.notes) mask(note.text);
}

}  // namespace skep::reconciler
