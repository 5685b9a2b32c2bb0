#include "sops/file.hpp"

#include <utility>

#include "sops/crypto.hpp"
#include "sops/opened.hpp"
#include "sops/sealing.hpp"

namespace skep::sops {
namespace {

/// Whether a decrypted comment is nothing but a comment where it stands. In INI one may have
/// several lines, each with its mark.
bool stays_comment(const std::string& text, Format format) {
  for (auto end = text.find('\n'); end != std::string::npos; end = text.find('\n', end + 1)) {
    const char next = end + 1 < text.size() ? text[end + 1] : '\0';
    if (format != Format::ini || (next != ';' && next != '#')) return false;
  }
  return true;
}

/// A comment is not in the MAC, and where SOPS saw it is a guess: nothing for what does not open.
std::optional<std::string> opened_comment(const Document& document,
                                          const Comment& comment,
                                          std::string_view key) {
  for (auto path = comment.path;; path.pop_back()) {
    auto plain = open_value(comment.text, key, path);
    if (plain && plain->type == Value::Type::comment && stays_comment(plain->text, document.format))
      return std::move(plain->text);
    if (path.empty()) return std::nullopt;
  }
}

std::vector<Replacement> open_comments(const Document& document,
                                       std::string_view key,
                                       Decrypted& result) {
  std::vector<Replacement> changes;
  for (const auto& comment : document.comments) {
    if (!is_encrypted_value(comment.text)) continue;
    if (const auto plain = opened_comment(document, comment, key)) {
      changes.push_back({comment.begin, comment.end, *plain});
      result.secrets.push_back(*plain);
      continue;
    }
    result.remarks.push_back(
        {Finding::Severity::warning,
         "the comment cannot be decrypted and stays as it is: it was changed, or moved to another "
         "place; no checksum is over comments",
         document.position(comment.begin)});
  }
  return changes;
}

/// A binary file is a JSON object with one value.
Result<Document> read_plain(std::string_view plain, const std::string& file, Format format) {
  if (format == Format::binary) {
    Document document;
    document.format = format;
    document.file = file;
    document.text = "{\n\t\"data\": \"\"\n}\n";
    Leaf leaf;
    leaf.path = {"data"};
    leaf.value = {Value::Type::text, std::string(plain)};
    leaf.begin = document.text.find("\"\"");
    leaf.end = leaf.begin + 2;
    document.leaves.push_back(std::move(leaf));
    return document;
  }
  auto document = read_document(plain, file, format);
  if (document && document->metadata) {
    return Error{ErrorKind::invalid_input,
                 "the file is encrypted already: use skep secret edit or rotate",
                 SourcePosition{file}};
  }
  return document;
}

/// What was opened, with its values and comments in plain, though not its text: written and read
/// once more, a number such as 1e3 would have another type.
Document plain_document(const Opened& opened) {
  auto document = opened.document;
  for (std::size_t i = 0; i < opened.values.size(); ++i) {
    if (opened.values[i]) document.leaves[i].value = *opened.values[i];
  }
  for (auto& comment : document.comments) {
    if (!is_encrypted_value(comment.text)) continue;
    if (auto plain = opened_comment(opened.document, comment, opened.key))
      comment.text = *std::move(plain);
  }
  return document;
}

/// `plain` is the text of `document`, which takes the place of what was opened.
Result<std::string> sealed_edit(const Opened& opened,
                                const Document& document,
                                std::string_view plain,
                                const std::string& now) {
  const bool blank = plain.find_first_not_of(" \t\r\n") == std::string_view::npos;
  if (blank && !opened.document.leaves.empty()) {
    return Error{ErrorKind::invalid_input,
                 "nothing is left in the file, as when a disk is full: it is not written; remove "
                 "it with rm if that is meant",
                 SourcePosition{document.file}};
  }
  auto metadata = *opened.document.metadata;
  if (auto some = check_that_something_is_sealed(document, metadata.rules); !some)
    return std::move(some).error();
  if (auto none = check_that_nothing_came_open(opened, document, metadata.rules); !none)
    return std::move(none).error();
  Before before{opened.document, {}};
  for (std::size_t i = 0; i < opened.values.size(); ++i) {
    if (!opened.values[i]) continue;
    const auto& leaf = opened.document.leaves[i];
    before.known[{leaf.path, opened.values[i]->text}] = leaf.value.text;
  }
  for (const auto& comment : opened.document.comments) {
    if (!is_encrypted_value(comment.text)) continue;
    if (const auto text = open_value(comment.text, opened.key, comment.path))
      before.known[{comment.path, text->text}] = comment.text;
  }
  metadata.last_modified = now;
  return seal(document, opened.key, std::move(metadata), &before);
}

Decrypted plain_text(const Opened& opened) {
  Decrypted result;
  auto changes = open_comments(opened.document, opened.key, result);
  for (std::size_t i = 0; i < opened.values.size(); ++i) {
    const auto& value = opened.values[i];
    if (!value) continue;
    const auto& leaf = opened.document.leaves[i];
    changes.push_back({leaf.begin, leaf.end, written(opened.document, leaf, *value)});
    // Yes or no stands in every second sentence; masking it would hide nothing else.
    if (!value->text.empty() && value->type != Value::Type::boolean)
      result.secrets.push_back(value->text);
  }
  result.text = opened.document.format == Format::binary
                    ? (opened.values.empty() || !opened.values.front()
                           ? opened.document.leaves.front().value.text
                           : opened.values.front()->text)
                    : without_metadata(opened.document, std::move(changes));
  return result;
}

}  // namespace

Result<Decrypted> decrypt(std::string_view text,
                          const std::string& file,
                          Format format,
                          const Identities& identities) {
  auto opened = open(text, file, format, identities);
  if (!opened) return std::move(opened).error();
  auto result = plain_text(*opened);
  wipe(opened->key);
  return result;
}

Result<Decrypted> masked(std::string_view text,
                         const std::string& file,
                         Format format,
                         StandIns stand_ins) {
  const bool usual = stand_ins == StandIns::usual;
  const auto document = read_encrypted(text, file, format);
  if (!document) return document.error();
  const auto selector = Selector::from(document->metadata->rules);
  if (!selector) return at(*document, document->metadata_offset(), selector.error());
  std::vector<Replacement> changes;
  for (const auto& leaf : document->leaves) {
    if (!is_sealed(leaf, *selector) || leaf.value.text.empty()) continue;
    const auto sealed = parse_sealed(leaf.value.text);
    if (!sealed) {
      return at(*document,
                leaf.begin,
                {ErrorKind::invalid_input,
                 "the value is not encrypted, though the file's rules say that it is"});
    }
    Value value{sealed->type, "***"};
    if (sealed->type == Value::Type::integer || sealed->type == Value::Type::real)
      value.text = usual ? "1" : "2";
    if (sealed->type == Value::Type::boolean) value.text = usual ? "False" : "True";
    if (sealed->type == Value::Type::time)
      value.text = usual ? "2000-01-01T00:00:00Z" : "2001-01-01T00:00:00Z";
    changes.push_back({leaf.begin, leaf.end, written(*document, leaf, value)});
  }
  if (format == Format::binary) return Decrypted{"***", {}, {}};
  return Decrypted{without_metadata(*document, std::move(changes)), {}, {}};
}

Result<std::string> encrypt(std::string_view plain,
                            const std::string& file,
                            Format format,
                            const Encryption& how) {
  const auto document = read_plain(plain, file, format);
  if (!document) return document.error();
  // What a binary file holds is one value, whose key "data" is SOPS' own: no rule is about it.
  const auto rules = format == Format::binary ? Rules{} : how.rules;
  auto sealed = sealed_anew(*document, rules, how);
  if (!sealed) return sealed;
  if (auto checked = check_that_something_is_sealed(*document, rules); !checked)
    return std::move(checked).error();
  return sealed;
}

Findings changed_forms(std::string_view plain,
                       const std::string& file,
                       Format format,
                       const Rules& rules) {
  Findings findings;
  const auto document = read_plain(plain, file, format);
  const auto selector = Selector::from(rules);
  if (!document || !selector) return findings;
  for (const auto& leaf : document->leaves) {
    const auto written = document->text.substr(leaf.begin, leaf.end - leaf.begin);
    if (leaf.value.type != Value::Type::time || leaf.value.text == written ||
        !selector->encrypted(leaf.path, leaf.comments))
      continue;
    findings.push_back({Finding::Severity::warning,
                        "SOPS keeps a date as a moment: it will come back with its time and zone; "
                        "put it into quotes to keep it as it is written",
                        document->position(leaf.begin)});
  }
  return findings;
}

Result<std::string> update(std::string_view encrypted,
                           std::string_view plain,
                           const std::string& file,
                           Format format,
                           const Identities& identities,
                           const std::string& now) {
  const auto document = read_plain(plain, file, format);
  if (!document) return document.error();
  auto opened = open(encrypted, file, format, identities);
  if (!opened) return std::move(opened).error();
  auto sealed = sealed_edit(*opened, *document, plain, now);
  wipe(opened->key);
  return sealed;
}

Result<std::string> rotate(std::string_view encrypted,
                           const std::string& file,
                           Format format,
                           const Identities& identities,
                           const std::vector<Recipient>& recipients,
                           const std::string& now) {
  auto opened = open(encrypted, file, format, identities);
  if (!opened) return std::move(opened).error();
  const auto document = plain_document(*opened);
  wipe(opened->key);
  const auto& metadata = *document.metadata;
  if (!metadata.other_keys.empty()) {
    return Error{ErrorKind::invalid_input,
                 "the file also has recipients of kind " + metadata.other_keys.front() +
                     ", for which skep cannot encrypt: rotate it with sops",
                 SourcePosition{file}};
  }
  Encryption how{recipients, metadata.rules, now, {}, metadata.threshold};
  if (recipients.empty()) {
    how.groups.resize(metadata.groups);
    for (const auto& key : metadata.keys) {
      auto recipient = Recipient::parse(key.recipient);
      if (!recipient) return std::move(recipient).error().within(file);
      how.groups[key.group].push_back(*std::move(recipient));
    }
  } else if (metadata.groups > 1) {
    return Error{ErrorKind::invalid_input,
                 "the file's key is split over several groups of recipients: decrypt it, and "
                 "encrypt it with the groups that .sops.yaml names",
                 SourcePosition{file}};
  }
  return sealed_anew(document, metadata.rules, how);
}

}  // namespace skep::sops
