#include "core/error.hpp"
#include "diff/render.hpp"
#include "diff/report.hpp"
#include "diff/words.hpp"

namespace skep::diff {
namespace {

std::string escaped(std::string_view value) {
  std::string text = "\"";
  for (const char c : printable(value)) {
    if (c == '"' || c == '\\') text += '\\';
    text += c;
  }
  return text + "\"";
}

/// `"name":value` pairs between braces.
class Object {
 public:
  Object& raw(std::string_view name, const std::string& json) {
    text_ += text_.empty() ? "{" : ",";
    text_ += escaped(name) + ":" + json;
    return *this;
  }
  Object& text(std::string_view name, std::string_view value) { return raw(name, escaped(value)); }
  Object& flag(std::string_view name, bool value) { return raw(name, value ? "true" : "false"); }
  /// Left out where it is empty.
  Object& optional(std::string_view name, std::string_view value) {
    return value.empty() ? *this : text(name, value);
  }
  [[nodiscard]] std::string close() const { return text_.empty() ? "{}" : text_ + "}"; }

 private:
  std::string text_;
};

template <typename T, typename Show>
std::string array(const std::vector<T>& list, Show show) {
  std::string text = "[";
  for (const auto& element : list) {
    if (text.size() > 1) text += ',';
    text += show(element);
  }
  return text + "]";
}

std::string_view word_of_change(FieldChange::Kind kind) {
  switch (kind) {
    case FieldChange::Kind::added:
      return "added";
    case FieldChange::Kind::removed:
      return "removed";
    case FieldChange::Kind::changed:
      break;
  }
  return "changed";
}

std::string json_of(const FieldChange& change) {
  Object object;
  object.text("path", change.path)
      .optional("item", change.item)
      .text("kind", word_of_change(change.kind));
  if (change.kind != FieldChange::Kind::added) object.text("before", change.before);
  if (change.kind != FieldChange::Kind::removed) object.text("after", change.after);
  if (change.secret) object.flag("secret", true);
  return object.close();
}

std::string json_of(const Action& action) {
  Object object;
  object.text("verb", word_of(action.verb))
      .text("kind", word_of(action.kind))
      .text("name", action.name)
      .text("key", action.key)
      .text("impact", word_of(action.impact))
      .optional("reason", action.reason)
      .optional("id", action.live_id);
  if (!action.changes.empty())
    object.raw("changes",
               array(action.changes, [](const FieldChange& change) { return json_of(change); }));
  return object.close();
}

std::string json_of(const Note& note) {
  Object object;
  object.text("severity", word_of(note.severity)).text("text", note.text);
  if (note.at) object.text("at", to_string(*note.at));
  return object.close();
}

}  // namespace

std::string to_json(const Plan& plan, std::string_view title) {
  Object object;
  object.text("title", title)
      .text("stack", plan.stack.text())
      .flag("empty", plan.empty())
      .flag("blocked", plan.blocked())
      .text("summary", summary(plan))
      .raw("actions", array(plan.actions, [](const Action& action) { return json_of(action); }))
      .raw("untouched", array(plan.untouched, [](const std::string& key) { return escaped(key); }))
      .raw("notes", array(plan.notes, [](const Note& note) { return json_of(note); }));
  return object.close();
}

}  // namespace skep::diff
