#include "compose/engine_templates.hpp"

#include <algorithm>
#include <array>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "compose/text.hpp"
#include "core/ascii.hpp"
#include "core/finding.hpp"

namespace skep::compose {
namespace {

using std::string_view_literals::operator""sv;

/// Of Go's text/template, and `join` of swarmkit's.
constexpr std::array kFunctions = {
    "and"sv,     "break"sv, "call"sv,     "continue"sv, "eq"sv,       "false"sv, "ge"sv,
    "gt"sv,      "html"sv,  "index"sv,    "join"sv,     "js"sv,       "le"sv,    "len"sv,
    "lt"sv,      "ne"sv,    "nil"sv,      "not"sv,      "or"sv,       "print"sv, "printf"sv,
    "println"sv, "slice"sv, "template"sv, "true"sv,     "urlquery"sv, "else"sv};
constexpr std::array kBlocks = {"if"sv, "range"sv, "with"sv, "define"sv, "block"sv};
constexpr std::array kFields = {"Service"sv, "Node"sv, "Task"sv};
/// What stands below them.
constexpr std::array kPlaces = {"Service.ID"sv,
                                "Service.Name"sv,
                                "Service.Labels"sv,
                                "Node.ID"sv,
                                "Node.Hostname"sv,
                                "Node.Platform"sv,
                                "Node.Platform.Architecture"sv,
                                "Node.Platform.OS"sv,
                                "Task.ID"sv,
                                "Task.Name"sv,
                                "Task.Slot"sv};
/// Signs that no action may have outside of texts.
constexpr std::string_view kForeign = "#@?;!%^&*[]{}~<>\\/";

template <typename List>
bool contains(const List& list, std::string_view word) {
  return std::find(list.begin(), list.end(), word) != list.end();
}

/// Letters of other alphabets, too.
bool is_word(char c) {
  return is_letter(c) || is_digit(c) || c == '_' || static_cast<unsigned char>(c) >= 0x80;
}

/// Why a path that begins with a known field leads nowhere; "" where it leads somewhere.
std::string place_mistake(std::string_view path) {
  if (contains(kFields, path) || contains(kPlaces, path)) return "";
  constexpr std::string_view kLabels = "Service.Labels.";
  if (path.starts_with(kLabels)) {
    // It tries the template on a service without any.
    return "it looks for a label before there is one; write index .Service.Labels " +
           quoted(path.substr(kLabels.size()));
  }
  std::string near = path == "Node.Name" ? "Node.Hostname" : "";
  if (near.empty()) {
    near = nearest(path, std::vector<std::string>(kPlaces.begin(), kPlaces.end()));
  }
  std::string known;
  const auto field = std::string(cut(path, '.').before) + '.';
  for (const auto place : kPlaces) {
    if (place.starts_with(field)) known += (known.empty() ? "." : ", .") + std::string(place);
  }
  return "there is no ." + std::string(path) +
         (near.empty() ? "; there are " + known : "; did you mean ." + near + "?");
}

/// Every `$x` that `:=` follows somewhere, or a comma, as in `$i, $x := …`.
std::set<std::string_view> declarations(std::string_view text) {
  std::set<std::string_view> names;
  for (auto at = text.find('$'); at != std::string_view::npos; at = text.find('$', at + 1)) {
    auto end = at + 1;
    while (end < text.size() && is_word(text[end])) ++end;
    const auto next = std::min(text.find_first_not_of(" \t\r\n", end), text.size());
    const auto rest = text.substr(next);
    if (rest.starts_with(":=") || rest.starts_with(',')) names.insert(text.substr(at, end - at));
  }
  return names;
}

/// Reads one text from left to right, as Go's lexer does; stops at the first mistake.
class Reader {
 public:
  explicit Reader(std::string_view text) : rest_(text), declared_(declarations(text)) {}

  std::optional<std::string> run() {
    while (!mistake_) {
      const auto open = rest_.find("{{");
      if (open == std::string_view::npos) break;
      rest_.remove_prefix(open + 2);
      action();
    }
    if (!mistake_ && blocks_ > 0) mistake_ = "an {{end}} is missing";
    return std::move(mistake_);
  }

