#include <gtest/gtest.h>

#include "core/digest.hpp"
#include "swarm/json.hpp"

namespace skep::swarm {
namespace {

TEST(ReadServices, TakesWhatIsOfUseAndSkipsTheRest) {
  const auto services = read_services(R"([
    {"ID":"s1","Version":{"Index":42},"CreatedAt":"2026-01-02T03:04:05.6Z","UpdatedAt":"2026-01-03T00:00:00Z",
     "Spec":{"Name":"a_web","Labels":{"x":"y"},"TaskTemplate":{"ContainerSpec":{"Image":"foo:1"},"ForceUpdate":3,
       "Runtime":"container"},"Mode":{"Replicated":{"Replicas":2}},"EndpointSpec":{"Mode":"vip"}},
     "PreviousSpec":{"Name":"a_web","TaskTemplate":{"ContainerSpec":{"Secrets":[{"File":{"Name":"k"},"SecretID":"sec2","SecretName":"n"},
        {"SecretID":"sec1"},{"SecretID":"sec2"}],"Configs":[{"ConfigID":"conf1"}]},"Networks":[{"Target":"net1"}]}},
     "Endpoint":{"Spec":{"Mode":"vip"},"Ports":[{"TargetPort":80}],"VirtualIPs":[[1,[2]],{"a":{"b":[]}}]},
     "UpdateStatus":{"State":"completed","StartedAt":"t1","CompletedAt":"t2","Message":"update completed"},
     "ServiceStatus":{"RunningTasks":1,"DesiredTasks":2,"CompletedTasks":0}},
    {"ID":"s2","Spec":{"Name":"b"},"PreviousSpec":null}])");
  ASSERT_TRUE(services) << services.error().message;
  ASSERT_EQ(services->size(), 2U);
  const auto& web = services->front();
  EXPECT_EQ(web.id, "s1");
  EXPECT_EQ(web.version, 42U);
  EXPECT_EQ(web.created_at, "2026-01-02T03:04:05.6Z");
  EXPECT_EQ(web.spec.name, "a_web");
  EXPECT_EQ(web.spec.task_template.force_update, 3U);
  EXPECT_EQ(web.spec.mode.replicated->replicas, 2U);
  EXPECT_TRUE(web.spec.unknown.empty());
  EXPECT_TRUE(web.has_previous_spec);
  EXPECT_EQ(web.previous_references, (std::vector<ObjectId>{"conf1", "net1", "sec1", "sec2"}));
  EXPECT_EQ(web.update.state, "completed");
  EXPECT_EQ(web.update.completed_at, "t2");
  EXPECT_EQ(web.running_tasks, 1U);
  EXPECT_EQ(web.desired_tasks, 2U);
  EXPECT_FALSE((*services)[1].has_previous_spec);
}

TEST(ReadServices, KeepsUnknownFieldsOfASpecAsPointersUnlessTheyMeanNothing) {
  const auto spec = read_service_spec(R"({"Name":"w","Networks":[{"Target":"old"}],
    "TaskTemplate":{"ContainerSpec":{"Image":"i","NewThing":{"A":[1,"x\"",{}],"B":null,"C":{"D":true}},"Zero":0,
      "Empty":{"x":[],"y":{"z":""}},"False":false,"Mounts":[{"Type":"bind"},{"Type":"bind","a/b~c":-2.5}]},
      "PluginSpec":null,"Ghost":"boo"}})");
  ASSERT_TRUE(spec) << spec.error().message;
  EXPECT_EQ(spec->unknown,
            (StringMap{{"/TaskTemplate/ContainerSpec/NewThing",
                        R"({"A":[1,"x\"",{}],"B":null,"C":{"D":true}})"},
                       {"/TaskTemplate/ContainerSpec/Mounts/1/a~1b~0c", "-2.5"},
                       {"/TaskTemplate/Ghost", R"("boo")"}}));
  const auto listed = read_services(R"([{"ID":"1","New":1,"Spec":{"Networks":[1],"New":1}}])");
  ASSERT_TRUE(listed) << listed.error().message;
  EXPECT_EQ(listed->front().spec.unknown, (StringMap{{"/New", "1"}}));
}

TEST(ReadServices, ReadsBigNumbers) {
  const auto spec = read_service_spec(
      R"({"TaskTemplate":{"RestartPolicy":{"MaxAttempts":18446744073709551614},
          "Resources":{"Limits":{"Pids":-1}}},"UpdateConfig":{"MaxFailureRatio":0.3}})");
  ASSERT_TRUE(spec) << spec.error().message;
  EXPECT_EQ(spec->task_template.restart_policy->max_attempts, 18446744073709551614U);
  EXPECT_EQ(spec->task_template.resources->limits->pids, -1);
  EXPECT_EQ(spec->update_config->max_failure_ratio, 0.3F);
}

