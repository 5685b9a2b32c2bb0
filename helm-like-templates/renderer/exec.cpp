#include "helm-like-templates/renderer/exec.hpp"

#include <algorithm>
#include <optional>

#include "helm-like-templates/renderer/format.hpp"
#include "helm-like-templates/renderer/parser.hpp"

namespace skep::templates {
namespace {

// Of walk() and evaluate() inside of each other: what a thread's stack bears, with room to spare.
constexpr int kMaxNestedCalls = 1000;

// Lines "included at …" below an error; recursion would fill screens.
constexpr int kMaxTrail = 6;

class Restore {
 public:
  explicit Restore(int& counter) : counter_(++counter) {}
  ~Restore() { --counter_; }
  Restore(const Restore&) = delete;
  Restore& operator=(const Restore&) = delete;

 private:
  int& counter_;
};

}  // namespace

Executor::Executor(Templates templates,
                   const Limits& limits,
                   const FileLookup& files,
                   Secrets* secrets)
    : Env(limits, files), templates_(std::move(templates)), secrets_(secrets) {}

Executor::~Executor() {
  variables_.clear();
  // Every map that was ever changed is here, so rings come apart; every list is younger than what
  // it holds, so going back from the youngest never takes down more than one at a time.
  for (const auto& value : kept_) {
    if (auto* map = value.map()) map->entries.clear();
  }
  while (!kept_.empty()) kept_.pop_back();
}

void Executor::keep(const Value& value) {
  if (value.map() != nullptr || value.list() != nullptr) kept_.push_back(value);
}

std::string Executor::text_at(std::size_t offset, std::size_t end) const {
  auto text = current_->source->text.substr(offset, end - offset);
  while (!text.empty() && (text.back() == ' ' || text.back() == '\n')) text.pop_back();
  std::replace(text.begin(), text.end(), '\n', ' ');
  if (text.size() > 80) text = text.substr(0, 77) + "...";
  return text;
}

Error Executor::error(std::size_t offset, std::size_t end, const std::string& message) const {
  const auto expression = end > offset ? text_at(offset, end) + ": " : "";
  return {ErrorKind::invalid_input, expression + message, current_->source->position(offset)};
}

Error Executor::called_at(Error error, std::size_t offset) const {
  if (std::count(error.message.begin(), error.message.end(), '\n') < kMaxTrail)
    error.message += "\n  called at " + to_string(current_->source->position(offset));
  return error;
}

Result<void> Executor::step(std::size_t offset) {
  if (auto spent = spend(1); !spent) return error(offset, offset, spent.error().message);
  if (nesting_ > kMaxNestedCalls)
    return error(offset, offset, "templates and structures are nested too deeply");
  return {};
}

Result<std::string> Executor::run(const std::string& main, const Value& data) {
  const auto found = templates_.find(main);
  if (found == templates_.end()) return failure("there is no template " + quote(main));
  const auto what = found->second;
  auto own = copied(data, 0);
  if (!own) return std::move(own).error();
  return render(*what, *own);
}

Result<Value> Executor::copied(const Value& value, int depth) {
  if (depth > kMaxNesting) return failure("the values are nested too deeply");
  if (const auto* list = value.list()) {
    List copy;
    copy.type = list->type;
    for (const auto& item : list->items) {
      auto own = copied(item, depth + 1);
      if (!own) return own;
      copy.items.push_back(std::move(*own));
    }
    return Value(std::move(copy));
  }
  if (const auto* map = value.map()) {
    Map copy;
    copy.type = map->type;
    for (const auto& [key, item] : map->entries) {
      auto own = copied(item, depth + 1);
      if (!own) return own;
      copy.entries.emplace_hint(copy.entries.end(), key, std::move(*own));
    }
    return Value(std::move(copy));
  }
  return value;
}

Result<std::string> Executor::render(const Template& what, const Value& data) {
  if (depth_ >= limits().depth)
    return failure("templates call each other more than " + std::to_string(limits().depth) +
                   " deep");
  const Restore deeper(depth_);
  std::string out;
  auto* const outer_out = std::exchange(out_, &out);
  const auto* const outer = std::exchange(current_, &what);
  const auto offset = call_offset_;
  const auto first = variables_.size();
  const auto scope = std::exchange(scope_, first);
  variables_.push_back({"$", data});
  auto flow = walk(data, what.nodes);
  variables_.resize(first);
  scope_ = scope;
  out_ = outer_out;
  current_ = outer;
  call_offset_ = offset;
  if (!flow) return std::move(flow).error();
  return out;
}

Result<std::string> Executor::include(const std::string& name, const Value& data) {
  const auto found = templates_.find(name);
  if (found == templates_.end()) return failure("there is no template " + quote(name));
  const auto what = found->second;
  const auto offset = call_offset_;
  auto text = render(*what, data);
  if (!text && text.error().at) return called_at(std::move(text).error(), offset);
  return text;
}

Result<std::string> Executor::tpl(const std::string& text, const Value& data) {
  if (auto paid = spend(text.size() / 16 + templates_.size()); !paid)
    return std::move(paid).error();
  if (auto paid = charge(text.size() * 8); !paid) return std::move(paid).error();
  const auto source = std::make_shared<const Text>(Text{current_->source->name + " (tpl)", text});
  auto own = templates_;
  const auto offset = call_offset_;
  if (auto parsed = parse(source, own); !parsed)
    return called_at(std::move(parsed).error(), offset);
  // A text that holds definitions only renders to nothing.
  const auto what = own.find(source->name);
  std::swap(templates_, own);
  auto rendered = render(*what->second, data);
  std::swap(templates_, own);
  if (!rendered && rendered.error().at) return called_at(std::move(rendered).error(), offset);
  return rendered;
}

Result<void> Executor::write(std::string_view text, std::size_t offset) {
  written_ += text.size();
  if (written_ > limits().output)
    return error(
        offset, offset, "the output is larger than " + std::to_string(limits().output) + " bytes");
  *out_ += text;
  return {};
}

Result<Executor::Flow> Executor::walk(const Value& dot, const std::vector<Node>& nodes) {
  const Restore deeper(nesting_);
  for (const auto& node : nodes) {
    auto flow = walk(dot, node);
    if (!flow || *flow != Flow::on) return flow;
  }
  return Flow::on;
}

Result<Executor::Flow> Executor::walk(const Value& dot, const Node& node) {
  if (auto allowed = step(node.offset); !allowed) return std::move(allowed).error();
  switch (node.kind) {
    case Node::Kind::text:
      if (auto done = write(node.text, node.offset); !done) return std::move(done).error();
      return Flow::on;
    case Node::Kind::break_:
      return Flow::break_;
    case Node::Kind::continue_:
      return Flow::continue_;
    case Node::Kind::range:
      return walk_range(dot, node);
    case Node::Kind::template_:
      if (auto done = call_template(dot, node); !done) return std::move(done).error();
      return Flow::on;
    default:
      break;
  }
  const auto mark = variables_.size();
  auto value = evaluate(dot, *node.pipe);
  if (!value) return std::move(value).error();
  if (node.kind == Node::Kind::action) {
    // Its variables live on until the structure around it ends; what is nil prints nothing.
    if (!node.pipe->variables.empty() || value->is_nil()) return Flow::on;
    auto text = show(*this, *value);
    if (!text) return error(node.pipe->offset, node.pipe->end, text.error().message);
    if (auto done = write(*text, node.offset); !done) return std::move(done).error();
    return Flow::on;
  }
  const bool holds = is_true(*value);
  auto flow = holds ? walk(node.kind == Node::Kind::with ? *value : dot, node.body)
                    : walk(dot, node.otherwise);
  variables_.resize(mark);
  return flow;
}

Result<Executor::Flow> Executor::walk_round(const Node& node,
                                            const Value& key,
                                            const Value& element) {
  const auto& names = node.pipe->variables;
  const auto mark = variables_.size();
  const auto assign = [&](std::size_t which, const Value& value) {
    // Declared ones are the youngest, also where both have one name.
    if (!node.pipe->assigns) {
      variables_[mark - names.size() + which].value = value;
      return;
    }
    for (auto i = mark; i-- > scope_;) {
      if (variables_[i].name != names[which]) continue;
      variables_[i].value = value;
      return;
    }
  };
  if (!names.empty()) assign(names.size() - 1, element);
  if (names.size() > 1) assign(0, key);
  if (auto allowed = step(node.offset); !allowed) return std::move(allowed).error();
  auto flow = walk(element, node.body);
  variables_.resize(mark);
  if (flow && *flow == Flow::continue_) return Flow::on;
  return flow;
}

Result<Executor::Flow> Executor::walk_range(const Value& dot, const Node& node) {
  const auto mark = variables_.size();
  const auto evaluated = evaluate(dot, *node.pipe);
  if (!evaluated) return evaluated.error();
  const auto& value = *evaluated;
  const auto in_interface = [](const Value& item) {
    return item.is_nil() ? Value(Nil{true}) : item;
  };
  bool any = false;
  std::optional<Result<Flow>> stopped;
  const auto round = [&](const Value& key, const Value& element) {
    any = true;
    auto flow = walk_round(node, key, element);
    if (flow && *flow == Flow::on) return true;
    stopped = flow && *flow == Flow::break_ ? Result<Flow>(Flow::on) : std::move(flow);
    return false;
  };
  const auto& pipe = *node.pipe;
  if (const auto* list = value.list()) {
    std::int64_t index = 0;
    for (const auto& item : list->items) {
      if (!round(Value(index++), in_interface(item))) break;
    }
  } else if (const auto* map = value.map(); map != nullptr && map->type != Map::Type::version) {
    if (auto paid = charge(map->entries.size() * 64); !paid)
      return error(pipe.offset, pipe.end, paid.error().message);
    const auto entries = map->entries;  // the body may change the map
    for (const auto& [key, item] : entries) {
      if (!round(Value(key), in_interface(item))) break;
    }
  } else if (const auto* number = value.integer()) {
    if (pipe.variables.size() > 1)
      return error(pipe.offset, pipe.end, "a range over a number has one variable, not two");
    for (std::int64_t i = 0; i < number->value; ++i) {
      if (!round(Value(), Value(Int{i, number->type}))) break;
    }
  } else if (!value.is_nil()) {
    return error(pipe.offset,
                 pipe.end,
                 "range can't iterate over a " + std::string(type_name(value)) +
                     (value.real() != nullptr ? "; convert it with int" : ""));
  }
  if (!any) {
    stopped = walk(dot, node.otherwise);
    // A break there is this loop's, as in Go; a continue is the one around it.
    if (*stopped && **stopped == Flow::break_) stopped = Result<Flow>(Flow::on);
  }
  variables_.resize(mark);
  return stopped ? std::move(*stopped) : Result<Flow>(Flow::on);
}

Result<void> Executor::call_template(const Value& dot, const Node& node) {
  const auto found = templates_.find(node.text);
  if (found == templates_.end())
    return error(node.offset, node.offset, "there is no template " + quote(node.text));
  const auto what = found->second;
  Value data;
  if (node.pipe) {
    auto evaluated = evaluate(dot, *node.pipe);
    if (!evaluated) return std::move(evaluated).error();
    data = std::move(*evaluated);
  }
  const auto before = written_;
  auto text = render(*what, data);
  if (!text) {
    if (!text.error().at) return error(node.offset, node.offset, text.error().message);
    return called_at(std::move(text).error(), node.offset);
  }
  written_ = before;
  return write(*text, node.offset);
}

}  // namespace skep::templates
