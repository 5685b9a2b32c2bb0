#include "cli/compose_of_swarm.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "swarm/labels.hpp"

namespace skep::cli {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::Not;
using testing::Pair;

/// A swarm with one stack, "shop".
class ComposeOfSwarm : public testing::Test {
 protected:
  static swarm::StringMap own() { return {{std::string(swarm::kStackLabel), "shop"}}; }

  swarm::ServiceSpec& service(const std::string& name) {
    auto& live = live_.services.emplace_back();
    live.spec.name = name;
    live.spec.labels = own();
    live.spec.mode.replicated.emplace();
    live.spec.task_template.container.image = "app:1";
    return live.spec;
  }
  void config(const std::string& name, const swarm::StringMap& labels) {
    auto& live = live_.configs.emplace_back();
    live.id = "id of " + name;
    live.name = name;
    live.labels = labels;
  }
  void network(const std::string& name, const swarm::StringMap& labels) {
    auto& live = live_.networks.emplace_back();
    live.id = "id of " + name;
    live.spec.name = name;
    live.spec.driver = "overlay";
    live.spec.labels = labels;
  }
  static void use_config(swarm::ServiceSpec& spec, const std::string& name) {
    auto& reference = spec.task_template.container.configs.emplace_back();
    reference.file = swarm::ReferenceFile{"/" + name, "0", "0", 0444};
    reference.config_name = name;
  }
  static void use_secret(swarm::ServiceSpec& spec, const std::string& name) {
    auto& reference = spec.task_template.container.secrets.emplace_back();
    reference.file = swarm::ReferenceFile{name, "0", "0", 0444};
    reference.secret_name = name;
  }
  static void use_volume(swarm::ServiceSpec& spec, const std::string& name, bool ours) {
    auto& mount = spec.task_template.container.mounts.emplace_back();
    mount.type = "volume";
    mount.source = name;
    mount.target = "/" + name;
    if (ours) mount.volume_options.emplace().labels = own();
  }

  AdoptedStack adopted() {
    live_.normalise();
    return compose_of("shop", swarm::stacks_of(live_).at("shop"), live_);
  }

