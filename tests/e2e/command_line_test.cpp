#include <fstream>
#include <sstream>

#include "tests/e2e/e2e.hpp"

namespace skep::e2e {
namespace {

using testing::HasSubstr;
using testing::Not;

const std::string kEscape = "\x1b[";

class CommandLine : public EndToEnd {
 protected:
  /// As in a terminal: `script` gives the program one.
  [[nodiscard]] std::string in_terminal(const std::string& command,
                                        std::map<std::string, std::string> more = {}) const {
    auto variables = environment();
    variables["TERM"] = "xterm";
    variables.merge(more);
    return lab::run({"script", "-qec", binary() + " " + command, "/dev/null"}, variables).out;
  }
};

/// What the completion of a shell offers after `words`.
std::vector<std::string> offered(std::vector<std::string> words) {
  words.insert(words.begin(), {binary(), "__complete", "--"});
  std::vector<std::string> found;
  std::istringstream lines(lab::run(words, {{"SKEP_SOCKET", "/not/there.sock"}}).out);
  for (std::string line; std::getline(lines, line);)
    found.push_back(line.substr(0, line.find('\t')));
  return found;
}

void expect_help_with_example(std::vector<std::string> verb) {
  auto words = verb;
  words.insert(words.begin(), binary());
  words.emplace_back("--help");
  const auto help = lab::run(words);
  EXPECT_EQ(help.exit_code, 0) << testing::PrintToString(verb);
  EXPECT_THAT(help.out, testing::ContainsRegex("Examples?:  (.* )?skep "))
      << testing::PrintToString(verb);
  // What stands below a verb has help of its own.
  if (help.out.find("\nSubcommands:") == std::string::npos) return;
  verb.emplace_back("");
  for (const auto& below : offered(verb)) {
    verb.back() = below;
    expect_help_with_example(verb);
  }
}

TEST_F(CommandLine, EveryVerbHasHelpWithAnExample) {
  const auto help = skep({"--help"});
  EXPECT_EQ(help.exit_code, 0);
  const auto verbs = offered({""});
  EXPECT_THAT(verbs,
              testing::IsSupersetOf({"agent", "apply", "deploy", "plan", "secret", "status"}));
  for (const auto& verb : verbs) {
    EXPECT_THAT(help.out, HasSubstr("\n  " + verb));
    expect_help_with_example({verb});
  }
  EXPECT_EQ(skep({"diff", "--help"}).exit_code, 0) << "another name of plan";
  for (const char* flag : {"--version", "-v"}) EXPECT_EQ(skep({flag}).out, skep({"version"}).out);
  EXPECT_THAT(skep({"version"}).out,
              testing::MatchesRegex("skep [0-9]+\\.[0-9]+\\.[0-9]+(, commit [0-9a-f]+)?\n"));
}

TEST_F(CommandLine, ASettingsFileStandsInForFlagsOfTheAgentAndNamesItsMistakes) {
  const auto file = (directory() / "agent.toml").string();
  const auto agent_with = [&](const std::string& text, const std::vector<std::string>& more = {}) {
    std::ofstream(file) << text;
    std::vector<std::string> words{"agent", "--repo", repo->bare(), "--config", file};
    words.insert(words.end(), more.begin(), more.end());
    auto run = skep(words);
    EXPECT_EQ(run.exit_code, 1) << run.out;
    return run.err;
  };
  const std::string text = "# of the agent\ninterval = \"500ms\"\nstandby = true\n";
  EXPECT_THAT(agent_with(text), HasSubstr("--interval must be a duration of at least 1s"));
  EXPECT_THAT(agent_with(text, {"--interval", "1h", "--prune-grace", "soon"}),
              HasSubstr("--prune-grace"))
      << "a flag wins";
  EXPECT_THAT(agent_with("intervall = \"1h\"\n"), HasSubstr("no setting intervall"));
  std::filesystem::remove(file);
  const auto missing = skep({"agent", "--repo", repo->bare(), "--config", file});
  EXPECT_EQ(missing.exit_code, 1);
  EXPECT_THAT(missing.err, HasSubstr(file + ": cannot be read"));
}

TEST_F(CommandLine, CompletesVerbsFlagsAndWords) {
  EXPECT_THAT(offered({"su"}), testing::ElementsAre("suspend"));
  EXPECT_THAT(offered({"plan", "--rep"}), testing::Contains("--repo"));
  EXPECT_THAT(offered({"plan", "-o", ""}), testing::IsSupersetOf({"json", "markdown", "text"}));
  EXPECT_THAT(offered({"-c", "somewhere", "template", "v"}), testing::ElementsAre("vendor"));
  EXPECT_THAT(offered({"completion", ""}), testing::ElementsAre("bash", "zsh", "fish"));
  EXPECT_THAT(offered({"log-level", "de"}), testing::ElementsAre("debug"));
  EXPECT_THAT(offered({"template", "show", "web"}), testing::Contains("web-app"));
  const auto directory = std::filesystem::path(binary()).parent_path().string();
  const auto in_bash =
      lab::run({"bash",
                "-c",
                "PATH=" + directory +
                    ":$PATH; source <(skep completion bash); COMP_WORDS=(skep sus); "
                    "COMP_CWORD=1; _skep; echo \"${COMPREPLY[@]}\""});
  EXPECT_EQ(in_bash.out, "suspend\n") << in_bash.err;
  for (const auto* shell : {"zsh", "fish"}) {
    const auto script = skep({"completion", shell});
    EXPECT_EQ(script.exit_code, 0);
    EXPECT_THAT(script.out, HasSubstr("skep __complete -- "));
  }
  EXPECT_EQ(skep({"completion", "tcsh"}).exit_code, 1);
}

TEST_F(CommandLine, ADockerContextNamesTheEngine) {
  const auto config = directory() / "docker";
  const auto with = [&](std::map<std::string, std::string> more) {
    auto variables = environment();
    variables.erase("DOCKER_HOST");
    variables["DOCKER_HOST"] = "";
    variables["DOCKER_CONFIG"] = config.string();
    for (auto& [name, value] : more) variables[name] = value;
    return variables;
  };
  std::filesystem::create_directories(config / "cli-plugins");
  std::filesystem::create_symlink(binary(), config / "cli-plugins" / "docker-skep");
  const auto create = [&](const std::string& name, const std::string& host) {
    const auto made =
        lab::run({"docker", "context", "create", name, "--docker", "host=" + host}, with({}));
    ASSERT_EQ(made.exit_code, 0) << made.err;
  };
  create("lab", "unix://" + engine().socket());
  create("far", "ssh://ops@manager.example.com:2222");
  repo->write("stack.yml", "services:\n  app: " + service(kImage1));
  const std::vector<std::string> plan = {
      "plan", "--resolve-image", "never", "-c", repo->tree() + "/stack.yml", "x"};
  const auto run = [&](std::vector<std::string> words, std::map<std::string, std::string> more) {
    words.insert(words.end(), plan.begin(), plan.end());
    return lab::run(words, with(std::move(more)));
  };
  const auto wrong = "unix:///not/there.sock";
  for (const auto& done : {run({binary()}, {{"DOCKER_CONTEXT", "lab"}}),
                           run({binary(), "-c", "lab"}, {}),
                           run({binary(), "--context", "lab"}, {{"DOCKER_HOST", wrong}}),
                           run({"docker", "-c", "lab", "skep"}, {}),
                           run({"docker", "--context=lab", "skep"}, {}),
                           run({"docker", "-H", "unix://" + engine().socket(), "skep"}, {})}) {
    EXPECT_EQ(done.exit_code, 2) << done.err;
    EXPECT_THAT(done.out, HasSubstr("+ service app"));
  }
  const auto far = run({binary(), "-c", "far"}, {});
  EXPECT_EQ(far.exit_code, 1);
  EXPECT_THAT(far.err, HasSubstr("ssh -nNT -p 2222 -L "));
  EXPECT_THAT(run({binary(), "-c", "none"}, {}).err, HasSubstr("docker context ls"));
  EXPECT_THAT(run({binary(), "-c", "lab", "-H", wrong}, {}).err, HasSubstr("give one"));
}

TEST_F(CommandLine, AWrongCommandLineIsOneErrorWithExitCode1) {
  const std::vector<std::vector<std::string>> wrong = {
      {"nonsense"}, {"plan", "--nonsense"}, {"plan", "-o", "xml"}, {"deploy", "-c", "x"}};
  for (const auto& words : wrong) {
    const auto done = skep(words);
    EXPECT_EQ(done.exit_code, 1) << testing::PrintToString(words);
    EXPECT_FALSE(done.err.empty()) << testing::PrintToString(words);
  }
  EXPECT_EQ(skep({}).out, skep({"--help"}).out);
}

TEST_F(CommandLine, OutputThatCannotBeWrittenIsAnErrorUnlessNobodyReadsOn) {
  for (const std::string words :
       {"version", "--help", "completion bash", "template show worker", "secret keygen -o -"}) {
    const auto full = lab::run({"sh", "-c", binary() + " " + words + " >/dev/full"}, environment());
    EXPECT_EQ(full.exit_code, 1) << words;
    EXPECT_THAT(full.err, HasSubstr("write to standard output: No space left on device")) << words;
    const auto closed = lab::run(
        {"bash", "-c", "set -o pipefail; " + binary() + " " + words + " | true"}, environment());
    EXPECT_EQ(closed.exit_code, 0) << words;
    EXPECT_EQ(closed.err, "") << words;
  }
}

TEST_F(CommandLine, BootstrapRefusesWhatItsAgentWould) {
  const auto refused = [&](const std::vector<std::string>& more) {
    std::vector<std::string> words = {
        "bootstrap", "--no-check", "--repo", "https://git.example.com/a.git"};
    if (more.front() != "--image") words.insert(words.end(), {"--image", "skep:1"});
    words.insert(words.end(), more.begin(), more.end());
    const auto done = skep(words);
    EXPECT_EQ(done.exit_code, 1) << testing::PrintToString(more);
    return done.err;
  };
  EXPECT_THAT(refused({"--interval", "5"}), HasSubstr("--interval must be a duration"));
  EXPECT_THAT(refused({"--env", "SKEP_INTERVAL=5"}), HasSubstr("--interval must be a duration"));
  EXPECT_THAT(refused({"--env", "SKEP_SETTEL=5s"}), HasSubstr("did you mean SKEP_SETTLE?"));
  EXPECT_THAT(refused({"--image", "in valid"}), HasSubstr("--image: invalid reference format"));
  EXPECT_THAT(refused({"--host-key", "SHA256:abc"}), HasSubstr("--host-key SHA256:abc: must be"));
  EXPECT_THAT(refused({"--instance", "a b"}), HasSubstr("--instance must be"));
  EXPECT_THAT(names("secrets"), testing::IsEmpty());
  const std::string key(43, 'A');
  const auto printed = skep({"bootstrap",
                             "--print",
                             "--image",
                             "skep:1",
                             "--repo",
                             "git@git.example.com:a.git",
                             "--host-key",
                             "SHA256:" + key,
                             "--host-key",
                             "SHA256:" + std::string(43, 'B')});
  EXPECT_THAT(printed.out, HasSubstr("SHA256:" + key + ",SHA256:B"));
}

TEST_F(CommandLine, ChecksAndRendersAFileWithoutARepositoryOrAnEngine) {
  repo->write(
      "stack.yml",
      "services:\n  app:\n    image: app:${TAG:-1}\n    environment: { API_TOKEN: hidden }\n"
      "    container_name: app\n");
  repo->write("wrong.yml", "services:\n  app:\n    imagee: app\n    ports: [80:x]\n");
  const auto file = repo->tree() + "/stack.yml";
  auto variables = environment();
  variables["DOCKER_HOST"] = "unix:///nowhere.sock";
  variables["TAG"] = "2";
  const auto checked = lab::run({binary(), "validate", "-c", file}, variables);
  EXPECT_EQ(checked.exit_code, 0) << checked.err;
  EXPECT_THAT(checked.out, HasSubstr("container_name"));
  EXPECT_THAT(checked.out, HasSubstr("1 stack, 0 errors, 1 warnings"));
  const auto wrong = lab::run({binary(), "validate", "-c", repo->tree() + "/wrong.yml"}, variables);
  EXPECT_EQ(wrong.exit_code, 1);
  EXPECT_THAT(wrong.out, HasSubstr("wrong.yml:3:5: error"));
  EXPECT_THAT(wrong.out, HasSubstr("did you mean image?"));
  EXPECT_EQ(lab::run({binary(), "validate", "-c", file, repo->tree()}, variables).exit_code, 1);
  const auto text = lab::run({binary(), "render", "-c", file, "shop"}, variables);
  EXPECT_EQ(text.exit_code, 0) << text.err;
  EXPECT_THAT(text.out, HasSubstr("image: app:2"));
  EXPECT_THAT(text.out, Not(HasSubstr("hidden")));
  const auto json = lab::run({binary(), "render", "-o", "json", "-c", file, "shop"}, variables);
  EXPECT_EQ(nlohmann::json::parse(json.out).at("services").at(0).at("Name"), "shop_app")
      << json.err;
}

TEST_F(CommandLine, ColoursAreForTerminalsThatWantThem) {
  repo->write("stack.yml", "services:\n  app: " + service(kImage1));
  const auto words = "plan --resolve-image never -c " + repo->tree() + "/stack.yml x";
  EXPECT_THAT(in_terminal(words), HasSubstr(kEscape));
  EXPECT_THAT(in_terminal(words, {{"NO_COLOR", "1"}}), Not(HasSubstr(kEscape)));
  const auto piped =
      skep({"plan", "--resolve-image", "never", "-c", repo->tree() + "/stack.yml", "x"});
  EXPECT_THAT(piped.out + piped.err, Not(HasSubstr(kEscape)));
  EXPECT_THAT(piped.out, HasSubstr("+ service app"));
}

TEST_F(CommandLine, NothingThatGoesToAFileHasEscapeCodes_Attack22) {
  repo->stack("shop", "services:\n  app: " + service(kImage1) + kHostNetwork);
  repo->stack("bad", "services:\n  app: { imagee: \"\x1b[31mred\" }\n");
  // A commit's subject, too: escape sequences, also those of eight bits, and a turned direction.
  repo->push("\x1b[31mred \xc2\x9b[2J \xe2\x80\xae txet");
  for (const auto* verb : {"validate", "plan", "apply", "render"}) {
    std::vector<std::string> more{verb, "--repo", repo->bare(), "--ref", "main"};
    if (std::string(verb) == "render") more.emplace_back("shop");
    const auto done = skep(more);
    EXPECT_THAT(done.out + done.err, Not(HasSubstr("\x1b"))) << verb;
  }
  start_agent();
  ASSERT_TRUE(agent->wait_until("shop runs", [](const nlohmann::json& status) {
    return is(stack_of(status, "shop"), "synced", "healthy");
  }));
  const auto shown = skep({"status", "--socket", agent->socket()});
  const auto history = skep({"history", "--socket", agent->socket()});
  const auto events = skep({"events", "--socket", agent->socket()});
  for (const auto* bytes : {"\x1b", "\xc2\x9b", "\xe2\x80\xae"}) {
    EXPECT_THAT(shown.out + shown.err + history.out + events.out + agent->log(),
                Not(HasSubstr(bytes)));
  }
}

TEST_F(CommandLine, AnswersAsAPluginOfTheDockerCli) {
  const auto plugins = directory() / "docker" / "cli-plugins";
  std::filesystem::create_directories(plugins);
  std::filesystem::create_symlink(binary(), plugins / "docker-skep");
  auto variables = environment();
  variables["DOCKER_CONFIG"] = (directory() / "docker").string();
  const auto metadata = lab::run({binary(), "docker-cli-plugin-metadata"});
  const auto json = nlohmann::json::parse(metadata.out, nullptr, false);
  ASSERT_TRUE(json.is_object()) << metadata.out;
  EXPECT_EQ(json.at("SchemaVersion"), "0.1.0");
  EXPECT_FALSE(json.at("Vendor").get<std::string>().empty());
  const auto version = lab::run({"docker", "skep", "version"}, variables);
  EXPECT_EQ(version.exit_code, 0) << version.err;
  EXPECT_EQ(version.out, skep({"version"}).out);
  repo->write("stack.yml", "services:\n  app: " + service(kImage1));
  const auto plan = lab::run({"docker",
                              "skep",
                              "plan",
                              "--resolve-image",
                              "never",
                              "-c",
                              repo->tree() + "/stack.yml",
                              "x"},
                             variables);
  EXPECT_EQ(plan.exit_code, 2) << plan.err;
}

TEST_F(CommandLine, HealthAndReadinessFollowTheAgent) {
  repo->stack("shop", "services:\n  app: " + service(kImage1) + kHostNetwork);
  const auto commit = repo->push();
  start_agent();
  ASSERT_TRUE(agent->wait_for_commit(commit));
  const auto health = skep({"health", "--socket", agent->socket()});
  EXPECT_EQ(health.exit_code, 0) << health.err;
  EXPECT_EQ(agent->stop(), 0);
  EXPECT_EQ(skep({"health", "--socket", agent->socket()}).exit_code, 1);
  agent->start();
  ASSERT_TRUE(agent->wait_for_commit(commit));
}

TEST_F(CommandLine, TheWorkTreeOfTheCurrentDirectoryIsTheDefaultRepository) {
  repo->stack("shop", "services:\n  app: " + service(kImage1) + kHostNetwork);
  const auto before = std::filesystem::current_path();
  std::filesystem::current_path(repo->tree());
  const auto plan = skep({"plan"});
  std::filesystem::current_path(before);
  EXPECT_EQ(plan.exit_code, 2) << plan.err;
  EXPECT_THAT(plan.out, HasSubstr("apps/shop"));
}

}  // namespace
}  // namespace skep::e2e
