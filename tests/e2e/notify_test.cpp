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

/// What a receiver of the generic webhook sees; it can come later than the agent.
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
  [[nodiscard]] nlohmann::json first() const {
    const std::lock_guard lock(mutex_);
    return bodies_.empty() ? nlohmann::json() : bodies_.front();
  }

 private:
  mutable std::mutex mutex_;
  std::vector<nlohmann::json> bodies_;
  std::unique_ptr<server::Server> server_;
};

class Notify : public EndToEnd {};

TEST_F(Notify, AMessageIsDeliveredThoughTheAgentIsKilledAndTheReceiverIsAway) {
  const auto port = gitsync::test::free_port();
  std::ofstream(directory() / "key") << kKey << '\n';
  std::ofstream(directory() / "notify.yaml")
      << "targets:\n  - name: pager\n    type: webhook\n    url: http://127.0.0.1:" << port
      << "/hook\n    secret_file: " << (directory() / "key").string() << "\n";
  repo->stack("web", "services:\n  app: " + service(kImage1) + kHostNetwork);
  const auto first = repo->push("first");
  start_agent({"--notify-file", (directory() / "notify.yaml").string()});
  ASSERT_TRUE(agent->wait_for_commit(first));
  const auto waiting = [this] { return agent->metric("skep_notification_queue_depth"); };

  repo->stack("web", "services:\n  app: [not a mapping]\n");
  const auto second = repo->push("a mistake");
  ASSERT_TRUE(eventually([&] { return waiting() == 1; })) << agent->log() << agent->metrics();
  agent->kill();
  agent->start();
  {
    const Receiver receiver(port);
    ASSERT_TRUE(eventually([&] { return !receiver.told().empty(); })) << agent->log();
    EXPECT_THAT(receiver.told(), ElementsAre("broken apps/web"));
    const auto story = receiver.first().at("stacks").at(0);
    EXPECT_EQ(story.at("revision"), second);
    EXPECT_THAT(story.at("what"), HasSubstr("docker-compose.yml:2"));
    repo->stack("web", "services:\n  app: " + service(kImage1) + kHostNetwork);
    ASSERT_TRUE(agent->wait_for_commit(repo->push("mended")));
    ASSERT_TRUE(eventually([&] { return receiver.told().size() >= 2; })) << agent->log();
    EXPECT_THAT(receiver.told(), ElementsAre("broken apps/web", "recovered apps/web"));
  }
  EXPECT_EQ(waiting(), 0);
  EXPECT_THAT(agent->log(), HasSubstr("target=pager"));
  EXPECT_THAT(agent->log(), testing::Not(HasSubstr(kKey)));
}

}  // namespace
}  // namespace skep::e2e
