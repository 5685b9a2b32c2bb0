#include "repository/decryption.hpp"

#include <algorithm>
#include <iterator>
#include <utility>

#include "repository/dotenv.hpp"
#include "yaml/parse.hpp"

namespace skep::repository {
namespace {

void add_texts(const yaml::Node& node, std::vector<std::string>& texts) {
  if (const auto* text = node.as<std::string>()) {
    if (text->size() >= RedactionSet::kShort) texts.push_back(*text);
  } else if (const auto* list = node.as<yaml::List>()) {
    for (const auto& item : *list) add_texts(item, texts);
  } else if (const auto* map = node.as<yaml::Map>()) {
    for (const auto& entry : *map) add_texts(entry.value, texts);
  }
}

/// What a reader will make of decrypted values: in an env file without quotes, escapes and remarks,
/// in a file that was encrypted as a whole the values that stand in it.
std::vector<std::string> as_read(const std::string& path,
                                 const sops::Decrypted& plain,
                                 sops::Format format) {
  std::vector<std::string> texts;
  Findings ignored;
  if (format == sops::Format::dotenv) {
    for (const auto& secret : plain.secrets) {
      for (auto& [name, value] : parse_dotenv("A=" + secret, path, ignored))
        texts.push_back(std::move(value));
    }
  } else if (format == sops::Format::binary) {
    const auto root = yaml::parse(plain.text, path);
    if (root && root->as<yaml::Map>()) {
      add_texts(*root, texts);
    } else {
      for (auto& [name, value] : parse_dotenv(plain.text, path, ignored))
        texts.push_back(std::move(value));
    }
  }
  std::erase_if(texts, [&](const std::string& text) {
    if (text == "true" || text == "false") return true;
    return std::find(plain.secrets.begin(), plain.secrets.end(), text) != plain.secrets.end();
  });
  return texts;
}

}  // namespace

Result<PlainFile> plain_file(const std::string& path,
                             std::string text,
                             const Decryption* decryption) {
  const auto format = sops::encrypted_format(path, text);
  if (!format) return format.error();
  if (!*format) return PlainFile{std::move(text), {}, false};
  if (decryption == nullptr) {
    return Error{ErrorKind::invalid_input,
                 "this file must not be encrypted: skep reads it before it has a key",
                 SourcePosition{path}};
  }
  const bool masked = decryption->identities.empty() && decryption->placeholders;
  auto plain = masked ? sops::masked(text, path, **format, decryption->stand_ins)
                      : sops::decrypt(text, path, **format, decryption->identities);
  if (!plain) return std::move(plain).error();
  if (!masked) {
    auto more = as_read(path, *plain, **format);
    std::move(more.begin(), more.end(), std::back_inserter(plain->secrets));
  }
  for (const auto& secret : plain->secrets) decryption->redaction->add(secret);
  return PlainFile{
      std::move(plain->text), std::move(plain->secrets), masked, std::move(plain->remarks)};
}

}  // namespace skep::repository
