#include <fstream>
#include <sstream>

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "swarm/json.hpp"
#include "tests/paths.hpp"

namespace skep::swarm {
namespace {

std::string testdata(const std::string& name) {
  std::ifstream file(std::string(SKEP_SOURCE_DIR) + "/tests/testdata/swarm/" + name);
  EXPECT_TRUE(file) << name;
  std::ostringstream text;
  text << file.rdbuf();
  return text.str();
}

std::string compact(const std::string& text) { return nlohmann::ordered_json::parse(text).dump(); }

TEST(ServiceJson, OfTheFullExampleReadsAndWritesBackByteForByte_E2) {
  const auto text = testdata("e2_create.json");
  const auto spec = read_service_spec(text);
  ASSERT_TRUE(spec) << spec.error().message;
  EXPECT_TRUE(spec->unknown.empty());
  EXPECT_EQ(to_json(*spec), compact(text));
}

TEST(ServiceJson, OfTheSmallestExampleReadsAndWritesBackByteForByte_E2) {
  const auto text = testdata("e2_smallest.json");
  const auto spec = read_service_spec(text);
  ASSERT_TRUE(spec) << spec.error().message;
  EXPECT_EQ(to_json(*spec), compact(text));
}

TEST(ServiceJson, IndentedIsTheSameValue) {
  const auto spec = read_service_spec(testdata("e2_create.json"));
  ASSERT_TRUE(spec);
  const auto text = to_json(*spec, 2);
  EXPECT_NE(text.find("\n  \"Name\": \"rd-r_web\""), std::string::npos);
  EXPECT_EQ(compact(text), to_json(*spec));
}

TEST(ServiceJson, TellsAbsentFromEmpty) {
  ServiceSpec spec;
  spec.task_template.container.stop_grace_period = Nanoseconds(0);
  spec.task_template.container.init = false;
  spec.task_template.container.healthcheck = Healthcheck{};
  spec.task_template.container.dns_config = DnsConfig{};
  spec.task_template.restart_policy = RestartPolicy{};
  spec.task_template.restart_policy->max_attempts = 0;
  spec.mode.global = GlobalMode{};
  const auto text = to_json(spec);
  for (const auto* part : {R"("StopGracePeriod":0)",
                           R"("Init":false)",
                           R"("Healthcheck":{})",
                           R"("DNSConfig":{})",
                           R"("RestartPolicy":{"MaxAttempts":0})",
                           R"("Mode":{"Global":{}})"})
    EXPECT_NE(text.find(part), std::string::npos) << part << " in " << text;
  EXPECT_EQ(text.find("LogDriver"), std::string::npos);
  EXPECT_EQ(*read_service_spec(text), spec);
}

TEST(ServiceJson, PrintsRatiosAsGoPrintsThirtyTwoBitFloats_C5_3) {
  const std::pair<float, std::string> cases[] = {{0.3F, "0.3"},
                                                 {0.1F, "0.1"},
                                                 {1.0F, "1"},
                                                 {0.0F, "0"},
                                                 {0.333333333F, "0.33333334"},
                                                 {1e-6F, "0.000001"},
                                                 {1e-7F, "1e-7"}};
  for (const auto& [ratio, printed] : cases) {
    ServiceSpec spec;
    spec.update_config = UpdateConfig{};
    spec.update_config->max_failure_ratio = ratio;
    EXPECT_NE(to_json(spec).find("\"MaxFailureRatio\":" + printed + ","), std::string::npos)
        << to_json(spec);
  }
}

TEST(ServiceJson, EscapesWhatJsonWants) {
  ServiceSpec spec;
  spec.task_template.container.env = {"A=\"q\"\\ \n\x01 \u00e4 <&>"};
  EXPECT_EQ(read_service_spec(to_json(spec))->task_template.container.env,
            spec.task_template.container.env);
  spec.task_template.container.env = {"B=\xff"};
  EXPECT_TRUE(nlohmann::json::accept(to_json(spec)));
}

TEST(NetworkJson, IsTheBodyOfTheCli_C2_3) {
  NetworkSpec network;
  network.name = "s_front";
  network.attachable = true;
  network.labels = {{"com.docker.stack.namespace", "s"}};
  EXPECT_EQ(
      to_json(network),
      R"({"Name":"s_front","Driver":"overlay","Scope":"","IPAM":null,"Internal":false,)"
      R"("Attachable":true,"Ingress":false,"ConfigOnly":false,"ConfigFrom":null,"Options":null,)"
      R"("Labels":{"com.docker.stack.namespace":"s"},"CheckDuplicate":true})");
  network.ipam = Ipam{};
  network.ipam->config = {IpamSubnet{"10.77.0.0/24"}};
  EXPECT_NE(to_json(network).find(
                R"("IPAM":{"Driver":"","Options":null,"Config":[{"Subnet":"10.77.0.0/24"}]})"),
            std::string::npos);
}

TEST(ConfigJson, HoldsDataAsBase64AndTemplating_C6_1) {
  ConfigSpec config;
  config.name = "s_conf";
  config.labels = {{"a", "b"}};
  config.data = std::string("h\0i", 3);
  config.templating = Driver{"golang", {}};
  EXPECT_EQ(to_json(config),
            R"({"Name":"s_conf","Labels":{"a":"b"},"Data":"aABp","Templating":{"Name":"golang"}})");
}

TEST(SecretJson, IsASecretItselfAndMaskedForPeople) {
  SecretSpec secret;
  secret.name = "s_sec";
  secret.labels = {{"a", "b"}};
  secret.data = Secret("hunter22");
  const auto body = to_json(secret);
  EXPECT_EQ(body.reveal(), R"({"Name":"s_sec","Labels":{"a":"b"},"Data":"aHVudGVyMjI="})");
  const auto masked = to_masked_json(secret);
  EXPECT_EQ(masked, R"({"Name":"s_sec","Labels":{"a":"b"},"Data":"***"})");
  secret.data = Secret();
  secret.driver = Driver{"vault", {{"k", "v"}}};
  EXPECT_EQ(to_json(secret).reveal(),
            R"({"Name":"s_sec","Labels":{"a":"b"},"Driver":{"Name":"vault","Options":{"k":"v"}}})");
}

}  // namespace
}  // namespace skep::swarm
