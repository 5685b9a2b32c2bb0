#pragma once

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "compose/version.hpp"
#include "core/file_reader.hpp"
#include "core/finding.hpp"
#include "core/result.hpp"
#include "swarm/stack_spec.hpp"

namespace skep::compose {

struct ComposeFile;

/// One compose file, in command-line order.
struct InputFile {
  std::string name;  ///< For positions: as the user would type it.
  std::string text;
};

/// Everything a stack is made from. No clock, no network, no process environment: what is not in
/// here does not matter.
struct Input {
  swarm::StackName stack;
  std::optional<SourcePosition> stack_at;  ///< Where that name was chosen, if not by the files.
  std::vector<InputFile> files;  ///< At least one.
  /// Absolute, lexically clean; relative paths of all files start here (rule A1.4). In a repository
  /// this is below kRepositoryRoot.
  std::string working_directory;
  std::map<std::string, std::string>
      environment;  ///< For interpolation and valueless environment entries.
  const FileReader* reader =
      nullptr;  ///< For env_file, secrets and configs. Not owned; outlives the call.
  /// The CLI's behaviour and nothing more: every extension of docs/compose-support.md is off.
  bool strict = true;
  /// An unset variable without a default is an error (design §3); the CLI makes it an empty string.
  bool unset_variable_is_error = false;
  /// `~` in bind sources: the home directory, or nothing where it is an error (design §3).
  std::optional<std::string> home;
  bool keep_file = false;  ///< Output::file is wanted.
};

/// Where a repository's root stands in paths while its files are being converted. It is no path of
/// any machine: a bind mount whose source begins with it is a file of the repository (design §7).
inline constexpr std::string_view kRepositoryRoot = "/.skep-repository";

struct Output {
  swarm::StackSpec stack;
  Findings findings;  ///< Errors, warnings; `stack` is to be used only if there is no error.
  /// The top-level `name:` of the files, the last one's where several have one (extension). It is
  /// for the caller to decide whether the stack is called so; `stack` has the input's name.
  std::optional<std::string> name;
  /// All files as one, for to_text(), and the version that they ask for; only if it was asked for.
  std::shared_ptr<const ComposeFile> file;
  FileVersion version;
  /// Where each service was written, file by file.
  std::map<std::string, std::vector<SourcePosition>> origins;
};

/// Compose texts → what the Docker CLI would send, by the numbered rules of `docker stack deploy`.
/// All mistakes of all files are found in one call; the order of the checks is the CLI's. Never
/// throws for what a file holds.
[[nodiscard]] Output load(const Input& input);

}  // namespace skep::compose
