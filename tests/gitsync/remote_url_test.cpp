#include "gitsync/remote_url.hpp"

#include <gmock/gmock.h>

namespace skep::gitsync {
namespace {

using testing::HasSubstr;
using testing::Not;

TEST(RemoteUrl, TakesTheFormsThatPeopleUse) {
  const struct {
    const char *text, *shown, *host, *path;
    std::uint16_t port;
    RemoteUrl::Scheme scheme;
  } rows[] = {
      {"/srv/git/x.git", "/srv/git/x.git", "", "/srv/git/x.git", 0, RemoteUrl::Scheme::file},
      {"file:///srv/a%20b", "/srv/a b", "", "/srv/a b", 0, RemoteUrl::Scheme::file},
      {"https://h.example/x.git",
       "https://h.example/x.git",
       "h.example",
       "/x.git",
       443,
       RemoteUrl::Scheme::https},
      {"HTTPS://h.example:8443/x",
       "https://h.example:8443/x",
       "h.example",
       "/x",
       8443,
       RemoteUrl::Scheme::https},
      {"http://127.0.0.1:3000/x",
       "http://127.0.0.1:3000/x",
       "127.0.0.1",
       "/x",
       3000,
       RemoteUrl::Scheme::http},
      {"http://[::1]/x", "http://[::1]/x", "::1", "/x", 80, RemoteUrl::Scheme::http},
      {"ssh://git@h.example:2222/o/x.git",
       "ssh://git@h.example:2222/o/x.git",
       "h.example",
       "/o/x.git",
       2222,
       RemoteUrl::Scheme::ssh},
      {"ssh://h.example/x", "ssh://git@h.example/x", "h.example", "/x", 22, RemoteUrl::Scheme::ssh},
      {"git@github.com:owner/x.git",
       "git@github.com:owner/x.git",
       "github.com",
       "owner/x.git",
       22,
       RemoteUrl::Scheme::ssh},
      {"me@[::1]:~/x.git", "me@[::1]:~/x.git", "::1", "~/x.git", 22, RemoteUrl::Scheme::ssh},
  };
  for (const auto& row : rows) {
    const auto parsed = RemoteUrl::parse(row.text);
    ASSERT_TRUE(parsed) << row.text << ": " << parsed.error().message;
    EXPECT_EQ(parsed->url.text(), row.shown);
    EXPECT_EQ(parsed->url.host(), row.host);
    EXPECT_EQ(parsed->url.path(), row.path);
    EXPECT_EQ(parsed->url.port(), row.port) << row.text;
    EXPECT_EQ(parsed->url.scheme(), row.scheme);
  }
}

TEST(RemoteUrl, RefusesEverythingElse_Attack4) {
  for (const char* const text : {"",
                                 "relative/path",
                                 "../x",
                                 "ext::sh -c touch% /x",
                                 "fd::17",
                                 "git@h:x::y' --",
                                 "ext::https://h/x",
                                 "--upload-pack=touch x",
                                 "-oProxyCommand=x",
                                 "git://h/x",
                                 "ftp://h/x",
                                 "ssh://-oProxyCommand=x/y",
                                 "ssh://git@-oProxyCommand=x/y",
                                 "-x@h:y",
                                 "u@-h:y",
                                 "git@h:-x",
                                 "git@h:a'b",
                                 "git@h:a b",
                                 "git@h:a;b",
                                 "git@h:$(id)",
                                 "ssh://git:pw@h/x",
                                 "git:pw@h:x",
                                 "https://h",
                                 "https://h:0/x",
                                 "https://h:99999/x",
                                 "https://h:/x",
                                 "https://h/x?token=1",
                                 "https://h/x#y",
                                 "https://h/a b",
                                 "https:///x",
                                 "file://host/x",
                                 "http://git.example.com/x",
                                 "http://127.0.0.1.evil.example/x",
                                 "https://h\n/x",
                                 "https://a%zz@h/x",
                                 "https://a%00@h/x",
                                 "file:///a%0ab",
                                 "transport::address",
                                 "ssh::x"}) {
    const auto parsed = RemoteUrl::parse(text);
    ASSERT_FALSE(parsed) << text;
    EXPECT_EQ(parsed.error().kind, ErrorKind::invalid_input);
  }
}

TEST(RemoteUrl, SplitsCredentialsOffAndNeverShowsThem_Attack17) {
  const auto parsed = RemoteUrl::parse("https://bea%40x:p%40ss:word@git.example.com:444/x.git");
  ASSERT_TRUE(parsed);
  EXPECT_EQ(parsed->url.text(), "https://git.example.com:444/x.git");
  EXPECT_EQ(parsed->user_info.user, "bea@x");
  EXPECT_EQ(parsed->user_info.password.reveal(), "p@ss:word");
  for (const char* const broken : {"https://bea:hunter22@h:0/x",
                                   "https://bea:hunter22@/x",
                                   "gopher://bea:hunter22@h/x",
                                   "https://bea:hunter22@h/a b",
                                   "ssh://bea:hunter22@h/x",
                                   "https://bea:hunter22@h"}) {
    const auto refused = RemoteUrl::parse(broken);
    ASSERT_FALSE(refused) << broken;
    EXPECT_THAT(refused.error().message, Not(HasSubstr("hunter22")));
  }
}

TEST(RemoteUrl, TakesPlainHttpToOthersOnlyWhereAllowed) {
  EXPECT_FALSE(RemoteUrl::parse("http://git.example.com/x"));
  EXPECT_TRUE(RemoteUrl::parse("http://git.example.com/x", {.allow_plain_http = true}));
}

TEST(RemoteUrl, TellsARemoteFromADirectory) {
  EXPECT_TRUE(names_remote("https://h/x"));
  EXPECT_TRUE(names_remote("git@h:x"));
  EXPECT_FALSE(names_remote("."));
  EXPECT_FALSE(names_remote("/srv/x"));
  EXPECT_FALSE(names_remote("./odd@dir:x"));
}

}  // namespace
}  // namespace skep::gitsync
