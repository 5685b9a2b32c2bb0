#include "sops/sealing.hpp"

#include <algorithm>
#include <map>
#include <set>
#include <utility>

#include "core/digest.hpp"
#include "sops/armor.hpp"
#include "sops/crypto.hpp"
#include "sops/mac.hpp"
#include "sops/shamir.hpp"

namespace skep::sops {
namespace {

constexpr std::size_t kValueNonceSize = 32;

std::string seal_known(const Value& value,
                       const Path& path,
                       std::string_view key,
                       const Before* before) {
  if (before != nullptr) {
    const auto known = before->known.find({path, value.text});
    const auto parts = known == before->known.end() ? std::nullopt : parse_sealed(known->second);
    if (parts && parts->type == value.type) return known->second;
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
                                      const Metadata& metadata,
                                      const Selector& selector,
                                      std::string_view key) {
  const auto after = read_document(sealed, before.file, before.format);
  const bool stamped = after && after->metadata && after->metadata->mac == metadata.mac &&
                       after->metadata->last_modified == metadata.last_modified;
  if (stamped && holds_the_same(*after, before, selector, key)) return {};
  // Encrypted it is longer, and may be more than can be read, which its error then says.
  return Error{ErrorKind::invalid_input,
               after ? "the file is written in a way that skep cannot keep when it is encrypted: "
                       "write it more simply, one value a line"
                     : "encrypted, the file could not be read again (" + after.error().message +
                           "): make several files of it",
               SourcePosition{before.file}};
}

std::string described(const Rules& rules) {
  return std::string(name_of(rules.kind)) + ": \"" + rules.text + "\"";
}

/// Whether everything is plain that the rules do not name.
bool names_what_is_encrypted(const Rules& rules) {
  using Kind = Rules::Kind;
  return rules.kind == Kind::encrypted_suffix || rules.kind == Kind::encrypted_regex ||
         rules.kind == Kind::encrypted_comment_regex;
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
    auto& recipients = groups[group];
    for (auto recipient = recipients.begin(); recipient != recipients.end(); ++recipient) {
      if (std::find(recipients.begin(), recipient, *recipient) != recipient) continue;
      metadata.keys.push_back(
          {recipient->text(), armored(age_encrypt(parts[group], {*recipient})), group});
    }
    wipe(parts[group]);
    if (recipients.empty()) {
      return Error{ErrorKind::invalid_input,
                   "no recipient: name one with --age age1…, or in creation_rules of .sops.yaml"};
    }
  }
  return {};
}

}  // namespace

Result<std::string> seal(const Document& document,
                         std::string_view key,
                         Metadata metadata,
                         const Before* before) {
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
         written_sealed(document, leaf, seal_known(leaf.value, leaf.path, key, before))});
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
    changes.push_back({comment.begin, comment.end, seal_known(value, comment.path, key, before)});
  }
  metadata.mac = seal_mac(mac.hex(), key, metadata.last_modified, random_bytes(kValueNonceSize));
  auto sealed = with_metadata(document,
                              std::move(changes),
                              before == nullptr ? written_metadata(document, metadata)
                                                : restamped_metadata(before->document, metadata));
  auto checked = check_that_it_reads_back(sealed, document, metadata, *selector, key);
  if (!checked) return std::move(checked).error();
  return sealed;
}

Result<void> check_that_something_is_sealed(const Document& document, const Rules& rules) {
  const auto selector = Selector::from(rules);
  if (!selector) return selector.error();
  const auto& leaves = document.leaves;
  const bool some = std::any_of(leaves.begin(), leaves.end(), [&](const Leaf& leaf) {
    return selector->encrypted(leaf.path, leaf.comments);
  });
  if (some || leaves.empty()) return {};
  return Error{ErrorKind::invalid_input,
               "no value would be encrypted under the rule " + described(rules) +
                   ": mend the rule, or leave the file plain",
               SourcePosition{document.file}};
}

Result<void> check_that_nothing_came_open(const Opened& before,
                                          const Document& after,
                                          const Rules& rules) {
  const auto selector = Selector::from(rules);
  if (!selector) return selector.error();
  if (!names_what_is_encrypted(rules)) return {};
  std::map<std::string, int> missing;  // Texts, and in how many places they are encrypted no more.
  std::set<std::pair<Path, std::string>> open;
  for (std::size_t i = 0; i < before.values.size(); ++i) {
    const auto& leaf = before.document.leaves[i];
    const auto& value = before.values[i];
    if (!value) {
      open.emplace(leaf.path, leaf.value.text);
    } else if (value->type == Value::Type::text && !value->text.empty()) {
      ++missing[value->text];
    }
  }
  for (const auto& leaf : after.leaves) {
    const auto found = missing.find(leaf.value.text);
    if (found != missing.end() && selector->encrypted(leaf.path, leaf.comments)) --found->second;
  }
  for (const auto& leaf : after.leaves) {
    const auto found = missing.find(leaf.value.text);
    if (found == missing.end() || found->second <= 0 ||
        selector->encrypted(leaf.path, leaf.comments) ||
        open.contains({leaf.path, leaf.value.text}))
      continue;
    return at(after,
              leaf.begin,
              {ErrorKind::invalid_input,
               "this value was encrypted, and would now stand in plain under the rule " +
                   described(rules) +
                   ": correct its key or its comment; to leave it plain, decrypt the file and "
                   "encrypt it anew"});
  }
  return {};
}

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
  auto sealed = seal(document, key, std::move(metadata));
  wipe(key);
  return sealed;
}

}  // namespace skep::sops
