#include "core/redaction.hpp"

#include <algorithm>
#include <cctype>
#include <mutex>

#include "core/secret_forms.hpp"

namespace skep {
namespace {

/// One line of a longer value, a key in PEM for one, is a secret where it says something.
constexpr std::size_t kShortestLine = 8;
/// A value that is a whole file is looked for line by line; as one piece nobody would print it.
constexpr std::size_t kLongest = 4096;

/// What is shorter stands in every sentence.
constexpr std::size_t kShortestWord = 3;

bool is_word_byte(char c) { return std::isalnum(static_cast<unsigned char>(c)) != 0; }

std::uint64_t start_of(std::string_view text) {
  std::uint64_t start = 0;
  for (std::size_t i = 0; i < RedactionSet::kShort; ++i)
    start = (start << 8U) | static_cast<unsigned char>(text[i]);
  return start;
}

std::size_t pair_of(std::string_view text) {
  return (std::size_t(static_cast<unsigned char>(text[0])) << 8U) |
         static_cast<unsigned char>(text[1]);
}

bool is_digits(std::string_view text) {
  return std::all_of(text.begin(), text.end(), [](char c) { return c >= '0' && c <= '9'; });
}

/// Whether these digits are a whole number of a JSON text, not within a string.
bool is_json_number(std::string_view text, std::size_t begin, std::size_t end) {
  if (!is_digits(text.substr(begin, end - begin))) return false;
  const auto before = text.find_last_not_of(" \t\r\n", begin == 0 ? 0 : begin - 1);
  const auto after = text.find_first_not_of(" \t\r\n", end);
  if (begin == 0 || before == std::string_view::npos || after == std::string_view::npos)
    return false;
  constexpr std::string_view kBefore = ":[,";
  constexpr std::string_view kAfter = ",]}";
  return kBefore.find(text[before]) != std::string_view::npos &&
         kAfter.find(text[after]) != std::string_view::npos;
}

std::string_view trimmed(std::string_view text) {
  constexpr std::string_view kBlanks = " \t\r\n";
  const auto first = text.find_first_not_of(kBlanks);
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(kBlanks) - first + 1);
}

}  // namespace

void RedactionSet::add(std::string_view value) {
  const std::unique_lock lock(mutex_);
  const auto bare = trimmed(value);
  if (bare.empty()) return;
  if (bare.size() < kShort) {
    short_.emplace(bare);
    return;
  }
  if (forms_.find(bare) == forms_.end() && bare.size() <= kLongest) add_forms(bare);
  if (value.size() != bare.size() && value.size() <= kLongest) {
    // The blanks around it move what its base64 looks like.
    add_form(inner_base64(value, 0));
  }
  if (bare.find('\n') == std::string_view::npos && bare.size() <= kLongest) return;
  for (std::size_t begin = 0; begin < bare.size();) {
    const auto end = std::min(bare.find('\n', begin), bare.size());
    for (auto line = trimmed(bare.substr(begin, end - begin)); line.size() >= kShortestLine;) {
      const auto part = line.substr(0, kLongest);
      if (forms_.find(part) == forms_.end()) add_forms(part);
      line.remove_prefix(part.size());
    }
    begin = end + 1;
  }
}

void RedactionSet::add_forms(std::string_view value) {
  for (auto& form : forms_of(value)) add_form(std::move(form));
}

void RedactionSet::add_form(std::string form) {
  if (form.size() < kShort) return;
  const auto [at, fresh] = forms_.insert(std::move(form));
  if (!fresh) return;
  const std::string_view text(*at);
  auto& same_start = by_start_[start_of(text)];
  const auto place =
      std::find_if(same_start.begin(), same_start.end(), [&](std::string_view other) {
        return other.size() < text.size();
      });
  same_start.insert(place, text);
  const auto pair = pair_of(text);
  starts_[pair / 64] |= std::uint64_t{1} << (pair % 64);
}

std::vector<RedactionSet::Span> RedactionSet::spans(std::string_view text) const {
  std::vector<Span> found;
  if (forms_.empty() || text.size() < kShort) return found;
  for (std::size_t at = 0; at + kShort <= text.size(); ++at) {
    const auto rest = text.substr(at);
    const auto pair = pair_of(rest);
    if ((starts_[pair / 64] & (std::uint64_t{1} << (pair % 64))) == 0) continue;
    const auto bucket = by_start_.find(start_of(rest));
    if (bucket == by_start_.end()) continue;
    for (const auto form : bucket->second) {
      if (!rest.starts_with(form)) continue;
      const auto end = at + form.size();
      if (!found.empty() && at <= found.back().end) {
        found.back().end = std::max(found.back().end, end);
      } else {
        found.push_back({at, end});
      }
      break;
    }
  }
  return found;
}

std::string RedactionSet::mask(std::string_view text) const {
  const std::shared_lock lock(mutex_);
  const auto found = spans(text);
  if (found.empty()) return std::string(text);
  std::string masked;
  std::size_t at = 0;
  for (const auto& span : found) {
    masked.append(text, at, span.begin - at);
    if (is_json_number(text, span.begin, span.end)) {
      masked += '0';
    } else {
      masked += kMask;
    }
    at = span.end;
  }
  masked.append(text, at, std::string_view::npos);
  return masked;
}

std::string RedactionSet::mask_field(std::string_view field) const {
  {
    const std::shared_lock lock(mutex_);
    if (holds_short(field)) return std::string(kMask);
  }
  return mask(field);
}

std::string RedactionSet::mask_quoted(std::string_view text) const {
  if (empty()) return std::string(text);
  std::string masked;
  for (std::size_t at = 0; at < text.size();) {
    const auto begin = text.find('"', at);
    if (begin == std::string_view::npos) {
      masked += text.substr(at);
      break;
    }
    auto end = begin + 1;
    while (end < text.size() && text[end] != '"') end += text[end] == '\\' ? 2 : 1;
    end = std::min(end, text.size());
    masked += text.substr(at, begin + 1 - at);
    masked += mask(text.substr(begin + 1, end - begin - 1));
    at = end;
    if (at < text.size()) masked += text[at++];
  }
  return masked;
}

bool RedactionSet::holds_short(std::string_view text) const {
  for (const auto& word : short_) {
    if (word.size() < kShortestWord) {
      if (text == word || (text.size() > word.size() && text.ends_with(word) &&
                           text[text.size() - word.size() - 1] == '='))
        return true;
      continue;
    }
    for (auto at = text.find(word); at != std::string_view::npos; at = text.find(word, at + 1)) {
      const bool begins = at == 0 || !is_word_byte(text[at - 1]) || !is_word_byte(word.front());
      const auto end = at + word.size();
      const bool ends =
          end == text.size() || !is_word_byte(text[end]) || !is_word_byte(word.back());
      if (begins && ends) return true;
    }
  }
  return false;
}

bool RedactionSet::reveals(std::string_view text) const {
  const std::shared_lock lock(mutex_);
  return holds_short(text) || !spans(text).empty();
}

bool RedactionSet::empty() const {
  const std::shared_lock lock(mutex_);
  return forms_.empty() && short_.empty();
}

}  // namespace skep
