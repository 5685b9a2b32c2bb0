// The verbs that ask a running agent, and what it tells of itself. Suites begin with "CommandLine":
// they share the engine of command_line_test.cpp.
#include <fstream>
#include <map>
#include <regex>
#include <set>
#include <sstream>

#include <signal.h>

#include "core/digest.hpp"
#include "tests/e2e/e2e.hpp"
#include "tests/gitsync/process.hpp"
#include "tests/gitsync/tls_certificate.hpp"

namespace skep::e2e {
namespace {

using testing::Each;
using testing::HasSubstr;
using testing::Not;

class CommandLineAgent : public EndToEnd {
 protected:
  AgentProcess& start(std::vector<std::string> more,
                      std::map<std::string, std::string> variables = {}) {
    AgentProcess::Options options;
    options.repo = repo->bare();
    options.directory = directory() / "agent";
    options.environment = environment();
    options.environment.merge(variables);
    options.more = std::move(more);
    agent = std::make_unique<AgentProcess>(std::move(options));
    return *agent;
  }
  std::string write(const std::string& name, const std::string& text) const {
    const auto path = (directory() / name).string();
    std::ofstream(path) << text;
    return path;
  }
  /// Port of the last listener, which is the one for everything.
  [[nodiscard]] std::string port() const {
    const auto log = agent->log();
    static const std::regex kListening("listening address=127.0.0.1:([0-9]+)");
    std::smatch match;
    return std::regex_search(log, match, kListening) ? match[1].str() : "";
  }
  std::string deploy() {
    repo->stack("shop", "services:\n  app: " + service(kImage1) + kHostNetwork);
    return repo->push("first");
  }
  static std::vector<nlohmann::json> json_lines(const std::string& text) {
    std::vector<nlohmann::json> found;
    std::istringstream lines(text);
    for (std::string line; std::getline(lines, line);)
      found.push_back(nlohmann::json::parse(line, nullptr, false));
    return found;
  }
  static std::vector<nlohmann::json> json_file(const std::string& path) {
    std::ifstream file(path);
    return json_lines({std::istreambuf_iterator<char>(file), {}});
  }
};

TEST_F(CommandLineAgent, IsAskedOverHttpsWithATokenAndAnAuthorityOfItsOwn) {
  const auto certificate = gitsync::test::make_certificate();
  const auto ca = write("cert.pem", certificate.certificate);
  const auto commit = deploy();
  start({"--tls-cert",
         ca,
         "--tls-key",
         write("key.pem", certificate.key),
         "--token",
         "viewer:screen=" + sha256_hex("looker"),
         "--token",
         "operator:ci=" + sha256_hex("doer"),
         "--token-to-read"});
  ASSERT_TRUE(agent->wait_for_commit(commit));
  const auto server = "https://localhost:" + port();
  const auto ask = [&](std::vector<std::string> words, const std::string& token) {
    words.insert(words.end(), {"--server", server, "--ca-file", ca});
    if (!token.empty()) words.insert(words.end(), {"--token-file", write("token", token + "\n")});
    return skep(words);
  };
  EXPECT_EQ(ask({"status"}, "").exit_code, 1);
  EXPECT_THAT(ask({"status"}, "").err, HasSubstr("needs a token"));
  EXPECT_THAT(ask({"status", "shop"}, "looker").out, HasSubstr("apps/shop"));
  EXPECT_THAT(ask({"explain", "shop"}, "looker").out, HasSubstr("apps/shop"));
  EXPECT_THAT(ask({"history", "shop"}, "looker").out, HasSubstr("success"));
  EXPECT_THAT(ask({"sync", "shop"}, "looker").err, HasSubstr("may only read"));
  EXPECT_EQ(ask({"sync", "shop"}, "doer").exit_code, 0);
  EXPECT_EQ(ask({"suspend", "shop", "--reason", "test"}, "doer").exit_code, 0);
  EXPECT_EQ(ask({"resume", "shop"}, "doer").exit_code, 0);
  EXPECT_THAT(ask({"events"}, "looker").out, HasSubstr("(token ci from 127.0.0.1)"));
  const auto unbelieved = skep({"status", "--server", server}).err;
  EXPECT_THAT(unbelieved, HasSubstr("certificate"))
      << "an authority that nobody named is not believed";
  EXPECT_THAT(unbelieved, HasSubstr(server));
  EXPECT_THAT(unbelieved, HasSubstr("--ca-file"));
  EXPECT_THAT(skep({"status", "--server", "http://localhost:" + port()}).err,
              HasSubstr("is asked at https://"));
  // One stack, whole, with its tasks as the engine has them.
  const auto answer = lab::run({"curl",
                                "-s",
                                "--cacert",
                                ca,
                                "-H",
                                "Authorization: Bearer looker",
                                server + "/api/v1/stacks/apps/shop"});
  const auto stack = nlohmann::json::parse(answer.out, nullptr, false);
  ASSERT_TRUE(stack.is_object()) << answer.out << answer.err;
  EXPECT_EQ(stack.at("tasks").at(0).at("service"), "shop_app") << stack.dump(1);
  EXPECT_EQ(stack.at("tasks").at(0).at("state"), "running") << stack.dump(1);
  EXPECT_FALSE(stack.at("conditions").empty());
  EXPECT_EQ(stack.at("operations").at(0).at("result"), "success");
  const auto metrics = lab::run({"curl", "-s", "--cacert", ca, server + "/metrics"});
  EXPECT_THAT(metrics.out, Not(HasSubstr("skep_"))) << "Attack 32";
}

TEST_F(CommandLineAgent, LogsLinesForProgramsAndKeepsAnAuditFile) {
  const auto commit = deploy();
  const auto file = (directory() / "audit.log").string();
  start({"--audit-file", file}, {{"SKEP_LOG_FORMAT", "auto"}});
  ASSERT_TRUE(agent->wait_for_commit(commit));
  ASSERT_EQ(skep({"sync", "shop", "--socket", agent->socket()}).exit_code, 0);

  const auto lines = json_lines(agent->log());
  ASSERT_FALSE(lines.empty());
  std::set<std::string> passes;
  for (const auto& line : lines) {
    ASSERT_TRUE(line.is_object()) << agent->log();
    EXPECT_THAT(line.at("time").get<std::string>(), testing::EndsWith("Z"));
    EXPECT_TRUE(line.contains("level") && line.contains("message")) << line;
    if (line.at("message") == "stack is healthy") {
      EXPECT_EQ(line.at("stack"), "shop");
      passes.insert(line.value("pass", ""));
    }
  }
  EXPECT_FALSE(passes.empty()) << agent->log();
  EXPECT_THAT(passes, Each(testing::MatchesRegex("[0-9a-f]+-[0-9]+")));

  // More, without a restart: by the verb, and by a signal.
  EXPECT_EQ(skep({"log-level", "--socket", agent->socket()}).out, "info\n");
  EXPECT_EQ(skep({"log-level", "debug", "--socket", agent->socket()}).out, "debug\n");
  EXPECT_EQ(skep({"log-level", "loud", "--socket", agent->socket()}).exit_code, 1);
  agent->signal(SIGUSR1);
  EXPECT_TRUE(eventually([&] {
    return skep({"log-level", "--socket", agent->socket()}).out == "info\n";
  }));
  EXPECT_THAT(agent->log(), HasSubstr("\"level\":\"warning\",\"message\":\"log level set\""));

  const auto record = [](const std::string& path, const std::string& kind) {
    for (const auto& line : json_file(path)) {
      if (line.is_object() && line.at("record") == kind) return line;
    }
    return nlohmann::json();
  };
  nlohmann::json done;
  ASSERT_TRUE(eventually([&] {
    done = record(file, "operation");
    return done.is_object() && record(file, "asked").is_object();
  }));
  EXPECT_EQ(done.at("stack"), "apps/shop");
  EXPECT_EQ(done.at("why"), "git");
  EXPECT_EQ(done.at("result"), "success");
  EXPECT_EQ(done.at("revision_to"), commit);
  EXPECT_FALSE(done.at("plan_digest").get<std::string>().empty());
  EXPECT_THAT(done.at("who").get<std::string>(), Not(testing::IsEmpty()));
  EXPECT_THAT(record(file, "asked").at("who").get<std::string>(), HasSubstr("uid "));
  // As logrotate does: moved away, and nobody is told.
  std::filesystem::rename(file, file + ".1");
  ASSERT_EQ(skep({"sync", "shop", "--socket", agent->socket()}).exit_code, 0);
  EXPECT_TRUE(eventually([&] { return record(file, "asked").is_object(); }));
  EXPECT_EQ(agent->metric("skep_audit_write_errors_total"), 0);
}

TEST_F(CommandLineAgent, ShowsLiveProgress) {
  const auto commit = deploy();
  start({});
  ASSERT_TRUE(agent->wait_for_commit(commit));
  const auto file = [this](const std::string& name) { return (directory() / name).string(); };
  const auto text = [&](const std::string& name) {
    std::ifstream stream(file(name));
    return std::string{std::istreambuf_iterator<char>(stream), {}};
  };
  const auto watch = binary() + " status --watch --socket " + agent->socket();
  using gitsync::test::Background;
  const Background drawn({"/usr/bin/env", "TERM=xterm", "script", "-qefc", watch, "/dev/null"},
                         file("drawn"));
  const Background printed({"/bin/sh", "-c", "exec " + watch}, file("printed"));
  const Background events({binary(), "events", "--follow", "-n", "1", "--socket", agent->socket()},
                          file("events"));
  ASSERT_TRUE(eventually([&] {
    return text("drawn").find("apps/shop") != std::string::npos &&
           text("printed").find("apps/shop") != std::string::npos && !text("events").empty();
  })) << text("drawn")
      << text("printed") << text("events");
  repo->stack("shop", "services:\n  app: " + service(kImage2) + kHostNetwork);
  ASSERT_TRUE(agent->wait_for_commit(repo->push("second")));
  ASSERT_TRUE(eventually([&] { return text("drawn").find("second") != std::string::npos; }))
      << text("drawn");
  EXPECT_THAT(text("drawn"), HasSubstr("\x1b[2J\x1b[H"));
  const auto last = " apps/shop  synced, healthy, 1/1\n";
  ASSERT_TRUE(eventually([&] {
    const auto lines = text("printed");
    return lines.find(last) != lines.rfind(last) || lines.find("out_of_sync") != std::string::npos;
  })) << text("printed");
  EXPECT_THAT(text("printed"), Not(HasSubstr("\x1b")));
  EXPECT_THAT(text("printed"), HasSubstr("  agent  revision "));
  std::map<std::string, std::string> before;
  std::istringstream stream(text("printed"));
  for (std::string line; std::getline(stream, line);) {
    const auto name = line.substr(22, line.find("  ", 22) - 22);
    EXPECT_NE(line.substr(22), before[name]) << "only what changed";
    before[name] = line.substr(22);
  }
  EXPECT_TRUE(eventually([&] { return text("events").find("revision") != std::string::npos; }))
      << text("events");
}

TEST_F(CommandLineAgent, DoctorSaysWhatIsWrongAndHowToMendIt) {
  const auto commit = deploy();
  start_agent();
  ASSERT_TRUE(agent->wait_for_commit(commit));
  const auto state = (directory() / "state").string();
  const auto well = skep({"doctor",
                          "--socket",
                          agent->socket(),
                          "--repo",
                          "file://" + repo->bare(),
                          "--state-dir",
                          state});
  EXPECT_EQ(well.exit_code, 0) << well.out;
  EXPECT_THAT(well.out, HasSubstr("ok     engine"));
  EXPECT_THAT(well.out, HasSubstr("ok     swarm     manager, 1 of 1 nodes ready"));
  EXPECT_THAT(well.out, HasSubstr("is at " + commit.substr(0, 12)));
  EXPECT_THAT(well.out, HasSubstr("ok     clock"));
  EXPECT_THAT(well.out, HasSubstr("ok     registry  not looked at"))
      << "the repository says that none is asked";
  EXPECT_THAT(well.out, HasSubstr("ok     agent     looks after 1 stack"));
  repo->hide();
  const auto lost = skep({"doctor",
                          "-o",
                          "json",
                          "--socket",
                          agent->socket(),
                          "--repo",
                          "file://" + repo->bare(),
                          "--state-dir",
                          "/proc/nowhere"});
  repo->bring_back();
  EXPECT_EQ(lost.exit_code, 1);
  std::set<std::string> wrong;
  for (const auto& finding :
       nlohmann::json::parse(lost.out, nullptr, false).value("findings", nlohmann::json())) {
    if (finding.at("state") != "wrong") continue;
    wrong.insert(finding.at("about").get<std::string>());
    EXPECT_THAT(finding.at("remedy").get<std::string>(), Not(testing::IsEmpty())) << finding;
  }
  EXPECT_THAT(wrong, testing::IsSupersetOf({"git", "state"})) << lost.out;
  const auto blind = skep({"-H", "unix:///not/there.sock", "doctor", "--socket", "/not/there"});
  EXPECT_EQ(blind.exit_code, 1);
  EXPECT_THAT(blind.out, HasSubstr("wrong  engine"));
  EXPECT_THAT(blind.out, HasSubstr("systemctl start docker"));
}

// What was deployed by hand becomes a repository from which nothing would change.
TEST_F(CommandLineAgent, AdoptWritesARepositoryOfWhatRuns) {
  const auto settings = write("settings.txt", "a = $1\n");
  const auto key = write("key.txt", "not to be read back");
  const auto shop = write(
      "shop.yml",
      "version: '3.13'\n"
      "services:\n"
      "  db:\n"
      "    image: " +
          kImage1 +
          "\n"
          "    command: ['sleep', '100000']\n"
          "    environment: { PRICE: '5$$', EMPTY: '', TEXT: 'yes' }\n"
          "    volumes: ['data:/data', '/tmp:/host:ro', { type: tmpfs, target: /scratch }]\n"
          "    healthcheck: { test: ['CMD', 'true'], interval: 1m30s, retries: 5 }\n"
          "    stop_grace_period: 1s\n"
          "    cap_drop: [ALL]\n"
          "    extra_hosts: ['db.example.com:10.0.0.9']\n"
          "    ulimits: { nofile: { soft: 1000, hard: 2000 } }\n"
          "    networks: { default: { aliases: [database] }, back: }\n"
          "    deploy:\n"
          "      labels: { team: 'shop' }\n"
          "      placement: { constraints: ['node.role == manager'], preferences: [{ spread: "
          "node.id }] }\n"
          "      resources: { limits: { cpus: '0.25', memory: 64M }, reservations: { memory: 8M } "
          "}\n"
          "      restart_policy: { condition: on-failure, delay: 2s, max_attempts: 3 }\n"
          "      update_config: { parallelism: 2, order: start-first, failure_action: rollback }\n"
          "  app:\n"
          "    image: " +
          kImage1 +
          "\n"
          "    entrypoint: ['sleep']\n"
          "    command: ['100000']\n"
          "    configs: [{ source: settings, target: /etc/settings, mode: 0440 }]\n"
          "    secrets: [key]\n"
          "    ports: [{ target: 80, published: 8399, mode: host }]\n"
          "    logging: { driver: json-file, options: { max-size: 1m } }\n"
          "    deploy: { replicas: 2, endpoint_mode: dnsrr }\n"
          "volumes: { data: { labels: { keep: 'true' } } }\n"
          "networks: { back: { attachable: true } }\n"
          "configs: { settings: { file: " +
          settings +
          " } }\n"
          "secrets: { key: { file: " +
          key + " } }\n");
  const auto agents = write("agents.yml",
                            "version: '3.8'\nservices:\n  node:\n    image: " + kImage2 +
                                "\n    deploy: { mode: global }\n");
  docker({"stack", "deploy", "--resolve-image", "never", "-c", shop, "Shop-1"});
  docker({"stack", "deploy", "--resolve-image", "never", "-c", agents, "agents"});
  // The engine gives a service its address a moment after it has taken it, as a new version.
  ASSERT_TRUE(eventually(
      [&] { return objects("services").at("agents_node").at("Endpoint").contains("VirtualIPs"); }));
  const auto into = (directory() / "written").string();
  const auto before = versions_at_rest();
  const auto adopted = skep({"adopt", "--into", into, "--management", "agents"});
  EXPECT_EQ(adopted.exit_code, 0) << adopted.out << adopted.err;
  EXPECT_THAT(adopted.out, HasSubstr("No changes: 2 stacks are as written."));
  EXPECT_TRUE(std::filesystem::exists(into + "/management/agents/docker-compose.yml"));
  const auto plan = skep({"plan", "--repo", into});
  EXPECT_EQ(plan.exit_code, 0) << plan.out << plan.err;
  EXPECT_EQ(versions(), before);
  std::ifstream compose(into + "/apps/Shop-1/docker-compose.yml");
  const std::string text{std::istreambuf_iterator<char>(compose), {}};
  EXPECT_THAT(text, Not(HasSubstr("com.docker.stack")));
  EXPECT_THAT(text, HasSubstr("5$$"));
  // A second time nothing that is there is touched.
  const auto again = skep({"adopt", "Shop-1", "--into", into});
  EXPECT_EQ(again.exit_code, 1);
  EXPECT_THAT(again.err, HasSubstr("is there already"));
  EXPECT_THAT(skep({"adopt", "Shop-2", "--into", into}).err, HasSubstr("did you mean Shop-1?"));
}

// Swarm's own entry for it stands in no list of the engine.
TEST_F(CommandLineAgent, AdoptNamesTheNetworkOfTheHost) {
  const auto node =
      write("node.yml",
            "version: '3.8'\nservices:\n  exporter: " + service(kImage1, "networks: [own]") +
                "networks: { own: { external: true, name: host } }\n");
  docker({"stack", "deploy", "--resolve-image", "never", "-c", node, "node"});
  const auto into = (directory() / "written").string();
  const auto adopted = skep({"adopt", "--into", into});
  EXPECT_EQ(adopted.exit_code, 0) << adopted.out << adopted.err;
  std::ifstream compose(into + "/apps/node/docker-compose.yml");
  const std::string written{std::istreambuf_iterator<char>(compose), {}};
  EXPECT_THAT(written, HasSubstr("networks:\n  host:\n    name: host\n    external: true\n"));
}

TEST_F(CommandLineAgent, AdoptTellsApartWhatHasOneNameWithAndWithoutTheStacks) {
  const auto text = write("text.txt", "the same everywhere\n");
  const auto uses = [](const std::string& more) {
    return "{ image: '" + kImage1 + "', command: [sleep, '100000'], deploy: { replicas: 0 }, " +
           more + " }\n";
  };
  docker({"network", "create", "-d", "overlay", "back"});
  docker({"secret", "create", "db_password", text});
  docker({"config", "create", "settings", text});
  const auto alike =
      write("alike.yml",
            "version: '3.8'\n"
            "services:\n"
            "  db: " +
                uses("networks: [back], secrets: [db_password], volumes: ['data:/data'], "
                     "configs: [settings, nginx-20240101]") +
                "  app: " +
                uses("networks: [theirs], secrets: [theirs], volumes: ['theirs:/data'], "
                     "configs: [theirs, nginx-20240201]") +
                "networks: { back: {}, theirs: { external: true, name: back } }\n"
                "secrets:\n"
                "  db_password: { file: text.txt }\n"
                "  theirs: { external: true, name: db_password }\n"
                "volumes: { data: {}, theirs: { external: true, name: data } }\n"
                "configs:\n"
                "  settings: { file: text.txt }\n"
                "  theirs: { external: true, name: settings }\n"
                "  nginx-20240101: { file: text.txt }\n"
                "  nginx-20240201: { file: text.txt }\n");
  docker({"stack", "deploy", "--resolve-image", "never", "-c", alike, "alike"});
  const auto into = (directory() / "written").string();
  const auto adopted = skep({"adopt", "--into", into});
  EXPECT_EQ(adopted.exit_code, 0) << adopted.out << adopted.err;
  EXPECT_THAT(adopted.out, HasSubstr("No changes: 1 stack is as written."));
  EXPECT_TRUE(std::filesystem::exists(into + "/apps/alike/configs/nginx-20240101"));
  EXPECT_TRUE(std::filesystem::exists(into + "/apps/alike/configs/nginx-20240201"));
}

}  // namespace
}  // namespace skep::e2e
