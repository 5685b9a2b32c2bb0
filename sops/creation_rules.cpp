#include "sops/creation_rules.hpp"

#include "yaml/parse.hpp"

namespace skep::sops {
namespace {

Error mistake(const yaml::Node& node, std::string message) {
  return {ErrorKind::invalid_input, std::move(message), node.at()};
}

bool is_set(const yaml::Node* node) {
  if (node == nullptr || node->is_null()) return false;
  if (const auto* text = node->as<std::string>()) return !text->empty();
  if (const auto* list = node->as<yaml::List>()) return !list->empty();
  return true;
}

/// A text with commas, or a list of such.
Result<void> add_recipients(const yaml::Node& node, std::vector<Recipient>& recipients) {
  if (const auto* list = node.as<yaml::List>()) {
    for (const auto& item : *list) {
      if (auto added = add_recipients(item, recipients); !added) return added;
    }
    return {};
  }
  const auto* text = node.as<std::string>();
  if (text == nullptr) return mistake(node, "age: must be a recipient (age1…) or a list of them");
  auto parsed = parse_recipients(*text);
  if (!parsed) return mistake(node, parsed.error().message);
  recipients.insert(recipients.end(), parsed->begin(), parsed->end());
  return {};
}

/// Of a rule or a key group. Errors: keys of other kinds, for whose owners nothing could be
/// encrypted.
Result<void> add_keys(const yaml::Node& node, std::vector<Recipient>& recipients) {
  for (const auto* kind : {"pgp",
                           "kms",
                           "gcp_kms",
                           "hckms",
                           "azure_keyvault",
                           "azure_kv",
                           "hc_vault",
                           "hc_vault_transit_uri",
                           "merge"}) {
    const auto* other = node.find(kind);
    if (is_set(other)) {
      return mistake(*other,
                     std::string(kind) +
                         ": skep encrypts to age keys only; use sops for this file, or give "
                         "recipients with --age");
    }
  }
  const auto* age = node.find("age");
  return is_set(age) ? add_recipients(*age, recipients) : Result<void>();
}

Result<CreationRule> read_rule(const yaml::Node& node) {
  CreationRule rule;
  if (auto added = add_keys(node, rule.recipients); !added) return std::move(added).error();
  if (const auto* groups = node.find("key_groups"); is_set(groups)) {
    const auto* list = groups->as<yaml::List>();
    if (list == nullptr) return mistake(*groups, "key_groups: must be a list");
    if (list->size() == 1) {
      if (auto added = add_keys(list->front(), rule.recipients); !added)
        return std::move(added).error();
    } else {
      for (const auto& group : *list) {
        if (auto added = add_keys(group, rule.groups.emplace_back()); !added)
          return std::move(added).error();
        if (rule.groups.back().empty()) return mistake(group, "key_groups: a group has no age key");
      }
      if (!rule.recipients.empty())
        return mistake(*groups, "key_groups: either age or key_groups, not both");
    }
  }
  if (const auto* threshold = node.find("shamir_threshold"); is_set(threshold)) {
    const auto* number = threshold->as<std::int64_t>();
    const auto most = static_cast<std::int64_t>(rule.groups.size());
    if (number == nullptr || (!rule.groups.empty() && (*number < 2 || *number > most)))
      return mistake(
          *threshold,
          "shamir_threshold: must be from 2 to the number of key groups, " + std::to_string(most));
    rule.threshold = static_cast<std::size_t>(*number);
  }
  bool ruled = false;
  for (const auto kind : kRuleKinds) {
    const auto* value = node.find(name_of(kind));
    if (!is_set(value)) continue;
    const auto* text = value->as<std::string>();
    if (text == nullptr) return mistake(*value, std::string(name_of(kind)) + ": must be a text");
    if (ruled) return mistake(*value, "only one of encrypted_… and unencrypted_… is allowed");
    ruled = true;
    rule.rules.kind = kind;
    rule.rules.text = *text;
    if (const auto selector = Selector::from(rule.rules); !selector)
      return mistake(*value, selector.error().message);
  }
  if (const auto* only = node.find("mac_only_encrypted"); only != nullptr) {
    const auto* yes = only->as<bool>();
    rule.rules.mac_only_encrypted = yes != nullptr && *yes;
  }
  return rule;
}

}  // namespace

Result<std::vector<Recipient>> parse_recipients(std::string_view text) {
  std::vector<Recipient> recipients;
  while (!text.empty()) {
    const auto comma = text.find(',');
    auto part = text.substr(0, comma);
    text.remove_prefix(comma == std::string_view::npos ? text.size() : comma + 1);
    const auto first = part.find_first_not_of(" \t\r\n");
    if (first == std::string_view::npos) continue;
    part = part.substr(first, part.find_last_not_of(" \t\r\n") - first + 1);
    auto recipient = Recipient::parse(part);
    if (!recipient) return std::move(recipient).error();
    recipients.push_back(*std::move(recipient));
  }
  return recipients;
}

Result<std::optional<CreationRule>> creation_rule(std::string_view text,
                                                  const std::string& file,
                                                  const std::string& path) {
  const auto root = yaml::parse(text, file);
  if (!root) return root.error();
  const auto* rules = root->find("creation_rules");
  if (rules == nullptr || rules->is_null()) return std::optional<CreationRule>();
  const auto* list = rules->as<yaml::List>();
  if (list == nullptr) return mistake(*rules, "creation_rules: must be a list");
  for (const auto& node : *list) {
    const auto* expression = node.find("path_regex");
    if (is_set(expression)) {
      const auto* pattern = expression->as<std::string>();
      if (pattern == nullptr) return mistake(*expression, "path_regex: must be a text");
      const auto matches = path_matches(*pattern, path);
      if (!matches) return mistake(*expression, matches.error().message);
      if (!*matches) continue;
    }
    auto rule = read_rule(node);
    if (!rule) return std::move(rule).error();
    return std::optional(*std::move(rule));
  }
  return std::optional<CreationRule>();
}

}  // namespace skep::sops