TEST(ReadServices, AnswersGarbageWithAnErrorThatRepeatsNothing) {
  for (const std::string text : {"",
                                 "[",
                                 "[{]",
                                 "{}",
                                 "[1]",
                                 "[{\"ID\":1}]",
                                 "[{\"ID\":{}}]",
                                 "[{\"Version\":{\"Index\":-1}}]",
                                 "[{\"Version\":{\"Index\":1.5}}]",
                                 "[{\"Spec\":{\"Labels\":[]}}]",
                                 "[{\"ID\":\"hunter2\x01\"}]",
                                 "[] []",
                                 "\xff",
                                 "\"hunter2\""}) {
    const auto services = read_services(text);
    ASSERT_FALSE(services) << text;
    EXPECT_EQ(services.error().kind, ErrorKind::unavailable);
    EXPECT_EQ(services.error().message.find("the engine's answer is not valid JSON: unexpected"),
              0U)
        << services.error().message;
    EXPECT_EQ(services.error().message.find("hunter2"), std::string::npos);
  }
  EXPECT_EQ(read_services(R"([{"Spec":{"TaskTemplate":{"Networks":[{},{"Aliases":["a",5]}]}}}])")
                .error()
                .message,
            "the engine's answer is not valid JSON: unexpected number at "
            "/0/Spec/TaskTemplate/Networks/1/Aliases/1");
}

TEST(ReadServices, StopsAtAbsurdDepth) {
  const std::string deep(100000, '[');
  EXPECT_FALSE(read_services(deep));
  EXPECT_FALSE(read_services(R"([{"Endpoint":)" + deep));
  EXPECT_FALSE(read_services(R"([{"Spec":{"x":)" + deep));
}

TEST(ReadServices, EveryTruncationIsAnErrorAndNoCrash) {
  const std::string text =
      R"([{"ID":"a","Spec":{"Labels":{"a":"b"},"New":[{"x":1}],"TaskTemplate":{"ContainerSpec":{"Mounts":[{"Type":"bind"}]}}}}])";
  ASSERT_TRUE(read_services(text));
  for (std::size_t size = 0; size < text.size(); ++size)
    EXPECT_FALSE(read_services(text.substr(0, size))) << size;
}

TEST(ReadServices, SurvivesAnyChangedByte) {
  const std::string text =
      R"([{"ID":"a","Version":{"Index":12},"Spec":{"Labels":{"a":"b"},"New":[{"x":-1.5e3}],)"
      R"("TaskTemplate":{"ContainerSpec":{"Mounts":[{"Type":"bind","BindOptions":null}]},)"
      R"("RestartPolicy":{"Delay":5,"MaxAttempts":0}},"Mode":{"Global":{}}},"PreviousSpec":{}}])";
  ASSERT_TRUE(read_services(text));
  for (std::size_t at = 0; at < text.size(); ++at) {
    for (const char c :
         {'"', '{', '}', '[', ']', ',', ':', '0', '-', 'e', 'n', '\\', '\0', '\xff'}) {
      auto changed = text;
      changed[at] = c;
      const auto services = read_services(changed);  // Either way is fine; a crash is not.
      EXPECT_TRUE(!services || services->size() <= 1U);
    }
  }
}

TEST(ReadNetworks, KeepsWhatIsCompared_E3_28) {
  const auto networks = read_networks(
      R"([{"Name":"s_back","Id":"n1","Created":"x","Scope":"swarm","Driver":"overlay","EnableIPv6":false,
      "IPAM":{"Driver":"default","Options":null,"Config":[{"Subnet":"10.0.1.0/24","Gateway":"10.0.1.1"}]},
      "Internal":true,"Attachable":true,"Ingress":true,"ConfigFrom":{"Network":""},"ConfigOnly":false,"Containers":null,
      "Options":{"com.docker.network.driver.overlay.vxlanid_list":"4097"},"Labels":{"a":"b"}}])");
  ASSERT_TRUE(networks) << networks.error().message;
  const auto& network = networks->front();
  EXPECT_EQ(network.id, "n1");
  EXPECT_EQ(network.scope, "swarm");
  EXPECT_TRUE(network.ingress && network.spec.internal && network.spec.attachable);
  EXPECT_EQ(network.spec.ipam->config, (std::vector<IpamSubnet>{{"10.0.1.0/24"}}));
  EXPECT_EQ(network.spec.labels, (StringMap{{"a", "b"}}));
}

