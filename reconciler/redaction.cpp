#include "reconciler/redaction.hpp"

#include <cctype>

#include "core/digest.hpp"
#include "diff/words.hpp"

namespace skep::reconciler {
namespace {

constexpr std::size_t kShort = 6;
constexpr std::size_t kMostForms = 100'000;
constexpr std::size_t kMostAnswers = 4'096;
constexpr std::string_view kMask = "***";

std::string without_line_end(std::string_view text) {
  while (!text.empty() && (text.back() == '\n' || text.back() == '\r')) text.remove_suffix(1);
  return std::string(text);
}

/// As JSON and Go's %q write it, without the quotes around.
std::string escaped(std::string_view text) {
  std::string out;
  for (const char c : text) {
    if (c == '\n') {
      out += "\\n";
    } else if (c == '\r') {
      out += "\\r";
    } else if (c == '\t') {
      out += "\\t";
    } else {
      if (c == '"' || c == '\\') out += '\\';
      out += c;
    }
  }
  return out;
}

std::string for_url(std::string_view text) {
  constexpr std::string_view kHex = "0123456789ABCDEF";
  std::string out;
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    const bool plain = std::isalnum(byte) != 0 || c == '-' || c == '_' || c == '.' || c == '~';
    if (plain) {
      out += c;
    } else {
      out += '%';
      out += kHex[byte >> 4U];
      out += kHex[byte & 0xFU];
    }
  }
  return out;
}

std::string without_padding(std::string text) {
  while (!text.empty() && text.back() == '=') text.pop_back();
  return text;
}

bool is_word_byte(char c) { return std::isalnum(static_cast<unsigned char>(c)) != 0; }

bool holds_word(const std::string& text, const std::string& word) {
  for (auto at = text.find(word); at != std::string::npos; at = text.find(word, at + 1)) {
    const bool begins = at == 0 || !is_word_byte(text[at - 1]);
    const auto end = at + word.size();
    const bool ends = end == text.size() || !is_word_byte(text[end]);
    if (begins && ends) return true;
  }
  return false;
}

}  // namespace

void Redaction::add(const swarm::StackSpec& stack) {
  for (const auto& [key, secret] : stack.secrets) add(secret.data);
  for (const auto& [key, service] : stack.services) {
    for (const auto& variable : service.spec.task_template.container.env) {
      const auto equals = variable.find('=');
      if (equals == std::string::npos) continue;
      const auto name = std::string_view(variable).substr(0, equals);
      const auto value = std::string_view(variable).substr(equals + 1);
      const bool secret = diff::is_credential_name(name) || diff::holds_credential(value);
      // A short variable would silence too much: its name alone makes it no secret.
      if (secret && value.size() >= kShort) add(Secret(std::string(value)));
    }
  }
}

void Redaction::add(const Secret& value) {
  const std::lock_guard lock(mutex_);
  add_forms(value.reveal());
  add_forms(without_line_end(value.reveal()));
}

void Redaction::add_forms(std::string_view value) {
  if (value.empty() || forms_.size() > kMostForms) return;
  if (value.size() < kShort) {
    if (short_values_.emplace(value).second) answers_.clear();
    return;
  }
  const bool fresh = forms_.emplace(value).second;
  if (!fresh) return;
  forms_.insert(escaped(value));
  forms_.insert(for_url(value));
  forms_.insert(without_padding(base64(value)));
  forms_.insert(without_padding(base64url(value)));
  answers_.clear();
}

void Redaction::mask(std::string& text) const {
  if (text.empty()) return;
  const std::lock_guard lock(mutex_);
  if (const auto known = answers_.find(text); known != answers_.end()) {
    text = known->second;
    return;
  }
  auto masked = text;
  for (const auto& form : forms_) {
    for (auto at = masked.find(form); at != std::string::npos;
         at = masked.find(form, at + kMask.size()))
      masked.replace(at, form.size(), kMask);
  }
  for (const auto& value : short_values_) {
    if (holds_word(masked, value)) masked = kMask;
  }
  if (answers_.size() >= kMostAnswers) answers_.clear();
  answers_[text] = masked;
  text = std::move(masked);
}

}  // namespace skep::reconciler
