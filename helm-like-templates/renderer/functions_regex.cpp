#include <string>
#include <vector>

#include <re2/re2.h>

#include "helm-like-templates/renderer/arguments.hpp"
#include "helm-like-templates/renderer/functions.hpp"
#include "helm-like-templates/renderer/unicode.hpp"

namespace skep::templates {
namespace {

using Groups = std::vector<re2::StringPiece>;

// \C, any byte, which RE2 has and Go has not: it would cut characters in two.
bool has_byte_class(std::string_view pattern) {
  bool quoted = false;  // \Q…\E
  for (std::size_t i = 0; i + 1 < pattern.size(); ++i) {
    if (pattern[i] != '\\') continue;
    const char what = pattern[++i];
    if (what == 'Q') quoted = true;
    if (what == 'E') quoted = false;
    if (what == 'C' && !quoted) return true;
    if (quoted && what == '\\') --i;  // A backslash there is a character, and may begin \E.
  }
  return false;
}

// A pattern over one text; Go's regexp is of the same family, so both agree.
class Regex {
 public:
  Regex(Env& env, const std::string& pattern) : env_(env), compiled_(pattern, options()) {}

  [[nodiscard]] Result<void> usable(const std::string& in) const {
    if (has_byte_class(compiled_.pattern()))
      return failure("error parsing regexp: invalid escape sequence: `\\C`");
    for (const auto& [name, number] : names()) {
      if (std::any_of(name.begin(), name.end(), [](char c) { return (c & 0x80) != 0; }))
        return failure("error parsing regexp: invalid named capture: `(?P<" + name + ">`");
    }
    if (!compiled_.ok()) return failure("error parsing regexp: " + compiled_.error());
    // Compiling and matching are linear in both.
    return env_.spend(compiled_.pattern().size() / 2 + in.size() / 16 + 4);
  }

  // The leftmost match at or behind `from`; false where there is none.
  bool match(const std::string& in, std::size_t from, Groups& groups) const {
    groups.assign(static_cast<std::size_t>(compiled_.NumberOfCapturingGroups()) + 1, {});
    return compiled_.Match(
        in, from, in.size(), re2::RE2::UNANCHORED, groups.data(), static_cast<int>(groups.size()));
  }

  [[nodiscard]] const std::map<std::string, int>& names() const {
    return compiled_.NamedCapturingGroups();
  }