TEST(ReadNetworks, TellWhatIsOnlyARestOnThisNode) {
  LiveState live;
  live.networks =
      read_networks(
          R"([{"Name":"s_b","Id":"n2","Scope":"swarm","Driver":"overlay","Containers":null},
      {"Name":"s_a","Id":"n1","Scope":"swarm","Driver":"overlay","Containers":{},
       "Peers":[{"Name":"4f8f1ea90886","IP":"127.0.0.1"}]},
      {"Name":"bridge","Id":"n3","Scope":"local","Driver":"bridge","Containers":{}}])")
          .value();
  live.normalise();
  EXPECT_EQ(live.find_network("s_a"), nullptr);
  EXPECT_NE(live.find_network("s_b"), nullptr);
  EXPECT_NE(live.find_network("bridge"), nullptr);
  EXPECT_EQ(live.leaving_networks, (std::set<std::string, std::less<>>{"s_a"}));
}

TEST(ReadConfigs, HashesTheDataAndDropsIt_E3_29) {
  const auto configs = read_configs(
      R"([{"ID":"c1","Version":{"Index":7},"Spec":{"Name":"n","Labels":{},"Data":"aABp","Templating":{"Name":"golang"}}},
          {"ID":"c2","Spec":{"Name":"m","Data":"!"}}])");
  ASSERT_TRUE(configs) << configs.error().message;
  EXPECT_EQ((*configs)[0].data_sha256, sha256_hex(std::string_view("h\0i", 3)));
  EXPECT_EQ((*configs)[0].data_size, 3U);
  EXPECT_EQ((*configs)[0].version, 7U);
  EXPECT_EQ((*configs)[0].templating->name, "golang");
  EXPECT_EQ((*configs)[1].data_sha256, "");
}

TEST(ReadSecretsNodesTasks, TakeTheirFields) {
  const auto secrets = read_secrets(
      R"([{"ID":"x","Version":{"Index":1},"Spec":{"Name":"n","Labels":{"a":"b"},"Driver":{"Name":"d"}}}])");
  ASSERT_TRUE(secrets);
  EXPECT_EQ(secrets->front().driver->name, "d");
  const auto nodes = read_nodes(
      R"([{"ID":"n","Version":{"Index":5},"Spec":{"Name":"nn","Labels":{"z":"1"},"Role":"worker","Availability":"drain"},
      "Description":{"Hostname":"w1","Engine":{"Plugins":[{}]}},"Status":{"State":"ready","Addr":"1.2.3.4"}}])");
  ASSERT_TRUE(nodes);
  EXPECT_EQ(nodes->front().hostname, "w1");
  EXPECT_EQ(nodes->front().role, "worker");
  EXPECT_EQ(nodes->front().availability, "drain");
  EXPECT_EQ(nodes->front().name, "nn");
  EXPECT_EQ(nodes->front().state, "ready");
  const auto tasks = read_tasks(
      R"([{"ID":"t","ServiceID":"s","NodeID":"n","Slot":2,"DesiredState":"shutdown","Spec":{"ContainerSpec":{"Image":"i",
      "Secrets":[{"SecretID":"s1"}],"Configs":[{"ConfigID":"c1"},{"ConfigID":"c2"}]}},
      "Status":{"Timestamp":"ts","State":"failed","Message":"started","Err":"non-zero exit: 3",
      "ContainerStatus":{
    "ContainerID" : "c", "PID" : 0, "ExitCode" : 3}
}
}])");
  ASSERT_TRUE(tasks);
  EXPECT_EQ(tasks->front().exit_code, 3);
  EXPECT_EQ(tasks->front().error, "non-zero exit: 3");
  EXPECT_EQ(tasks->front().image, "i");
  EXPECT_EQ(tasks->front().references, (std::vector<std::string>{"s1", "c1", "c2"}));
  EXPECT_EQ(tasks->front().slot, 2U);
}

TEST(ReadLists, NullAndOtherThingsThanAListAreUnknownAndNotNothing) {
  EXPECT_TRUE(read_networks("[]")->empty());
  for (const auto* text :
       {"null", " null\n", "", "{}", "\"\"", "0", "[null]", "[{}]", "[{\"ID\":\"\"}]"}) {
    const auto refused = [&](const auto& read) {
      ASSERT_FALSE(read) << text;
      EXPECT_EQ(read.error().kind, ErrorKind::unavailable) << text;
    };
    refused(read_services(text));
    refused(read_networks(text));
    refused(read_configs(text));
    refused(read_secrets(text));
    refused(read_nodes(text));
    refused(read_tasks(text));
  }
}

}  // namespace
}  // namespace skep::swarm
