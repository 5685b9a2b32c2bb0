#include <algorithm>
#include <optional>
#include <string>

#include "helm-like-templates/renderer/arguments.hpp"
#include "helm-like-templates/renderer/functions.hpp"
#include "helm-like-templates/renderer/unicode.hpp"

namespace skep::templates {
namespace {

// Go's strings.Title: a word starts behind what is neither letter, digit nor underscore in ASCII,
// and behind white space elsewhere.
std::string title(std::string_view in) {
  const auto separates = [](Rune rune) {
    if (rune == '_' || is_letter(rune) || is_digit(rune)) return false;
    return rune < 0x80 || is_space(rune);
  };
  std::string out;
  Rune before = ' ';
  for (const auto rune : runes(in)) {
    append(out, separates(before) ? to_title(rune) : rune);
    before = rune;
  }
  return out;
}

std::string untitle(std::string_view in) {
  std::string out;
  bool start = true;
  for (const auto rune : runes(in)) {
    append(out, start ? to_lower(rune) : rune);
    start = is_space(rune);
  }
  return out;
}

std::string swapcase(std::string_view in) {
  std::string out;
  bool start = true;
  for (const auto rune : runes(in)) {
    if (is_upper(rune) || is_title(rune)) {
      append(out, to_lower(rune));
      start = false;
    } else if (is_lower(rune)) {
      append(out, start ? to_title(rune) : to_upper(rune));
      start = false;
    } else {
      append(out, rune);
      start = is_space(rune);
    }
  }
  return out;
}

std::string without_space(std::string_view in) {
  std::string out;
  for (const auto rune : runes(in)) {
    if (!is_space(rune)) append(out, rune);
  }
  return out;
}

// Sprig looks at bytes here.
std::string initials(std::string_view in) {
  std::string out;
  bool gap = true;
  for (const char c : in) {
    const Rune rune = static_cast<unsigned char>(c);
    if (is_space(rune)) {
      gap = true;
    } else if (gap) {
      append(out, rune);
      gap = false;
    }
  }
  return out;
}

bool connects(Rune rune) { return rune == '-' || rune == '_' || is_space(rune); }

std::string camelcase(std::string_view in) {
  const auto all = runes(in);
  std::u32string out;
  std::size_t at = 0;
  while (at < all.size() && connects(all[at])) out += all[at++];
  // A text of connectors only gets one more: so does the library behind Sprig.
  if (at >= all.size()) return out.empty() ? "" : utf8(out + out.back());
  auto now = to_upper(all[at++]);
  for (; at < all.size(); ++at) {
    const auto before = now;
    now = all[at];
    if (connects(now) && connects(before)) {
      out += before;
    } else if (connects(before)) {
      now = to_upper(now);
    } else {
      now = to_lower(now);
      out += before;
    }
  }
  out += now;
  return utf8(out);
}

// What that library takes for a letter: Chinese characters are none.
bool is_alphabet(Rune rune) {
  const bool chinese = (rune >= 0x4E00 && rune <= 0x9FCC) || (rune >= 0x3400 && rune <= 0x4D85) ||
                       (rune >= 0x20000 && rune <= 0x2B81D);
  return is_letter(rune) && !chinese;
}

// A text in words, as the library behind Sprig's snakecase cuts it.
struct Word {
  enum class Kind { none, number, upper, letters, connector, punctuation, other };
  Kind kind = Kind::none;
  std::u32string text;
};

class Words {
 public:
  explicit Words(std::u32string text) : text_(std::move(text)) {}

  [[nodiscard]] bool done() const { return at_ >= text_.size(); }

  Word next() {
    if (done()) return {};
    const auto start = at_;
    const auto first = text_[at_++];
    auto kind = Word::Kind::other;
    const auto run = [&](auto&& belongs) {
      while (!done() && belongs(text_[at_])) ++at_;
    };
    const auto small = [](Rune rune) { return is_alphabet(rune) && !is_upper(rune); };
    if (connects(first)) {
      kind = Word::Kind::connector;
      run(connects);
    } else if (is_punct(first)) {
      kind = Word::Kind::punctuation;
      run(is_punct);
    } else if (is_upper(first)) {
      kind = Word::Kind::upper;
      if (!done() && is_upper(text_[at_])) {
        run(is_upper);
        // The last capital begins the next word: "HTTPServer".
        if (!done() && is_alphabet(text_[at_])) --at_;
      } else {
        run(small);
      }
    } else if (is_alphabet(first)) {
      kind = Word::Kind::letters;
      run(small);
    } else if (is_number(first)) {
      kind = Word::Kind::number;
      run(is_number);
    } else {
      run([](Rune rune) {
        return !connects(rune) && !is_alphabet(rune) && !is_number(rune) && !is_punct(rune);
      });
    }
    return {kind, text_.substr(start, at_ - start)};
  }

