#include "repository/hide_secrets.hpp"

#include <algorithm>
#include <cctype>
#include <optional>
#include <string_view>
#include <unordered_map>
#include <utility>

#include "core/ascii.hpp"
#include "core/secret_forms.hpp"

namespace skep::repository {
namespace {

/// Parts of a secret that are shorter stand in every sentence.
constexpr std::size_t kShortestPart = 4;
/// Longer ones are no chance, also in the midst of a word.
constexpr std::size_t kTellingPart = RedactionSet::kShort;

constexpr std::string_view kBlanks = " \t\r\n";

struct Part {
  std::size_t begin = 0;
  std::size_t end = 0;
};

bool is_word_at(std::string_view text, std::size_t at) {
  return at < text.size() && std::isalnum(static_cast<unsigned char>(text[at])) != 0;
}

/// Whether it does not begin or end within a word.
bool is_whole_words(std::string_view text, const Part& part) {
  const bool begins =
      part.begin == 0 || !is_word_at(text, part.begin - 1) || !is_word_at(text, part.begin);
  return begins && !(is_word_at(text, part.end - 1) && is_word_at(text, part.end));
}

/// A message, searched for what it has in common with secrets, whatever the case of its letters.
class Quotations {
 public:
  explicit Quotations(const std::string& message) : text_(lower(message)) {
    for (std::size_t at = 0; at + kShortestPart <= text_.size(); ++at)
      starts_[text_.substr(at, kShortestPart)].push_back(at);
  }

  [[nodiscard]] std::vector<Part> of(const std::string& secret) const {
    const auto folded = lower(secret);
    std::vector<Part> parts;
    for (std::size_t at = 0; at + kShortestPart <= folded.size(); ++at) {
      const auto starts = starts_.find(folded.substr(at, kShortestPart));
      if (starts == starts_.end()) continue;
      for (const auto begin : starts->second) {
        // Of what was found from its first byte on, nothing is new.
        if (at > 0 && begin > 0 && folded[at - 1] == text_[begin - 1]) continue;
        auto part = Part{begin, begin};
        while (part.end < text_.size() && at + (part.end - begin) < folded.size() &&
               text_[part.end] == folded[at + (part.end - begin)])
          ++part.end;
        if (tells(part)) parts.push_back(part);
      }
    }
    return parts;
  }

 private:
  /// Cuts the blanks around it off.
  [[nodiscard]] bool tells(Part& part) const {
    while (part.begin < part.end && kBlanks.find(text_[part.begin]) != std::string_view::npos)
      ++part.begin;
    while (part.begin < part.end && kBlanks.find(text_[part.end - 1]) != std::string_view::npos)
      --part.end;
    const auto size = part.end - part.begin;
    return size >= kTellingPart || (size >= kShortestPart && is_whole_words(text_, part));
  }

  std::string text_;
  std::unordered_map<std::string, std::vector<std::size_t>> starts_;
};

/// A text without what YAML puts between the lines of a value: each run of blanks is one blank.
struct Unfolded {
  std::string text;
  std::vector<std::size_t> lines;  ///< Of each byte, counted from 1.
};

Unfolded unfold(std::string_view text) {
  Unfolded unfolded;
  std::size_t line = 1;
  for (std::size_t at = 0; at < text.size();) {
    const auto skip_blanks = [&] {
      at = std::min(text.find_first_not_of(kBlanks, at), text.size());
    };
    const auto begin = at;
    skip_blanks();
    const auto blanks = text.substr(begin, at - begin);
    unfolded.text += blanks.empty() ? text[at++] : ' ';
    unfolded.lines.push_back(line);
    const auto ends = static_cast<std::size_t>(std::count(blanks.begin(), blanks.end(), '\n'));
    line += ends;
    // A blank that begins a line is written as an escape.
    if (ends > 0 && text.substr(at).starts_with("\\ ")) {
      ++at;
      skip_blanks();
    }
  }
  return unfolded;
}

/// A secret as it may be found in unfolded texts. A whole file may be one, so its forms are made
/// only for a text that can hold one of them, and once. Refers to the secret.
class Sought {
 public:
  explicit Sought(const std::string& secret)
      : secret_(&secret),
        least_(static_cast<std::size_t>(std::count_if(secret.begin(), secret.end(), [](char c) {
          return kBlanks.find(c) == std::string_view::npos;
        }))) {}

  [[nodiscard]] const std::string& secret() const { return *secret_; }

  /// Those that are not longer than the text; no form is shorter than the secret without blanks.
  const std::vector<std::string>& forms_for(const Unfolded& text) {
    static const std::vector<std::string> kNone;
    if (least_ > text.text.size()) return kNone;
    if (!forms_) forms_ = unfolded_forms();
    return *forms_;
  }

