#include "reconciler/redaction.hpp"

#include <algorithm>
#include <set>

#include "diff/words.hpp"

namespace skep::reconciler {
namespace {

/// Also where a placeholder stands for a value that could not be decrypted: then what is live is
/// the value.
bool is_masked(std::string text, const std::function<void(std::string&)>& mask) {
  if (text.find(RedactionSet::kMask) != std::string::npos) return true;
  const auto before = text;
  mask(text);
  return text != before;
}

void hide(diff::FieldChange& change) {
  change.secret = true;
  for (auto* side : {&change.before, &change.after}) {
    if (!side->empty()) *side = RedactionSet::kMask;
  }
}

const diff::Action* action_like(const diff::Action& action, const diff::Plan& plan) {
  const auto at =
      std::find_if(plan.actions.begin(), plan.actions.end(), [&](const diff::Action& other) {
        return other.kind == action.kind && other.name == action.name;
      });
  return at == plan.actions.end() ? nullptr : &*at;
}

const diff::FieldChange* change_like(const diff::FieldChange& change, const diff::Action* action) {
  if (action == nullptr) return nullptr;
  const auto at = std::find_if(
      action->changes.begin(), action->changes.end(), [&](const diff::FieldChange& other) {
        return other.path == change.path && other.item == change.item;
      });
  return at == action->changes.end() ? nullptr : &*at;
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

void hide_secrets(diff::Plan& plan, const std::function<void(std::string&)>& mask) {
  if (!mask) return;
  for (auto& action : plan.actions) {
    mask(action.reason);
    for (auto& change : action.changes) {
      mask(change.item);
      if (!change.secret && !is_masked(change.before, mask) && !is_masked(change.after, mask))
        continue;
      hide(change);
    }
  }
  for (auto& note : plan.notes) mask(note.text);
}

void hide_unknown(diff::Plan& plan, const diff::Plan& other) {
  for (auto& action : plan.actions) {
    const auto* same = action_like(action, other);
    // Lists with an element that is not known: which of the live ones it is nobody can tell.
    std::set<std::string> unknown;
    for (const auto& change : action.changes) {
      if (change_like(change, same) == nullptr) unknown.insert(change.path);
    }
    for (auto& change : action.changes) {
      if (unknown.contains(change.path)) {
        if (!change.item.empty()) change.item = RedactionSet::kMask;
      } else if (change_like(change, same)->after == change.after) {
        continue;
      }
      hide(change);
    }
  }
}

}  // namespace skep::reconciler