  swarm::LiveState live_;
};

TEST_F(ComposeOfSwarm, AnObjectOfTheStackGoesByTheNameThatItsFileGaveIt) {
  auto& app = service("shop_app");
  use_secret(app, "shop_key");
  use_volume(app, "shop_data", true);
  config("shop_settings", own());
  use_config(app, "shop_settings");
  network("shop_back", own());
  app.task_template.networks = {{"shop_back", {"app"}, {}}};
  const auto stack = adopted();
  EXPECT_THAT(stack.configs, ElementsAre(Pair("settings", "shop_settings")));
  EXPECT_THAT(stack.text, HasSubstr("file: ./configs/settings"));
  for (const auto* name : {"settings", "data", "back"})
    EXPECT_THAT(stack.text, Not(HasSubstr(std::string("name: shop_") + name)));
  EXPECT_THAT(stack.text, HasSubstr("name: shop_key")) << "a secret's value cannot be read back";
}

TEST_F(ComposeOfSwarm, TwoSecretsNeverShareAKey) {
  use_secret(service("shop_app"), "shop_db_password");
  use_secret(service("shop_db"), "db_password");
  const auto text = adopted().text;
  EXPECT_THAT(text, HasSubstr("source: shop_db_password"));
  EXPECT_THAT(text, HasSubstr("source: db_password"));
  EXPECT_THAT(text, HasSubstr("  shop_db_password:\n    name: shop_db_password\n"));
  EXPECT_THAT(text, HasSubstr("  db_password:\n    name: db_password\n"));
}

TEST_F(ComposeOfSwarm, TwoVolumesNeverShareAKey) {
  use_volume(service("shop_app"), "shop_data", true);
  use_volume(service("shop_db"), "data", false);
  const auto text = adopted().text;
  EXPECT_THAT(text, HasSubstr("source: shop_data"));
  EXPECT_THAT(text, HasSubstr("source: data"));
  EXPECT_THAT(text, HasSubstr("  shop_data:\n    name: shop_data\n"));
  EXPECT_THAT(text, HasSubstr("  data:\n    name: data\n    external: true\n"));
}

TEST_F(ComposeOfSwarm, TwoNetworksNeverShareAKey) {
  network("shop_back", own());
  network("back", {});
  service("shop_app").task_template.networks = {{"shop_back", {"app"}, {}}};
  service("shop_db").task_template.networks = {{"back", {"db"}, {}}};
  const auto text = adopted().text;
  EXPECT_THAT(text, HasSubstr("  shop_back:\n    name: shop_back\n"));
  EXPECT_THAT(text, HasSubstr("  back:\n    name: back\n    external: true\n"));
}

TEST_F(ComposeOfSwarm, TwoConfigsNeverShareAKey) {
  auto& app = service("shop_app");
  config("shop_settings", own());
  config("settings", {});
  use_config(app, "shop_settings");
  use_config(app, "settings");
  const auto stack = adopted();
  EXPECT_THAT(stack.configs, ElementsAre(Pair("shop_settings", "shop_settings")));
  EXPECT_THAT(stack.text, HasSubstr("name: shop_settings"));
  EXPECT_THAT(stack.text, HasSubstr("  settings:\n    name: settings\n    external: true\n"));
}

// A full name is free for the object whose name it is, also where a third one wants it.
TEST_F(ComposeOfSwarm, AKeyIsNeverAnotherObjectsName) {
  auto& app = service("shop_app");
  for (const auto* name : {"data", "shop_data", "shop_shop_data"}) use_secret(app, name);
  const auto text = adopted().text;
  for (const auto* name : {"data", "shop_data", "shop_shop_data"}) {
    EXPECT_THAT(text,
                HasSubstr("\n  " + std::string(name) + ":\n    name: " + std::string(name) + "\n"));
  }
}

TEST_F(ComposeOfSwarm, AGenerationOfOursGoesByTheKeyThatItStandsFor) {
  auto labels = own();
  labels[std::string(swarm::kKeyLabel)] = "settings";
  config("shop_settings-1a2b3c4d", labels);
  use_config(service("shop_app"), "shop_settings-1a2b3c4d");
  const auto stack = adopted();
  EXPECT_THAT(stack.configs, ElementsAre(Pair("settings", "shop_settings-1a2b3c4d")));
  EXPECT_THAT(stack.text, Not(HasSubstr("1a2b3c4d\n    file")));
}

TEST_F(ComposeOfSwarm, TwoGenerationsInUseAreTwoConfigs) {
  auto labels = own();
  config("shop_settings", labels);
  labels[std::string(swarm::kKeyLabel)] = "settings";
  config("shop_settings-1a2b3c4d", labels);
  use_config(service("shop_app"), "shop_settings-1a2b3c4d");
  use_config(service("shop_db"), "shop_settings");
  EXPECT_THAT(adopted().configs,
              ElementsAre(Pair("shop_settings", "shop_settings"),
                          Pair("shop_settings-1a2b3c4d", "shop_settings-1a2b3c4d")));
}

TEST_F(ComposeOfSwarm, ADateIsNoGeneration) {
  auto& app = service("shop_app");
  for (const auto* name : {"shop_nginx-20240101", "shop_nginx-20240201"}) {
    config(name, own());
    use_config(app, name);
  }
  EXPECT_THAT(adopted().configs,
              ElementsAre(Pair("nginx-20240101", "shop_nginx-20240101"),
                          Pair("nginx-20240201", "shop_nginx-20240201")));
}

// The key becomes a file's name.
TEST_F(ComposeOfSwarm, ALabelThatIsNoKeyIsNotBelieved) {
  auto labels = own();
  labels[std::string(swarm::kKeyLabel)] = "../../etc/cron.d/x";
  config("shop_settings", labels);
  use_config(service("shop_app"), "shop_settings");
  EXPECT_THAT(adopted().configs, ElementsAre(Pair("settings", "shop_settings")));
}

TEST_F(ComposeOfSwarm, AServiceThatNoFileMadeTakesNobodysKey) {
  service("app").task_template.container.image = "stranger:1";
  service("shop_app");
  const auto stack = adopted();
  EXPECT_THAT(stack.text, HasSubstr("image: app:1"));
  EXPECT_THAT(stack.text, Not(HasSubstr("stranger")));
  EXPECT_THAT(stack.remarks, testing::Contains(HasSubstr("app is left out")));
}

}  // namespace
}  // namespace skep::cli