 private:
  void action() {
    before_ = ' ';
    if (rest_.starts_with("- ")) rest_.remove_prefix(1);
    const auto start = rest_.find_first_not_of(" \t\r\n");
    if (start != std::string_view::npos && rest_.substr(start).starts_with("/*")) {
      const auto end = rest_.find("*/");
      const auto close = rest_.find("}}", end);
      if (end == std::string_view::npos || close == std::string_view::npos) return unclosed();
      return rest_.remove_prefix(close + 2);
    }
    bool first = true;
    while (!mistake_) {
      const auto next = rest_.find_first_not_of(" \t\r\n");
      if (next == std::string_view::npos) return unclosed();
      if (next > 0) before_ = ' ';
      rest_.remove_prefix(next);
      if (rest_.starts_with("-}}") || rest_.starts_with("}}")) {
        if (first) mistake_ = "there is nothing between {{ and }}";
        return rest_.remove_prefix(rest_.front() == '-' ? 3 : 2);
      }
      token(first);
      first = false;
    }
  }

  void token(bool first) {
    const char c = rest_.front();
    if (c == '"' || c == '`' || c == '\'') return text(c);
    // Behind a parenthesis it is a field of what stands in it.
    if (c == '.' || c == '$') return path(c == '.' && before_ != ')');
    if (is_word(c)) return word(first);
    if (kForeign.find(c) != std::string_view::npos) {
      mistake_ = std::string("it has a ") + c + " there";
      return;
    }
    before_ = c;
    rest_.remove_prefix(1);
  }

  void text(char quote) {
    std::size_t end = 1;
    while (end < rest_.size() && rest_[end] != quote)
      end += rest_[end] == '\\' && quote != '`' ? 2 : 1;
    if (end >= rest_.size()) return unclosed();
    rest_.remove_prefix(end + 1);
  }

  void path(bool check) {
    std::size_t end = 1;
    while (end < rest_.size() && (is_word(rest_[end]) || rest_[end] == '.')) ++end;
    const auto written = rest_.substr(0, end);
    rest_.remove_prefix(end);
    if (written.front() == '$') return variable(written);
    if (check) fields(written.substr(1));
  }

  void variable(std::string_view written) {
    const auto [name, below, more] = cut(written, '.');
    if (name != "$" && !declared_.contains(name)) {
      mistake_ = "the variable " + std::string(name) + " is declared nowhere";
    } else if (name == "$" && more) {
      fields(below);
    }
  }

  void fields(std::string_view place) {
    const auto name = cut(place, '.').before;
    // Within blocks, and in what a condition may skip, only running it tells.
    const bool digits = !name.empty() && is_digit(name.front());
    if (uncertain_ || name.empty() || digits) return;
    if (!contains(kFields, name)) {
      mistake_ = "there is no ." + std::string(name) + ", only .Service, .Node and .Task";
    } else if (auto mistake = place_mistake(place); !mistake.empty()) {
      mistake_ = std::move(mistake);
    }
  }

  void word(bool first) {
    std::size_t end = 0;
    while (end < rest_.size() && is_word(rest_[end])) ++end;
    const auto name = rest_.substr(0, end);
    rest_.remove_prefix(end);
    if (name.front() >= '0' && name.front() <= '9') return;
    if (name == "end") {
      if (--blocks_ < 0) mistake_ = "an {{end}} belongs to nothing";
    } else if (contains(kBlocks, name)) {
      // `else if` and `else with` open nothing.
      if (first) ++blocks_;
      uncertain_ = true;
    } else if (name == "and" || name == "or" || name == "template") {
      uncertain_ = true;
    } else if (!contains(kFunctions, name)) {
      mistake_ = "there is no function " + std::string(name);
    }
  }

  void unclosed() { mistake_ = "a {{ is not closed"; }

  std::string_view rest_;
  std::set<std::string_view> declared_;
  std::optional<std::string> mistake_;
  int blocks_ = 0;
  bool uncertain_ = false;
  char before_ = ' ';  ///< The sign that an action had last, outside of words and texts.
};

}  // namespace

std::optional<std::string> template_mistake(std::string_view text) { return Reader(text).run(); }

}  // namespace skep::compose
