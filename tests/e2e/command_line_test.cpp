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

TEST_F(CommandLine, EveryVerbHasHelpWithAnExample) {
  const auto help = skep({"--help"});
  EXPECT_EQ(help.exit_code, 0);
  for (const std::string verb : {"deploy",
                                 "plan",
                                 "diff",
                                 "apply",
                                 "render",
                                 "validate",
                                 "agent",
                                 "status",
                                 "approve",
                                 "sync",
                                 "health",
                                 "version"}) {
    EXPECT_THAT(help.out, HasSubstr(verb));
    const auto of_verb = skep({verb, "--help"});
    EXPECT_EQ(of_verb.exit_code, 0) << verb;
    EXPECT_THAT(of_verb.out, testing::ContainsRegex("Examples?:  skep ")) << verb;
  }
  EXPECT_THAT(skep({"version"}).out, testing::MatchesRegex("skep [0-9]+\\.[0-9]+\\.[0-9]+\n"));
}

TEST_F(CommandLine, AWrongCommandLineIsOneErrorWithExitCode1) {
  const std::vector<std::vector<std::string>> wrong = {
      {}, {"nonsense"}, {"plan", "--nonsense"}, {"plan", "-o", "xml"}, {"deploy", "-c", "x"}};
  for (const auto& words : wrong) {
    const auto done = skep(words);
    EXPECT_EQ(done.exit_code, 1) << testing::PrintToString(words);
    EXPECT_FALSE(done.err.empty()) << testing::PrintToString(words);
  }
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

TEST_F(CommandLine, NothingThatGoesToAFileHasEscapeCodes) {
  repo->stack("shop", "services:\n  app: " + service(kImage1) + kHostNetwork);
  repo->stack("bad", "services:\n  app: { imagee: \"\x1b[31mred\" }\n");
  repo->push();
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
  EXPECT_THAT(shown.out + shown.err + agent->log(), Not(HasSubstr("\x1b")));
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
