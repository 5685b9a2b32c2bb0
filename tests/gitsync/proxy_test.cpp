#include "gitsync/proxy.hpp"

#include <cstdlib>

#include "tests/gitsync/source_fixture.hpp"

namespace skep::gitsync::test {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::Not;

/// A variable of the environment, while this lives.
class Variable {
 public:
  Variable(std::string name, const std::string& value) : name_(std::move(name)) {
    ::setenv(name_.c_str(), value.c_str(), 1);  // NOLINT(concurrency-mt-unsafe): one thread
  }
  ~Variable() { ::unsetenv(name_.c_str()); }  // NOLINT(concurrency-mt-unsafe)
  Variable(const Variable&) = delete;
  Variable& operator=(const Variable&) = delete;

 private:
  std::string name_;
};

class ProxyTest : public SourceTest {
 protected:
  const RemoteUrl remote_ = url_of("https://git.example.com/ops/cluster.git");
};

TEST_F(ProxyTest, MayBeGivenWithoutASchemeAsCurlAndGitTakeIt) {
  const Variable set("HTTPS_PROXY", "user:hunter2@127.0.0.1:8899");
  const auto proxy = proxy_for(remote_);
  ASSERT_TRUE(proxy && *proxy);
  EXPECT_EQ((*proxy)->url, "http://user:hunter2@127.0.0.1:8899");
  EXPECT_EQ((*proxy)->shown, "http://127.0.0.1:8899");
  EXPECT_EQ((*proxy)->variable, "HTTPS_PROXY");
  const Variable lower("https_proxy", "https://other:1/");
  EXPECT_EQ((*proxy_for(remote_))->url, "https://other:1/");
  EXPECT_FALSE(*proxy_for(url_of("/srv/x.git")));
  EXPECT_FALSE(*proxy_for(url_of("git@git.example.com:x.git")));
}

TEST_F(ProxyTest, OneThatCannotBeUsedIsSaidToBeAProxyAndItsPasswordIsNot) {
  for (const auto* value : {"socks5://user:hunter2@127.0.0.1:1080",
                            "user:hunter2",
                            "http://user:hunter2",
                            "http://user:hunt@er2@",
                            "http://user:hunter2/x@y/z"}) {
    const Variable set("HTTPS_PROXY", value);
    const auto proxy = proxy_for(remote_);
    if (proxy) {
      EXPECT_THAT((*proxy)->shown, Not(HasSubstr("hunter2"))) << value;
      continue;
    }
    EXPECT_THAT(proxy.error().message,
                AllOf(HasSubstr("the proxy in HTTPS_PROXY"),
                      HasSubstr("http://HOST:PORT"),
                      Not(HasSubstr("hunter2")),
                      Not(HasSubstr("er2@"))))
        << value;
  }
}

TEST_F(ProxyTest, OneThatIsDownIsNamed) {
  const Variable set("HTTPS_PROXY", "user:hunter2@127.0.0.1:1");
  const auto error = fetch_error(*open(remote_.text()));
  EXPECT_EQ(error.kind, ErrorKind::unavailable);
  EXPECT_THAT(error.message,
              AllOf(HasSubstr("through the proxy http://127.0.0.1:1 that HTTPS_PROXY names"),
                    Not(HasSubstr("hunter2"))));
  const Variable none("NO_PROXY", "example.org, .example.com");
  EXPECT_FALSE(*proxy_for(remote_));
}

TEST(Proxy, ListsOfHostsWithoutOne) {
  EXPECT_TRUE(is_without_proxy("*", "a.example.com", 443));
  EXPECT_TRUE(is_without_proxy("x, A.example.com", "a.Example.com", 443));
  EXPECT_TRUE(is_without_proxy("example.com", "a.example.com", 443));
  EXPECT_TRUE(is_without_proxy("*.example.com", "a.example.com", 443));
  EXPECT_TRUE(is_without_proxy("a.example.com:443", "a.example.com", 443));
  EXPECT_FALSE(is_without_proxy("a.example.com:443", "a.example.com", 8443));
  EXPECT_FALSE(is_without_proxy("ample.com", "a.example.com", 443));
  EXPECT_FALSE(is_without_proxy("", "a.example.com", 443));
}

TEST(Proxy, CredentialsAreTakenOutOfAddresses) {
  EXPECT_EQ(without_credentials("malformed URL 'user:hunter2@127.0.0.1:8899'"),
            "malformed URL '***@127.0.0.1:8899'");
  EXPECT_EQ(without_credentials("to https://token@host/x and http://u:p@h"),
            "to https://***@host/x and http://***@h");
  EXPECT_EQ(without_credentials("git@host:x.git says @ all"), "git@host:x.git says @ all");
}

}  // namespace
}  // namespace skep::gitsync::test
