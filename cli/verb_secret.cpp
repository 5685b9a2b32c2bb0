#include <algorithm>
#include <filesystem>
#include <iostream>

#include <unistd.h>

#include "cli/age_keys.hpp"
#include "cli/editor.hpp"
#include "cli/private_file.hpp"
#include "cli/session.hpp"
#include "sops/creation_rules.hpp"
#include "sops/file.hpp"

namespace skep::cli {
namespace {

namespace fs = std::filesystem;

constexpr unsigned kPrivate = 0600;
constexpr unsigned kPublic = 0644;

struct SecretFlags {
  std::string file;
  std::string output;  ///< "-" is standard output; "" where the verb says.
  bool in_place = false;
  std::vector<std::string> recipients;
  std::string encrypted_regex;
  std::string age_key_file;
};

/// Where the result goes; "-" is standard output.
std::string target_of(const SecretFlags& flags) {
  return flags.output.empty() ? flags.file : flags.output;
}

std::string now(const Session& session) {
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

/// The command line goes before `.sops.yaml`, and that before SOPS_AGE_RECIPIENTS.
Result<sops::Encryption> encryption_for(const Session& session, const SecretFlags& flags) {
  sops::Encryption how;
  how.now = now(session);
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

/// Where the file is already encrypted: its format. Errors: invalid_input where it is not.
Result<sops::Format> format_in(const std::string& file, const std::string& text) {
  auto format = sops::encrypted_format(file, text);
  if (!format) return std::move(format).error();
  if (*format) return **format;
  return Error{ErrorKind::invalid_input,
               file + " is not encrypted: encrypt it with skep secret encrypt " + file};
}

Result<void> put(const SecretFlags& flags, const std::string& text, unsigned mode) {
  const auto target = target_of(flags);
  if (target == "-") {
    std::cout << text << std::flush;
    return {};
  }
  return replace_file(target, text, mode);
}

int done(const Result<void>& result) { return result ? kSuccess : fail(result.error()); }

int keygen(const SecretFlags& flags) {
  if (flags.output.empty()) {
    return fail({ErrorKind::invalid_input,
                 "name the file for the key: skep secret keygen -o key.txt (-o - prints it)"});
  }
  const auto identity = sops::Identity::generate();
  const auto text = "# public key: " + identity.recipient().text() + "\n" +
                    std::string(identity.text().reveal()) + "\n";
  if (flags.output == "-") {
    std::cout << text;
    return kSuccess;
  }
  // ~/.config/sops/age is there on no new machine.
  if (const auto folder = std::filesystem::path(flags.output).parent_path(); !folder.empty()) {
    std::error_code problem;
    const bool made = std::filesystem::create_directories(folder, problem);
    if (made) std::filesystem::permissions(folder, std::filesystem::perms::owner_all, problem);
    if (problem) {
      return fail({ErrorKind::unavailable, "create " + folder.string() + ": " + problem.message()});
    }
  }
  if (auto made = create_file(flags.output, text, kPrivate); !made) return fail(made.error());
  std::cout << identity.recipient().text() << "\n";
  std::cerr << "The secret key is in " << flags.output
            << ": keep a copy in a safe place, and out of git. The line above is its public half, "
               "for .sops.yaml and --age.\n";
  return kSuccess;
}

std::string word_of(sops::Format format) {
  switch (format) {
    case sops::Format::yaml:
      return "YAML";
    case sops::Format::json:
      return "JSON";
    case sops::Format::dotenv:
      return "variables (.env)";
    case sops::Format::ini:
      return "INI";
    case sops::Format::binary:
      break;
  }
  return "a file of no format that SOPS knows";
}

/// As the names say. A name without a format, or standard input, is what the other name says.
sops::Format format_for(const SecretFlags& flags) {
  const auto format = sops::format_of(flags.file);
  const auto target = target_of(flags);
  return format == sops::Format::binary && target != "-" ? sops::format_of(target) : format;
}

/// An encrypted file is read as its own name says. Errors: invalid_input where that is not what was
/// written.
Result<void> check_that_target_fits(const SecretFlags& flags,
                                    const std::string& sealed,
                                    sops::Format format) {
  const auto target = target_of(flags);
  if (target == "-") return {};
  const auto seen = sops::encrypted_format(target, sealed);
  if (seen && *seen == format) return {};
  return Error{ErrorKind::invalid_input,
               flags.file + " is " + word_of(format) + ", and as " + target +
                   " it could not be read again; nothing was written. Give -o a name that ends as "
                   "that of the file, with .sops before the ending (.env.sops for .env)"};
}

int encrypt(const Session& session, const SecretFlags& flags) {
  const auto plain = read_file(flags.file);
  if (!plain) return fail(plain.error());
  auto how = encryption_for(session, flags);
  if (!how) return fail(how.error());
  const auto format = format_for(flags);
  auto sealed = sops::encrypt(*plain, flags.file, format, *how);
  if (!sealed && format != sops::format_of(flags.file)) {
    auto error = std::move(sealed).error();
    error.message += "; " + target_of(flags) + " is " + word_of(format) +
                     " by its name: to encrypt a file as it is, name the result NAME.sops";
    return fail(error);
  }
  if (!sealed) return fail(sealed.error());
  if (auto fits = check_that_target_fits(flags, *sealed, format); !fits) return fail(fits.error());
  const auto remarks = sops::changed_forms(*plain, flags.file, format, how->rules);
  if (!remarks.empty()) std::cerr << to_string(remarks) << "\n";
  return done(put(flags, *sealed, kPublic));
}

int decrypt(const Session& session, SecretFlags flags) {
  const auto text = read_file(flags.file);
  if (!text) return fail(text.error());
  const auto format = format_in(flags.file, *text);
  if (!format) return fail(format.error());
  const auto keys = read_age_keys(session, flags.age_key_file);
  if (!keys) return fail(keys.error());
  const auto plain = sops::decrypt(*text, flags.file, *format, *keys);
  if (!plain) return fail(plain.error());
  if (flags.output.empty() && !flags.in_place) flags.output = "-";
  return done(put(flags, plain->text, kPrivate));
}

int rotate(const Session& session, const SecretFlags& flags) {
  const auto text = read_file(flags.file);
  if (!text) return fail(text.error());
  const auto format = format_in(flags.file, *text);
  if (!format) return fail(format.error());
  const auto keys = read_age_keys(session, flags.age_key_file);
  if (!keys) return fail(keys.error());
  const auto recipients = recipients_of(flags.recipients);
  if (!recipients) return fail(recipients.error());
  const auto sealed = sops::rotate(*text, flags.file, *format, *keys, *recipients, now(session));
  if (!sealed) return fail(sealed.error());
  return done(put(flags, *sealed, kPublic));
}

/// One round with the editor: what the file is afterwards, or nothing where it stays.
Result<std::optional<std::string>> edited(const Session& session,
                                          const SecretFlags& flags,
                                          PrivateFile& file,
                                          const std::string& before,
                                          const std::string& encrypted,
                                          const sops::Identities& keys) {
  if (auto ran = run_editor(session, file); !ran) return std::move(ran).error();
  const auto after = read_file(file.path());
  if (!after) return after.error();
  if (*after == before) return std::optional<std::string>();
  Result<std::string> sealed = std::string();
  if (encrypted.empty()) {
    auto how = encryption_for(session, flags);
    if (!how) return std::move(how).error();
    sealed = sops::encrypt(*after, flags.file, sops::format_of(flags.file), *how);
  } else {
    const auto format = format_in(flags.file, encrypted);
    if (!format) return format.error();
    sealed = sops::update(encrypted, *after, flags.file, *format, keys, now(session));
  }
  if (!sealed) return std::move(sealed).error();
  return std::optional(*std::move(sealed));
}

int edit(const Session& session, const SecretFlags& flags) {
  std::error_code code;
  std::string encrypted;
  std::string before;
  auto keys = read_age_keys(session, flags.age_key_file);
  if (!keys) return fail(keys.error());
  if (fs::exists(flags.file, code)) {
    auto text = read_file(flags.file);
    if (!text) return fail(text.error());
    const auto format = format_in(flags.file, *text);
    if (!format) return fail(format.error());
    auto plain = sops::decrypt(*text, flags.file, *format, *keys);
    if (!plain) return fail(plain.error());
    encrypted = *std::move(text);
    before = std::move(plain->text);
  } else if (auto how = encryption_for(session, flags); !how) {
    return fail(how.error());
  } else if (how->recipients.empty() && how->groups.empty()) {
    return fail({ErrorKind::invalid_input,
                 flags.file + " is a new file, and nobody is named to encrypt it to: give --age "
                              "age1…, or creation_rules in .sops.yaml"});
  }
  auto file = PrivateFile::make(fs::path(flags.file).filename().string(), before);
  if (!file) return fail(file.error());
  while (true) {
    auto result = edited(session, flags, *file, before, encrypted, *keys);
    if (result && !*result) {
      std::cerr << "Nothing changed.\n";
      return kSuccess;
    }
    if (result) return done(replace_file(flags.file, **result, kPublic));
    (void)fail(result.error());
    const bool again = result.error().kind == ErrorKind::invalid_input && result.error().at &&
                       isatty(STDIN_FILENO) == 1;
    if (!again) return kFailure;
    std::cerr << "Press Enter to go on editing, Ctrl-D to give up. " << std::flush;
    std::string line;
    if (!std::getline(std::cin, line) || session.stop.stop_requested()) return kFailure;
  }
}

struct SubVerb {
  const char* name;
  const char* description;
  const char* example;
};

Command* add_sub(Command& secret,
                 Session& session,
                 const std::shared_ptr<SecretFlags>& flags,
                 const SubVerb& what,
                 std::function<int(const Session&, const SecretFlags&)> run) {
  auto* verb = secret.add_subcommand(what.name, what.description);
  verb->footer(std::string("Example:  ") + what.example);
  verb->callback([&session, flags, run = std::move(run)] {
    session.verb = [&session, flags, run] { return run(session, *flags); };
  });
  return verb;
}

void add_file(Command& verb, SecretFlags& flags, const char* help = "The file") {
  verb.add_option("FILE", flags.file, help)->required();
}

void add_recipients(Command& verb, SecretFlags& flags, const char* help) {
  verb.add_option("--age", flags.recipients, help)->one_at_a_time();
}

}  // namespace

void add_secret(Command& app, Session& session) {
  auto* secret = app.add_subcommand(
      "secret", "Encrypted files (SOPS with age keys): keygen, encrypt, decrypt, edit, rotate");
  secret->footer(
      "Example:  skep secret keygen -o key.txt\n"
      "          skep secret encrypt --age age1… apps/MY-APP/.env -o apps/MY-APP/.env.sops\n"
      "          skep secret edit apps/MY-APP/.env.sops");
  secret->callback([&session] {
    if (session.verb) return;
    session.verb = [] {
      return fail({ErrorKind::invalid_input,
                   "say what to do: skep secret keygen, encrypt, decrypt, edit or rotate"});
    };
  });
  auto flags = std::make_shared<SecretFlags>();

  auto* make = add_sub(*secret,
                       session,
                       flags,
                       {"keygen", "Make a key", "skep secret keygen -o key.txt"},
                       [](const Session&, const SecretFlags& f) { return keygen(f); });
  make->add_option(
      "-o,--output", flags->output, "New file for the secret key (mode 600); - prints it");

  auto* seal = add_sub(*secret,
                       session,
                       flags,
                       {"encrypt",
                        "Encrypt a file, in its place or into another one",
                        "skep secret encrypt --age age1… password.txt -o db_password.sops"},
                       encrypt);
  add_file(*seal, *flags, "The file; - is standard input");
  add_recipients(*seal,
                 *flags,
                 "Public key of somebody who may read it, can be given several times (default: "
                 "creation_rules of .sops.yaml, SOPS_AGE_RECIPIENTS)");
  seal->add_option(
      "--encrypted-regex", flags->encrypted_regex, "Encrypt only below keys that match");
  seal->add_option("-o,--output",
                   flags->output,
                   "Write there instead, in the format that its name says; - is standard output, "
                   "and the default for standard input");

  auto* open = add_sub(
      *secret,
      session,
      flags,
      {"decrypt", "Show what an encrypted file holds", "skep secret decrypt apps/MY-APP/.env.sops"},
      decrypt);
  add_file(*open, *flags);
  open->add_option("-o,--output", flags->output, "Write there instead of showing it");
  open->add_flag("-i,--in-place", flags->in_place, "Put the plain text in the file's place");
  add_age_key_flag(*open, flags->age_key_file);

  auto* change = add_sub(*secret,
                         session,
                         flags,
                         {"edit",
                          "Open an encrypted file in $EDITOR; values that did not change keep "
                          "their bytes",
                          "skep secret edit apps/MY-APP/values.sops.yaml"},
                         edit);
  add_file(*change, *flags);
  add_recipients(*change, *flags, "For a new file: public key of somebody who may read it");
  add_age_key_flag(*change, flags->age_key_file);

  auto* turn = add_sub(*secret,
                       session,
                       flags,
                       {"rotate",
                        "Encrypt a file anew under a new data key, for the same or other readers",
                        "skep secret rotate --age age1… --age age1… apps/MY-APP/.env.sops"},
                       rotate);
  add_file(*turn, *flags);
  add_recipients(*turn, *flags, "Who may read it from now on (default: who could before)");
  add_age_key_flag(*turn, flags->age_key_file);
}

}  // namespace skep::cli
