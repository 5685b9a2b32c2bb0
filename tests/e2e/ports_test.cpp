#include "tests/e2e/e2e.hpp"

namespace skep::e2e {
namespace {

class Ports : public EndToEnd {
 protected:
  static std::string compose(const std::string& a, const std::string& b) {
    const auto port = [](const std::string& number) {
      return number.empty() ? std::string() : "ports: ['" + number + ":80']";
    };
    return "services:\n  a: " + service(kImage1, port(a)) + "  b: " + service(kImage1, port(b));
  }
  std::string published(const std::string& name) {
    const auto spec = objects("services").at(name).at("Spec").at("EndpointSpec");
    if (!spec.contains("Ports")) return "";
    return std::to_string(spec.at("Ports").at(0).at("PublishedPort").get<int>());
  }
  void change(const std::string& what, const std::string& a, const std::string& b) {
    repo->stack("shop", compose(a, b));
    const auto start = std::chrono::steady_clock::now();
    ASSERT_TRUE(agent->wait_for_commit(repo->push(what)));
    std::cout << what << ": " << seconds_since(start) << " s\n";
    EXPECT_EQ(published("shop_a"), a);
    EXPECT_EQ(published("shop_b"), b);
    EXPECT_EQ(agent->stack("shop").at("consecutive_failures"), 0);
  }
};

TEST_F(Ports, MoveFromOneServiceToAnotherAndChangePlaces) {
  repo->stack("shop", compose("18080", "18081"));
  start_agent();
  ASSERT_TRUE(agent->wait_for_commit(repo->push()));
  change("exchanged", "18081", "18080");
  change("moved on", "", "18081");
  change("moved back", "18081", "18080");
  EXPECT_EQ(agent->metric("skep_syncs_total", "result=\"failure\""), 0) << agent->log();
  // The same by hand, with one command.
  repo->write("swap.yml", compose("18080", "18081"));
  const auto planned = skep({"plan", "--repo", repo->tree()});
  agent.reset();
  const auto deployed = skep({"deploy", "-c", repo->tree() + "/swap.yml", "shop"});
  EXPECT_EQ(deployed.exit_code, 0) << deployed.err;
  EXPECT_EQ(published("shop_a"), "18080");
  EXPECT_EQ(published("shop_b"), "18081");
}

TEST_F(Ports, ImixsChange1And2_ARenamedDirectoryAndARenamedServiceHandTheirPortOver) {
  const auto mesh = [](const std::string& name) {
    return "services:\n  " + name + ": " + service(kImage1, "ports: ['18095:80']");
  };
  for (const auto* other : {"x", "y"})
    repo->stack(other, "services:\n  app: " + service(kImage1) + kHostNetwork);
  repo->stack("treafik", mesh("proxy"));
  start_agent();
  ASSERT_TRUE(agent->wait_for_commit(repo->push()));
  repo->remove("apps/treafik");
  repo->stack("traefik", mesh("proxy"));
  ASSERT_TRUE(agent->wait_for_commit(repo->push("typo")));
  EXPECT_EQ(published("traefik_proxy"), "18095");
  EXPECT_EQ(objects("services").count("treafik_proxy"), 0U);
  repo->stack("traefik", mesh("edge"));
  ASSERT_TRUE(agent->wait_for_commit(repo->push("another name")));
  EXPECT_EQ(published("traefik_edge"), "18095");
  EXPECT_EQ(objects("services").count("traefik_proxy"), 0U);
  EXPECT_EQ(agent->metric("skep_syncs_total", "result=\"failure\""), 0) << agent->log();
}

TEST_F(Ports, OfTheNodesIsHandedOverWhereItsServiceIsRenamed) {
  const auto on_node = [](const std::string& name) {
    return "services:\n  " + name + ": " +
           service(kImage1, "ports: [{target: 80, published: 18097, mode: host}]");
  };
  repo->stack("edge", on_node("old"));
  start_agent();
  ASSERT_TRUE(agent->wait_for_commit(repo->push()));
  repo->stack("edge", on_node("new"));
  ASSERT_TRUE(agent->wait_for_commit(repo->push("another name"))) << agent->log();
  EXPECT_EQ(published("edge_new"), "18097");
  EXPECT_EQ(objects("services").count("edge_old"), 0U);
  EXPECT_EQ(agent->metric("skep_syncs_total", "result=\"failure\""), 0) << agent->log();
}

TEST_F(Ports, MoveFromOneStackToAnother) {
  repo->stack("one", "services:\n  app: " + service(kImage1, "ports: ['18090:80']"));
  repo->stack("two", "services:\n  app: " + service(kImage1));
  start_agent();
  ASSERT_TRUE(agent->wait_for_commit(repo->push()));
  repo->stack("one", "services:\n  app: " + service(kImage1));
  repo->stack("two", "services:\n  app: " + service(kImage1, "ports: ['18090:80']"));
  ASSERT_TRUE(agent->wait_for_commit(repo->push("the other way round")));
  EXPECT_EQ(published("one_app"), "");
  EXPECT_EQ(published("two_app"), "18090");
  // And an exchange, which the engine has no single step for.
  repo->stack("one", "services:\n  app: " + service(kImage1, "ports: ['18091:80']"));
  ASSERT_TRUE(agent->wait_for_commit(repo->push("both")));
  repo->stack("one", "services:\n  app: " + service(kImage1, "ports: ['18090:80']"));
  repo->stack("two", "services:\n  app: " + service(kImage1, "ports: ['18091:80']"));
  ASSERT_TRUE(agent->wait_for_commit(repo->push("exchanged")));
  EXPECT_EQ(published("one_app"), "18090");
  EXPECT_EQ(published("two_app"), "18091");
  EXPECT_EQ(agent->metric("skep_syncs_total", "result=\"failure\""), 0) << agent->log();
}

}  // namespace
}  // namespace skep::e2e
