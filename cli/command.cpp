#include "cli/command.hpp"

#include <cstdlib>
#include <fstream>
#include <iostream>
#include <utility>

#include <CLI/CLI.hpp>

#include "core/finding.hpp"

namespace skep::cli {

Option* Option::required() {
  option_->required();
  return this;
}

Option* Option::envname(const std::string& variable) {
  variable_ = variable;
  return this;
}

Option* Option::may_be_empty() {
  may_be_empty_ = true;
  return this;
}

Option* Option::capture_default_str() {
  option_->capture_default_str();
  return this;
}

Option* Option::group(const std::string& name) {
  option_->group(name);
  return this;
}

Option* Option::one_of(const std::vector<std::string>& words) {
  option_->check(CLI::IsMember(words));
  words_ = words;
  return this;
}

Option* Option::names(const std::string& what) {
  what_ = what;
  return this;
}

Option* Option::one_at_a_time() {
  option_->delimiter('\0')->allow_extra_args(false);
  return this;
}

Option* Option::separated_by_commas() {
  option_->delimiter(',');
  return this;
}

Command::Command(const std::string& description, const std::string& name)
    : owned_(std::make_unique<CLI::App>(description, name)), app_(owned_.get()) {
  app_->require_subcommand(1);
  app_->set_help_all_flag("--help-all", "Help of all commands");
  app_->fallthrough();
  read_variables_when_chosen();
}

Command::Command(CLI::App* app, const Command* around) : app_(app), around_(around) {
  read_variables_when_chosen();
}

Command::~Command() = default;

Command* Command::add_subcommand(const std::string& name, const std::string& description) {
  commands_.push_back(
      std::unique_ptr<Command>(new Command(app_->add_subcommand(name, description), this)));
  return commands_.back().get();
}

Option* Command::keep(CLI::Option* option) { return &options_.emplace_back(option); }

Option* Command::add_option(const std::string& name, std::string& into, const std::string& help) {
  return keep(app_->add_option(name, into, help));
}

Option* Command::add_option(const std::string& name,
                            std::vector<std::string>& into,
                            const std::string& help) {
  return keep(app_->add_option(name, into, help));
}

Option* Command::add_flag(const std::string& name, bool& into, const std::string& help) {
  return keep(app_->add_flag(name, into, help));
}

Option* Command::settings_file(const std::string& name,
                               const std::string& path,
                               const std::string& help) {
  settings_.emplace();
  settings_->path = path;
  settings_->option = app_->add_option(name, settings_->path, help)->capture_default_str();
  return keep(settings_->option);
}

// CLI11 lets variables stand in for options of all commands, chosen or not. Where two of them fill
// the same field, that of the other one would win over the flag that was given to this one. So an
// option has no variable before its command is chosen.
void Command::read_variables_when_chosen() {
  app_->preparse_callback([this](std::size_t) { read_variables(); });
}

void Command::read_variables() const {
  for (const auto& option : options_) option.option_->envname(option.variable_);
}

void Command::read_variables_of_all() const {
  read_variables();
  for (const auto& child : commands_) child->read_variables_of_all();
}

// To CLI11 an empty variable is none.
void Command::read_empty_variables() const {
  for (const auto& option : options_) {
    if (!option.may_be_empty_ || option.option_->count() > 0) continue;
    // NOLINTNEXTLINE(concurrency-mt-unsafe)
    const char* const value = std::getenv(option.variable_.c_str());
    if (value == nullptr || *value != '\0') continue;
    option.option_->add_result("");
    option.option_->run_callback();
  }
}

std::vector<std::string> Command::variables() const {
  std::vector<std::string> names;
  for (const auto* command = this; command != nullptr; command = command->around_) {
    for (const auto& option : command->options_) {
      if (!option.variable_.empty()) names.push_back(option.variable_);
    }
  }
  return names;
}

const Command* Command::find_subcommand(const std::string& name) const {
  for (const auto& child : commands_) {
    if (child->app_->check_name(name)) return child.get();
  }
  return nullptr;
}

// CLI11 reads such files for the root alone, and there they would win over variables.
void Command::read_settings() const {
  const auto& path = settings_->path;
  const auto refuse = [&](const std::string& what) {
    throw CLI::ValidationError(path, what);  // NOLINT(cert-err60-cpp)
  };
  std::ifstream file(path);
  if (!file) {
    if (settings_->option->count() > 0) refuse("cannot be read");
    return;
  }
  for (const auto& item : CLI::ConfigTOML().from_config(file)) {
    if (item.name == "++" || item.name == "--") continue;  // Where a section begins and ends.
    auto* const option =
        item.parents.empty() ? app_->get_option_no_throw("--" + item.name) : nullptr;
    if (option == nullptr || option == settings_->option) refuse("no setting " + item.fullname());
    if (option->count() > 0) continue;
    option->add_result(item.inputs);
    option->run_callback();
  }
}

void Command::version_flag(const std::string& name, const std::string& text) {
  keep(app_->set_version_flag(name, text, "Show the version"));
}

void Command::alias(const std::string& name) { app_->alias(name); }
void Command::hide() { app_->group(""); }
void Command::footer(const std::string& text) { app_->footer(text); }
void Command::callback(std::function<void()> chosen) {
  app_->callback([this, chosen = std::move(chosen)] {
    read_empty_variables();
    if (settings_) read_settings();
    chosen();
  });
}

namespace {

/// The Docker CLI takes `-c=FILE` and `-d=true`; the parser knows only the long form of that.
std::vector<std::string> with_long_names(CLI::App& root, int argc, const char* const* argv) {
  std::vector<std::string> arguments(argv, argv + argc);
  CLI::App* command = &root;
  for (auto& argument : arguments) {
    if (argument == "--") break;
    for (auto* const sub : root.get_subcommands([](CLI::App*) { return true; })) {
      if (command == &root && sub->check_name(argument)) command = sub;
    }
    if (argument.size() < 3 || argument[0] != '-' || argument[2] != '=') continue;
    const auto* const option = command->get_option_no_throw(argument.substr(0, 2));
    if (option == nullptr || option->get_lnames().empty()) continue;
    argument = "--" + option->get_lnames().front() + argument.substr(2);
  }
  return arguments;
}

/// `skep help VERB` as `skep VERB --help`, and `skep` alone as `skep --help`.
std::vector<std::string> with_help_flag(std::vector<std::string> arguments) {
  const bool asked = arguments.size() > 1 && arguments[1] == "help";
  if (asked) arguments.erase(arguments.begin() + 1);
  if (asked || arguments.size() == 1) arguments.emplace_back("--help");
  return arguments;
}

}  // namespace

const Command& Command::chosen() const {
  for (const auto& child : commands_) {
    if (child->app_->parsed()) return child->chosen();
  }
  return *this;
}

std::vector<std::string> Command::flags() const {
  std::vector<std::string> names;
  for (const auto& option : options_) {
    for (const auto& name : option.option_->get_lnames()) names.push_back("--" + name);
  }
  return names;
}

std::vector<std::string> Command::verbs() const {
  std::vector<std::string> names;
  for (const auto& child : commands_) {
    if (!child->app_->get_group().empty()) names.push_back(child->app_->get_name());
  }
  return names;
}

std::string Command::full_name() const {
  return around_ == nullptr ? app_->get_name() : around_->full_name() + " " + app_->get_name();
}

int Command::complain_of(const std::string& word) const {
  const auto& command = chosen();
  const bool flag = word.size() > 1 && word.starts_with('-');
  const auto name = word.substr(0, flag ? word.find('=') : std::string::npos);
  auto known = flag ? command.flags() : command.verbs();
  if (flag && &command != this) {
    const auto global = flags();
    known.insert(known.end(), global.begin(), global.end());
  }
  const bool takes_nothing = !flag && command.verbs().empty();
  std::cerr << "skep: " << (&command == this ? "" : command.full_name() + " has ")
            << (takes_nothing ? "no use for "
                : flag        ? "no flag "
                              : "no command ")
            << name;
  if (const auto near = nearest(name, known); !near.empty())
    std::cerr << "; did you mean " << near << "?";
  std::cerr << "\n`" << command.full_name() << " --help` lists "
            << (takes_nothing ? "what it takes" : "them") << "\n";
  return 1;
}

const Option* Command::find_option(const std::string& name, const Command& root) const {
  for (const auto* command : {this, &root}) {
    for (const auto& option : command->options_) {
      if (option.option_->check_name(name)) return &option;
    }
  }
  return nullptr;
}

Completion Command::complete(const std::vector<std::string>& words) const {
  Completion completion;
  const std::string last = words.empty() ? std::string() : words.back();
  const Command* command = this;
  const Option* waits = nullptr;  // For its value.
  for (std::size_t i = 0; i + 1 < words.size(); ++i) {
    if (std::exchange(waits, nullptr) != nullptr) continue;
    if (words[i].starts_with('-')) {
      const auto* option = command->find_option(words[i], *this);
      if (option != nullptr && option->option_->get_items_expected_max() > 0) waits = option;
      continue;
    }
    for (const auto& child : command->commands_) {
      if (!child->app_->check_name(words[i])) continue;
      command = child.get();
      break;
    }
  }
  const auto offer = [&](const std::string& text, const std::string& help) {
    if (text.starts_with(last)) completion.words.push_back({text, help});
  };
  if (waits != nullptr) {
    for (const auto& word : waits->words_) offer(word, "");
    completion.value = waits->what_;
    return completion;
  }
  if (last.starts_with('-')) {
    for (const auto* of : {command, this}) {
      for (const auto& option : of->options_) {
        for (const auto& name : option.option_->get_lnames())
          offer("--" + name, option.option_->get_description());
      }
      if (of == this) break;
    }
    offer("--help", "Print this help message and exit");
    return completion;
  }
  for (const auto& child : command->commands_) {
    if (!child->app_->get_group().empty())
      offer(child->app_->get_name(), child->app_->get_description());
  }
  for (const auto& option : command->options_) {
    if (!option.option_->get_positional()) continue;
    completion.value = option.what_.empty() ? option.option_->get_name() : option.what_;
    for (const auto& word : option.words_) offer(word, "");
  }
  return completion;
}

std::optional<int> Command::parse(int argc, const char* const* argv) {
  const auto arguments = with_help_flag(with_long_names(*app_, argc, argv));
  std::vector<const char*> pointers;
  for (const auto& argument : arguments) pointers.push_back(argument.c_str());
  const auto exit = [&](const CLI::Error& error) { return app_->exit(error) == 0 ? 0 : 1; };
  const auto unknown = [&]() -> std::optional<std::string> {
    const auto words = app_->remaining(true);
    if (words.empty()) return std::nullopt;
    return words.front();
  };
  try {
    app_->parse(static_cast<int>(pointers.size()), pointers.data());
  } catch (const CLI::ExtrasError& error) {
    const auto word = unknown();
    return word ? complain_of(*word) : exit(error);
  } catch (const CLI::RequiredError& error) {
    const auto word = unknown();
    return word ? complain_of(*word) : exit(error);
  } catch (const CLI::ParseError& error) {
    read_variables_of_all();  // For the help of all of them.
    return exit(error);
  }
  return std::nullopt;
}

}  // namespace skep::cli