 private:
  static re2::RE2::Options options() {
    re2::RE2::Options options;
    options.set_log_errors(false);
    options.set_max_mem(4 << 20);
    return options;
  }
  Env& env_;
  re2::RE2 compiled_;
};

struct Span {
  std::size_t begin = 0;
  std::size_t end = 0;
};

// All matches, none empty right behind another; at most `most` of them, all if that is negative.
Result<std::vector<Span>> matches(Env& env,
                                  const Regex& regex,
                                  const std::string& in,
                                  std::int64_t most) {
  std::vector<Span> found;
  Groups groups;
  std::size_t at = 0;
  std::size_t last_end = std::string::npos;
  while (at <= in.size() && (most < 0 || static_cast<std::int64_t>(found.size()) < most)) {
    if (auto paid = env.spend(1); !paid) return std::move(paid).error();
    if (!regex.match(in, at, groups)) break;
    const auto begin = static_cast<std::size_t>(groups[0].data() - in.data());
    const auto end = begin + groups[0].size();
    bool accepted = true;
    if (end == at) {
      accepted = begin != last_end;
      at += std::max<std::size_t>(decode(std::string_view(in).substr(at)).size, 1);
    } else {
      at = end;
    }
    last_end = end;
    if (accepted) found.push_back({begin, end});
  }
  return found;
}

// $1, ${1}, $name, ${name}; $$ is a dollar.
void expand(std::string& out, std::string_view with, const Groups& groups, const Regex& regex) {
  // How long the character of a name is that begins there; 0 where none does.
  const auto word = [&with](std::size_t at) -> std::size_t {
    if (at >= with.size()) return 0;
    const auto next = decode(with.substr(at));
    return next.rune == '_' || is_digit(next.rune) || is_letter(next.rune) ? next.size : 0;
  };
  while (!with.empty()) {
    const auto dollar = std::min(with.find('$'), with.size());
    out += with.substr(0, dollar);
    with.remove_prefix(dollar);
    if (with.empty()) break;
    if (with.size() > 1 && with[1] == '$') {
      out += '$';
      with.remove_prefix(2);
      continue;
    }
    const bool braces = with.size() > 1 && with[1] == '{';
    const std::size_t start = braces ? 2 : 1;
    auto end = start;
    while (const auto size = word(end)) end += size;
    if (end == start || (braces && (end >= with.size() || with[end] != '}'))) {
      out += '$';
      with.remove_prefix(1);
      continue;
    }
    const std::string name(with.substr(start, end - start));
    std::size_t group = groups.size();
    if (name.find_first_not_of("0123456789") == std::string::npos) {
      const bool padded = name.size() > 1 && name[0] == '0';  // Go takes that for a name.
      if (name.size() < 6 && !padded) group = static_cast<std::size_t>(std::stoi(name));
    } else if (const auto named = regex.names().find(name); named != regex.names().end()) {
      group = static_cast<std::size_t>(named->second);
    }
    if (group < groups.size()) out += std::string_view(groups[group].data(), groups[group].size());
    with.remove_prefix(end + (braces ? 1 : 0));
  }
}

Result<Value> replace_all(Env& env, Args a, bool literal) {
  const Regex regex(env, text(a, 0));
  const auto& in = text(a, 1);
  if (auto usable = regex.usable(in); !usable) return std::move(usable).error();
  std::string out;
  Groups groups;
  std::size_t at = 0;
  std::size_t last_end = 0;
  while (at <= in.size()) {
    if (auto paid = env.spend(1); !paid) return std::move(paid).error();
    if (!regex.match(in, at, groups)) break;
    const auto begin = static_cast<std::size_t>(groups[0].data() - in.data());
    const auto end = begin + groups[0].size();
    out += in.substr(last_end, begin - last_end);
    if (end > last_end || begin == 0) {
      if (literal)
        out += text(a, 2);
      else
        expand(out, text(a, 2), groups, regex);
    }
    last_end = end;
    const auto width = decode(std::string_view(in).substr(at)).size;
    at = at + width > end ? at + width : at + 1 > end ? at + 1 : end;
    if (out.size() > env.room()) return env.charge(out.size()).error();
  }
  if (last_end < in.size()) out += in.substr(last_end);
  return Value(std::move(out));
}

Result<Value> regex_match(Env& env, Args a) {
  const Regex regex(env, text(a, 0));
  if (auto usable = regex.usable(text(a, 1)); !usable) return std::move(usable).error();
  Groups groups;
  return Value(regex.match(text(a, 1), 0, groups));
}

Result<Value> regex_find(Env& env, Args a) {
  const Regex regex(env, text(a, 0));
  if (auto usable = regex.usable(text(a, 1)); !usable) return std::move(usable).error();
  Groups groups;
  if (!regex.match(text(a, 1), 0, groups)) return Value("");
  return Value(std::string(groups[0].data(), groups[0].size()));
}

Result<Value> find_all(Env& env, Args a) {
  const Regex regex(env, text(a, 0));
  const auto& in = text(a, 1);
  if (auto usable = regex.usable(in); !usable) return std::move(usable).error();
  auto spans = matches(env, regex, in, a[2].integer()->value);
  if (!spans) return std::move(spans).error();
  if (auto paid = env.charge(spans->size() * 64 + in.size()); !paid) return std::move(paid).error();
  List found;
  found.type = List::Type::string;
  found.nil = spans->empty();
  for (const auto& span : *spans)
    found.items.emplace_back(in.substr(span.begin, span.end - span.begin));
  return Value(std::move(found));
}

Result<Value> regex_split(Env& env, Args a) {
  const Regex regex(env, text(a, 0));
  const auto& in = text(a, 1);
  const auto most = a[2].integer()->value;
  if (auto usable = regex.usable(in); !usable) return std::move(usable).error();
  List parts;
  parts.type = List::Type::string;
  if (most == 0) {
    parts.nil = true;
    return Value(std::move(parts));
  }
  if (!text(a, 0).empty() && in.empty()) return string_list({""});
  auto spans = matches(env, regex, in, most);
  if (!spans) return std::move(spans).error();
  if (auto paid = env.charge(spans->size() * 64 + in.size()); !paid) return std::move(paid).error();
  std::size_t begin = 0;
  std::size_t end = 0;
  for (const auto& span : *spans) {
    if (most > 0 && static_cast<std::int64_t>(parts.items.size()) == most - 1) break;
    end = span.begin;
    if (span.end != 0) parts.items.emplace_back(in.substr(begin, end - begin));
    begin = span.end;
  }
  if (end != in.size()) parts.items.emplace_back(in.substr(begin));
  return Value(std::move(parts));
}

Result<Value> quote_meta(Env& /*env*/, Args a) {
  std::string out;
  for (const char c : text(a, 0)) {
    if (std::string_view("\\.+*?()|[]{}^$").find(c) != std::string_view::npos) out += '\\';
    out += c;
  }
  return Value(std::move(out));
}

Result<Value> replace_expanding(Env& env, Args a) { return replace_all(env, a, false); }
Result<Value> replace_literal(Env& env, Args a) { return replace_all(env, a, true); }

const Function kRegexFunctions[] = {
    {"regexMatch", "ss", regex_match},
    {"mustRegexMatch", "ss", regex_match},
    {"regexFind", "ss", regex_find},
    {"mustRegexFind", "ss", regex_find},
    {"regexFindAll", "ssi", find_all},
    {"mustRegexFindAll", "ssi", find_all},
    {"regexReplaceAll", "sss", replace_expanding},
    {"mustRegexReplaceAll", "sss", replace_expanding},
    {"regexReplaceAllLiteral", "sss", replace_literal},
    {"mustRegexReplaceAllLiteral", "sss", replace_literal},
    {"regexSplit", "ssi", regex_split},
    {"mustRegexSplit", "ssi", regex_split},
    {"regexQuoteMeta", "s", quote_meta},
};

}  // namespace

std::span<const Function> regex_functions() { return kRegexFunctions; }

}  // namespace skep::templates
