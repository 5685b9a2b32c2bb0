#include "tests/e2e/e2e.hpp"

namespace skep::e2e {
namespace {

using testing::HasSubstr;

class Hooks : public EndToEnd {
 protected:
  void write(const std::string& image, const std::string& command, const std::string& hooks) {
    repo->stack("shop",
                "services:\n  app: " + service(image) + "  migrate: { image: " + kImage1 +
                    ", command: [sh, -c, '" + command + "'] }\n" + kHostNetwork);
    repo->write("apps/shop/skep.yaml", hooks);
  }
  nlohmann::json job() {
    const auto all = objects("services");
    return all.count("shop_migrate") == 0 ? nlohmann::json() : all.at("shop_migrate");
  }
};

TEST_F(Hooks, RunBeforeTheDeployStopItWhenTheyFailAndAreRemovedWhenTheyHang) {
  const std::string hooks = "hooks: { pre_deploy: [{ service: migrate, deadline: 8s }] }\n";
  write(kImage1, "echo migrated to one", hooks);
  start_agent();
  ASSERT_TRUE(agent->wait_for_commit(repo->push()));
  ASSERT_TRUE(job().is_object());
  EXPECT_TRUE(job().at("Spec").at("Mode").contains("ReplicatedJob"));
  EXPECT_THAT(docker({"service", "logs", "--raw", "shop_migrate"}), HasSubstr("migrated to one"));
  const auto id = job().at("ID");
  agent->wait_for_passes();
  EXPECT_EQ(job().at("ID"), id) << "it ran again";

  write(kImage2, "echo table is locked; exit 3", hooks);
  repo->push("a migration that fails");
  ASSERT_TRUE(agent->wait_until("it is held", [](const nlohmann::json& status) {
    return stack_of(status, "shop").at("held") == true;
  }));
  const auto failed = agent->stack("shop");
  EXPECT_THAT(failed.at("message").get<std::string>(), HasSubstr("non-zero exit (3)"));
  EXPECT_THAT(failed.at("message").get<std::string>(), HasSubstr("table is locked"));
  EXPECT_EQ(failed.at("health"), "healthy") << "what ran before runs on";
  EXPECT_THAT(running_images("shop_app"), testing::ElementsAre(kImage1));

  // Killed while it runs, the next agent follows the same run to its deadline.
  write(kImage2, "sleep 1000", hooks);
  repo->push("a migration that hangs");
  ASSERT_TRUE(eventually([&] { return job().is_object() && job().at("ID") != id; }));
  const auto hanging = job().at("ID");
  agent->kill();
  agent->start();
  ASSERT_TRUE(agent->wait_until("it is given up", [](const nlohmann::json& status) {
    const auto stack = stack_of(status, "shop");
    return stack.is_object() && stack.at("held") == true &&
           stack.at("message").get<std::string>().find("within 8 s") != std::string::npos;
  }));
  EXPECT_TRUE(eventually([&] { return job().is_null(); })) << "it hangs on: " << hanging;

  write(kImage2, "echo migrated to two", hooks);
  ASSERT_TRUE(agent->wait_for_commit(repo->push("a migration that works")));
  EXPECT_THAT(running_images("shop_app"), testing::ElementsAre(kImage2));
}

}  // namespace
}  // namespace skep::e2e
