#include "cli/agent_words.hpp"

namespace skep::cli {

std::string printable(std::string text) {
  for (char& c : text) {
    if (static_cast<unsigned char>(c) < 0x20 || c == 0x7f) c = ' ';
  }
  return text;
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
