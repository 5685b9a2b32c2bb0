#include "diff/words.hpp"

#include <gtest/gtest.h>

namespace skep::diff {
namespace {

TEST(Credentials, AreKnownByTheNameOfTheVariable) {
  for (const auto* name : {"DB_PASSWORD",
                           "PGPASS",
                           "api_token",
                           "SECRET_KEY_BASE",
                           "AWS_SECRET",
                           "PRIVATE",
                           "SMTP_PWD",
                           "Credential",
                           "BASIC_AUTH"})
    EXPECT_TRUE(is_credential_name(name)) << name;
  for (const auto* name : {"LOG_LEVEL", "PORT", "HOSTNAME", "TZ", ""})
    EXPECT_FALSE(is_credential_name(name)) << name;
}

TEST(Credentials, AreKnownByTheLookOfTheValue) {
  for (const auto* value : {"postgres://u:p@db/x",
                            "see https://token@github.com/x",
                            "amqp://u:p/w@host",
                            "admin:$apr1$x$y",
                            "u:$2y$05$abc",
                            "Server=db;Password=x",
                            "--requirepass=x",
                            "redis-server --requirepass hunter2",
                            "--api-token x",
                            "{\"password\": \"x\"}",
                            "-----BEGIN RSA PRIVATE KEY-----",
                            "curl -H Authorization: x"})
    EXPECT_TRUE(holds_credential(value)) << value;
  for (const auto* value : {"https://example.com/a@b",
                            "http://localhost:8080/",
                            "info",
                            "reset your password here",
                            "",
                            "node.role == manager"})
    EXPECT_FALSE(holds_credential(value)) << value;
}

TEST(Credentials, ThePathOfTheirFileIsNone) {
  EXPECT_FALSE(is_credential("POSTGRES_PASSWORD_FILE", "/run/secrets/db"));
  EXPECT_FALSE(is_credential("db_password_file", "/db"));
  EXPECT_TRUE(is_credential("POSTGRES_PASSWORD_FILE", "hunter2"));
  EXPECT_TRUE(is_credential("POSTGRES_PASSWORD_FILE", "/two words"));
  EXPECT_TRUE(is_credential("POSTGRES_PASSWORD", "/run/secrets/db"));
  EXPECT_TRUE(is_credential("A_FILE", "/x?password=y"));
  EXPECT_FALSE(is_credential("LOG_LEVEL", "info"));
}

TEST(Printable, StripsWhatATerminalOrAReaderWouldFollow) {
  EXPECT_EQ(printable("a\x1b[31mb\x07"), "a[31mb");
  EXPECT_EQ(printable("a\nb\tc"), "a b c");
  EXPECT_EQ(printable("a\u202eb\u2066c\u200bd\u0085e"), "abcde");
  EXPECT_EQ(printable("gr\u00fcn \u2192 \u20ac"), "gr\u00fcn \u2192 \u20ac");
}

TEST(Units, AreThoseThatPeopleWrite) {
  EXPECT_EQ(show_bytes(64 << 20), "64M");
  EXPECT_EQ(show_bytes(1536 << 10), "1536K");
  EXPECT_EQ(show_bytes(100), "100B");
  EXPECT_EQ(show_bytes(0), "0B");
  EXPECT_EQ(show_cpus(500000000), "0.5");
  EXPECT_EQ(show_cpus(2000000000), "2");
  EXPECT_EQ(show_cpus(1), "0.000000001");
  EXPECT_EQ(show_duration(std::chrono::seconds(90)), "1m30s");
  EXPECT_EQ(show_duration(std::chrono::milliseconds(500)), "500ms");
  EXPECT_EQ(show_duration(swarm::Nanoseconds(0)), "0s");
  EXPECT_EQ(show_ratio(0.3F), "0.3");
  EXPECT_EQ(show_words({"a", "b c", ""}), "a \"b c\" \"\"");
}

}  // namespace
}  // namespace skep::diff
