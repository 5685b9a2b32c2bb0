#include <filesystem>
#include <iostream>

#include "cli/age_keys.hpp"
#include "cli/private_file.hpp"
#include "cli/secret_edit.hpp"
#include "cli/secret_flags.hpp"
#include "cli/session.hpp"
#include "sops/file.hpp"

namespace skep::cli {
namespace {

Result<void> put(const SecretFlags& flags,
                 const std::string& text,
                 unsigned mode,
                 OldMode old_mode = OldMode::stays) {
  const auto target = target_of(flags);
  if (target == "-") {
    std::cout << text << std::flush;
    return {};
  }
  return replace_file(target, text, mode, old_mode);
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
  // Everybody may read the encrypted file.
  const auto old_mode = flags.in_place ? OldMode::goes : OldMode::stays;
  return done(put(flags, plain->text, kPrivate, old_mode));
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
  const auto sealed =
      sops::rotate(*text, flags.file, *format, *keys, *recipients, sops_time(session));
  if (!sealed) return fail(sealed.error());
  return done(put(flags, *sealed, kPublic));
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
  open->add_flag(
      "-i,--in-place", flags->in_place, "Put the plain text in the file's place (mode 600)");
  add_age_key_flag(*open, flags->age_key_file);

  auto* change = add_sub(*secret,
                         session,
                         flags,
                         {"edit",
                          "Open an encrypted file in $EDITOR; values that did not change keep "
                          "their bytes",
                          "skep secret edit apps/MY-APP/values.sops.yaml"},
                         edit_secret);
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
