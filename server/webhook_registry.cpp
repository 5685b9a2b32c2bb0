#include "server/webhook_registry.hpp"

#include <set>

#include <nlohmann/json.hpp>

#include "core/digest.hpp"

namespace skep::server {
namespace {

using Json = nlohmann::json;

constexpr std::size_t kDeepestEvent = 64;
constexpr std::size_t kLongestName = 255;
constexpr std::size_t kLongestTag = 128;
constexpr std::size_t kLongestId = 100;
constexpr std::size_t kMostImages = 100;

bool is_made_of(std::string_view text, std::string_view characters) {
  return !text.empty() && text.find_first_not_of(characters) == std::string_view::npos;
}

/// What could be a name of ours; the rest could match nothing.
bool is_image_name(const WebhookImage& image) {
  return image.repository.size() <= kLongestName && image.tag.size() <= kLongestTag &&
         is_made_of(image.repository, "abcdefghijklmnopqrstuvwxyz0123456789._-/") &&
         is_made_of(image.tag, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-");
}

/// Passes through the document once. Where it stands is a path such as "events.[].target.tag"; the
/// names are nlohmann's.
class RegistryEventReader {
 public:
  std::string trouble;  ///< "" where all was read.
  bool object = false;  ///< The document is one.
  std::set<WebhookImage> images;
  std::string ids;  ///< Of what was pushed.

  bool null() { return true; }
  bool boolean(bool) { return no_text(); }
  bool number_integer(Json::number_integer_t) { return no_text(); }
  bool number_unsigned(Json::number_unsigned_t) { return no_text(); }
  bool number_float(Json::number_float_t, const std::string&) { return no_text(); }
  bool binary(Json::binary_t&) { return no_text(); }

  bool string(std::string& text) {
    const auto path = here();
    if (path == "events.[].action") event_.action = text;
    if (path == "events.[].id") event_.id = text.substr(0, kLongestId);
    if (path == "events.[].target.repository") event_.image.repository = text;
    if (path == "events.[].target.tag") event_.image.tag = text;
    if (path == "push_data.tag") hub_.tag = text;
    if (path == "repository.repo_name") hub_.repository = text;
    if (path == "type") harbor_type_ = text;
    if (path == "event_data.repository.repo_full_name" || path == "data.repository.repo_full_name")
      harbor_repository_ = text;
    if ((path == "event_data.resources.[].tag" || path == "data.resources.[].tag") &&
        harbor_tags_.size() < kMostImages)
      harbor_tags_.insert(text.substr(0, kLongestTag + 1));
    return true;
  }

  bool start_object(std::size_t) {
    if (!no_text() || !open("")) return false;
    if (depth_ == 1) object = true;
    if (here() == "events.[].") event_ = {};
    return true;
  }
  bool start_array(std::size_t) { return no_text() && open("[]"); }
  bool end_object() {
    if (here().starts_with("events.[].") && depth_ == 3 && event_.action == "push") {
      add(event_.image);
      if (ids.size() < kLongestId * kMostImages) ids += event_.id;
    }
    return close();
  }
  bool end_array() { return close(); }

  bool key(std::string& name) {
    if (depth_ <= path_.size() && depth_ > 0)
      path_[depth_ - 1] = name.size() <= kLongestName ? name : std::string();
    return true;
  }

  bool parse_error(std::size_t at, const std::string&, const Json::exception&) {
    trouble = "the body is no JSON, from byte " + std::to_string(at);
    return false;
  }

  /// Of the forms that name what they are about in several places.
  void finish() {
    add(hub_);
    if (harbor_type_ != "PUSH_ARTIFACT" && harbor_type_ != "harbor.artifact.pushed") return;
    for (const auto& tag : harbor_tags_) add({harbor_repository_, tag});
  }

 private:
  struct Event {
    std::string action, id;
    WebhookImage image;
  };

  void add(const WebhookImage& image) {
    if (images.size() < kMostImages && is_image_name(image)) images.insert(image);
  }

  [[nodiscard]] std::string here() const {
    std::string text;
    if (depth_ > kWanted) return text;
    for (std::size_t i = 0; i < depth_; ++i) text += (i == 0 ? "" : ".") + path_[i];
    return text;
  }

  bool open(std::string_view first) {
    if (depth_ == kDeepestEvent) {
      trouble = "the JSON is nested more than " + std::to_string(kDeepestEvent) + " levels deep";
      return false;
    }
    if (path_.size() <= depth_) path_.resize(depth_ + 1);
    path_[depth_++] = first;
    return true;
  }
  bool close() {
    --depth_;
    return true;
  }

  /// At places where a text is read nothing else may stand.
  bool no_text() {
    static const std::set<std::string, std::less<>> kTexts = {
        "events.[].action",
        "events.[].target.repository",
        "events.[].target.tag",
        "push_data.tag",
        "repository.repo_name",
        "event_data.repository.repo_full_name",
        "event_data.resources.[].tag",
        "data.repository.repo_full_name",
        "data.resources.[].tag"};
    const auto path = here();
    if (!kTexts.contains(path)) return true;
    trouble = "\"" + path + "\" must be a text";
    return false;
  }

  static constexpr std::size_t kWanted = 4;  ///< Names in the longest path that is read.
  std::vector<std::string> path_;            ///< Up to depth_; an array's is "[]".
  std::size_t depth_ = 0;
  Event event_;
  WebhookImage hub_;
  std::string harbor_type_, harbor_repository_;
  std::set<std::string> harbor_tags_;
};

}  // namespace

Result<WebhookPayload> parse_registry_event(std::string_view json) {
  RegistryEventReader reader;
  const bool whole = Json::sax_parse(json.begin(), json.end(), &reader);
  if (whole && reader.trouble.empty() && !reader.object)
    reader.trouble = "the JSON must be an object";
  if (!whole || !reader.trouble.empty())
    return Error{ErrorKind::invalid_input, reader.trouble, std::nullopt};
  reader.finish();
  if (reader.images.empty()) return WebhookPayload(WebhookNothing{"no tag was pushed"});
  WebhookImages images;
  images.images.assign(reader.images.begin(), reader.images.end());
  if (!reader.ids.empty()) images.id = sha256_hex(reader.ids);
  return WebhookPayload(std::move(images));
}

}  // namespace skep::server
