#include "notify/settings.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace skep::notify::testing {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Not;

Result<std::string> read(const std::string& path) {
  if (path == "/run/secrets/url") return std::string("https://hooks.example.com/T/B/x\n");
  if (path == "/run/secrets/key") return std::string("signing\n");
  if (path == "/run/secrets/empty") return std::string("\n");
  if (path == "/run/secrets/lines") return std::string("canary\nsecond\n");
  return Error{ErrorKind::invalid_input, "open " + path + ": no such file or directory", {}};
}

Settings good(const std::string& text) {
  const auto settings = parse_settings(text, "notify.yaml", read);
  EXPECT_TRUE(settings) << settings.error().message;
  return settings ? *settings : Settings();
}

TEST(NotifySettings, ReadsTargetsAndTheirSecrets) {
  const auto settings = good(R"(
commit_url: https://git.example.com/ops/cluster/commit/{commit}
targets:
  - name: chat
    type: slack
    url_file: /run/secrets/url
    only: [failed, recovered]
  - name: pager
    type: webhook
    url: http://pager:8080/hook
    secret_file: /run/secrets/key
    headers: { X-Team: ops }
  - { name: phone, type: telegram, url_file: /run/secrets/url, values: { chat_id: "-100" } }
)");
  ASSERT_EQ(settings.targets.size(), 3U);
  EXPECT_EQ(settings.targets.at(0).url.reveal(), "https://hooks.example.com/T/B/x");
  EXPECT_THAT(settings.targets.at(0).only, ElementsAre("failed", "recovered"));
  EXPECT_EQ(settings.targets.at(1).secret.reveal(), "signing");
  EXPECT_EQ(settings.targets.at(1).headers.at("X-Team"), "ops");
  EXPECT_EQ(settings.targets.at(2).values.at("chat_id"), "-100");
}

struct Bad {
  const char* name;
  std::string text;
  const char* says;
};
class BadSettings : public ::testing::TestWithParam<Bad> {};

TEST_P(BadSettings, AreRefusedWithAPlace) {
  const auto settings = parse_settings(GetParam().text, "notify.yaml", read);
  ASSERT_FALSE(settings);
  EXPECT_THAT(
      to_string(settings.error()),
      AllOf(HasSubstr(GetParam().says), HasSubstr("notify.yaml"), Not(HasSubstr("canary"))));
}

std::string one(const std::string& rest) { return "targets:\n  - { name: a, " + rest + " }\n"; }

INSTANTIATE_TEST_SUITE_P(
    All,
    BadSettings,
    ::testing::Values(
        Bad{"empty", "", "mapping"},
        Bad{"no_targets", "targets: []", "at least one"},
        Bad{"unknown_key", "target: []", "no setting \"target\""},
        Bad{"unknown_target_key", one("type: slack, uri: x"), "no setting \"uri\""},
        Bad{"unknown_type", one("type: icq, url: https://h"), "must be one of webhook, slack"},
        Bad{"no_url", one("type: slack"), "needs url"},
        Bad{"no_name", "targets: [{ type: slack, url: https://h }]", "needs a name"},
        Bad{"file_scheme", one("type: slack, url: file:///etc/passwd"), "https://"},
        Bad{"missing_file", one("type: slack, url_file: /nowhere"), "no such file"},
        Bad{"empty_file", one("type: slack, url_file: /run/secrets/empty"), "is empty"},
        Bad{"two_lines", one("type: slack, url_file: /run/secrets/lines"), "more than one line"},
        Bad{"unknown_reason",
            one("type: slack, url: https://h, only: [bad]"),
            "these words: failed"},
        Bad{"number", one("type: ntfy, url: https://h, values: { topic: 1 }"), "text of one line"},
        Bad{"header_lines",
            one(R"(type: slack, url: https://h, headers: { A: "x\ny" })"),
            "one line"},
        Bad{"telegram_without_chat", one("type: telegram, url: https://h"), "chat_id"},
        Bad{"bad_template", one(R"(type: webhook, url: https://h, body: "{{ .nope")"), "target a"},
        Bad{"no_json", one(R"(type: webhook, url: https://h, body: "{{ .title }}")"), "no JSON"},
        Bad{"commit_url", "commit_url: https://h\ntargets: []", "{commit}"},
        Bad{"twice",
            "targets:\n  - { name: a, type: slack, url: https://h }\n"
            "  - { name: a, type: slack, url: https://h }",
            "two targets are named a"}),
    [](const auto& row) { return std::string(row.param.name); });

}  // namespace
}  // namespace skep::notify::testing
