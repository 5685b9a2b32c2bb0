#include <algorithm>
#include <string>

#include "helm-like-templates/renderer/arguments.hpp"
#include "helm-like-templates/renderer/format.hpp"
#include "helm-like-templates/renderer/functions.hpp"
#include "helm-like-templates/renderer/literal.hpp"
#include "helm-like-templates/renderer/unicode.hpp"

namespace skep::templates {
namespace {

std::string trimmed(std::string_view text, bool (*drop)(Rune)) {
  auto characters = runes(text);
  std::size_t begin = 0;
  while (!text.empty() && drop(decode(text).rune) && decode(text).valid) {
    text.remove_prefix(decode(text).size);
    ++begin;
  }
  std::size_t end = characters.size();
  while (end > begin && drop(characters[end - 1])) --end;
  std::size_t size = 0;
  for (std::size_t i = begin; i < end; ++i) size += decode(text.substr(size)).size;
  return std::string(text.substr(0, size));
}

// strings.Trim: any of the characters of `set`, at both ends.
std::string trim_all(std::string_view text, std::string_view set) {
  const auto drop = runes(set);
  const auto in_set = [&](Rune rune) { return drop.find(rune) != std::u32string::npos; };
  while (!text.empty() && in_set(decode(text).rune)) text.remove_prefix(decode(text).size);
  while (!text.empty()) {
    auto start = text.size() - 1;
    while (start > 0 && (static_cast<unsigned char>(text[start]) & 0xC0U) == 0x80U) --start;
    if (!in_set(decode(text.substr(start)).rune)) break;
    text.remove_suffix(text.size() - start);
  }
  return std::string(text);
}

std::string mapped(std::string_view text, Rune (*map)(Rune)) {
  std::string out;
  while (!text.empty()) {
    const auto next = decode(text);
    append(out, next.rune == kReplacement ? kReplacement : map(next.rune));
    text.remove_prefix(next.size);
  }
  return out;
}

Result<std::string> replaced(Env& env,
                             const std::string& in,
                             const std::string& from,
                             const std::string& to) {
  std::string out;
  std::size_t at = 0;
  const auto put = [&](std::string_view part) -> Result<void> {
    if (out.size() + part.size() > env.room()) return env.charge(out.size() + part.size());
    out += part;
    return {};
  };
  while (at <= in.size()) {
    std::size_t found = from.empty() ? at : in.find(from, at);
    if (found == std::string::npos) break;
    if (auto done = put(in.substr(at, found - at)); !done) return std::move(done).error();
    if (auto done = put(to); !done) return std::move(done).error();
    at = found + from.size();
    if (!from.empty()) continue;
    if (at == in.size()) return out;
    const auto size = decode(std::string_view(in).substr(at)).size;
    out += in.substr(at, size);
    at += size;
  }
  if (auto done = put(std::string_view(in).substr(at)); !done) return std::move(done).error();
  return out;
}

Result<std::string> indented(Env& env, std::int64_t spaces, const std::string& in) {
  if (spaces < 0) return failure("the number of spaces is negative");
  const auto lines = static_cast<std::size_t>(std::count(in.begin(), in.end(), '\n')) + 1;
  const auto width = static_cast<std::size_t>(spaces);
  if (width > env.room() || lines * width > env.room()) return env.charge(env.room() + 1).error();
  const std::string pad(width, ' ');
  std::string out = pad;
  for (const char c : in) {
    out += c;
    if (c == '\n') out += pad;
  }
  return out;
}

Result<Value> repeat(Env& env, Args a) {
  const auto& unit = text(a, 1);
  if (whole(a, 0) < 0) return failure("negative repeat count");
  const auto count = static_cast<std::size_t>(whole(a, 0));
  if (unit.empty() || count == 0) return Value("");
  if (count > env.room() / unit.size()) return env.charge(env.room() + 1).error();
  std::string out;
  out.reserve(count * unit.size());
  for (std::size_t i = 0; i < count; ++i) out += unit;
  return Value(std::move(out));
}

Result<Value> trunc(Env& /*env*/, Args a) {
  const auto count = whole(a, 0);
  const auto& in = text(a, 1);
  const auto size = static_cast<std::int64_t>(in.size());
  if (count < 0 && size + count > 0)
    return Value(in.substr(static_cast<std::size_t>(size + count)));
  if (count >= 0 && size > count) return Value(in.substr(0, static_cast<std::size_t>(count)));
  return a[1];
}

Result<Value> substr(Env& /*env*/, Args a) {
  auto start = whole(a, 0);
  auto end = whole(a, 1);
  const auto& in = text(a, 2);
  const auto size = static_cast<std::int64_t>(in.size());
  if (start < 0) {
    start = 0;
    if (end < 0 || end > size) return failure("slice bounds out of range: " + std::to_string(end));
  } else if (end < 0 || end > size) {
    end = size;
  }
  if (start > end) return failure("slice bounds out of range: " + std::to_string(start));
  return Value(in.substr(static_cast<std::size_t>(start), static_cast<std::size_t>(end - start)));
}

Result<Value> quoted(Env& env, Args a, bool single) {
  std::string out;
  bool first = true;
  for (const auto& value : a) {
    if (value.is_nil()) continue;
    auto shown = text_of(env, value);
    if (!shown) return std::move(shown).error();
    if (!first) out += ' ';
    first = false;
    out += single ? '\'' + *shown + '\'' : quote(*shown);
  }
  return Value(std::move(out));
}

Result<Value> cat(Env& env, Args a) {
  std::string out;
  bool first = true;
  for (const auto& value : a) {
    if (value.is_nil()) continue;
    auto shown = text_of(env, value);
    if (!shown) return std::move(shown).error();
    if (!first) out += ' ';
    first = false;
    out += *shown;
    if (out.size() > env.room()) return env.charge(out.size()).error();
  }
  return Value(std::move(out));
}

// strings.SplitN; between characters where the separator is empty.
std::vector<std::string> pieces(const std::string& in, const std::string& by, std::int64_t most) {
  std::vector<std::string> out;
  if (most == 0) return out;
  if (by.empty()) {
    std::string_view rest = in;
    while (!rest.empty()) {
      if (most > 0 && static_cast<std::int64_t>(out.size()) == most - 1) {
        out.emplace_back(rest);
        break;
      }
      const auto size = decode(rest).size;
      out.emplace_back(rest.substr(0, size));
      rest.remove_prefix(size);
    }
    return out;
  }
  std::size_t at = 0;
  while (most < 0 || static_cast<std::int64_t>(out.size()) < most - 1) {
    const auto found = in.find(by, at);
    if (found == std::string::npos) break;
    out.push_back(in.substr(at, found - at));
    at = found + by.size();
  }
  out.push_back(in.substr(at));
  return out;
}

Value numbered(const std::vector<std::string>& parts) {
  Map map;
  map.type = Map::Type::string;
  std::size_t i = 0;
  for (const auto& part : parts) map.entries.emplace("_" + std::to_string(i++), Value(part));
  return Value(std::move(map));
}

Result<Value> split(Env& env, Args a, std::int64_t most, const std::string& in) {
  if (auto paid = env.charge(in.size() * 8); !paid) return std::move(paid).error();
  return numbered(pieces(in, text(a, 0), most));
}

Result<Value> split_list(Env& env, Args a) {
  if (auto paid = env.charge(text(a, 1).size() * 8); !paid) return std::move(paid).error();
  return string_list(pieces(text(a, 1), text(a, 0), -1));
}

Result<Value> join(Env& env, Args a) {
  auto texts = texts_of(env, a[1]);
  if (!texts) return std::move(texts).error();
  std::string out;
  for (std::size_t i = 0; i < texts->size(); ++i) {
    if (i > 0) out += text(a, 0);
    out += (*texts)[i];
    if (out.size() > env.room()) return env.charge(out.size()).error();
  }
  return Value(std::move(out));
}

bool contains(const std::string& in, const std::string& part) {
  return in.find(part) != std::string::npos;
}

const Function kStringFunctions[] = {
    {"trim",
     "s",
     [](Env&, Args a) -> Result<Value> { return Value(trimmed(text(a, 0), is_space)); }},
    {"trimAll",
     "ss",
     [](Env&, Args a) -> Result<Value> { return Value(trim_all(text(a, 1), text(a, 0))); }},
    {"trimall",
     "ss",
     [](Env&, Args a) -> Result<Value> { return Value(trim_all(text(a, 1), text(a, 0))); }},
    {"trimSuffix",
     "ss",
     [](Env&, Args a) -> Result<Value> {
       const auto& in = text(a, 1);
       const auto& end = text(a, 0);
       return in.ends_with(end) ? Value(in.substr(0, in.size() - end.size())) : a[1];
     }},
    {"trimPrefix",
     "ss",
     [](Env&, Args a) -> Result<Value> {
       const auto& in = text(a, 1);
       return in.starts_with(text(a, 0)) ? Value(in.substr(text(a, 0).size())) : a[1];
     }},
    {"upper",
     "s",
     [](Env&, Args a) -> Result<Value> { return Value(mapped(text(a, 0), to_upper)); }},
    {"lower",
     "s",
     [](Env&, Args a) -> Result<Value> { return Value(mapped(text(a, 0), to_lower)); }},
    {"repeat", "is", repeat},
    {"trunc", "is", trunc},
    {"substr", "iis", substr},
    {"contains",
     "ss",
     [](Env&, Args a) -> Result<Value> { return Value(contains(text(a, 1), text(a, 0))); }},
    {"hasPrefix",
     "ss",
     [](Env&, Args a) -> Result<Value> { return Value(text(a, 1).starts_with(text(a, 0))); }},
    {"hasSuffix",
     "ss",
     [](Env&, Args a) -> Result<Value> { return Value(text(a, 1).ends_with(text(a, 0))); }},
    {"quote", "a*", [](Env& e, Args a) { return quoted(e, a, false); }},
    {"squote", "a*", [](Env& e, Args a) { return quoted(e, a, true); }},
    {"cat", "a*", cat},
    {"indent",
     "is",
     [](Env& e, Args a) { return text_value(indented(e, whole(a, 0), text(a, 1))); }},
    {"nindent",
     "is",
     [](Env& e, Args a) { return text_value(indented(e, whole(a, 0), text(a, 1)), "\n"); }},
    {"replace",
     "sss",
     [](Env& e, Args a) { return text_value(replaced(e, text(a, 2), text(a, 0), text(a, 1))); }},
    {"plural", "ssi", [](Env&, Args a) -> Result<Value> { return whole(a, 2) == 1 ? a[0] : a[1]; }},
    {"split", "ss", [](Env& e, Args a) { return split(e, a, -1, text(a, 1)); }},
    {"splitn", "sis", [](Env& e, Args a) { return split(e, a, whole(a, 1), text(a, 2)); }},
    {"splitList", "ss", split_list},
    {"join", "sa", join},
    {"toString", "a", [](Env& e, Args a) { return text_value(text_of(e, a[0])); }},
    {"toStrings",
     "a",
     [](Env& e, Args a) -> Result<Value> {
       if (a[0].list() != nullptr && a[0].list()->type == List::Type::string) return a[0];
       auto texts = texts_of(e, a[0]);
       if (!texts) return std::move(texts).error();
       return string_list(std::move(*texts));
     }},
};

}  // namespace

std::span<const Function> string_functions() { return kStringFunctions; }

}  // namespace skep::templates
