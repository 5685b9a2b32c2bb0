#include "cli/secret_edit.hpp"

#include <filesystem>
#include <iostream>
#include <stop_token>

#include <unistd.h>

#include "cli/age_keys.hpp"
#include "cli/editor.hpp"
#include "cli/private_file.hpp"

namespace skep::cli {
namespace {

namespace fs = std::filesystem;

/// One round with the editor: what the file is afterwards, or nothing where it stays.
Result<std::optional<std::string>> edited(const Session& session,
                                          const SecretFlags& flags,
                                          const PrivateFile& file,
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
    sealed = sops::update(encrypted, *after, flags.file, *format, keys, sops_time(session));
  }
  if (!sealed) return std::move(sealed).error();
  return std::optional(*std::move(sealed));
}

/// Errors: unavailable; invalid_input where the file is another one than the editor was opened for,
/// "" being none. The edit is kept beside it then.
Result<void> put_edit(const std::string& file,
                      const std::string& opened,
                      const std::string& sealed) {
  std::error_code code;
  const auto now = fs::exists(file, code) ? read_file(file) : std::string();
  if (!now) return now.error();
  if (*now == opened) return replace_file(file, sealed, kPublic);
  const auto path = fs::path(file);
  const auto beside = (path.parent_path() / ("edited-" + path.filename().string())).string();
  if (auto kept = create_file(beside, sealed, kPublic); !kept) {
    auto error = std::move(kept).error().within(file + " was changed while it was edited");
    error.at = SourcePosition{file};
    return error;
  }
  return Error{ErrorKind::invalid_input,
               file +
                   " was changed while it was edited, and stays as it is; what you wrote is in " +
                   beside + ", encrypted: skep secret decrypt shows it, for another edit"};
}

}  // namespace

int edit_secret(const Session& session, const SecretFlags& flags) {
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
  const TerminalSignals signals;
  const auto file = PrivateFile::make(fs::path(flags.file).filename().string(), before);
  if (!file) return fail(file.error());
  if (!file->is_in_memory()) {
    std::cerr << "The plain text is on a disk while you edit: " << file->path()
              << "; set XDG_RUNTIME_DIR to a directory in memory to keep it off\n";
  }
  // At once, for the second signal ends the process.
  const std::stop_callback removed(session.stop, [&file] { file->remove(); });
  while (true) {
    const auto result = edited(session, flags, *file, before, encrypted, *keys);
    if (result && !*result) {
      std::cerr << "Nothing changed.\n";
      return kSuccess;
    }
    const auto written = result ? put_edit(flags.file, encrypted, **result) : result.error();
    if (written) return kSuccess;
    const auto& error = written.error();
    (void)fail(error);
    const bool again =
        error.kind == ErrorKind::invalid_input && error.at && isatty(STDIN_FILENO) == 1;
    if (!again || !wants_to_go_on(session)) return kFailure;
  }
}

}  // namespace skep::cli