 private:
  std::u32string text_;
  std::size_t at_ = 0;
};

std::string joined_words(std::string_view in, Rune connector) {
  using Kind = Word::Kind;
  std::u32string out;
  Words words(runes(in));
  auto word = words.next();
  const auto put = [&](const Word& w) {
    if (w.kind != Kind::upper && w.kind != Kind::connector) {
      out += w.text;
      return;
    }
    for (const auto rune : w.text) out += connects(rune) ? connector : to_lower(rune);
  };
  const auto put_run = [&] {
    while (word.kind == Kind::letters || word.kind == Kind::number) {
      put(word);
      word = words.next();
    }
  };
  const auto needs_connector = [&] {
    return word.kind != Kind::connector && word.kind != Kind::punctuation;
  };
  while (!words.done()) {
    if (word.kind != Kind::connector) put(word);
    const auto last = word;
    word = words.next();
    switch (last.kind) {
      case Kind::number:
        put_run();
        if (word.kind != Kind::none && needs_connector()) out += connector;
        break;
      case Kind::connector:
        put(last);
        break;
      case Kind::punctuation:
        break;
      default: {
        if (word.kind != Kind::number) {
          if (needs_connector()) out += connector;
          break;
        }
        if (words.done()) break;
        const auto number = word;
        word = words.next();
        if (word.kind != Kind::letters) {
          put(number);
          if (needs_connector()) out += connector;
          break;
        }
        out += connector;
        put(number);
        put_run();
        if (word.kind != Kind::none && needs_connector()) out += connector;
        break;
      }
    }
  }
  put(word);
  return utf8(out);
}

std::string abbreviated(const std::string& in, std::int64_t offset, std::int64_t width) {
  const auto size = static_cast<std::int64_t>(in.size());
  const auto part = [&](std::int64_t from, std::int64_t to) {
    return in.substr(static_cast<std::size_t>(from), static_cast<std::size_t>(to - from));
  };
  if (in.empty() || width < 4) return "";
  if (size <= width) return in;
  offset = std::min(offset, size);
  if (size - offset < width - 3) offset = size - (width - 3);
  if (offset <= 4) return part(0, width - 3) + "...";
  if (width < 7) return "";
  if (offset + width - 3 < size) return "..." + abbreviated(part(offset, size), 0, width - 3);
  return "..." + part(size - (width - 3), size);
}

// Breaks at the last blank before the width; a longer word is cut where `cut` says so.
std::string wrapped(const std::string& in, std::int64_t width, std::string line_end, bool cut) {
  if (line_end.empty()) line_end = "\n";
  const auto room = static_cast<std::size_t>(std::max<std::int64_t>(width, 1));
  std::string out;
  std::size_t at = 0;
  while (in.size() - at > room) {
    if (in[at] == ' ') {
      ++at;
      continue;
    }
    const auto blank = in.substr(at, room + 1).rfind(' ');
    if (blank != std::string::npos) {
      out += in.substr(at, blank) + line_end;
      at += blank + 1;
    } else if (cut) {
      out += in.substr(at, room) + line_end;
      at += room;
    } else {
      const auto next = in.find(' ', at + room);
      if (next == std::string::npos) return out + in.substr(at);
      out += in.substr(at, next - at) + line_end;
      at = next + 1;
    }
  }
  return out + in.substr(at);
}

Result<Value> wrap_with(Env& env, Args a) {
  const auto& in = text(a, 2);
  const auto width = static_cast<std::size_t>(std::max<std::int64_t>(whole(a, 0), 1));
  // At most one line end per `width` characters or per blank.
  const auto blanks = static_cast<std::size_t>(std::count(in.begin(), in.end(), ' '));
  const auto ends = in.size() / width + blanks + 1;
  if (text(a, 1).size() > env.room() / ends) return env.charge(env.room() + 1).error();
  return Value(wrapped(in, whole(a, 0), text(a, 1), true));
}

using One = std::string (*)(std::string_view);
template <One convert>
Result<Value> converted(Env& /*env*/, Args a) {
  return Value(convert(text(a, 0)));
}

const Function kWordFunctions[] = {
    {"title", "s", converted<title>},
    {"untitle", "s", converted<untitle>},
    {"swapcase", "s", converted<swapcase>},
    {"nospace", "s", converted<without_space>},
    {"initials", "s", converted<initials>},
    {"camelcase", "s", converted<camelcase>},
    {"snakecase",
     "s",
     [](Env&, Args a) -> Result<Value> { return Value(joined_words(text(a, 0), '_')); }},
    {"kebabcase",
     "s",
     [](Env&, Args a) -> Result<Value> { return Value(joined_words(text(a, 0), '-')); }},
    {"abbrev",
     "is",
     [](Env&, Args a) -> Result<Value> {
       return whole(a, 0) < 4 ? a[1] : Value(abbreviated(text(a, 1), 0, whole(a, 0)));
     }},
    {"abbrevboth",
     "iis",
     [](Env&, Args a) -> Result<Value> {
       const auto right = whole(a, 1);
       if (right < 4 || (whole(a, 0) > 0 && right < 7)) return a[2];
       return Value(abbreviated(text(a, 2), whole(a, 0), right));
     }},
    {"wrap",
     "is",
     [](Env&, Args a) -> Result<Value> {
       return Value(wrapped(text(a, 1), whole(a, 0), "\n", false));
     }},
    {"wrapWith", "iss", wrap_with},
};

}  // namespace

std::span<const Function> word_functions() { return kWordFunctions; }

}  // namespace skep::templates
