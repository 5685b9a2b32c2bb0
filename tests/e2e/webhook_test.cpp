#include <algorithm>
#include <fstream>

#include "core/digest.hpp"
#include "tests/e2e/e2e.hpp"
#include "tests/gitsync/http_server.hpp"
#include "tests/lab/command.hpp"

namespace skep::e2e {
namespace {

using testing::HasSubstr;
using Steady = std::chrono::steady_clock;

constexpr const char* kWebhookSecret = "0f1e2d3c4b5a69788796a5b4c3d2e1f0";

/// An agent that looks at git once an hour, over HTTP, and is told of each push.
class Webhook : public EndToEnd {
 protected:
  void start() {
    git = std::make_unique<gitsync::test::HttpServer>(
        gitsync::test::HttpServer::Options{.root = directory() / "git"});
    std::ofstream(directory() / "secret") << kWebhookSecret << '\n';
    AgentProcess::Options options;
    options.repo = git->url("cluster.git");
    options.interval = "1h";
    options.told_of_pushes = false;
    options.directory = directory() / "agent";
    options.environment = environment();
    const auto file = (directory() / "secret").string();
    options.more = {"--webhook-secret-file",
                    "github=" + file + ",generic=" + file,
                    "--listen-webhook",
                    "127.0.0.1:0"};
    agent = std::make_unique<AgentProcess>(std::move(options));
    ASSERT_TRUE(eventually([this] { return !address().empty(); })) << agent->log();
  }

  /// Listeners are logged in their order: the socket, webhooks, everything else.
  std::string address() const {
    const auto log = agent->log();
    const auto at = log.find("listening address=127.0.0.1:");
    if (at == std::string::npos) return {};
    const auto begin = at + std::string("listening address=").size();
    return log.substr(begin, log.find_first_not_of("0123456789.:", begin) - begin);
  }

  /// Status and body, as GitHub sends a push.
  std::string push_event(const std::string& ref,
                         const std::string& url,
                         const std::string& commit,
                         const std::string& secret = kWebhookSecret) const {
    const nlohmann::json body = {
        {"ref", ref}, {"after", commit}, {"deleted", false}, {"repository", {{"clone_url", url}}}};
    const auto text = body.dump();
    return lab::run({"curl",
                     "-s",
                     "-w",
                     " %{http_code}",
                     "--max-time",
                     "10",
                     "-H",
                     "Content-Type: application/json",
                     "-H",
                     "X-GitHub-Event: push",
                     "-H",
                     "X-GitHub-Delivery: " + commit + std::to_string(++deliveries_),
                     "-H",
                     "X-Hub-Signature-256: sha256=" + hmac_sha256_hex(secret, text),
                     "-d",
                     text,
                     "http://" + address() + "/webhook/github"})
        .out;
  }

  std::unique_ptr<gitsync::test::HttpServer> git;

 private:
  mutable int deliveries_ = 0;
};

TEST_F(Webhook, APushIsDeployedAtOnceThoughGitIsPolledOnceAnHour) {
  repo->stack("web", "services:\n  app: { image: " + kImage1 + " }\n" + kHostNetwork);
  const auto first = repo->push("first");
  start();
  ASSERT_TRUE(agent->wait_for_commit(first));
  const auto url = git->url("cluster.git");
  std::vector<double> times;
  constexpr int kPushes = 10;
  for (int i = 1; i <= kPushes; ++i) {
    // Only a label of the service: its tasks go on, and the time is ours alone.
    const auto text = "services:\n  app:\n    image: " + kImage1 +
                      "\n    deploy:\n      labels: { run: '" + std::to_string(i) + "' }\n" +
                      kHostNetwork;
    repo->stack("web", text);
    const auto commit = repo->push("push " + std::to_string(i));
    const auto begin = Steady::now();
    ASSERT_THAT(push_event("refs/heads/main", url, commit), HasSubstr(" 202"));
    const auto label = [this] {
      const auto services = objects("services");
      const auto& labels = services.at("web_app").at("Spec").at("Labels");
      return labels.value("run", std::string());
    };
    bool came = false;
    while (!came && Steady::now() - begin < std::chrono::seconds(20))
      came = label() == std::to_string(i);
    ASSERT_TRUE(came) << agent->log();
    times.push_back(seconds_since(begin) * 1000);
    ASSERT_TRUE(agent->wait_for_commit(commit));
  }
  std::sort(times.begin(), times.end());
  std::cout << "from webhook to first write seen in the swarm, " << kPushes << " pushes: median "
            << times.at(times.size() / 2) << " ms, most " << times.back()
            << " ms (a look at the swarm and one curl are part of it)\n";
  EXPECT_EQ(agent->metric("skep_webhook_requests_total", R"(provider="github",result="accepted")"),
            kPushes);
  EXPECT_LT(times.back(), 10'000) << "an hour would have been the poll";
}

TEST_F(Webhook, OnlyOurBranchWithTheRightProofIsAHintAndSuspendedStacksStayAsTheyAre) {
  repo->stack("web", "services:\n  app: " + service(kImage1) + kHostNetwork);
  const auto first = repo->push("first");
  start();
  ASSERT_TRUE(agent->wait_for_commit(first));
  const auto url = git->url("cluster.git");
  const auto fetches = [this] { return agent->metric("skep_git_requests_total"); };
  const auto before = fetches();
  repo->stack("web", "services:\n  app: " + service(kImage2) + kHostNetwork);
  const auto second = repo->push("second");

  EXPECT_THAT(push_event("refs/heads/main", url, second, "wrong"), HasSubstr(" 401"));
  EXPECT_THAT(push_event("refs/heads/other", url, second), HasSubstr("is not what the agent"));
  EXPECT_THAT(push_event("refs/heads/main", "https://git.example.com/a/b.git", second),
              HasSubstr("another repository"));
  EXPECT_EQ(agent->status().at("revision"), first);
  EXPECT_EQ(fetches(), before) << "none of them was a reason to look";
  EXPECT_THAT(agent->log(), HasSubstr("--webhook-repository"));

  ASSERT_EQ(skep({"suspend", "web", "--reason", "release", "--socket", agent->socket()}).exit_code,
            0);
  ASSERT_TRUE(agent->wait_until("web is suspended", [](const nlohmann::json& status) {
    return stack_of(status, "web").at("suspended") == true;
  }));
  EXPECT_THAT(push_event("refs/heads/main", url, second), HasSubstr(" 202"));
  ASSERT_TRUE(agent->wait_until("the commit is known", [&](const nlohmann::json& status) {
    return status.at("revision") == second;
  }));
  agent->wait_for_passes();
  EXPECT_EQ(agent->stack("web").at("suspended"), true);
  EXPECT_THAT(running_images("web_app"), testing::ElementsAre(kImage1));
}

}  // namespace
}  // namespace skep::e2e
