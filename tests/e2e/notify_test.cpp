#include <fstream>
#include <mutex>

#include "core/digest.hpp"
#include "server/server.hpp"
#include "tests/e2e/e2e.hpp"
#include "tests/gitsync/process.hpp"

namespace skep::e2e {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

constexpr const char* kKey = "0f1e2d3c4b5a69788796a5b4c3d2e1f0";

constexpr const char* kForgeToken = "canary-forge-token";

/// What a receiver of the generic webhook, and a Gitea, see; they can come later than the agent.
class Receiver {
 public:
  explicit Receiver(std::uint16_t port) {
    server::Router router;
    router.add(server::RouteSet::api, "POST", "/hook", [this](const server::Request& request) {
      const std::lock_guard lock(mutex_);
      const auto text = std::string(request.header("x-skep-timestamp")) + "." + request.body;
      EXPECT_EQ(request.header("x-skep-signature"), "sha256=" + hmac_sha256_hex(kKey, text));
      bodies_.push_back(nlohmann::json::parse(request.body));
      EXPECT_EQ(request.header("x-skep-delivery"), bodies_.back().at("id"));
      return server::Response{};
    });
    router.add(server::RouteSet::api,
               "POST",
               "/api/v1/repos/ops/cluster/statuses/{commit}",
               [this](const server::Request& request) {
                 const std::lock_guard lock(mutex_);
                 EXPECT_EQ(request.header("authorization"), std::string("token ") + kForgeToken);
                 const auto body = nlohmann::json::parse(request.body);
                 beside_[request.parameters.at("commit")][body.at("context")] = body.at("state");
                 server::Response created;
                 created.status = 201;
                 return created;
               });
    auto started = server::Server::start(
        std::move(router),
        {.listeners = {{"127.0.0.1:" + std::to_string(port), {server::RouteSet::api}}},
         .limits = {}});
    EXPECT_TRUE(started) << started.error().message;
    if (started) server_ = *std::move(started);
  }

  [[nodiscard]] std::vector<std::string> told() const {
    const std::lock_guard lock(mutex_);
    std::vector<std::string> words;
    for (const auto& body : bodies_) {
      words.push_back(body.at("reason").get<std::string>() + " " +
                      body.at("stacks").at(0).at("stack").get<std::string>());
    }
    return words;
  }
  /// The state of one status; "" for none.
  [[nodiscard]] std::string beside(const std::string& commit, const std::string& context) const {
    const std::lock_guard lock(mutex_);
    const auto at = beside_.find(commit);
    if (at == beside_.end() || !at->second.contains(context)) return {};
    return at->second.at(context);
  }
  [[nodiscard]] nlohmann::json first() const {
    const std::lock_guard lock(mutex_);
    return bodies_.empty() ? nlohmann::json() : bodies_.front();
  }

 private:
  mutable std::mutex mutex_;
  std::vector<nlohmann::json> bodies_;
  std::map<std::string, std::map<std::string, std::string>> beside_;
  std::unique_ptr<server::Server> server_;
};

class Notify : public EndToEnd {};

TEST_F(Notify, MessagesAndCommitStatusesArriveThoughTheAgentIsKilledAndNobodyIsThere) {
  const auto port = gitsync::test::free_port();
  std::ofstream(directory() / "key") << kKey << '\n';
  std::ofstream(directory() / "token") << kForgeToken << '\n';
  std::ofstream(directory() / "notify.yaml")
      << "commit_statuses:\n  - type: gitea\n    repository: http://127.0.0.1:" << port
      << "/ops/cluster.git\n    token_file: " << (directory() / "token").string()
      << "\n"
         "targets:\n  - name: pager\n    type: webhook\n    url: http://127.0.0.1:"
      << port << "/hook\n    secret_file: " << (directory() / "key").string() << "\n";
  repo->stack("web", "services:\n  app: " + service(kImage1) + kHostNetwork);
  const auto first = repo->push("first");
  start_agent({"--notify-file", (directory() / "notify.yaml").string()});
  ASSERT_TRUE(agent->wait_for_commit(first));
  const auto waiting = [this] { return agent->metric("skep_notification_queue_depth"); };

  repo->stack("web", "services:\n  app: [not a mapping]\n");
  const auto second = repo->push("a mistake");
  // The message, and the two statuses of each commit; those of the first one have an end.
  ASSERT_TRUE(eventually([&] { return waiting() == 5; })) << agent->log() << agent->metrics();
  agent->kill();
  agent->start();
  {
    const Receiver receiver(port);
    ASSERT_TRUE(eventually([&] { return !receiver.told().empty(); })) << agent->log();
    EXPECT_THAT(receiver.told(), ElementsAre("broken apps/web"));
    const auto story = receiver.first().at("stacks").at(0);
    EXPECT_EQ(story.at("revision"), second);
    EXPECT_NE(story.at("author"), "");
    EXPECT_EQ(story.at("subject"), "a mistake");
    EXPECT_THAT(story.at("what"), HasSubstr("docker-compose.yml:2"));
    repo->stack("web", "services:\n  app: " + service(kImage1) + kHostNetwork);
    const auto third = repo->push("mended");
    ASSERT_TRUE(agent->wait_for_commit(third));
    ASSERT_TRUE(eventually([&] { return receiver.told().size() >= 2; })) << agent->log();
    EXPECT_THAT(receiver.told(), ElementsAre("broken apps/web", "recovered apps/web"));
    ASSERT_TRUE(eventually([&] { return waiting() == 0; })) << agent->log();
    EXPECT_EQ(receiver.beside(first, "skep"), "success");
    EXPECT_EQ(receiver.beside(second, "skep"), "failure");
    EXPECT_EQ(receiver.beside(second, "skep/apps/web"), "failure");
    EXPECT_EQ(receiver.beside(third, "skep"), "success");
  }
  EXPECT_THAT(agent->log(), HasSubstr("target=pager"));
  EXPECT_THAT(agent->log(), testing::Not(HasSubstr(kForgeToken)));
  EXPECT_THAT(agent->log(), testing::Not(HasSubstr(kKey)));
}

}  // namespace
}  // namespace skep::e2e
