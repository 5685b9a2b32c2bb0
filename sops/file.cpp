#include "sops/file.hpp"

#include <algorithm>
#include <map>
#include <stdexcept>
#include <utility>

#include "core/digest.hpp"
#include "sops/armor.hpp"
#include "sops/crypto.hpp"
#include "sops/mac.hpp"
#include "sops/shamir.hpp"

namespace skep::sops {
namespace {

constexpr std::size_t kDataKeySize = 32;
constexpr std::size_t kValueNonceSize = 32;

/// Keys and values of the plain text, by place and content: what was sealed before.
using Known = std::map<std::pair<Path, std::string>, std::string>;

struct Opened {
  Document document;
  std::string key;                           ///< The data key; wiped by whoever holds it.
  std::vector<std::optional<Value>> values;  ///< By leaf; nothing where it is not encrypted.
};

Error at(const Document& document, std::size_t offset, Error error) {
  error.at = document.position(offset);
  return error;
}

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

Result<Document> read_encrypted(std::string_view text, const std::string& file, Format format) {
  auto document = read_document(text, file, format);
  if (document && !document->metadata) {
    return Error{ErrorKind::invalid_input,
                 "the file has no SOPS metadata: it is not encrypted",
                 SourcePosition{file}};
  }
  return document;
}

/// Whether a value of an encrypted file is to be decrypted. Which comments are whose is told by
/// nothing in such a file, so there the value itself says it: the MAC is over the decrypted values,
/// so that one that was exchanged for a plain one, or the other way round, is found all the same.
bool is_sealed(const Leaf& leaf, const Selector& selector) {
  return selector.by_comments() ? is_encrypted_value(leaf.value.text)
                                : selector.encrypted(leaf.path, leaf.comments);
}

std::size_t metadata_offset(const Document& document) {
  if (!document.more_metadata.empty()) return document.more_metadata.front().first;
  if (document.format == Format::yaml) return document.metadata_begin;
  const auto key = document.text.find("\"sops\"", document.metadata_begin);
  return key == std::string::npos ? document.metadata_begin : key;
}

Result<Opened> open(std::string_view text,
                    const std::string& file,
                    Format format,
                    const Identities& identities) {
  auto document = read_encrypted(text, file, format);
  if (!document) return std::move(document).error();
  const auto& metadata = *document->metadata;
  const auto selector = Selector::from(metadata.rules);
  if (!selector) return at(*document, metadata_offset(*document), selector.error());
  auto key = data_key(metadata, identities);
  if (!key) return at(*document, metadata_offset(*document), std::move(key).error());
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
              metadata_offset(opened.document),
              Error{ErrorKind::invalid_input, message});
  }
  return opened;
}

/// Whether a decrypted comment is nothing but a comment where it stands. In INI one may have
/// several lines, each with its mark.
bool stays_comment(const std::string& text, Format format) {
  for (auto end = text.find('\n'); end != std::string::npos; end = text.find('\n', end + 1)) {
    const char next = end + 1 < text.size() ? text[end + 1] : '\0';
    if (format != Format::ini || (next != ';' && next != '#')) return false;
  }
  return true;
}

/// A comment is not in the MAC, and where SOPS saw it is a guess: what does not open stays.
std::vector<Replacement> open_comments(const Document& document,
                                       std::string_view key,
                                       Decrypted& result) {
  std::vector<Replacement> changes;
  for (const auto& comment : document.comments) {
    if (!is_encrypted_value(comment.text)) continue;
    const auto opened = changes.size();
    for (auto path = comment.path;; path.pop_back()) {
      if (const auto plain = open_value(comment.text, key, path);
          plain && plain->type == Value::Type::comment &&
          stays_comment(plain->text, document.format)) {
        changes.push_back({comment.begin, comment.end, plain->text});
        result.secrets.push_back(plain->text);
        break;
      }
      if (path.empty()) break;
    }
    if (changes.size() > opened) continue;
    result.remarks.push_back(
        {Finding::Severity::warning,
         "the comment cannot be decrypted and stays as it is: it was changed, or moved to another "
         "place; no checksum is over comments",
         document.position(comment.begin)});
  }
  return changes;
}

