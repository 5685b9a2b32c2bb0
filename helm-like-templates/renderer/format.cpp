#include "helm-like-templates/renderer/format.hpp"

#include <algorithm>
#include <optional>
#include <utility>

#include "helm-like-templates/renderer/literal.hpp"
#include "helm-like-templates/renderer/printer.hpp"
#include "helm-like-templates/renderer/unicode.hpp"

namespace skep::templates {
namespace {

// Go takes no wider field.
constexpr std::int64_t kMaxWidth = 1'000'000;

// Reads a format's verbs and gives each its argument.
class Format {
 public:
  Format(Env& env, std::string_view format, Args args)
      : env_(env), format_(format), args_(args), printer_(env) {}

  Result<std::string> run() {
    while (at_ < format_.size()) {
      const auto percent = std::min(format_.find('%', at_), format_.size());
      printer_.out += format_.substr(at_, percent - at_);
      at_ = percent + 1;
      if (percent >= format_.size()) break;
      if (auto done = verb(); !done) return std::move(done).error();
      if (printer_.out.size() > env_.room()) {
        auto over = env_.charge(printer_.out.size());
        if (!over) return std::move(over).error();
      }
    }
    if (!reordered_ && next_ < args_.size()) {
      printer_.out += "%!(EXTRA ";
      for (auto i = next_; i < args_.size(); ++i) {
        if (i > next_) printer_.out += ", ";
        if (args_[i].is_nil()) {
          printer_.out += "<nil>";
          continue;
        }
        printer_.out += type_name(args_[i]);
        printer_.out += '=';
        if (auto done = printer_.value(args_[i], Spec()); !done) return std::move(done).error();
      }
      printer_.out += ')';
    }
    return std::move(printer_.out);
  }

 private:
  std::optional<std::int64_t> number() {
    std::optional<std::int64_t> value;
    while (at_ < format_.size() && format_[at_] >= '0' && format_[at_] <= '9') {
      if (value.value_or(0) > kMaxWidth) {
        at_ = format_.size();
        return std::nullopt;
      }
      value = value.value_or(0) * 10 + (format_[at_++] - '0');
    }
    return value;
  }

  // [n]: which argument comes next.
  void index() {
    after_index_ = false;
    if (at_ >= format_.size() || format_[at_] != '[') return;
    reordered_ = true;
    const auto close = format_.find(']', at_);
    if (close == std::string_view::npos) {
      good_ = false;
      ++at_;
      return;
    }
    const auto which = parse_int(format_.substr(at_ + 1, close - at_ - 1), 10);
    at_ = close + 1;
    if (!which || *which < 1 || *which > static_cast<std::int64_t>(args_.size())) {
      good_ = false;
      return;
    }
    next_ = static_cast<std::size_t>(*which - 1);
    after_index_ = true;
  }

  // The argument of a *; nothing where it is no fitting number.
  std::optional<std::int64_t> star() {
    ++at_;
    after_index_ = false;
    if (next_ >= args_.size()) return std::nullopt;
    const auto* number = args_[next_++].integer();
    if (number == nullptr || number->value > kMaxWidth || number->value < -kMaxWidth)
      return std::nullopt;
    return number->value;
  }

  Result<void> verb() {
    Spec spec;
    good_ = true;
    after_index_ = false;
    for (; at_ < format_.size(); ++at_) {
      const char c = format_[at_];
      if (c == '#')
        spec.sharp = true;
      else if (c == '0')
        spec.zero = !spec.minus;
      else if (c == '+')
        spec.plus = true;
      else if (c == '-') {
        spec.minus = true;
        spec.zero = false;
      } else if (c == ' ')
        spec.space = true;
      else
        break;
    }
    index();
    if (at_ < format_.size() && format_[at_] == '*') {
      spec.width = star();
      if (!spec.width) printer_.out += "%!(BADWIDTH)";
      if (spec.width && *spec.width < 0) {
        spec.width = -*spec.width;
        spec.minus = true;
        spec.zero = false;
      }
    } else {
      const auto before = at_;
      spec.width = number();
      if (after_index_ && at_ > before) good_ = false;
    }
    if (at_ < format_.size() && format_[at_] == '.') {
      ++at_;
      if (after_index_) good_ = false;
      index();
      if (at_ < format_.size() && format_[at_] == '*') {
        spec.precision = star();
        if (spec.precision && *spec.precision < 0) spec.precision.reset();
        if (!spec.precision) printer_.out += "%!(BADPREC)";
      } else {
        spec.precision = number().value_or(0);
      }
    }
    if (!after_index_) index();
    if (at_ >= format_.size()) {
      printer_.out += "%!(NOVERB)";
      return {};
    }
    const auto next = decode(format_.substr(at_));
    at_ += next.size;
    spec.verb = next.rune;
    if (spec.verb == '%') {
      printer_.out += '%';
      return {};
    }
    if (!good_ || next_ >= args_.size()) {
      printer_.out += "%!";
      append(printer_.out, spec.verb);
      printer_.out += good_ ? "(MISSING)" : "(BADINDEX)";
      return {};
    }
    if (spec.verb == 'v') {
      spec.plus = false;  // Is about fields of structs.
      spec.go_syntax = std::exchange(spec.sharp, false);
    }
    const auto& arg = args_[next_++];
    return printer_.value(arg, spec);
  }

  Env& env_;
  std::string_view format_;
  Args args_;
  Printer printer_;
  std::size_t at_ = 0;
  std::size_t next_ = 0;
  bool reordered_ = false;
  bool good_ = true;
  bool after_index_ = false;
};

}  // namespace

Result<std::string> show(Env& env, const Value& value) {
  if (const auto* text = value.text()) return *text;
  Printer printer(env);
  if (auto done = printer.value(value, Spec()); !done) return std::move(done).error();
  return std::move(printer.out);
}

Result<std::string> sprint(Env& env, Args values) {
  Printer printer(env);
  for (std::size_t i = 0; i < values.size(); ++i) {
    if (i > 0 && values[i].text() == nullptr && values[i - 1].text() == nullptr) printer.out += ' ';
    if (auto done = printer.value(values[i], Spec()); !done) return std::move(done).error();
  }
  return std::move(printer.out);
}

Result<std::string> sprintln(Env& env, Args values) {
  Printer printer(env);
  for (std::size_t i = 0; i < values.size(); ++i) {
    if (i > 0) printer.out += ' ';
    if (auto done = printer.value(values[i], Spec()); !done) return std::move(done).error();
  }
  return printer.out + '\n';
}

Result<std::string> sprintf(Env& env, std::string_view format, Args values) {
  return Format(env, format, values).run();
}

}  // namespace skep::templates
