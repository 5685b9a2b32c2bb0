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

TEST(NotifySettings, ReadsAMailTarget) {
  const auto settings = good(R"(
targets:
  - name: mail
    type: email
    url: smtp://mail.example.com:587
    from: skep@example.com
    to: [ops@example.com, pager@example.com]
    user: skep
    password_file: /run/secrets/key
    only: [failed]
)");
  ASSERT_EQ(settings.targets.size(), 1U);
  const auto& target = settings.targets.front();
  EXPECT_EQ(target.type, "email");
  EXPECT_EQ(target.url.reveal(), "smtp://mail.example.com:587");
  EXPECT_THAT(target.mail.to, ElementsAre("ops@example.com", "pager@example.com"));
  EXPECT_EQ(target.mail.password.reveal(), "signing");
  EXPECT_TRUE(target.mail.encrypted);
}

TEST(NotifySettings, CommitStatusesNeedAHostAndATokenOnly) {
  const auto settings =
      parse_settings(R"(
commit_statuses:
  - { type: gitlab, token_file: /run/secrets/key }
  - name: mirror
    type: github
    token_file: /run/secrets/key
    repository: git@github.com:ops/cluster.git
    context: swarm
    each_stack: false
    target_url: https://skep.example.com/{stack}
)",
                     "notify.yaml",
                     read,
                     {"https://u:canary@git.example.com/a/b/cluster.git", "main"});
  ASSERT_TRUE(settings) << settings.error().message;
  ASSERT_EQ(settings->statuses.size(), 2U);
  const auto& first = settings->statuses.front();
  EXPECT_EQ(first.name, "gitlab");
  EXPECT_EQ(first.api, "https://git.example.com/api/v4");
  EXPECT_EQ(first.project, "a/b/cluster");
  EXPECT_EQ(first.branch, "main");
  EXPECT_EQ(first.context, "skep");
  EXPECT_TRUE(first.each_stack);
  EXPECT_EQ(first.token.reveal(), "signing");
  const auto& second = settings->statuses.back();
  EXPECT_EQ(second.api, "https://api.github.com");
  EXPECT_EQ(second.context, "swarm");
  EXPECT_FALSE(second.each_stack);
  EXPECT_TRUE(settings->targets.empty());
}