std::string seal_known(const Value& value,
                       const Path& path,
                       std::string_view key,
                       const Known& known) {
  if (const auto before = known.find({path, value.text}); before != known.end()) {
    const auto parts = parse_sealed(before->second);
    if (parts && parts->type == value.type) return before->second;
  }
  return seal_value(value, key, path, random_bytes(kValueNonceSize));
}

bool holds_the_same(const Document& sealed,
                    const Document& before,
                    const Selector& selector,
                    std::string_view key) {
  const auto* after = &sealed;
  if (!after->metadata || after->leaves.size() != before.leaves.size()) return false;
  for (std::size_t i = 0; i < before.leaves.size(); ++i) {
    const auto& leaf = after->leaves[i];
    if (leaf.path != before.leaves[i].path) return false;
    auto text = leaf.value.text;
    if (is_sealed(leaf, selector)) {
      const auto value = open_value(text, key, leaf.path);
      if (!value) return false;
      text = value->text;
    }
    if (text != before.leaves[i].value.text) return false;
  }
  return true;
}

/// A file that could not be read again would be lost: better not to write it.
Result<void> check_that_it_reads_back(const std::string& sealed,
                                      const Document& before,
                                      const Selector& selector,
                                      std::string_view key) {
  const auto after = read_document(sealed, before.file, before.format);
  if (after && holds_the_same(*after, before, selector, key)) return {};
  // Encrypted it is longer, and may be more than can be read, which its error then says.
  return Error{ErrorKind::invalid_input,
               after ? "the file is written in a way that skep cannot keep when it is encrypted: "
                       "write it more simply, one value a line"
                     : "encrypted, the file could not be read again (" + after.error().message +
                           "): make several files of it",
               SourcePosition{before.file}};
}

/// A whole number in more digits than its type keeps. As a text it stays what it is.
bool is_rounded(const Document& document, const Leaf& leaf) {
  if (leaf.value.type != Value::Type::real) return false;
  auto written = std::string_view(document.text).substr(leaf.begin, leaf.end - leaf.begin);
  if (written.starts_with('+')) written.remove_prefix(1);
  const auto digits = written.substr(written.starts_with('-') ? 1 : 0);
  return !digits.empty() && digits.find_first_not_of("0123456789") == std::string_view::npos &&
         written != leaf.value.text && digits != "0";
}

/// Seals a plain document under a key. `metadata` has recipients and rules.
Result<std::string> seal(const Document& document,
                         std::string_view key,
                         Metadata metadata,
                         const Known& known) {
  if (document.closed) {
    return Error{ErrorKind::invalid_input,
                 "the keys at the top must begin in the first column, without brackets around "
                 "them, so that sops: can be added",
                 SourcePosition{document.file}};
  }
  const auto selector = Selector::from(metadata.rules);
  if (!selector) return selector.error();
  std::vector<Replacement> changes;
  FileMac mac(metadata.rules.mac_only_encrypted);
  for (const auto& leaf : document.leaves) {
    const bool encrypted = selector->encrypted(leaf.path, leaf.comments);
    mac.add(leaf.value, encrypted);
    if (!encrypted) continue;
    if (is_encrypted_value(leaf.value.text)) {
      return Error{ErrorKind::invalid_input,
                   "this value is encrypted already, but the file has no SOPS metadata for it",
                   document.position(leaf.begin)};
    }
    if (is_rounded(document, leaf)) {
      return at(document,
                leaf.begin,
                {ErrorKind::invalid_input,
                 "the number has more digits than SOPS keeps of one, and would come back as "
                 "another: put it into quotes"});
    }
    changes.push_back(
        {leaf.begin,
         leaf.end,
         written_sealed(document, leaf, seal_known(leaf.value, leaf.path, key, known))});
  }
  for (const auto& comment : document.comments) {
    if (comment.loose && selector->names(comment.text)) {
      return at(
          document,
          comment.begin - 1,
          {ErrorKind::invalid_input,
           "this comment decides what is encrypted (" + std::string(name_of(metadata.rules.kind)) +
               "), but it is not clear of what: write it directly above a key, or behind a "
               "value"});
    }
    if (comment.text.empty() || is_encrypted_value(comment.text) || selector->names(comment.text) ||
        !selector->encrypted(comment.path, comment.comments))
      continue;
    const Value value{Value::Type::comment, comment.text};
    changes.push_back({comment.begin, comment.end, seal_known(value, comment.path, key, known)});
  }
  metadata.mac = seal_mac(mac.hex(), key, metadata.last_modified, random_bytes(kValueNonceSize));
  auto sealed = with_metadata(document, std::move(changes), metadata);
  auto checked = check_that_it_reads_back(sealed, document, *selector, key);
  if (!checked) return std::move(checked).error();
  return sealed;
}

