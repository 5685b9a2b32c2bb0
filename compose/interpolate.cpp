#include "compose/interpolate.hpp"

#include <algorithm>
#include <array>
#include <cstddef>
#include <optional>
#include <set>
#include <string_view>
#include <utility>
#include <vector>

#include "compose/casts.hpp"
#include "compose/text.hpp"
#include "core/ascii.hpp"

namespace skep::compose {
namespace {

using Variables = std::map<std::string, std::string>;

bool begins_name(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_'; }

/// The length of the variable's name at the front of a text; 0 where there is none.
std::size_t name_length(std::string_view text) {
  if (text.empty() || !begins_name(text[0])) return 0;
  std::size_t end = 1;
  while (end < text.size() && (begins_name(text[end]) || is_digit(text[end]))) ++end;
  return end;
}

/// The length of a variable and its modifier at the front of a text; 0 where there is none. The
/// modifier runs to the next "}", or to the end (rules A5.2, A5.3). `closed`: there is one; to look
/// for none again and again would take the square of the text's length.
std::size_t substitution_length(std::string_view text, bool closed) {
  auto end = name_length(text);
  if (end == 0) return 0;
  auto modifier = end;
  if (modifier < text.size() && text[modifier] == ':') ++modifier;
  if (modifier < text.size() && (text[modifier] == '-' || text[modifier] == '?')) {
    end = closed ? std::min(text.find('}', modifier), text.size()) : text.size();
  }
  return end;
}

/// The length of "VAR+TEXT" or "VAR:+TEXT" at the front of a text, up to the closing brace; 0 where
/// there is none. An extension: to the CLI this is a mistake.
std::size_t alternate_length(std::string_view text) {
  auto end = name_length(text);
  if (end == 0) return 0;
  if (end < text.size() && text[end] == ':') ++end;
  if (end >= text.size() || text[end] != '+') return 0;
  const auto brace = text.find('}', end);
  return brace == std::string_view::npos ? 0 : brace;
}

struct Outcome {
  std::string text;
  std::optional<std::string> error;        ///< Of the last substitution only (rule A5.10).
  bool lost_mistake = false;               ///< An earlier one was cleared: a $ too many,
  bool lost_missing = false;               ///< or a required variable's.
  bool missing = false;                    ///< The error is a required variable's.
  bool kept_dollar = false;                ///< Kept literally, off strict mode.
  bool nested = false;                     ///< A default with a variable in it, which stays text.
  bool alternate = false;                  ///< A form that only extensions know was put in.
  std::vector<std::string> unset = {};     ///< Plain variables without a value.
  std::vector<std::string> required = {};  ///< What is said of required ones without a value.
  /// "TAG-": without braces, a modifier where a text may be meant.
  std::set<std::string> unbraced = {};
  /// "PW:?": a dash behind it decides, and the variable is not looked at (rule A5.5).
  std::set<std::string> shadowed = {};
  std::set<std::string> used = {};  ///< The variables that were looked at.
};

/// What to make of what the CLI refuses.
struct Leniency {
  bool keep_dollars = false;  ///< A `$` that begins no variable stays.
  bool keep_braces = false;   ///< Also one that a brace follows.
  bool alternates = false;    ///< `${VAR:+text}` and `${VAR+text}`.
  bool only_braced = false;   ///< Any `$` that no brace follows stays.
};

class Template {
 public:
  Template(std::string_view text, const Variables& environment, Leniency leniency)
      : text_(text), environment_(environment), leniency_(leniency), last_brace_(text.rfind('}')) {}

  Outcome render() {
    for (std::size_t i = 0; i < text_.size();) {
      const auto dollar = std::min(text_.find('$', i), text_.size());
      out_.text += text_.substr(i, dollar - i);
      if (dollar == text_.size()) break;
      i = dollar + one_dollar(text_.substr(dollar + 1)) + 1;
    }
    // Once, at the end: a text may be long and hold many mistakes.
    if (out_.error && whole_text_) out_.error = std::string(text_);
    return std::move(out_);
  }

 private:
  /// Whether a brace closes somewhere in this end of the text.
  [[nodiscard]] bool closed(std::string_view rest) const {
    return last_brace_ != std::string_view::npos && last_brace_ >= text_.size() - rest.size();
  }

  /// `rest` is what follows the dollar; returns how much of it is used up.
  std::size_t one_dollar(std::string_view rest) {
    if (leniency_.only_braced && !rest.starts_with('{')) return keep_dollar();
    if (rest.starts_with('$')) {
      out_.text += '$';
      return 1;
    }
    if (const auto length = substitution_length(rest, closed(rest)); length > 0) {
      substitute(rest.substr(0, length), false);
      return length;
    }
    if (rest.starts_with('{')) {
      const auto length = substitution_length(rest.substr(1), closed(rest));
      if (length > 0 && rest.substr(1 + length).starts_with('}')) {
        substitute(rest.substr(1, length), true);
        return length + 2;
      }
      const auto alternate =
          leniency_.alternates && closed(rest) ? alternate_length(rest.substr(1)) : 0;
      if (alternate > 0) {
        substitute_alternate(rest.substr(1, alternate));
        return alternate + 2;
      }
    }
    if (leniency_.keep_dollars && (leniency_.keep_braces || !rest.starts_with('{'))) {
      return keep_dollar();
    }
    set_error("");
    whole_text_ = true;
    return 0;
  }

  std::size_t keep_dollar() {
    out_.text += '$';
    out_.kept_dollar = true;
    return 0;
  }

  void set_error(std::optional<std::string> error, bool missing = false) {
    if (out_.error && !error) (out_.missing ? out_.lost_missing : out_.lost_mistake) = true;
    out_.error = std::move(error);
    out_.missing = missing;
    whole_text_ = false;
  }

  /// Looks for the separators anywhere in the text, in the CLI's order (rule A5.4).
  void substitute(std::string_view what, bool braced) {
    struct Form {
      std::string_view separator;
      bool empty_counts_as_unset, required;
    };
    constexpr std::array<Form, 4> kForms = {
        Form{":-", true, false}, {"-", false, false}, {":?", true, true}, {"?", false, true}};
    for (const auto& [separator, empty_counts_as_unset, required] : kForms) {
      const auto at = what.find(separator);
      if (at == std::string_view::npos) continue;
      const auto name = what.substr(0, at);
      const auto after = what.substr(at + separator.size());
      const auto* value = lookup(name);
      const bool usable = value != nullptr && !(empty_counts_as_unset && value->empty());
      if (required && !usable) {
        out_.required.push_back(missing(name, after));
        return set_error(out_.required.back(), true);
      }
      note_quirks(what, separator, at, braced);
      set_error(std::nullopt);
      out_.nested = out_.nested || after.find("${") != std::string_view::npos;
      out_.text += usable ? std::string_view(*value) : after;
      return;
    }
    set_error(std::nullopt);
    out_.used.emplace(what);
    if (const auto* value = lookup(what)) {
      out_.text += *value;
    } else {
      out_.unset.emplace_back(what);
    }
  }

  static std::string missing(std::string_view name, std::string_view message) {
    return "required variable " + std::string(name) +
           " is missing a value: " + std::string(message);
  }

  /// What hardly anybody means by it.
  void note_quirks(std::string_view what, std::string_view separator, std::size_t at, bool braced) {
    const auto length = name_length(what);
    const auto name = what.substr(0, length);
    out_.used.emplace(name);
    if (!braced && (at > length || separator == "-" || separator == "?")) {
      out_.unbraced.insert(std::string(what.substr(0, length + 1)));
    } else if (at > length) {
      const auto rest = what.substr(length);
      const std::string_view own = rest.starts_with(":?") ? ":?" : rest.substr(0, 1);
      out_.shadowed.insert(std::string(name) + std::string(own));
      const auto* value = lookup(name);
      const bool usable = value != nullptr && !(own == ":?" && value->empty());
      if (own.ends_with('?') && !usable)
        out_.required.push_back(missing(name, rest.substr(own.size())));
    }
  }

  /// The text where the variable is set, else nothing.
  void substitute_alternate(std::string_view what) {
    const auto plus = what.find('+');
    const bool colon = what[plus - 1] == ':';
    const auto name = what.substr(0, colon ? plus - 1 : plus);
    const auto* value = lookup(name);
    out_.used.emplace(name);
    set_error(std::nullopt);
    out_.alternate = true;
    if (value != nullptr && !(colon && value->empty())) out_.text += what.substr(plus + 1);
  }

  [[nodiscard]] const std::string* lookup(std::string_view name) const {
    const auto found = environment_.find(std::string(name));
    return found == environment_.end() ? nullptr : &found->second;
  }

  std::string_view text_;
  const Variables& environment_;
  Leniency leniency_;
  std::size_t last_brace_;
  bool whole_text_ = false;  ///< The error is to show all of the text.
  Outcome out_;
};

/// "$apr1$…" and the like: to the CLI a variable `apr1` that is not set.
bool looks_like_password_hash(std::string_view text) {
  for (const std::string_view mark : {"$apr1$", "$2a$", "$2b$", "$2y$", "$1$", "$5$", "$6$"}) {
    if (text.find(mark) != std::string_view::npos) return true;
  }
  return false;
}

/// Whether its last variable has no end.
bool is_unclosed(std::string_view text) {
  const auto brace = text.rfind("${");
  return brace != std::string_view::npos && text.find('}', brace) == std::string_view::npos;
}

class Walk {
 public:
  Walk(const Variables& environment, const InterpolationOptions& options, Findings& findings)
      : environment_(environment), options_(options), findings_(findings), path_(options.path) {}

  void visit(yaml::Node& node, bool in_labels) {
    if (auto* map = node.as<yaml::Map>()) {
      for (auto& entry : *map) {
        const auto length = path_.size();
        // What an anchor of such a block brings somewhere is looked at there.
        const bool unused = length == 0 && entry.key.starts_with("x-");
        unused_ = unused_ || unused;
        path_ += (length == 0 ? "" : ".") + written_key(entry.key);
        ++depth_;
        visit(entry.value, in_labels || entry.key == "labels");
        --depth_;
        path_.resize(length);
        unused_ = unused_ && !unused;
      }
    } else if (auto* list = node.as<yaml::List>()) {
      const auto length = path_.size();
      path_ += path_.empty() ? "[]" : ".[]";
      for (auto& item : *list) visit(item, in_labels);
      path_.resize(length);
    } else if (auto* text = node.as<std::string>()) {
      if (text->find('$') != std::string::npos) replace(node, std::string(*text), in_labels);
    }
  }

 private:
  void replace(yaml::Node& node, const std::string& text, bool in_labels) {
    auto outcome = Template(text, environment_, {}).render();
    if (outcome.error && !outcome.missing && !options_.strict) {
      auto other = Template(text, environment_, {.alternates = true}).render();
      if (!other.error) outcome = std::move(other);
    }
    // What the CLI takes is done as the CLI does it; only its errors are excused.
    const bool refused =
        outcome.error || (options_.unset_variable_is_error && !outcome.unset.empty());
    const bool mistaken = outcome.error && !outcome.missing;
    if (((refused && in_labels) || mistaken) && !options_.strict) {
      outcome = Template(text,
                         environment_,
                         {.keep_dollars = true, .keep_braces = in_labels, .alternates = true})
                    .render();
      if (looks_like_password_hash(text)) {
        outcome = Template(text,
                           environment_,
                           {.keep_dollars = true,
                            .keep_braces = true,
                            .alternates = true,
                            .only_braced = true})
                      .render();
      }
    }
    // The CLI takes these, too, but makes something of them that is neither image nor port.
    if (outcome.lost_mistake && !outcome.error && cannot_hold_braces() &&
        outcome.text.find('{') != std::string::npos) {
      auto other = Template(text, environment_, {.alternates = true}).render();
      if (other.alternate && !other.error) outcome = std::move(other);
    }
    if (outcome.error && outcome.missing && !options_.strict) {
      if (unused_) return;
      // The CLI wraps it into its words about a $ too many.
      return add(Finding::Severity::error, node, path_ + ": " + missing_value(*outcome.error));
    }
    if (outcome.error && !options_.strict && is_unclosed(text)) {
      return add(Finding::Severity::error,
                 node,
                 path_ + ": the brace of a ${ is not closed in " + quoted(*outcome.error) +
                     "; write ${VAR}, or $${ where it is to stay text");
    }
    if (options_.unset_variable_is_error && !outcome.error && !outcome.required.empty()) {
      if (unused_) return;
      for (auto& error : outcome.required) {
        add(Finding::Severity::error, node, path_ + ": " + missing_value(std::move(error)));
      }
      return;
    }
    if (outcome.error) {
      return add(Finding::Severity::error,
                 node,
                 "invalid interpolation format for " + path_ + ": " + quoted(*outcome.error) +
                     "; you may need to escape any $ with another $");
    }
    const bool lost_hash = !options_.strict && looks_like_password_hash(text) &&
                           !looks_like_password_hash(outcome.text);
    if (lost_hash) {
      add(Finding::Severity::warning,
          node,
          path_ +
              ": it looks like a password hash whose $… are taken for variables, as with docker "
              "stack deploy: write $$ for each $");
    } else if (outcome.lost_mistake) {
      add(Finding::Severity::warning, node, path_ + ": " + lost_mistake(text));
    } else if (outcome.lost_missing) {
      add(Finding::Severity::warning,
          node,
          path_ +
              ": a required variable has no value; a later variable hides that, and it gives "
              "nothing, as with docker stack deploy");
    }
    if (!options_.strict && !lost_hash) warn_of_quirks(node, outcome);
    if (outcome.nested && cannot_hold_braces() && outcome.text.find('}') != std::string::npos) {
      return add(Finding::Severity::error,
                 node,
                 path_ +
                     ": a default ends at the first } and holds no variables, so that this is " +
                     quoted(outcome.text) +
                     "; write a default without a variable, ${A:-x}, or none, ${A}");
    }
    if (outcome.nested) {
      add(Finding::Severity::warning,
          node,
          path_ +
              ": a default ends at the first } and holds no variables: what looks like one stays "
              "text, as with docker stack deploy");
    }
    if (outcome.kept_dollar) {
      add(Finding::Severity::warning,
          node,
          path_ +
              ": a $ that begins no variable is kept as it is; docker stack deploy refuses it: "
              "write $$ for each $");
    }
    if (!unused_ && (options_.unset_variable_is_error || (!options_.strict && !lost_hash)))
      report_unset(node, outcome);
    if (options_.unset_variable_is_error && !outcome.unset.empty() && !unused_) return;
    if (outcome.text == text) return;
    auto value = cast(path_, outcome.text, options_.strict);
    const auto needed = options_.strict ? "" : needed_value(path_);
    if (outcome.text.empty() && !needed.empty()) {
      return add(Finding::Severity::error, node, path_ + ": " + empty_value(outcome, needed));
    }
    if (!value) {
      return add(Finding::Severity::error,
                 node,
                 "error while interpolating " + path_ +
                     ": failed to cast to expected type: " + value.error().message);
    }
    node.value() = *std::move(value);
  }

  void warn_of_quirks(const yaml::Node& node, const Outcome& outcome) {
    for (const auto& written : outcome.unbraced) {
      const auto name = written.substr(0, written.size() - 1);
      const auto modifier = written.substr(name.size());
      add(Finding::Severity::warning,
          node,
          path_ + ": what follows $" + written + " is no text but the variable's " +
              (modifier == "?" ? "message" : "default") +
              ", which is left out where it is set, as with docker stack deploy: write ${" + name +
              "}" + modifier + "… for a text behind it");
    }
    for (const auto& written : outcome.shadowed) {
      const bool message = written.ends_with('?');
      add(Finding::Severity::warning,
          node,
          path_ + ": a dash in the " + (message ? "message" : "default") + " of ${" + written +
              "…} hides the variable: what follows the dash is the value, be it set or not, as "
              "with docker stack deploy; write the " +
              (message ? "message without -" : "default without :-"));
    }
  }

  /// Of what the CLI has Go's words for.
  [[nodiscard]] std::string empty_value(const Outcome& outcome, std::string_view needed) const {
    std::string names;
    for (const auto& name : outcome.used) names += (names.empty() ? "" : ", ") + name;
    const auto key = path_.substr(path_.rfind('.') + 1);
    const bool one = outcome.used.size() == 1;
    return (one ? "the variable " : "the variables ") + names + (one ? " is" : " are") +
           " empty (or not set), and " + (key == "[]" ? "this" : key) + " needs " +
           std::string(needed) + (one ? "; give a default: ${" + names + ":-…}" : "");
  }

  [[nodiscard]] std::string lost_mistake(const std::string& text) const {
    const bool alternate =
        !options_.strict && Template(text, environment_, {.alternates = true}).render().alternate;
    return std::string("a $ that begins no variable is left out and what follows it stays text, ") +
           "as with docker stack deploy; write $$ for a $ that is to stay" +
           (alternate ? "; ${VAR:+text} works only where docker stack deploy refuses the value"
                      : "");
  }

  /// As it stands in the file, where an extension carries it elsewhere.
  static std::string written_key(const std::string& key) {
    constexpr std::string_view kCarried = "x-skep-";
    return key.starts_with(kCarried) ? key.substr(kCarried.size()) : key;
  }

  /// Whether what comes out is no text of any kind: the CLI refuses it in words about its format.
  [[nodiscard]] bool cannot_hold_braces() const {
    constexpr int kKeyOfAService = 3;
    return !options_.strict && depth_ == kKeyOfAService && path_.starts_with("services.") &&
           (path_.ends_with(".image") || path_.ends_with(".ports.[]"));
  }

  [[nodiscard]] std::string missing_value(std::string error) const {
    if (error.ends_with(": ")) error.resize(error.size() - 2);
    return error + (options_.unset_variable_is_error
                        ? "; set it in .env or cluster variables"
                        : "; set it in the environment, or in a file of --env-file");
  }

  void report_unset(const yaml::Node& node, Outcome& outcome) {
    auto& names = outcome.unset;
    std::sort(names.begin(), names.end());
    names.erase(std::unique(names.begin(), names.end()), names.end());
    const bool error = options_.unset_variable_is_error;
    for (const auto& name : names) {
      if (!error && !told_unset_.insert(name).second) continue;
      add(error ? Finding::Severity::error : Finding::Severity::warning,
          node,
          path_ + ": variable " + name +
              (error ? " is not set; set it in .env or cluster variables"
                     : " is not set: nothing stands in its place, as with docker stack deploy; set "
                       "it in the environment, or in a file of --env-file") +
              ", or give a default: ${" + name + ":-…}");
    }
  }

  void add(Finding::Severity severity, const yaml::Node& node, std::string message) {
    // What an anchor of an unused block brings somewhere is warned about there.
    if (unused_ && !options_.strict && severity == Finding::Severity::warning) return;
    findings_.push_back({severity, std::move(message), node.at()});
  }

  const Variables& environment_;
  const InterpolationOptions& options_;
  Findings& findings_;
  std::set<std::string> told_unset_;  ///< One word on a variable, however often it is used.
  std::string path_;                  ///< Of the node that is being visited.
  int depth_ = 0;                     ///< In mappings.
  bool unused_ = false;               ///< It stands in a block that means nothing by itself.
};

}  // namespace

void interpolate(yaml::Node& root,
                 const std::map<std::string, std::string>& environment,
                 const InterpolationOptions& options,
                 Findings& findings) {
  Walk(environment, options, findings).visit(root, false);
}

}  // namespace skep::compose
