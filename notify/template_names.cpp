#include "notify/template_names.hpp"

#include <algorithm>
#include <memory>
#include <optional>
#include <utility>

#include "helm-like-templates/renderer/parser.hpp"

namespace skep::notify {
namespace {

using templates::Expr;
using templates::Node;
using templates::Pipe;

/// What to_json() of message.hpp writes, and `target` beside it.
const std::vector<std::string> kOfMessage = {
    "id", "instance", "at", "reason", "severity", "title", "text", "stacks", "target"};
const std::vector<std::string> kOfStory = {
    "stack", "revision", "author", "subject", "link", "what", "words", "changes", "done", "remedy"};

/// What the dot and `$` are at a place of a template.
struct Place {
  bool dot_is_message = true, root_is_message = true;
};

class NameCheck {
 public:
  NameCheck(templates::TextPtr source, const std::vector<std::string>& values)
      : source_(std::move(source)), inner_(values) {
    for (const auto* names : {&kOfMessage, &kOfStory})
      inner_.insert(inner_.end(), names->begin(), names->end());
    for (const auto* maker : {"dict", "from", "set"})
      makes_maps_ = makes_maps_ || source_->text.find(maker) != std::string::npos;
  }

  void look_at(const std::vector<Node>& nodes, Place place) {
    for (const auto& node : nodes) {
      if (node.pipe) look_at(*node.pipe, place);
      auto within = place;
      if (node.kind == Node::Kind::range || node.kind == Node::Kind::with)
        within.dot_is_message = false;
      look_at(node.body, within);
      look_at(node.otherwise, place);
    }
  }

  [[nodiscard]] const std::optional<Error>& found() const { return found_; }

 private:
  void look_at(const Pipe& pipe, Place place) {
    for (const auto& command : pipe.commands) {
      for (const auto& operand : command.operands) look_at(operand, place);
    }
  }

  void look_at(const Expr& expr, Place place) {
    if (expr.pipe) look_at(*expr.pipe, place);
    if (expr.base) look_at(*expr.base, place);
    const auto& names = expr.names;
    if (expr.kind == Expr::Kind::field && !names.empty())
      judge(expr, names.front(), place.dot_is_message);
    if (expr.kind == Expr::Kind::chain && !names.empty()) judge(expr, names.front(), false);
    if (expr.kind == Expr::Kind::variable && names.size() > 1)
      judge(expr, names[1], names.front() == "$" && place.root_is_message);
  }

  void judge(const Expr& expr, const std::string& name, bool of_message) {
    const auto& known = of_message ? kOfMessage : inner_;
    if (found_ || (!of_message && makes_maps_)) return;
    if (std::find(known.begin(), known.end(), name) != known.end()) return;
    std::string words;
    for (const auto& one : of_message ? kOfMessage : kOfStory)
      words += (words.empty() ? "" : ", ") + one;
    const auto at = source_->position(expr.offset);
    found_ = Error{ErrorKind::invalid_input,
                   "line " + std::to_string(at.line) + ", column " + std::to_string(at.column) +
                       " of the template: there is no ." + name + "; " +
                       (of_message ? "a message has " : "each of .stacks has ") + words,
                   std::nullopt};
  }

  const templates::TextPtr source_;
  std::vector<std::string> inner_;  ///< What may be named where the dot is not the message.
  bool makes_maps_ = false;         ///< Whose keys are its own business.
  std::optional<Error> found_;
};

}  // namespace

Result<void> check_names(const std::string& name,
                         const std::string& text,
                         const std::vector<std::string>& values) {
  const auto source = std::make_shared<const templates::Text>(templates::Text{name, text});
  templates::Templates parsed;
  if (auto done = templates::parse(source, parsed); !done) return std::move(done).error();
  NameCheck check(source, values);
  for (const auto& [own_name, one] : parsed) {
    const bool main = own_name == name;  // Any other gets what it is called with.
    check.look_at(one->nodes, {main, main});
  }
  if (check.found()) return *check.found();
  return {};
}

}  // namespace skep::notify