TEST(NotifySettings, ATemplateMayMakeItsOwnNames) {
  const auto settings = good(R"(
targets:
  - name: a
    type: webhook
    url: https://h
    values: { queue: swarm }
    body: '{{ $d := dict "mine" 1 }}{"a": {{ $d.mine }}, "q": {{ with .target }}{{ toRawJson .queue }}{{ end }}, "s": {{ toRawJson $.title }}}'
  - { name: b, type: gotify, url: "https://h/message?token=x" }
  - { name: c, type: matrix, url: https://h, token_file: /run/secrets/key }
)");
  EXPECT_EQ(settings.targets.size(), 3U);
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

std::string status(const std::string& rest) {
  return "commit_statuses:\n  - { token_file: /run/secrets/key, " + rest + " }\n";
}
std::string one(const std::string& rest) { return "targets:\n  - { name: a, " + rest + " }\n"; }

std::string mail(const std::string& rest) {
  return one("type: email, from: a@b.example, to: c@d.example, " + rest);
}

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
        Bad{"matrix_without_token", one("type: matrix, url: https://h"), "token_file"},
        Bad{"gotify_without_key", one("type: gotify, url: https://h/message"), "X-Gotify-Key"},
        Bad{"template_that_breaks_on_quotes",
            one(R"(type: webhook, url: https://h, body: '{"a": "{{ (index .stacks 0).what }}"}')"),
            "no JSON"},
        Bad{"template_that_breaks_on_two",
            one(R"(type: webhook, url: https://h, body: '[{{ range .stacks }}{{ toRawJson .stack }}{{ end }}]')"),
            "a message of two stacks"},
        Bad{"template_that_breaks_without_words",
            one(R"(type: webhook, url: https://h, body: '{{ toRawJson (index (index .stacks 0).words 0) }}')"),
            "a message of no stack"},
        Bad{"misspelt_name",
            one(R"(type: webhook, url: https://h, body: '{"a": {{ toRawJson .titel }}}')"),
            "there is no .titel; a message has id"},
        Bad{"misspelt_name_of_a_stack",
            one(R"(type: webhook, url: https://h, body: '[{{ range $i, $s := .stacks }}{{ if $i }},{{ end }}{{ toRawJson $s.stak }}{{ end }}]')"),
            "there is no .stak; each of .stacks has stack"},
        Bad{"misspelt_name_in_a_mail", mail("url: smtp://h, body: '{{ .txt }}'"), "no .txt"},
        Bad{"no_json", one(R"(type: webhook, url: https://h, body: "{{ .title }}")"), "no JSON"},
        Bad{"commit_url", "commit_url: https://h\ntargets: []", "{commit}"},
        Bad{"commit_url_that_runs_something",
            "commit_url: 'javascript:{commit}'\ntargets: []",
            "https://"},
        Bad{"mail_port", mail("url: 'smtp://h:99999999'"), "1 to 65535"},
        Bad{"web_port", one("type: slack, url: 'https://h:0/x'"), "1 to 65535"},
        Bad{"no_host", one("type: slack, url: 'https:///x'"), "then a host"},
        Bad{"mail_over_http", mail("url: https://h"), "smtp://HOST"},
        Bad{"mail_with_a_user_in_its_address", mail("url: 'smtp://u:canary@h'"), "smtp://HOST"},
        Bad{"mail_without_from",
            one("type: email, url: smtp://h, to: a@b.example"),
            "from must be"},
        Bad{"mail_without_to", one("type: email, url: smtp://h, from: a@b.example"), "needs to:"},
        Bad{"mail_to_two_in_one",
            one("type: email, url: smtp://h, from: a@b.example, to: 'a@b.example,c@d.example'"),
            "to must be an address"},
        Bad{"mail_password_without_user",
            mail("url: smtp://h, password_file: /run/secrets/key"),
            "go together"},
        Bad{"mail_password_in_the_clear",
            mail("url: smtp://h, user: u, password_file: /run/secrets/key, tls: off"),
            "not sent without TLS"},
        Bad{"mail_tls", mail("url: smtp://h, tls: maybe"), "required or off"},
        Bad{"mail_template", mail("url: smtp://h, body: '{{ .nope'"), "target a"},
        Bad{"status_of_what", status("type: bitbucket"), "must be one of github"},
        Bad{"status_without_repository", status("type: gitea"), "give it as repository:"},
        Bad{"status_of_a_path", status("type: gitea, repository: /srv/x.git"), "git host"},
        Bad{"status_without_token",
            "commit_statuses:\n  - { type: gitea, repository: 'https://h/a/b' }",
            "need a token_file"},
        Bad{"status_api",
            status("type: gitea, repository: 'https://h/a/b', api: 'ftp://h'"),
            "api must begin"},
        Bad{"status_target_url",
            status("type: gitea, repository: 'https://h/a/b', target_url: 'javascript:1'"),
            "target_url must begin"},
        Bad{"status_each_stack",
            status("type: gitea, repository: 'https://h/a/b', each_stack: 'some'"),
            "true or false"},
        Bad{"statuses_twice",
            "commit_statuses:\n"
            "  - { type: gitea, repository: 'https://h/a/b', token_file: /run/secrets/key }\n"
            "  - { type: gitea, repository: 'https://h/a/b', token_file: /run/secrets/key }",
            "two of commit_statuses are named gitea"},
        Bad{"twice",
            "targets:\n  - { name: a, type: slack, url: https://h }\n"
            "  - { name: a, type: slack, url: https://h }",
            "two targets are named a"}),
    [](const auto& row) { return std::string(row.param.name); });

}  // namespace
}  // namespace skep::notify::testing
