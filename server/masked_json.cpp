#include "server/masked_json.hpp"

#include <algorithm>
#include <map>
#include <set>
#include <vector>

#include <nlohmann/json.hpp>

#include "server/api.hpp"

namespace skep::server {
namespace {

using Json = nlohmann::json;

/// What a field holds that is no free text.
struct Closed {
  std::set<std::string, std::less<>> words;
  bool time = false;
};

/// The closed fields of the API, out of its description. A field is known by its own key and the
/// key under which its object stands ("" for none): "before" of a change is free text, "before" of
/// an event is not.
class Vocabulary {
 public:
  Vocabulary() : document_(Json::parse(openapi())) {
    for (const auto& schema : document_.at("components").at("schemas")) read_object(schema, "");
    document_ = nullptr;
  }

  [[nodiscard]] bool is_closed(std::string_view within,
                               std::string_view key,
                               std::string_view value) const {
    const auto object = fields_.find(within);
    if (object == fields_.end()) return false;
    const auto field = object->second.find(key);
    if (field == object->second.end()) return false;
    return field->second.words.contains(value) || (field->second.time && is_time(value));
  }

 private:
  static bool is_time(std::string_view value) {
    constexpr std::size_t kLongest = 30;  // "2026-11-21T09:17:42.123456789Z"
    return value.size() <= kLongest &&
           value.find_first_not_of("0123456789-:.TZ") == std::string_view::npos;
  }

  void read_object(const Json& schema, const std::string& within) {
    if (!schema.is_object()) return;
    if (const auto other = schema.find("$ref"); other != schema.end())
      read_object(document_.at(Json::json_pointer(other->get<std::string>().substr(1))), within);
    if (const auto elements = schema.find("items"); elements != schema.end())
      read_object(*elements, within);
    if (const auto choices = schema.find("anyOf"); choices != schema.end()) {
      for (const auto& choice : *choices) read_object(choice, within);
    }
    if (const auto members = schema.find("properties"); members != schema.end()) {
      for (const auto& [key, member] : members->items()) {
        read_field(member, fields_[within][key]);
        read_object(member, key);
      }
    }
  }

  static void read_field(const Json& schema, Closed& field) {
    if (const auto words = schema.find("enum"); words != schema.end()) {
      for (const auto& word : *words) {
        if (word.is_string()) field.words.insert(word.get<std::string>());
      }
    }
    if (const auto choices = schema.find("anyOf"); choices != schema.end()) {
      for (const auto& choice : *choices) read_field(choice, field);
    }
    field.time = field.time || schema.value("format", "") == "date-time";
  }

  Json document_;  ///< While it is read.
  std::map<std::string, std::map<std::string, Closed, std::less<>>, std::less<>> fields_;
};

const Vocabulary& vocabulary() {
  static const Vocabulary vocabulary;
  return vocabulary;
}

/// One walk over a text, string by string.
class Walk {
 public:
  Walk(std::string_view text, const Mask& mask, const Mask& mask_image)
      : text_(text), mask_(mask), mask_image_(mask_image ? mask_image : mask) {}

  std::string done() {
    while (at_ < text_.size()) {
      const char c = text_[at_];
      if (c == '"') {
        take_string();
        continue;
      }
      if (c == '{' || c == '[') {
        open_.push_back({.within = in_list() || open_.empty() ? within() : key_, .list = c == '['});
        key_ = {};
      } else if (c == '}' || c == ']') {
        if (!open_.empty()) open_.pop_back();
        key_ = {};
      } else if (c == ',') {
        key_ = {};
      }
      masked_ += c;
      ++at_;
    }
    return std::move(masked_);
  }

 private:
  /// An object or a list that is not at its end yet.
  struct Open {
    std::string_view within;  ///< The key under which it stands; of a list's elements, the list's.
    bool list = false;
  };

  [[nodiscard]] bool in_list() const { return !open_.empty() && open_.back().list; }
  [[nodiscard]] std::string_view within() const {
    return open_.empty() ? std::string_view() : open_.back().within;
  }

  void take_string() {
    auto end = at_ + 1;
    while (end < text_.size() && text_[end] != '"') end += text_[end] == '\\' ? 2 : 1;
    end = std::min(end, text_.size());
    const auto inside = text_.substr(at_ + 1, end - at_ - 1);
    const auto next =
        end == text_.size() ? std::string_view::npos : text_.find_first_not_of(" \t\r\n", end + 1);
    const bool is_key = !open_.empty() && !in_list() && key_.empty() &&
                        next != std::string_view::npos && text_[next] == ':';
    masked_ += '"';
    if (is_key) {
      key_ = inside;
      masked_ += inside;
    } else if (!open_.empty() && !in_list() && vocabulary().is_closed(within(), key_, inside)) {
      masked_ += inside;
    } else {
      masked_ += masked(inside, key_ == "image" ? mask_image_ : mask_);
    }
    if (end < text_.size()) masked_ += '"';
    at_ = end + 1;
  }

  /// Of what stands between two quotes.
  static std::string masked(std::string_view inside, const Mask& mask) {
    if (inside.find('\\') == std::string_view::npos) return mask(inside);
    // Of "\nabc" a secret "nabc" would leave half an escape.
    const auto value = Json::parse('"' + std::string(inside) + '"', nullptr, false);
    if (!value.is_string()) return mask(inside);
    const auto& plain = value.get_ref<const std::string&>();
    const auto hidden = mask(plain);
    if (hidden == plain) return std::string(inside);
    const auto quoted = Json(hidden).dump(-1, ' ', false, Json::error_handler_t::replace);
    return quoted.substr(1, quoted.size() - 2);
  }

  const std::string_view text_;
  const Mask& mask_;
  const Mask& mask_image_;
  std::string masked_;
  std::size_t at_ = 0;
  std::vector<Open> open_;
  std::string_view key_;  ///< Of the object that is open: of the value that comes next.
};

}  // namespace

std::string masked_json(std::string_view text, const Mask& mask, const Mask& mask_image) {
  // The description is part of the program, and full of words that somebody's password may be.
  if (text == openapi()) return std::string(text);
  return Walk(text, mask, mask_image).done();
}

}  // namespace skep::server
