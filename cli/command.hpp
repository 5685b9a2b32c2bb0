#pragma once

#include <deque>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace CLI {
class App;
class Option;
}  // namespace CLI

namespace skep::cli {

/// One flag or argument of a command. Owned by its command; each setter returns the option itself.
class Option {
 public:
  explicit Option(CLI::Option* option) : option_(option) {}

  Option* required();
  /// The environment variable that stands in where the flag is not given.
  Option* envname(const std::string& variable);
  /// A variable that is set to nothing says something, as `--flag ""` does; else it is as if unset.
  Option* may_be_empty();
  /// The present value is shown in the help as the default.
  Option* capture_default_str();
  /// The heading under which the help lists it.
  Option* group(const std::string& name);
  /// Only these words are allowed.
  Option* one_of(const std::vector<std::string>& words);
  /// What it is the name of, for Completion::value; else a positional's own name.
  Option* names(const std::string& what);
  /// One value each time it is given, whatever the value holds.
  Option* one_at_a_time();
  /// A value with commas is several: for a variable, which cannot be given twice.
  Option* separated_by_commas();

 private:
  friend class Command;
  CLI::Option* option_;
  std::string variable_;  ///< Of envname(); "" for none.
  bool may_be_empty_ = false;
  std::vector<std::string> words_;  ///< Of one_of().
  std::string what_;                ///< Of names().
};

/// What may stand at the end of an unfinished command line.
struct Completion {
  struct Word {
    std::string text, help;
  };
  std::vector<Word> words;
  std::string value;  ///< What a value that no list knows is the name of: "STACK"; "" for none.
};

/// A command of the command line: the parser that the project uses (CLI11) behind the few calls
/// that verbs need, for its header alone costs each file that includes it half a minute to compile.
class Command {
 public:
  Command(const std::string& description, const std::string& name);
  ~Command();
  Command(const Command&) = delete;
  Command& operator=(const Command&) = delete;

  Command* add_subcommand(const std::string& name, const std::string& description);
  /// `into` keeps what it holds where the option is not given, and outlives the parse.
  Option* add_option(const std::string& name, std::string& into, const std::string& help = "");
  Option* add_option(const std::string& name,
                     std::vector<std::string>& into,
                     const std::string& help = "");
  Option* add_flag(const std::string& name, bool& into, const std::string& help = "");
  /// Of the root only. A flag that prints the text, whatever else is given, and exits with 0.
  void version_flag(const std::string& name, const std::string& text);
  /// A TOML file whose `name = value` lines stand in for options of this command that neither a
  /// flag nor a variable sets. Read when the command was chosen, before its callback. Where nobody
  /// names another one, `path` need not exist. A mistake in it ends parse() with exit code 1.
  Option* settings_file(const std::string& name, const std::string& path, const std::string& help);

  void alias(const std::string& name);
  /// Left out of the help.
  void hide();
  void footer(const std::string& text);
  /// Called when the command was chosen and its arguments are in place.
  void callback(std::function<void()> chosen);

  /// The variables that options of this command or the ones around it read; of those below it none.
  [[nodiscard]] std::vector<std::string> variables() const;
  /// Null where there is none of that name.
  [[nodiscard]] const Command* find_subcommand(const std::string& name) const;

  /// Of the root only. `words` are those after the program's name, the last one unfinished.
  [[nodiscard]] Completion complete(const std::vector<std::string>& words) const;

  /// Of the root only. Nothing where a command was chosen; else what the process exits with, after
  /// help or a mistake was printed. `help VERB…` is the same as `VERB… --help`, and so is nothing.
  std::optional<int> parse(int argc, const char* const* argv);

 private:
  struct SettingsFile {
    CLI::Option* option;  // No initialiser: clang 14 could not make an optional of it.
    std::string path;
  };

  Command(CLI::App* app, const Command* around);
  void read_variables_when_chosen();
  void read_variables() const;
  void read_variables_of_all() const;
  void read_empty_variables() const;
  void read_settings() const;
  Option* keep(CLI::Option* option);
  /// By -x or --long, also of the commands around this one.
  [[nodiscard]] const Option* find_option(const std::string& name, const Command& root) const;
  /// The one that was chosen, this one or below it.
  [[nodiscard]] const Command& chosen() const;
  /// The long names of its flags, with the dashes.
  [[nodiscard]] std::vector<std::string> flags() const;
  /// Names of the commands below it that help lists.
  [[nodiscard]] std::vector<std::string> verbs() const;
  [[nodiscard]] std::string full_name() const;
  /// Tells of a word that nothing takes, and of the nearest one that something does.
  int complain_of(const std::string& word) const;

  std::unique_ptr<CLI::App> owned_;  ///< Of the root; null for the others, which it owns.
  CLI::App* app_;
  const Command* around_ = nullptr;  ///< Null of the root.
  std::deque<Option> options_;
  std::deque<std::unique_ptr<Command>> commands_;
  std::optional<SettingsFile> settings_;
};

}  // namespace skep::cli
