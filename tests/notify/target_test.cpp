#include "notify/target.hpp"

#include <cstdlib>
#include <fstream>
#include <iterator>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "core/digest.hpp"
#include "tests/notify/fixture.hpp"
#include "tests/paths.hpp"

namespace skep::notify::testing {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

constexpr const char* kId = "00112233445566778899aabbccddeeff";
const WallTime kDeliveryNow{std::chrono::seconds(1'800'000'000)};

/// With what might break a format: quotes, markup, templates, line ends, other scripts.
Message awkward(const std::string& reason = "failed") {
  auto message = message_of(reason);
  auto& story = message.stories.front();
  story.author = "Ada \"the <b>bold</b>\" <ada@example.com>";
  story.subject = "don't {{ .panic }} & <!channel> @everyone \\";
  story.link = "https://git.example.com/ops/cluster/commit/" + kCommit;
  story.what = "service app: \"exit 1\"\n\tsecond line – zażółć 🐝";
  story.words = {"web_app: task: non-zero exit (1)", "web_db: ```no such image```"};
  story.changes = {"update web_app (image, environment LOG_LEVEL)"};
  story.done = "skep went back to 0123456789ab";
  story.remedy = "`skep explain web` tells more";
  return message;
}

Target target_of(const std::string& type) {
  Target target;
  target.name = "ops";
  target.type = type;
  target.url = Secret("https://chat.example.com/hook/" + type);
  if (type == "webhook") target.secret = Secret("signing secret");
  if (type == "matrix") target.token = Secret("access");
  target.values = {{"chat_id", "-100"}, {"topic", "alerts"}};
  return target;
}

HttpCall call_of(const Target& target, const Message& message) {
  const auto call =
      call_for(target, {kId, target.name, to_json(message, kId), 0, kDeliveryNow}, kDeliveryNow);
  EXPECT_TRUE(call) << call.error().message;
  return call ? *call : HttpCall();
}

std::string written(const HttpCall& call) {
  std::string text = call.method + " " + call.url + "\n";
  for (const auto& [name, value] : call.headers) text += name + ": " + value + "\n";
  return text + "\n" + call.body;
}

class TargetType : public ::testing::TestWithParam<std::string> {};

TEST_P(TargetType, SendsWhatItsGoldenFileShows) {
  const auto file =
      std::filesystem::path(SKEP_SOURCE_DIR) / "tests/testdata/notify" / (GetParam() + ".http");
  const auto text = written(call_of(target_of(GetParam()), awkward()));
  if (std::getenv("SKEP_UPDATE_GOLDEN") != nullptr) {
    std::ofstream(file, std::ios::binary) << text;
    GTEST_SKIP() << "rewritten: " << file;
  }
  std::ifstream in(file, std::ios::binary);
  const std::string expected(std::istreambuf_iterator<char>(in), {});
  EXPECT_EQ(text, expected) << file;
}

TEST_P(TargetType, GivesJsonForEveryReasonAndForManyStacks) {
  for (const auto reason : kReasons) {
    auto message = awkward(std::string(reason));
    EXPECT_TRUE(nlohmann::json::accept(call_of(target_of(GetParam()), message).body)) << reason;
    for (int i = 0; i < 300; ++i) message.stories.push_back(message.stories.front());
    const auto body = call_of(target_of(GetParam()), message).body;
    EXPECT_TRUE(nlohmann::json::accept(body)) << reason;
    // Programs read these.
    const bool whole = GetParam() == "webhook" || GetParam() == "alertmanager";
    EXPECT_LT(body.size(), whole ? 400'000U : 40'000U) << reason;
  }
}

/// What each chat takes, of the whole body or of the text in it.
TEST_P(TargetType, TheLargestOutageFits) {
  auto message = awkward();
  auto& first = message.stories.front();
  for (auto* text : {&first.what, &first.subject, &first.author}) *text = std::string(900, '"');
  first.words.assign(5, std::string(900, '\n'));
  first.changes.assign(10, std::string(300, '<'));
  message.stories.assign(60, Story(first));
  const auto call = call_of(target_of(GetParam()), message);
  if (GetParam() == "webhook" || GetParam() == "alertmanager") return;  // Programs read these.
  const auto body = nlohmann::json::parse(call.body);
  const auto size_at = [&](const char* pointer) {
    return body.value(nlohmann::json::json_pointer(pointer), std::string()).size();
  };
  const std::map<std::string, std::pair<std::size_t, std::size_t>> sizes = {
      {"teams", {call.body.size(), 28'000}},
      {"matrix", {call.body.size(), 60'000}},
      {"gotify", {call.body.size(), 60'000}},
      {"ntfy", {size_at("/message"), 4'096}},
      {"telegram", {size_at("/text"), 4'096}},
      {"discord", {size_at("/embeds/0/description"), 4'096}}};
  if (const auto found = sizes.find(GetParam()); found != sizes.end()) {
    EXPECT_GT(found->second.first, 500U);
    EXPECT_LT(found->second.first, found->second.second);
  }
  EXPECT_THAT(call.body, HasSubstr(" more")) << "of 60 not all are told";
}

INSTANTIATE_TEST_SUITE_P(All, TargetType, ::testing::ValuesIn(target_types()), [](const auto& row) {
  return row.param;
});

TEST(Target, WhatGitAndTasksSayIsNoMarkupOfAChat_Attack22) {
  auto message = awkward();
  message.stories.front().subject = "[all is well](https://evil.example) ``` @everyone";
  const auto discord = nlohmann::json::parse(call_of(target_of("discord"), message).body);
  const std::string description = discord.at("embeds").at(0).at("description");
  EXPECT_TRUE(description.starts_with("```\n"));
  EXPECT_EQ(description.find('`', 3), description.size() - 3) << "nothing in it ends the block";
  EXPECT_THAT(call_of(target_of("teams"), message).body,
              HasSubstr("[all is well] (https://evil.example)"));
}

TEST(Target, TheGenericWebhookIsSignedOverTimeAndBody) {
  const auto call = call_of(target_of("webhook"), awkward());
  std::map<std::string, std::string> headers(call.headers.begin(), call.headers.end());
  EXPECT_EQ(headers.at("X-Skep-Delivery"), kId);
  EXPECT_EQ(headers.at("X-Skep-Timestamp"), "1800000000");
  EXPECT_EQ(headers.at("X-Skep-Signature"),
            "sha256=" + hmac_sha256_hex("signing secret", "1800000000." + call.body));
  const auto body = nlohmann::json::parse(call.body);
  EXPECT_EQ(body.at("id"), kId);
  EXPECT_EQ(body.at("severity"), "problem");
  EXPECT_EQ(body.at("stacks").at(0).at("revision"), kCommit);
}

TEST(Target, SlackReadsNothingOfAMessageAsMarkup) {
  const auto body = call_of(target_of("slack"), awkward()).body;
  EXPECT_THAT(body, Not(HasSubstr("<!channel>")));
  EXPECT_THAT(body, HasSubstr("&lt;!channel&gt;"));
  auto message = awkward();
  message.stories.front().what = std::string(10'000, '<');
  const auto long_body = nlohmann::json::parse(call_of(target_of("slack"), message).body);
  for (const auto& block : long_body.at("blocks"))
    EXPECT_LE(block.at("text").at("text").get<std::string>().size(), 3000U);
}

TEST(Target, SlackShowsAsMuchAsFits) {
  auto message = awkward();
  message.stories.front().what = std::string(2'000, 'w') + " end";
  const auto body = call_of(target_of("slack"), message).body;
  EXPECT_THAT(body, HasSubstr(std::string(2'000, 'w') + " end"));
}

TEST(Target, ARecoveryEndsTheAlertThatTheFailureBegan) {
  const auto alert = [](const std::string& reason) {
    return nlohmann::json::parse(call_of(target_of("alertmanager"), awkward(reason)).body).at(0);
  };
  const auto failed = alert("failed"), recovered = alert("recovered");
  EXPECT_EQ(failed.at("labels"), recovered.at("labels"));
  EXPECT_EQ(recovered.at("endsAt"), to_rfc3339(kDeliveryNow));
  EXPECT_EQ(failed.at("startsAt"), to_rfc3339(kDeliveryNow));
  EXPECT_GT(failed.at("endsAt"), failed.at("startsAt"));
  EXPECT_EQ(failed.at("labels").at("topic"), "alerts") << "values are labels of one's own";
}

TEST(Target, AnOwnTemplateTakesThePlaceOfTheTypes) {
  auto target = target_of("webhook");
  target.body = R"({"summary": {{ toRawJson .title }}, "room": {{ toRawJson .target.topic }},
    "stacks": [{{ range $i, $s := .stacks }}{{ if $i }},{{ end }}{{ toRawJson $s.stack }}{{ end }}]})";
  const auto body = nlohmann::json::parse(call_of(target, awkward()).body);
  EXPECT_EQ(body.at("summary"), "apps/web could not be deployed");
  EXPECT_EQ(body.at("room"), "alerts");
  EXPECT_EQ(body.at("stacks").at(0), "apps/web");
}

TEST(Target, ATemplateThatGivesNoJsonIsRefusedAndPlainTextMayBeWanted) {
  auto target = target_of("webhook");
  target.body = "{ {{ .title }}";
  const auto refused =
      call_for(target, {kId, "ops", to_json(awkward(), kId), 0, kDeliveryNow}, kDeliveryNow);
  ASSERT_FALSE(refused);
  EXPECT_THAT(refused.error().message, HasSubstr("toRawJson"));
  target.content_type = "text/plain";
  EXPECT_THAT(call_of(target, awkward()).body, HasSubstr("{ apps/web could not"));
}

}  // namespace
}  // namespace skep::notify::testing