  bool is_in(const Unfolded& text) {
    const auto& forms = forms_for(text);
    return std::any_of(forms.begin(), forms.end(), [&](const std::string& form) {
      return text.text.find(form) != std::string::npos;
    });
  }

 private:
  [[nodiscard]] std::vector<std::string> unfolded_forms() const {
    std::vector<std::string> forms;
    for (const auto& form : forms_of(*secret_)) {
      auto text = unfold(form).text;
      while (text.ends_with(' ')) text.pop_back();
      if (text.starts_with(' ')) text.erase(0, 1);
      if (text.size() >= kShortestPart) forms.push_back(std::move(text));
    }
    return forms;
  }

  const std::string* secret_;
  std::size_t least_;
  std::optional<std::vector<std::string>> forms_;
};

/// Of each line, counted from 1, whether a secret stands on it and on another one.
std::vector<bool> continued_lines(std::string_view text, const std::vector<std::string>& secrets) {
  const auto unfolded = unfold(text);
  const auto count = static_cast<std::size_t>(std::count(text.begin(), text.end(), '\n')) + 1;
  std::vector<bool> continued(count + 1);
  for (const auto& secret : secrets) {
    Sought sought(secret);
    for (const auto& form : sought.forms_for(unfolded)) {
      if (form.find(' ') == std::string::npos) continue;
      for (auto at = unfolded.text.find(form); at != std::string::npos;
           at = unfolded.text.find(form, at + 1)) {
        const auto first = unfolded.lines[at];
        const auto last = unfolded.lines[at + form.size() - 1];
        for (auto line = first; first < last && line <= last; ++line) continued[line] = true;
      }
    }
  }
  return continued;
}

/// What stands between quotes and is a part of a secret.
std::vector<Part> whole_quotations(const std::string& message,
                                   const std::vector<std::string>& secrets) {
  std::vector<Part> parts;
  for (const char quote : {'"', '\''}) {
    for (auto begin = message.find(quote); begin != std::string::npos;) {
      const auto end = message.find(quote, begin + 1);
      if (end == std::string::npos) break;
      const auto inside = std::string_view(message).substr(begin + 1, end - begin - 1);
      const bool known = inside.size() >= kShortestPart &&
                         std::any_of(secrets.begin(), secrets.end(), [&](const auto& secret) {
                           return secret.find(inside) != std::string::npos;
                         });
      if (known) parts.push_back({begin + 1, end});
      // An apostrophe is no quote: what ends one may begin the next.
      begin = known ? message.find(quote, end + 1) : end;
    }
  }
  return parts;
}

std::string without(const std::string& message, const std::vector<Part>& parts) {
  std::vector<bool> hidden(message.size());
  for (const auto& part : parts) {
    for (auto at = part.begin; at < part.end; ++at) hidden[at] = true;
  }
  std::string shown;
  for (std::size_t at = 0; at < message.size(); ++at) {
    if (!hidden[at]) {
      shown += message[at];
    } else if (at == 0 || !hidden[at - 1]) {
      shown += RedactionSet::kMask;
    }
  }
  return shown;
}

}  // namespace

void hide_secrets(Findings& findings,
                  const std::vector<std::string>& secrets,
                  const RedactionSet& set,
                  const std::function<std::string(const SourcePosition&)>& text_at) {
  if (secrets.empty()) return;
  std::vector<Sought> sought(secrets.begin(), secrets.end());
  for (auto& finding : findings) {
    auto& message = finding.message;
    message = set.mask_field(message);
    if (message == RedactionSet::kMask) {
      message = "(not shown: it would quote a decrypted value)";
      continue;
    }
    auto parts = whole_quotations(message, secrets);
    const Quotations quotations(message);
    const auto place = unfold(text_at ? text_at(finding.at) : "");
    for (auto& one : sought) {
      if (!one.is_in(place)) continue;
      const auto more = quotations.of(one.secret());
      parts.insert(parts.end(), more.begin(), more.end());
    }
    message = without(message, parts);
  }
}

std::vector<std::string> lines_without_secrets(std::string_view text,
                                               const std::vector<std::string>& secrets,
                                               const RedactionSet& set) {
  const auto continued = continued_lines(text, secrets);
  std::vector<std::string> lines;
  for (std::size_t begin = 0; begin <= text.size();) {
    const auto end = std::min(text.find('\n', begin), text.size());
    auto shown = set.mask_field(text.substr(begin, end - begin));
    const bool hidden = continued[lines.size() + 1] || shown == RedactionSet::kMask;
    lines.push_back(hidden ? "" : std::move(shown));
    begin = end + 1;
  }
  return lines;
}

}  // namespace skep::repository
