#include "helm-like-templates/renderer/parser.hpp"

#include <algorithm>
#include <utility>

#include "helm-like-templates/renderer/expression_parser.hpp"
#include "helm-like-templates/renderer/placeholder.hpp"
#include "helm-like-templates/renderer/unicode.hpp"

namespace skep::templates {
namespace {

using Type = Token::Type;

bool is_blank(const std::vector<Node>& nodes) {
  return std::all_of(nodes.begin(), nodes.end(), [](const Node& node) {
    if (node.kind != Node::Kind::text) return false;
    const auto text = runes(node.text);
    return std::all_of(text.begin(), text.end(), [](Rune rune) { return is_space(rune); });
  });
}

class Parser : private ExpressionParser {
 public:
  Parser(TextPtr source, Templates& into) : ExpressionParser(std::move(source)), into_(into) {}

  Result<void> run() {
    std::vector<Node> nodes;
    auto end = list(nodes, true);
    if (!end) return std::move(end).error();
    if (auto added = add(source_->name, std::move(nodes), 0); !added) return added;
    for (auto& [name, parsed] : own_) {
      const auto old = into_.find(name);
      if (old != into_.end() && is_blank(parsed->nodes)) continue;
      into_.insert_or_assign(name, std::move(parsed));
    }
    return {};
  }

 private:
  enum class Stop { end_of_text, end, else_ };

  Result<void> add(const std::string& name, std::vector<Node> nodes, std::size_t offset) {
    const auto old = own_.find(name);
    if (old != own_.end() && !is_blank(old->second->nodes)) {
      if (is_blank(nodes)) return {};
      return error(offset, "template " + quote(name) + " is defined twice in this file");
    }
    auto parsed = std::make_shared<Template>();
    parsed->source = source_;
    parsed->nodes = std::move(nodes);
    own_.insert_or_assign(name, std::move(parsed));
    return {};
  }

  // Nodes up to {{end}}, {{else}} or the end of the text; what stopped it is read.
  Result<Stop> list(std::vector<Node>& nodes, bool top = false) {
    if (++depth_ > kMaxDepth) return error(peek().offset, "nested too deeply");
    for (;;) {
      const auto& token = next();
      if (token.type == Type::text) {
        nodes.push_back(text_node(token));
        continue;
      }
      if (token.type == Type::end) {
        if (!top) return error(opened_, "unexpected end of the template: {{end}} is missing");
        --depth_;
        return Stop::end_of_text;
      }
      if (token.type != Type::left_delimiter) return unexpected(token, "the template");
      const auto start = token.offset;
      const auto& word = peek_past_space();
      if (word.type == Type::keyword && (word.text == "end" || word.text == "else")) {
        const bool is_end = next().text == "end";
        if (top) return error(start, is_end ? "unexpected {{end}}" : "unexpected {{else}}");
        if (is_end) {
          if (auto closed = expect_close("{{end}}"); !closed) return std::move(closed).error();
        }
        --depth_;
        stopped_ = start;
        return is_end ? Stop::end : Stop::else_;
      }
      if (is_keyword(word, "define")) {
        next();
        if (!top) return error(start, "{{define}} may only stand at the top of a file");
        if (auto defined = define(start); !defined) return std::move(defined).error();
        continue;
      }
      auto node = action(start);
      if (!node) return std::move(node).error();
      nodes.push_back(std::move(*node));
    }
  }

  static Node text_node(const Token& token) {
    Node node;
    node.offset = token.offset;
    node.text = std::string(token.text);
    return node;
  }

  Result<std::string> name(std::string_view context) {
    const auto& token = next_past_space();
    if (token.type != Type::string) return unexpected(token, context);
    auto text = unquote(token.text);
    if (!text) return error(token.offset, text.error().message);
    return text;
  }

  // The body of a define or block: own variables, and no loop around it.
  Result<void> definition(const std::string& called, std::size_t start, std::string_view context) {
    const auto variables = std::exchange(variables_, {"$"});
    const auto loops = std::exchange(loops_, 0);
    const auto opened = std::exchange(opened_, start);
    std::vector<Node> nodes;
    auto stop = list(nodes);
    if (!stop) return std::move(stop).error();
    if (*stop != Stop::end) return error(start, "unexpected {{else}} in " + std::string(context));
    opened_ = opened;
    loops_ = loops;
    variables_ = variables;
    return add(called, std::move(nodes), start);
  }

  Result<void> define(std::size_t start) {
    auto called = name("define clause");
    if (!called) return std::move(called).error();
    if (auto closed = expect_close("define clause"); !closed) return closed;
    return definition(*called, start, "define clause");
  }

