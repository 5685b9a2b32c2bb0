#include "cli/secret_flags.hpp"

#include <filesystem>

#include "sops/creation_rules.hpp"

namespace skep::cli {
namespace {

namespace fs = std::filesystem;

/// What the nearest `.sops.yaml` says for a file; nothing where there is none.
Result<std::optional<sops::CreationRule>> rule_for(const std::string& file) {
  std::error_code code;
  const auto path = fs::weakly_canonical(fs::absolute(file, code), code);
  for (auto directory = path.parent_path();; directory = directory.parent_path()) {
    const auto config = directory / ".sops.yaml";
    if (fs::is_regular_file(config, code)) {
      const auto text = read_file(config.string());
      if (!text) return text.error();
      return sops::creation_rule(
          *text, config.string(), path.lexically_relative(directory).generic_string());
    }
    if (directory == directory.parent_path()) return std::optional<sops::CreationRule>();
  }
}

/// As sops, by the path of what is encrypted: `apps/x/.env`. A file that no rule is for, such as
/// one outside of the repository, follows the rule of where it goes to.
Result<std::optional<sops::CreationRule>> rule_for(const SecretFlags& flags) {
  const auto target = target_of(flags);
  auto rule = rule_for(flags.file == "-" ? target : flags.file);
  if (!rule || *rule || target == "-") return rule;
  return rule_for(target);
}

}  // namespace

std::string target_of(const SecretFlags& flags) {
  return flags.output.empty() ? flags.file : flags.output;
}

std::string sops_time(const Session& session) {
  auto text = to_rfc3339(session.clock.now());
  if (const auto dot = text.find('.'); dot != std::string::npos) text = text.substr(0, dot) + "Z";
  return text;
}

Result<std::vector<sops::Recipient>> recipients_of(const std::vector<std::string>& words) {
  std::vector<sops::Recipient> recipients;
  for (const auto& word : words) {
    auto parsed = sops::parse_recipients(word);
    if (!parsed) return std::move(parsed).error().within("--age");
    recipients.insert(recipients.end(), parsed->begin(), parsed->end());
  }
  return recipients;
}

Result<sops::Encryption> encryption_for(const Session& session, const SecretFlags& flags) {
  sops::Encryption how;
  how.now = sops_time(session);
  auto recipients = recipients_of(flags.recipients);
  if (!recipients) return std::move(recipients).error();
  how.recipients = *std::move(recipients);
  auto rule = rule_for(flags);
  // Somebody who names the readers is not stopped by readers that skep cannot write for.
  if (!rule && how.recipients.empty()) return std::move(rule).error();
  if (rule && *rule) {
    how.rules = std::move((*rule)->rules);
    if (how.recipients.empty()) {
      how.recipients = std::move((*rule)->recipients);
      how.groups = std::move((*rule)->groups);
      how.threshold = (*rule)->threshold;
    }
  }
  if (how.recipients.empty() && how.groups.empty()) {
    auto named = sops::parse_recipients(session.variable("SOPS_AGE_RECIPIENTS"));
    if (!named) return std::move(named).error().within("SOPS_AGE_RECIPIENTS");
    how.recipients = *std::move(named);
  }
  if (!flags.encrypted_regex.empty()) {
    how.rules.kind = sops::Rules::Kind::encrypted_regex;
    how.rules.text = flags.encrypted_regex;
  }
  return how;
}

Result<sops::Format> format_in(const std::string& file, const std::string& text) {
  auto format = sops::encrypted_format(file, text);
  if (!format) return std::move(format).error();
  if (*format) return **format;
  return Error{ErrorKind::invalid_input,
               file + " is not encrypted: encrypt it with skep secret encrypt " + file};
}

}  // namespace skep::cli
