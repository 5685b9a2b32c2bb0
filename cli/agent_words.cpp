#include "cli/agent_words.hpp"

namespace skep::cli {

namespace {

/// Length of what stands at `at` and must not reach a terminal, beside the ASCII controls: the
/// controls U+0080 to U+009F (one of them begins an escape sequence as ESC [ does), and the marks
/// that turn the writing direction, which make a text look like another one. 0 for anything else.
std::size_t unfit_at(const std::string& text, std::size_t at) {
  const auto byte = [&](std::size_t i) {
    return at + i < text.size() ? static_cast<unsigned char>(text[at + i]) : 0U;
  };
  if (byte(0) == 0xC2 && byte(1) >= 0x80 && byte(1) <= 0x9F) return 2;
  if (byte(0) != 0xE2) return 0;
  const bool embedding = byte(1) == 0x80 && byte(2) >= 0xA8 && byte(2) <= 0xAE;
  const bool mark = byte(1) == 0x80 && (byte(2) == 0x8E || byte(2) == 0x8F);
  const bool isolate = byte(1) == 0x81 && byte(2) >= 0xA6 && byte(2) <= 0xA9;
  return embedding || mark || isolate ? 3 : 0;
}

}  // namespace

std::string printable(const std::string& text) {
  std::string clean;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (const auto length = unfit_at(text, i); length > 0) {
      clean += ' ';
      i += length - 1;
    } else {
      clean += static_cast<unsigned char>(text[i]) < 0x20 || text[i] == 0x7f ? ' ' : text[i];
    }
  }
  return clean;
}

std::string text_of(const nlohmann::json& object, const char* key) {
  if (!object.is_object()) return "";
  const auto at = object.find(key);
  return at != object.end() && at->is_string() ? printable(at->get<std::string>()) : "";
}

std::int64_t number_of(const nlohmann::json& object, const char* key) {
  if (!object.is_object()) return 0;
  const auto at = object.find(key);
  return at != object.end() && at->is_number_integer() ? at->get<std::int64_t>() : 0;
}

nlohmann::json list_of(const nlohmann::json& object, const char* key) {
  if (!object.is_object()) return nlohmann::json::array();
  const auto at = object.find(key);
  return at != object.end() && at->is_array() ? *at : nlohmann::json::array();
}

std::string time_of(const nlohmann::json& object, const char* key) {
  auto text = text_of(object, key);
  const auto dot = text.find('.');
  if (dot != std::string::npos) text = text.substr(0, dot) + "Z";
  return text;
}

std::string short_commit(const std::string& commit) {
  return commit.empty() ? "-" : commit.substr(0, 12);
}

std::string column(std::string text, std::size_t width) {
  if (text.size() < width) text.append(width - text.size(), ' ');
  return text + "  ";
}

}  // namespace skep::cli
