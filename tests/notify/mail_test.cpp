#include "notify/mail.hpp"

#include <cstdlib>
#include <fstream>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/digest.hpp"
#include "notify/smtp.hpp"
#include "tests/gitsync/process.hpp"
#include "tests/gitsync/tls_certificate.hpp"
#include "tests/notify/fixture.hpp"
#include "tests/paths.hpp"

namespace skep::notify::testing {
namespace {

using namespace std::chrono_literals;
using gitsync::test::read_file;
using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::StartsWith;

constexpr const char* kMailId = "00112233445566778899aabbccddeeff";
const WallTime kMailNow{std::chrono::seconds(1'800'000'000)};

Target mail_target(const std::string& url = "smtp://127.0.0.1:25") {
  Target target;
  target.name = "mail";
  target.type = "email";
  target.url = Secret(url);
  target.content_type = "text/plain";
  target.mail.from = "skep@example.com";
  target.mail.to = {"ops@example.com", "pager@example.com"};
  return target;
}

Message awkward_mail() {
  auto message = message_of("failed");
  auto& story = message.stories.front();
  story.author = "Ada <ada@example.com>\r\nBcc: everybody@example.com";
  story.subject = "zażółć 🐝\r\n\r\n.\r\nMAIL FROM:<evil@example.com>";
  story.what = ".\r\n..\r\nservice app: exit 1";
  return message;
}

MailCall mail_of(const Target& target, const Message& message) {
  const auto mail =
      mail_for(target, {kMailId, target.name, to_json(message, kMailId), 0, kMailNow});
  EXPECT_TRUE(mail) << mail.error().message;
  return mail ? *mail : MailCall();
}

/// The text of a mail whose body is base64.
std::string text_of_mail(const std::string& content) {
  std::string encoded;
  for (const char c : content.substr(content.find("\r\n\r\n") + 4)) {
    if (c != '\r' && c != '\n') encoded += c;
  }
  const auto text = from_base64(encoded);
  EXPECT_TRUE(text) << encoded;
  return text.value_or("");
}

TEST(Mail, IsWhatItsGoldenFileShows) {
  const auto file = std::filesystem::path(SKEP_SOURCE_DIR) / "tests/testdata/notify/email.eml";
  const auto content = mail_of(mail_target(), awkward_mail()).content;
  if (std::getenv("SKEP_UPDATE_GOLDEN") != nullptr) {
    std::ofstream(file, std::ios::binary) << content;
    GTEST_SKIP() << "rewritten: " << file;
  }
  EXPECT_EQ(content, read_file(file)) << file;
}

TEST(Mail, NothingOfAMessageAddsAHeaderOrEndsTheMail) {
  auto message = awkward_mail();
  message.instance = "prod\r\nBcc: everybody@example.com";
  message.stories.front().stack = "apps/web\r\nBcc: everybody@example.com\r\n\r\n.";
  const auto content = mail_of(mail_target(), message).content;
  const auto head = content.substr(0, content.find("\r\n\r\n"));
  EXPECT_THAT(head, Not(HasSubstr("\r\nBcc")));
  EXPECT_THAT(content, Not(HasSubstr("\r\n.")));
  for (std::size_t at = 0; (at = content.find('\n', at)) != std::string::npos; ++at)
    ASSERT_EQ(content.at(at - 1), '\r');
  for (std::size_t at = 0, end = 0; at < content.size(); at = end + 2) {
    end = content.find("\r\n", at);
    ASSERT_NE(end, std::string::npos);
    EXPECT_LE(end - at, 78U) << content.substr(at, end - at);
  }
  EXPECT_THAT(text_of_mail(content), HasSubstr("service app: exit 1"));
}

TEST(Mail, SubjectsAreEncodedWordByWordBetweenCharacters) {
  EXPECT_EQ(header_text("Subject", "[skep] apps/web is degraded"),
            "Subject: [skep] apps/web is degraded\r\n");
  EXPECT_EQ(header_text("Subject", "zażółć"), "Subject: =?UTF-8?B?emHFvMOzxYLEhw==?=\r\n");
  EXPECT_THAT(header_text("Subject", "=?UTF-8?B?eA==?="), Not(HasSubstr("?B?eA==?=")))
      << "what looks like an encoded word is a text";
  std::string bees;
  for (int i = 0; i < 60; ++i) bees += "🐝";
  const auto header = header_text("Subject", bees);
  std::string decoded;
  std::size_t words = 0;
  for (std::size_t at = 0; (at = header.find("=?UTF-8?B?", at)) != std::string::npos; ++words) {
    const auto end = header.find("?=", at + 10);
    EXPECT_LE(end + 2 - at, 75U);
    const auto part = from_base64(header.substr(at + 10, end - at - 10));
    ASSERT_TRUE(part);
    EXPECT_EQ(part->size() % 4, 0U) << "a bee was cut in two";
    decoded += *part;
    at = end;
  }
  EXPECT_GT(words, 1U);
  EXPECT_EQ(decoded, bees);
}

TEST(Mail, OneStackIsOneThreadAndADeliveryKeepsItsId) {
  const auto failed = mail_of(mail_target(), message_of("failed")).content;
  auto recovered = message_of("recovered");
  const auto later =
      mail_for(mail_target(), {"other", "mail", to_json(recovered, "other"), 0, kMailNow});
  ASSERT_TRUE(later);
  const auto references = [](const std::string& content) {
    const auto at = content.find("References: ");
    return content.substr(at, content.find("\r\n", at) - at);
  };
  EXPECT_EQ(references(failed), references(later->content));
  EXPECT_THAT(failed, HasSubstr(std::string("Message-ID: <") + kMailId + "@skep.invalid>\r\n"));
  EXPECT_THAT(failed, HasSubstr("Date: Fri, 15 Jan 2027 08:00:00 +0000\r\n"));
  EXPECT_THAT(failed, HasSubstr("Auto-Submitted: auto-generated\r\n"));
}

TEST(Mail, AnOwnTemplateIsItsText) {
  auto target = mail_target();
  target.body = "{{ .title }} ({{ .target.team }})\n";
  target.values = {{"team", "ops"}};
  EXPECT_EQ(text_of_mail(mail_of(target, awkward_mail()).content),
            "apps/web could not be deployed (ops)\r\n");
}

TEST(Mail, AddressesAreBare) {
  for (const auto* good : {"ops@example.com", "a.b+c@x.example", "x@[127.0.0.1]"})
    EXPECT_TRUE(is_mail_address(good)) << good;
  for (const auto* bad : {"",
                          "ops",
                          "@example.com",
                          "ops@",
                          "a@b@c",
                          "a b@example.com",
                          "<a@example.com>",
                          "a@example.com>\r\nRCPT TO:<b@example.com",
                          "a@example.com,b@example.com",
                          "zażółć@example.com"})
    EXPECT_FALSE(is_mail_address(bad)) << bad;
}

/// With a server of Debian's python3-aiosmtpd.
class Smtp : public ::testing::Test {
 protected:
  void start(const std::string& mode) {
    const auto certificate = gitsync::test::make_certificate("localhost");
    gitsync::test::write_file(path() / "ca.pem", certificate.certificate);
    gitsync::test::write_file(path() / "key.pem", certificate.key, 0600);
    port_ = gitsync::test::free_port();
    server_ = std::make_unique<gitsync::test::Background>(
        std::vector<std::string>{std::string("/usr/bin/python3"),
                                 SKEP_SOURCE_DIR "/tests/notify/smtp_server.py",
                                 path().string(),
                                 std::to_string(port_),
                                 mode,
                                 (path() / "ca.pem").string(),
                                 (path() / "key.pem").string()},
        path() / "log");
    ASSERT_TRUE(gitsync::test::wait_for_port(port_)) << read_file(path() / "log");
  }
  [[nodiscard]] std::string url(const std::string& scheme = "smtp") const {
    return scheme + "://localhost:" + std::to_string(port_);
  }
  [[nodiscard]] std::string kept(int number, const std::string& what) const {
    const auto file = path() / (std::to_string(number) + "." + what);
    return std::filesystem::exists(file) ? read_file(file) : std::string();
  }
  [[nodiscard]] const std::filesystem::path& path() const { return directory_.path(); }
  const SendMail send_ = smtp_sender({}, 30s);

 private:
  Directory directory_;
  std::uint16_t port_ = 0;
  std::unique_ptr<gitsync::test::Background> server_;
};

TEST_F(Smtp, ARealServerKeepsTheMailAsItWasMade) {
  start("plain");
  auto mail = mail_of(mail_target(url()), awkward_mail());
  mail.encrypted = false;
  const auto answer = send_(mail);
  ASSERT_TRUE(answer) << answer.error().message << read_file(path() / "log");
  EXPECT_EQ(answer->status, 250);
  EXPECT_EQ(kept(1, "to"), "skep@example.com ops@example.com pager@example.com");
  EXPECT_EQ(kept(1, "eml"), mail.content);
  EXPECT_EQ(kept(2, "eml"), "") << "one mail, whatever its text looks like";
}

TEST_F(Smtp, OneRefusedAddressKeepsItFromNobodyElseAndAllRefusedIsSaid) {
  start("plain");
  auto target = mail_target(url());
  target.mail.encrypted = false;
  target.mail.to = {"nobody@example.com", "ops@example.com"};
  const auto taken = send_(mail_of(target, awkward_mail()));
  ASSERT_TRUE(taken);
  EXPECT_EQ(taken->status, 250);
  EXPECT_EQ(taken->refused,
            (std::vector<RefusedAddress>{{"nobody@example.com", "550 no such user"}}));
  EXPECT_THAT(kept(1, "to"), ::testing::EndsWith(" ops@example.com"));
  target.mail.to = {"nobody@example.com"};
  auto refused = send_(mail_of(target, awkward_mail()));
  ASSERT_TRUE(refused) << refused.error().message;
  EXPECT_EQ(refused->status, 550);
  EXPECT_EQ(refused->said, "no such user");
  target.mail.to = {"later@example.com"};
  refused = send_(mail_of(target, awkward_mail()));
  ASSERT_TRUE(refused) << refused.error().message;
  EXPECT_EQ(refused->status, 451);
}

TEST_F(Smtp, WhereTlsIsRequiredNothingIsSentWithoutIt) {
  start("plain");
  const auto answer = send_(mail_of(mail_target(url()), awkward_mail()));
  ASSERT_FALSE(answer);
  EXPECT_THAT(answer.error().message, HasSubstr("STARTTLS"));
  EXPECT_EQ(kept(1, "eml"), "");
}

TEST_F(Smtp, StartTlsWithAPasswordAndACaOfOnesOwn) {
  start("starttls");
  auto target = mail_target(url());
  target.mail.user = "ops";
  target.mail.password = Secret("s3cret pass");
  const auto unknown = send_(mail_of(target, awkward_mail()));
  ASSERT_FALSE(unknown) << "the system does not know this CA";
  EXPECT_THAT(unknown.error().message, Not(HasSubstr("s3cret")));
  target.mail.ca_file = (path() / "ca.pem").string();
  const auto answer = send_(mail_of(target, awkward_mail()));
  ASSERT_TRUE(answer) << answer.error().message << read_file(path() / "log");
  EXPECT_THAT(kept(1, "to"), ::testing::EndsWith(" tls"));
  target.mail.password = Secret("wrong");
  const auto denied = send_(mail_of(target, awkward_mail()));
  ASSERT_FALSE(denied);
  EXPECT_THAT(denied.error().message, HasSubstr("password is not taken: 5.7.8 "));
}

TEST_F(Smtp, SmtpsIsEncryptedFromTheStart) {
  start("smtps");
  auto target = mail_target(url("smtps"));
  target.mail.ca_file = (path() / "ca.pem").string();
  const auto answer = send_(mail_of(target, awkward_mail()));
  ASSERT_TRUE(answer) << answer.error().message << read_file(path() / "log");
  EXPECT_NE(kept(1, "eml"), "") << "this server speaks nothing but TLS";
}

TEST_F(Smtp, AServerThatIsSilentIsGivenUp) {
  const gitsync::test::SilentServer silent;
  const auto answer = smtp_sender({}, 500ms)(
      mail_of(mail_target("smtp://127.0.0.1:" + std::to_string(silent.port())), awkward_mail()));
  ASSERT_FALSE(answer);
  EXPECT_THAT(answer.error().message, Not(HasSubstr("127.0.0.1")));
}

}  // namespace
}  // namespace skep::notify::testing