/// Errors: invalid_input where the rules leave every value plain: a typo in them must not put a
/// password into git.
Result<void> check_that_something_is_sealed(const Document& document, const Rules& rules) {
  const auto selector = Selector::from(rules);
  if (!selector) return selector.error();
  const auto& leaves = document.leaves;
  const bool some = std::any_of(leaves.begin(), leaves.end(), [&](const Leaf& leaf) {
    return selector->encrypted(leaf.path, leaf.comments);
  });
  if (some || leaves.empty()) return {};
  return Error{ErrorKind::invalid_input,
               "no value would be encrypted under the rule " + std::string(name_of(rules.kind)) +
                   ": \"" + rules.text + "\": mend the rule, or leave the file plain",
               SourcePosition{document.file}};
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

/// Errors: invalid_input: a group of nobody, more groups needed than there are.
Result<void> wrap(std::string_view key, const Encryption& how, Metadata& metadata) {
  auto groups = how.groups;
  if (groups.empty()) groups.push_back(how.recipients);
  metadata.groups = groups.size();
  metadata.threshold = groups.size() > 1 ? how.threshold : 0;
  const auto needed = needed_groups(metadata);
  if (groups.size() > 1 && (needed < 2 || needed > groups.size())) {
    return Error{ErrorKind::invalid_input,
                 "shamir_threshold must be from 2 to " + std::to_string(groups.size()) +
                     ", the number of key groups"};
  }
  auto parts = groups.size() > 1 ? split_secret(key, groups.size(), needed)
                                 : std::vector<std::string>{std::string(key)};
  for (std::size_t group = 0; group < groups.size(); ++group) {
    for (const auto& recipient : groups[group]) {
      metadata.keys.push_back(
          {recipient.text(), armored(age_encrypt(parts[group], {recipient})), group});
    }
    wipe(parts[group]);
    if (groups[group].empty()) {
      return Error{ErrorKind::invalid_input,
                   "no recipient: name one with --age age1…, or in creation_rules of .sops.yaml"};
    }
  }
  return {};
}

/// Under a new data key.
Result<std::string> sealed_anew(const Document& document,
                                const Rules& rules,
                                const Encryption& how) {
  auto key = random_bytes(kDataKeySize);
  Metadata metadata;
  if (auto done = wrap(key, how, metadata); !done) {
    wipe(key);
    return std::move(done).error();
  }
  metadata.rules = rules;
  metadata.last_modified = how.now;
  metadata.version = kLayoutVersion;
  auto sealed = seal(document, key, std::move(metadata), {});
  wipe(key);
  return sealed;
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
  if (!selector) return at(*document, metadata_offset(*document), selector.error());
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
  auto opened = open(encrypted, file, format, identities);
  if (!opened) return std::move(opened).error();
  const auto document = read_plain(plain, file, format);
  if (!document) {
    wipe(opened->key);
    return document.error();
  }
  Known known;
  const auto& before = opened->document;
  for (std::size_t i = 0; i < opened->values.size(); ++i) {
    if (!opened->values[i]) continue;
    known[{before.leaves[i].path, opened->values[i]->text}] = before.leaves[i].value.text;
  }
  for (const auto& comment : before.comments) {
    if (!is_encrypted_value(comment.text)) continue;
    if (const auto text = open_value(comment.text, opened->key, comment.path))
      known[{comment.path, text->text}] = comment.text;
  }
  auto metadata = *before.metadata;
  metadata.last_modified = now;
  auto sealed = seal(*document, opened->key, std::move(metadata), known);
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
  const auto plain = plain_text(*opened);
  wipe(opened->key);
  const auto& metadata = *opened->document.metadata;
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
  const auto document = read_plain(plain.text, file, format);
  if (!document) return document.error();
  return sealed_anew(*document, metadata.rules, how);
}

}  // namespace skep::sops