  Result<Node> action(std::size_t start) {
    const auto& word = peek();
    if (word.type == Type::keyword) {
      next();
      if (word.text == "if") return control(Node::Kind::if_, start);
      if (word.text == "with") return control(Node::Kind::with, start);
      if (word.text == "range") return control(Node::Kind::range, start);
      if (word.text == "template") return call(start);
      if (word.text == "block") return block(start);
      Node node;
      node.offset = start;
      node.kind = word.text == "break" ? Node::Kind::break_ : Node::Kind::continue_;
      const auto text = "{{" + std::string(word.text) + "}}";
      if (auto closed = expect_close(text); !closed) return std::move(closed).error();
      if (loops_ == 0) return error(start, text + " outside {{range}}");
      return node;
    }
    auto parsed = pipeline("command", Type::right_delimiter);
    if (!parsed) return std::move(parsed).error();
    Node node;
    node.offset = start;
    if (is_placeholder(*parsed)) {
      node.text = "{{" + inner_text(start) + "}}";
      return node;
    }
    node.kind = Node::Kind::action;
    node.pipe = std::make_unique<Pipe>(std::move(*parsed));
    if (auto known = refuse_swarm(*node.pipe); !known) return std::move(known).error();
    return node;
  }

  // What stands between the delimiters of the action just read, trim markers left out: the text
  // around it is already trimmed.
  [[nodiscard]] std::string inner_text(std::size_t start) const {
    const auto from = start + 2;
    const auto end = source_->text.find("}}", closed_at_);
    auto inner = source_->text.substr(from, end - from);
    if (inner.size() > 1 && inner[0] == '-' && is_space(static_cast<unsigned char>(inner[1])))
      inner.erase(0, 1);
    if (inner.size() > 1 && inner.back() == '-' &&
        is_space(static_cast<unsigned char>(inner[inner.size() - 2])))
      inner.pop_back();
    return inner;
  }

  [[nodiscard]] Result<void> refuse_swarm(const Pipe& pipe) const {
    const auto* field = swarm_field(pipe);
    if (field == nullptr) return {};
    return error(field->offset,
                 source_->text.substr(field->offset, field->end - field->offset) +
                     ": only Swarm knows this, and only when it starts a task; it cannot be "
                     "computed with here (write {{.Node.Hostname}} and the like alone)");
  }

  Result<Node> control(Node::Kind kind, std::size_t start) {
    const auto variables = variables_.size();
    const auto opened = std::exchange(opened_, start);
    const std::string context = kind == Node::Kind::if_    ? "if"
                                : kind == Node::Kind::with ? "with"
                                                           : "range";
    Node node;
    node.kind = kind;
    node.offset = start;
    auto parsed = pipeline(context, Type::right_delimiter);
    if (!parsed) return std::move(parsed).error();
    node.pipe = std::make_unique<Pipe>(std::move(*parsed));
    if (auto known = refuse_swarm(*node.pipe); !known) return std::move(known).error();
    if (kind == Node::Kind::range) ++loops_;
    auto stop = list(node.body);
    if (!stop) return std::move(stop).error();
    if (kind == Node::Kind::range) --loops_;
    if (*stop == Stop::else_) {
      node.has_else = true;
      const auto& word = peek_past_space();
      const bool chained = (kind == Node::Kind::if_ && is_keyword(word, "if")) ||
                           (kind == Node::Kind::with && is_keyword(word, "with"));
      if (chained) {
        next();
        if (++depth_ > kMaxDepth) return error(word.offset, "nested too deeply");
        auto nested = control(kind, word.offset);
        if (!nested) return nested;
        --depth_;
        node.otherwise.push_back(std::move(*nested));
      } else {
        if (auto closed = expect_close("{{else}}"); !closed) return std::move(closed).error();
        stop = list(node.otherwise);
        if (!stop) return std::move(stop).error();
        if (*stop != Stop::end) return error(stopped_, "expected {{end}}; found a second {{else}}");
      }
    }
    opened_ = opened;
    variables_.resize(variables);
    return node;
  }

  Result<Node> call(std::size_t start) {
    auto called = name("template clause");
    if (!called) return std::move(called).error();
    Node node;
    node.kind = Node::Kind::template_;
    node.offset = start;
    node.text = std::move(*called);
    if (peek_past_space().type == Type::right_delimiter) {
      next();
      return node;
    }
    auto parsed = pipeline("template clause", Type::right_delimiter);
    if (!parsed) return std::move(parsed).error();
    node.pipe = std::make_unique<Pipe>(std::move(*parsed));
    return node;
  }

  Result<Node> block(std::size_t start) {
    auto called = name("block clause");
    if (!called) return std::move(called).error();
    Node node;
    node.kind = Node::Kind::template_;
    node.offset = start;
    node.text = *called;
    auto parsed = pipeline("block clause", Type::right_delimiter);
    if (!parsed) return std::move(parsed).error();
    node.pipe = std::make_unique<Pipe>(std::move(*parsed));
    if (auto defined = definition(*called, start, "block clause"); !defined)
      return std::move(defined).error();
    return node;
  }

  Templates& into_;
  std::map<std::string, std::shared_ptr<Template>> own_;
  std::size_t opened_ = 0;   ///< Of the structure that is being read.
  std::size_t stopped_ = 0;  ///< The {{else}} or {{end}} that was read last.
  int loops_ = 0;
};

}  // namespace

Result<void> parse(const TextPtr& source, Templates& into) { return Parser(source, into).run(); }

}  // namespace skep::templates
