#include <fstream>
#include <iterator>
#include <thread>

#include "tests/e2e/e2e.hpp"

namespace skep::e2e {
namespace {

using testing::AllOf;
using testing::Contains;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;
using testing::StartsWith;

const std::string kCanary = "c4n4ry-of-a-secret";

/// A stack "web" with one service "app" in the second line of its file.
class History : public EndToEnd {
 protected:
  static std::string compose(const std::string& image, const std::string& more = {}) {
    return "services:\n  app: " + service(image, more) + kHostNetwork;
  }
  std::string deploy(const std::string& image, const std::string& subject) {
    repo->stack("web", compose(image));
    const auto commit = repo->push(subject);
    if (!agent) start_agent();
    EXPECT_TRUE(agent->wait_for_commit(commit));
    return commit;
  }
  [[nodiscard]] lab::CommandOutput ask(std::vector<std::string> words) const {
    words.insert(words.end(), {"--socket", agent->socket()});
    return skep(std::move(words));
  }
  /// What a verb prints, which must go well.
  [[nodiscard]] std::string told(const std::vector<std::string>& words) const {
    const auto shown = ask(words);
    EXPECT_EQ(shown.exit_code, 0) << words.front() << ": " << shown.err;
    return shown.out;
  }
  [[nodiscard]] nlohmann::json operations() const {
    const auto json = nlohmann::json::parse(told({"history", "web", "-o", "json"}), nullptr, false);
    return json.is_object() ? json.at("operations") : nlohmann::json::array();
  }
  /// The newest operation, once there is one that is meant.
  nlohmann::json wait_for_operation(const std::string& trigger, const std::string& result) const {
    nlohmann::json found;
    EXPECT_TRUE(eventually([&] {
      const auto all = operations();
      if (all.empty() || all[0].at("trigger") != trigger || all[0].at("result") != result)
        return false;
      found = all[0];
      return true;
    })) << trigger
        << " " << result << " never came: " << operations().dump(1) << agent->log();
    return found;
  }
  [[nodiscard]] std::filesystem::path state() const { return directory() / "agent" / "state"; }
  [[nodiscard]] std::filesystem::path file() const { return state() / "history-default.db"; }
  [[nodiscard]] bool runs(const std::string& image) const {
    return eventually([&] { return running_images("web_app") == std::vector{image}; });
  }
  /// Everything that the history keeps on the disk.
  [[nodiscard]] std::string kept_bytes() const {
    std::string bytes;
    for (const auto& entry : std::filesystem::directory_iterator(state())) {
      if (!entry.path().filename().string().starts_with("history-")) continue;
      std::ifstream text(entry.path(), std::ios::binary);
      bytes.append(std::istreambuf_iterator<char>(text), {});
    }
    return bytes;
  }
};

class LostHistory : public History {};

TEST_F(History, ADeploymentAnEditAFailureAndTheWayBackAreToldTraceableAndExplained) {
  repo->write("apps/web/skep.yaml", "on_failure: rollback\ntimeout: 30s\n");
  const auto first = deploy(kImage1, "web: begin");
  auto operation = wait_for_operation("git", "success");
  EXPECT_EQ(operation.at("stack"), "apps/web");
  EXPECT_EQ(operation.at("revision_to"), first);
  EXPECT_EQ(operation.at("author"), "Ada <ada@example.com>");
  EXPECT_EQ(operation.at("subject"), "web: begin");
  EXPECT_EQ(operation.at("plan_digest").get<std::string>().size(), 16U);
  EXPECT_EQ(operation.at("objects").at(0).at("name"), "web_app");

  docker({"service", "update", "--detach", "--env-add", "HAND=" + kCanary, "web_app"});
  operation = wait_for_operation("drift", "success");
  EXPECT_THAT(operation.at("objects").at(0).at("fields"), ElementsAre("environment HAND"));
  EXPECT_EQ(operation.at("revision_from"), operation.at("revision_to"));

  const auto unrelated = [&] {
    repo->write("README.md", "words");
    return repo->push("words only");
  }();
  ASSERT_TRUE(agent->wait_for_commit(unrelated));
  auto trace = told({"trace", "web_app"});
  EXPECT_THAT(trace, HasSubstr("apps/web/docker-compose.yml:2:3")) << trace;
  EXPECT_THAT(trace, HasSubstr("commit    " + first.substr(0, 12) + "  \"web: begin\"")) << trace;
  EXPECT_THAT(trace, HasSubstr("Ada <ada@example.com>")) << trace;
  EXPECT_THAT(trace, HasSubstr("apps/web")) << trace;

  repo->stack("web", compose(kImage1, "command: ['sh', '-c', 'exit 3']"));
  const auto bad = repo->push("web: break it");
  operation = wait_for_operation("rollback", "success");
  EXPECT_EQ(operation.at("revision_from"), bad);
  EXPECT_EQ(operation.at("revision_to"), first);
  EXPECT_EQ(operation.at("subject"), "web: begin");
  const auto failure = operations().at(1);
  EXPECT_EQ(failure.at("result"), "failure");
  EXPECT_EQ(failure.at("failed_phase"), "health");
  EXPECT_EQ(failure.at("revision_to"), bad);
  EXPECT_THAT(failure.at("message"), HasSubstr("non-zero exit (3)"));

  const auto text = told({"history", "web"});
  EXPECT_THAT(text, HasSubstr("\"web: break it\" by Ada <ada@example.com>")) << text;
  EXPECT_THAT(text, HasSubstr("~ service web_app: environment HAND")) << text;
  EXPECT_THAT(text, HasSubstr("failed in health")) << text;
  const auto events = told({"events", "web"});
  EXPECT_THAT(events, HasSubstr("apps/web  quarantined false -> true")) << events;
  EXPECT_THAT(events, HasSubstr("operation failure")) << events;
  EXPECT_THAT(events, HasSubstr("held false -> true: rolled back to " + first.substr(0, 12)));
  EXPECT_THAT(told({"events", "--since", "1h"}), HasSubstr("skep  revision: ")) << events;
  const auto explanation = told({"explain", "web"});
  EXPECT_THAT(explanation,
              AllOf(StartsWith("apps/web: "),
                    HasSubstr("revision " + bad.substr(0, 12) + " is quarantined"),
                    HasSubstr("non-zero exit (3)"),
                    HasSubstr("`skep sync web`")));
  const auto approved = skep({"approve", "web", "--socket", agent->socket()});
  EXPECT_EQ(approved.exit_code, 1)
      << "an approval tries nothing again, and does not say that it did";
  EXPECT_THAT(approved.err, HasSubstr("`skep sync web` resumes"));
  trace = told({"trace", "web_app"});
  EXPECT_THAT(trace, HasSubstr("running   " + first.substr(0, 12))) << trace;
  EXPECT_THAT(trace, HasSubstr("rolled back")) << trace;
  EXPECT_THAT(kept_bytes(), Not(HasSubstr(kCanary)));
}

TEST_F(History, ASuspensionIsExplainedWithReasonActorAndEnd) {
  deploy(kImage1, "begin");
  EXPECT_THAT(told({"explain", "web"}), HasSubstr("it runs as git says, and is healthy"));
  (void)told({"suspend", "web", "--for", "1h", "--reason", "database migration"});
  ASSERT_TRUE(agent->wait_until("it is suspended", [](const nlohmann::json& status) {
    return stack_of(status, "web").at("suspended") == true;
  }));
  const auto explanation = told({"explain", "apps/web"});
  EXPECT_THAT(explanation,
              AllOf(HasSubstr("suspended by uid 0"),
                    HasSubstr("database migration"),
                    HasSubstr(", until 20"),
                    HasSubstr("`skep resume web`")));
  (void)told({"resume", "web"});
  ASSERT_TRUE(eventually([&] {
    return told({"events", "web"}).find("suspended true -> false") != std::string::npos;
  }));
  const auto events = told({"events", "web"});
  EXPECT_THAT(events, HasSubstr("apps/web  asked: suspend: database migration (uid 0")) << events;
  EXPECT_THAT(events, HasSubstr("suspended false -> true: database migration; until 20")) << events;
  EXPECT_THAT(events, HasSubstr("apps/web  asked: resume")) << events;
}

TEST_F(History, ARollbackByHandSurvivesTheAgentAndEndsWithTheNextCommit) {
  const auto first = deploy(kImage1, "one");
  const auto second = deploy(kImage2, "two");
  ASSERT_TRUE(runs(kImage2));
  auto refused = ask({"rollback", "web", "0123456789"});
  EXPECT_EQ(refused.exit_code, 1);
  EXPECT_THAT(refused.err, HasSubstr("no commit"));
  refused = ask({"rollback", "web", second.substr(0, 10)});
  EXPECT_EQ(refused.exit_code, 1);
  EXPECT_THAT(refused.err, HasSubstr("is the same"));

  EXPECT_THAT(told({"rollback", "web"}), HasSubstr("is being rolled back"));
  ASSERT_TRUE(runs(kImage1)) << agent->log();
  ASSERT_TRUE(agent->wait_until("it is said why", [](const nlohmann::json& status) {
    const auto stack = stack_of(status, "web");
    return stack.at("held") == true && stack.at("health") == "healthy";
  }));
  const auto operation = wait_for_operation("rollback", "success");
  EXPECT_EQ(operation.at("revision_to"), first);
  EXPECT_EQ(operation.at("revision_from"), second);

  agent->kill();
  agent->start();
  agent->wait_for_passes();
  EXPECT_THAT(running_images("web_app"), ElementsAre(kImage1)) << "it was pushed again by itself";
  EXPECT_THAT(told({"explain", "web"}), HasSubstr("sent it back"));
  EXPECT_EQ(agent->write_requests(), 0) << agent->log();

  repo->stack("web", compose(kImage2, "hostname: three"));
  ASSERT_TRUE(agent->wait_for_commit(repo->push("three")));
  ASSERT_TRUE(runs(kImage2));
  EXPECT_EQ(agent->stack("web").at("quarantined"), false);
  // And to a named one, by the beginning of its id.
  (void)told({"rollback", "web", first.substr(0, 8)});
  ASSERT_TRUE(runs(kImage1)) << agent->log();
  EXPECT_THAT(wait_for_operation("rollback", "success").at("actor"), StartsWith("uid "));
}

TEST_F(LostHistory, LosingOrDamagingTheFileCostsOnlyRecords) {
  deploy(kImage1, "one");
  (void)wait_for_operation("git", "success");
  std::filesystem::remove_all(file());
  std::filesystem::remove_all(file().string() + "-wal");
  std::filesystem::remove_all(file().string() + "-shm");
  EXPECT_THAT(operations(), IsEmpty());
  deploy(kImage2, "two");
  auto operation = wait_for_operation("git", "success");
  EXPECT_EQ(operation.at("subject"), "two");

  // Damaged while nobody looks: between two runs, and while it runs.
  ASSERT_EQ(agent->stop(), 0);
  std::ofstream(file(), std::ios::binary) << std::string(50'000, 'x');
  agent->start();
  deploy(kImage1, "three");
  EXPECT_EQ(wait_for_operation("git", "success").at("subject"), "three");
  std::size_t aside = 0;
  for (const auto& entry : std::filesystem::directory_iterator(state()))
    aside += entry.path().filename().string().find(".damaged-20") != std::string::npos ? 1 : 0;
  EXPECT_EQ(aside, 1U);
  EXPECT_THAT(agent->log(), HasSubstr("set aside"));
}

TEST_F(LostHistory, LosingTheWholeStateDirectoryStopsNothing) {
  deploy(kImage1, "one");
  std::filesystem::remove_all(state());
  deploy(kImage2, "two");
  ASSERT_TRUE(runs(kImage2));
  EXPECT_EQ(wait_for_operation("git", "success").at("subject"), "two");
}

TEST_F(LostHistory, WhatStandsInTheWayIsSetAside) {
  std::filesystem::create_directories(file());  // A directory where the file should be …
  std::ofstream(file() / "full") << "x";  // … that cannot just be replaced by a rename away.
  deploy(kImage1, "one");
  EXPECT_EQ(wait_for_operation("git", "success").at("subject"), "one")
      << "what is in the way was set aside";
}

TEST_F(History, NoSecretReachesTheFileOrAnyAnswer) {
  repo->write("apps/web/pass.txt", kCanary + "\n");
  repo->write("apps/web/skep.yaml", "on_failure: keep\ntimeout: 5s\n");
  repo->stack("web",
              "services:\n  app: " +
                  service(kImage1,
                          "secrets: [pass], environment: { DB_PASSWORD: " + kCanary +
                              "-2 }, command: ['sh', '-c', 'echo cannot log in with "
                              "$$DB_PASSWORD; cat /run/secrets/pass; sleep 1; exit 4']") +
                  "secrets: { pass: { file: ./pass.txt } }\n" + kHostNetwork);
  start_agent({"--settle", "10s"});  // Longer than it ever runs.
  repo->push("a password in the wrong place");
  ASSERT_TRUE(eventually([this] { return agent->stack("web").is_object(); })) << agent->log();
  // Between two attempts the next task waits: then the engine's word is that one's.
  std::string explanation, all;
  const auto seen = [&](const char* words) { return all.find(words) != std::string::npos; };
  EXPECT_TRUE(eventually(
      [&] {
        explanation = told({"explain", "web"});
        all += explanation;
        return seen("cannot log in with ***") && seen("non-zero exit (4)");
      },
      std::chrono::seconds(60)))
      << explanation;
  EXPECT_THAT(all, Not(HasSubstr(kCanary)));
  docker(
      {"service", "update", "--detach", "--env-add", "DB_PASSWORD=" + kCanary + "-3", "web_app"});
  agent->wait_for_passes();
  EXPECT_TRUE(eventually([&] {
    return operations().dump().find("environment DB_PASSWORD") != std::string::npos;
  })) << operations().dump(1)
      << agent->log();
  for (const auto& words : std::vector<std::vector<std::string>>{{"history", "web"},
                                                                 {"history", "-o", "json"},
                                                                 {"events"},
                                                                 {"explain", "web"},
                                                                 {"trace", "web_app"}}) {
    EXPECT_THAT(told(words), Not(HasSubstr(kCanary))) << words.front();
  }
  EXPECT_THAT(kept_bytes(), AllOf(HasSubstr("apps/web"), Not(HasSubstr(kCanary))));
  EXPECT_THAT(agent->log(), Not(HasSubstr(kCanary)));
}

TEST_F(History, FollowingPrintsALineForEachEventUntilItIsInterrupted) {
  deploy(kImage1, "one");
  const auto printed = (directory() / "followed").string();
  int exit_code = -1;
  std::thread reader([&] {
    exit_code =
        lab::run({"sh",
                  "-c",
                  "timeout --foreground --preserve-status -s INT 8 " + binary() +
                      " events web --follow -n 1 --socket " + agent->socket() + " > " + printed},
                 environment())
            .exit_code;
  });
  const auto text = [&] {
    std::ifstream file(printed);
    return std::string(std::istreambuf_iterator<char>(file), {});
  };
  EXPECT_TRUE(eventually([&] { return !text().empty(); })) << "the last one before is shown first";
  EXPECT_THAT(text(), Not(HasSubstr("while it happens")));
  (void)told({"suspend", "web", "--reason", "looked at while it happens"});
  reader.join();
  EXPECT_EQ(exit_code, 0);
  EXPECT_THAT(text(), HasSubstr("asked: suspend: looked at while it happens"));
  EXPECT_THAT(text(), HasSubstr("suspended false -> true"));
}

TEST_F(History, LogsAreThoseOfTheStacksServices) {
  repo->stack("web",
              "services:\n  app: " +
                  service(kImage1, "command: ['sh', '-c', 'echo hello from app; sleep 3600']") +
                  "  other: " +
                  service(kImage1, "command: ['sh', '-c', 'echo hello from other; sleep 3600']") +
                  kHostNetwork);
  start_agent();
  ASSERT_TRUE(agent->wait_for_commit(repo->push()));
  EXPECT_TRUE(eventually([&] {
    const auto both = skep({"logs", "web"});
    return both.exit_code == 0 && both.out.find("web_app    hello from app") != std::string::npos &&
           both.out.find("web_other  hello from other") != std::string::npos;
  })) << skep({"logs", "web"}).out
      << skep({"logs", "web"}).err;
  const auto one = skep({"logs", "apps/web", "--service", "other"});
  EXPECT_THAT(one.out, AllOf(HasSubstr("hello from other"), Not(HasSubstr("hello from app"))));
  const auto unknown = skep({"logs", "web", "--service", "othr"});
  EXPECT_EQ(unknown.exit_code, 1);
  EXPECT_THAT(unknown.err, HasSubstr("did you mean web_other?"));
  auto words = environment();
  // In the foreground, or the signal comes twice, and the second one ends it at once.
  const auto followed = lab::run({"timeout",
                                  "--foreground",
                                  "--preserve-status",
                                  "-s",
                                  "INT",
                                  "5",
                                  binary(),
                                  "logs",
                                  "web",
                                  "-f"},
                                 words);
  EXPECT_EQ(followed.exit_code, 0) << followed.err;
  EXPECT_THAT(followed.out, HasSubstr("hello from app"));
}

TEST_F(History, WhatIsAskedOfAnUnknownStackOrServiceNamesTheNearest) {
  deploy(kImage1, "one");
  for (const auto* verb : {"explain", "rollback", "history", "events"}) {
    const auto refused = ask({verb, "wbe"});
    EXPECT_EQ(refused.exit_code, 1) << verb;
    EXPECT_THAT(refused.err, HasSubstr("did you mean web?")) << verb;
  }
  const auto unknown = ask({"status", "wbe"});
  EXPECT_EQ(unknown.exit_code, 1);
  EXPECT_THAT(unknown.err, HasSubstr("no stack wbe"));
  EXPECT_THAT(ask({"status", "apps/web"}).out, HasSubstr("apps/web"));
  EXPECT_THAT(skep({"statsu"}).err, HasSubstr("no command statsu; did you mean status?"));
  const auto refused = ask({"trace", "web_ap"});
  EXPECT_EQ(refused.exit_code, 1);
  EXPECT_THAT(refused.err, HasSubstr("did you mean web_app?"));
}

}  // namespace
}  // namespace skep::e2e
