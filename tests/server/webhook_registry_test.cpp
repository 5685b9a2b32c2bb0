#include "server/webhook_registry.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace skep::server::testing {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::SizeIs;

std::vector<std::string> images_of(const std::string& json) {
  const auto payload = parse_registry_event(json);
  if (!payload) return {"error: " + payload.error().message};
  const auto* images = std::get_if<WebhookImages>(&*payload);
  if (images == nullptr) return {};
  std::vector<std::string> names;
  for (const auto& image : images->images) names.push_back(image.repository + ":" + image.tag);
  return names;
}

// As docker-registry 2.8 sends it for one push of an image with one layer.
constexpr const char* kDistribution = R"({"events": [
  {"id": "1", "timestamp": "2027-01-15T08:00:00Z", "action": "push",
   "target": {"mediaType": "application/octet-stream", "size": 708, "digest": "sha256:3b4e5a3b",
              "length": 708, "repository": "apps/my-app", "url": "http://127.0.0.1:5000/v2/x"},
   "request": {"id": "r", "addr": "127.0.0.1:1", "host": "127.0.0.1:5000", "method": "PUT"},
   "actor": {"name": "skep"}, "source": {"addr": "host:5000", "instanceID": "i"}},
  {"id": "2", "action": "push",
   "target": {"mediaType": "application/vnd.docker.distribution.manifest.v2+json", "size": 708,
              "digest": "sha256:3b4e5a3b", "length": 708, "repository": "apps/my-app",
              "url": "http://127.0.0.1:5000/v2/apps/my-app/manifests/sha256:3b4e5a3b", "tag": "1.0.0"}},
  {"id": "3", "action": "pull", "target": {"repository": "apps/other", "tag": "2.0"}},
  {"id": "4", "action": "push", "target": {"repository": "apps/my-app", "tag": "1.0.0"}}]})";

TEST(RegistryEvent, OfDistributionNamesPushedTagsOnce) {
  EXPECT_THAT(images_of(kDistribution), ElementsAre("apps/my-app:1.0.0"));
}

TEST(RegistryEvent, ATagOfOneEventIsNotTheNextOnes) {
  EXPECT_THAT(images_of(R"({"events": [
    {"action": "push", "target": {"repository": "a", "tag": "1"}},
    {"action": "push", "target": {"repository": "b"}},
    {"target": {"repository": "c", "tag": "3"}}]})"),
              ElementsAre("a:1"));
}

TEST(RegistryEvent, OfDockerHubWhoseCallbackIsNeverCalled_A15) {
  EXPECT_THAT(images_of(R"({"callback_url": "http://169.254.169.254/", "push_data":
    {"pushed_at": 1417566161, "pusher": "trustedbuilder", "tag": "latest"},
    "repository": {"is_private": true, "name": "testhook", "repo_name": "svendowideit/testhook"}})"),
              ElementsAre("svendowideit/testhook:latest"));
}

TEST(RegistryEvent, OfHarborInBothForms) {
  EXPECT_THAT(images_of(R"({"type": "PUSH_ARTIFACT", "occur_at": 1586922308, "operator": "admin",
    "event_data": {"resources": [{"digest": "sha256:8a9e", "tag": "v2", "resource_url": "h/p/a:v2"},
                                 {"tag": "v1"}],
                   "repository": {"name": "a", "namespace": "p", "repo_full_name": "p/a"}}})"),
              ElementsAre("p/a:v1", "p/a:v2"));
  EXPECT_THAT(images_of(R"({"specversion": "1.0", "type": "harbor.artifact.pushed", "data":
    {"resources": [{"tag": "v1"}], "repository": {"repo_full_name": "p/a"}}})"),
              ElementsAre("p/a:v1"));
  EXPECT_THAT(images_of(R"({"type": "DELETE_ARTIFACT", "event_data": {"resources": [{"tag": "v1"}],
    "repository": {"repo_full_name": "p/a"}}})"),
              SizeIs(0));
}

TEST(RegistryEvent, WhatNamesNoTagIsNothing) {
  for (const auto* json :
       {"{}",
        R"({"events": []})",
        R"({"events": null})",
        R"({"events": [[{"action": "push"}]]})",
        R"({"events": {"action": "push", "target": {"repository": "a", "tag": "b"}}})",
        R"({"events": [{"action": "push", "target": {"repository": "a", "tag": ""}}]})",
        R"({"push_data": {"tag": "x"}})"})
    EXPECT_THAT(images_of(json), SizeIs(0)) << json;
}

TEST(RegistryEvent, NamesThatNoImageHasAreNotTaken) {
  EXPECT_THAT(images_of(R"({"push_data": {"tag": "a b"}, "repository": {"repo_name": "a"}})"),
              SizeIs(0));
  EXPECT_THAT(images_of(R"({"push_data": {"tag": "1"}, "repository": {"repo_name": "a\nb"}})"),
              SizeIs(0));
  EXPECT_THAT(images_of(R"({"push_data": {"tag": ")" + std::string(200, 'a') +
                        R"("}, "repository": {"repo_name": "a"}})"),
              SizeIs(0));
}

TEST(RegistryEvent, WrongTypesAndBrokenJsonAreErrorsWithoutAQuote) {
  for (const auto* json :
       {"",
        "[]",
        "\"canary\"",
        R"({"events": [{"action": "push", "target": {"repository": ["canary"]}}]})",
        R"({"events": [{"action": 1}]})",
        R"({"events": [{"action": "push", "target": {"tag": {"canary": 1}}}]})",
        R"({"push_data": {"tag": 7}})",
        R"({"canary": )"}) {
    const auto payload = parse_registry_event(json);
    ASSERT_FALSE(payload) << json;
    EXPECT_THAT(payload.error().message, Not(HasSubstr("canary"))) << json;
  }
}

TEST(RegistryEvent, DeepAndLargeDocumentsAreBounded) {
  EXPECT_THAT(images_of(std::string(100'000, '[')).front(), HasSubstr("nested more than 64"));
  std::string many = R"({"events": [)";
  for (int i = 0; i < 5'000; ++i) {
    many += (i == 0 ? "" : ",") + (R"({"action": "push", "target": {"repository": "a", "tag": ")" +
                                   std::to_string(i) + "\"}}");
  }
  EXPECT_THAT(images_of(many + "]}"), SizeIs(100));
}

}  // namespace
}  // namespace skep::server::testing
