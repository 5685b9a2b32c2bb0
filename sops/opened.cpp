#include "sops/opened.hpp"

#include <utility>

#include "core/digest.hpp"
#include "sops/crypto.hpp"
#include "sops/mac.hpp"
#include "sops/shamir.hpp"

namespace skep::sops {
namespace {

std::string recipients_of(const Metadata& metadata) {
  std::string text;
  for (std::size_t i = 0; i < metadata.keys.size() && i < 5; ++i)
    text += (text.empty() ? "" : ", ") + metadata.keys[i].recipient.substr(0, 80);
  if (metadata.keys.size() > 5) text += ", …";
  return text;
}

/// From the first key of the group that fits. What cannot be read is put into `damage`.
std::optional<std::string> part_of_group(const Metadata& metadata,
                                         std::size_t group,
                                         const Identities& identities,
                                         std::optional<Error>& damage) {
  for (const auto& wrapped : metadata.keys) {
    if (wrapped.group != group) continue;
    auto part = age_decrypt(wrapped.sealed, identities);
    if (part) return *std::move(part);
    if (part.error().kind != ErrorKind::unauthorized) damage = std::move(part).error();
  }
  return std::nullopt;
}

/// Errors: unauthorized, invalid_input; not positioned.
Result<std::string> data_key(const Metadata& metadata, const Identities& identities) {
  if (metadata.keys.empty()) {
    std::string kinds;
    for (const auto& kind : metadata.other_keys) kinds += (kinds.empty() ? "" : ", ") + kind;
    return Error{ErrorKind::unauthorized,
                 "the file has no age recipient" + (kinds.empty() ? "" : " (only " + kinds + ")") +
                     ": add one with sops --add-age, for skep knows age keys only"};
  }
  if (identities.empty()) {
    return Error{ErrorKind::unauthorized,
                 "the file is encrypted, and there is no age key to read it with: give one with "
                 "--age-key-file or SKEP_AGE_KEY_FILE (its recipients: " +
                     recipients_of(metadata) + ")"};
  }
  std::optional<Error> damage;
  std::vector<std::string> parts;
  for (std::size_t group = 0; group < metadata.groups; ++group) {
    if (auto part = part_of_group(metadata, group, identities, damage))
      parts.push_back(*std::move(part));
  }
  const auto needed = needed_groups(metadata);
  if (parts.size() >= needed) {
    auto key =
        metadata.groups == 1 ? std::optional(std::move(parts.front())) : joined_secret(parts);
    for (auto& part : parts) wipe(part);
    if (key && key->size() == kDataKeySize) return *std::move(key);
    return Error{ErrorKind::invalid_input, "the data key in the SOPS metadata is malformed"};
  }
  for (auto& part : parts) wipe(part);
  if (damage) return std::move(*damage).within("sops.age");
  if (!parts.empty()) {
    return Error{ErrorKind::unauthorized,
                 "the file's key is split over " + std::to_string(metadata.groups) +
                     " groups, of which " + std::to_string(needed) +
                     " are needed; the age keys at hand open " + std::to_string(parts.size())};
  }
  std::string mine;
  for (const auto& identity : identities)
    mine += (mine.empty() ? "" : ", ") + identity.recipient().text();
  return Error{ErrorKind::unauthorized,
               "no age key at hand fits: the file is for " + recipients_of(metadata) +
                   ", the keys at hand are of " + mine};
}

}  // namespace

Error at(const Document& document, std::size_t offset, Error error) {
  error.at = document.position(offset);
  return error;
}

Result<Document> read_encrypted(std::string_view text, const std::string& file, Format format) {
  auto document = read_document(text, file, format);
  if (document && !document->metadata) {
    return Error{ErrorKind::invalid_input,
                 "the file has no SOPS metadata: it is not encrypted",
                 SourcePosition{file}};
  }
  return document;
}

bool is_sealed(const Leaf& leaf, const Selector& selector) {
  return selector.by_comments() ? is_encrypted_value(leaf.value.text)
                                : selector.encrypted(leaf.path, leaf.comments);
}

Result<Opened> open(std::string_view text,
                    const std::string& file,
                    Format format,
                    const Identities& identities) {
  auto document = read_encrypted(text, file, format);
  if (!document) return std::move(document).error();
  const auto& metadata = *document->metadata;
  const auto selector = Selector::from(metadata.rules);
  if (!selector) return at(*document, document->metadata_offset(), selector.error());
  auto key = data_key(metadata, identities);
  if (!key) return at(*document, document->metadata_offset(), std::move(key).error());
  Opened opened{*std::move(document), *std::move(key), {}};
  FileMac mac(metadata.rules.mac_only_encrypted);
  for (const auto& leaf : opened.document.leaves) {
    const bool encrypted = is_sealed(leaf, *selector);
    std::optional<Value> value;
    if (encrypted) {
      auto plain = leaf.value.type == Value::Type::text
                       ? open_value(leaf.value.text, opened.key, leaf.path)
                       : Result<Value>(Error{ErrorKind::invalid_input,
                                             "the value is not encrypted, though the file's rules "
                                             "say that it is"});
      if (!plain) {
        wipe(opened.key);
        return at(opened.document, leaf.begin, std::move(plain).error());
      }
      value = *std::move(plain);
      if (value->type == Value::Type::comment) {
        wipe(opened.key);
        return at(opened.document,
                  leaf.begin,
                  {ErrorKind::invalid_input,
                   "the value is encrypted as a comment, which is not in the file's MAC: it may "
                   "have been put here from another place; encrypt it anew"});
      }
    }
    mac.add(value ? *value : leaf.value, encrypted);
    opened.values.push_back(std::move(value));
  }
  const auto& trusted = *opened.document.metadata;
  auto wanted = open_mac(trusted.mac, opened.key, trusted.last_modified);
  if (!wanted || !same_bytes(*wanted, mac.hex())) {
    wipe(opened.key);
    const auto message =
        wanted ? std::string(
                     "the file does not match its MAC: a value was changed, removed, added "
                     "or put in another order after it was encrypted; take it from git, or "
                     "encrypt it anew")
               : wanted.error().message;
    return at(opened.document,
              opened.document.metadata_offset(),
              Error{ErrorKind::invalid_input, message});
  }
  return opened;
}

}  // namespace skep::sops
