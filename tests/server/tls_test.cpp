// HTTPS with a certificate of one's own, which is renewed now and then.
#include <fstream>
#include <mutex>
#include <thread>

#include <curl/curl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "server/tls_certificate.hpp"
#include "tests/gitsync/tls_certificate.hpp"
#include "tests/server/http_fixture.hpp"

namespace skep::server::testing {
namespace {

using namespace std::chrono_literals;
using ::testing::HasSubstr;

/// The body, or what curl says.
std::string get(const std::string& address,
                const std::string& authority,
                const std::string& path = "/healthz",
                long version = CURL_SSLVERSION_DEFAULT) {
  const std::unique_ptr<CURL, decltype(&curl_easy_cleanup)> curl(curl_easy_init(),
                                                                 &curl_easy_cleanup);
  std::string body, ca = authority;
  const auto port = address.substr(address.rfind(':') + 1);
  curl_blob blob{.data = ca.data(), .len = ca.size(), .flags = CURL_BLOB_COPY};
  curl_easy_setopt(curl.get(), CURLOPT_URL, ("https://localhost:" + port + path).c_str());
  curl_easy_setopt(curl.get(), CURLOPT_CAINFO_BLOB, &blob);
  curl_easy_setopt(curl.get(), CURLOPT_SSLVERSION, version);
  curl_easy_setopt(curl.get(), CURLOPT_WRITEFUNCTION, &append_for_curl);
  curl_easy_setopt(curl.get(), CURLOPT_WRITEDATA, &body);
  curl_easy_setopt(curl.get(), CURLOPT_TIMEOUT, 20L);
  const auto code = curl_easy_perform(curl.get());
  return code == CURLE_OK ? body : curl_easy_strerror(code);
}

class TlsTest : public ::testing::Test {
 protected:
  void SetUp() override { write(first_); }
  void write(const gitsync::test::TlsCertificate& certificate) const {
    write("cert.pem", certificate.certificate);
    write("key.pem", certificate.key);
  }
  /// As those who renew certificates do: a new file in the place of the old one.
  void write(const std::string& name, const std::string& text) const {
    const auto path = directory_.path() / name;
    std::ofstream(path.string() + ".new", std::ios::trunc) << text;
    std::filesystem::rename(path.string() + ".new", path);
  }
  [[nodiscard]] TlsFiles files() const {
    return {.certificate = (directory_.path() / "cert.pem").string(),
            .key = (directory_.path() / "key.pem").string()};
  }
  void start(Limits limits = {}) {
    auto certificate = TlsCertificate::load(files(), [this](std::string_view line) {
      const std::lock_guard lock(mutex_);
      said_ += line;
    });
    ASSERT_TRUE(certificate) << certificate.error().message;
    Router router;
    add_routes(router, control_, {});
    ServerOptions options;
    options.listeners = {{"127.0.0.1:0", kAllRoutes}, {"unix:" + socket_path(), kAllRoutes}};
    options.limits = limits;
    options.certificate = *std::move(certificate);
    auto server = Server::start(std::move(router), std::move(options));
    ASSERT_TRUE(server) << server.error().message;
    server_ = *std::move(server);
    address_ = server_->addresses().front();
  }
  [[nodiscard]] std::string socket_path() const { return (directory_.path() / "s").string(); }
  std::string said() {
    const std::lock_guard lock(mutex_);
    return said_;
  }

  const gitsync::test::TlsCertificate first_ = gitsync::test::make_certificate();
  const gitsync::test::TlsCertificate second_ = gitsync::test::make_certificate();
  TemporaryDirectory directory_;
  std::mutex mutex_;
  std::string said_;
  FakeControl control_;
  std::unique_ptr<Server> server_;
  std::string address_;
};

TEST_F(TlsTest, ServesHttpsOverTcpAndPlainTextOnTheSocket) {
  start();
  EXPECT_THAT(get(address_, first_.certificate), HasSubstr("\"ok\""));
  EXPECT_THAT(get(address_, first_.certificate, "/api/v1/status"), HasSubstr("\"stacks\""));
  EXPECT_THAT(get(address_, first_.certificate, "/api/v1/stacks/apps/web/explain"),
              HasSubstr("\"conditions\""))
      << "a handler beside the socket's thread";
  EXPECT_EQ(fetch("unix:" + socket_path(), "GET", "/healthz").status, 200);
  EXPECT_EQ(fetch(address_, "GET", "/healthz").status, 0) << "no plain text over TCP";
}

TEST_F(TlsTest, WhoKnowsAnotherAuthorityDoesNotBelieveIt) {
  start();
  EXPECT_THAT(get(address_, second_.certificate), HasSubstr("certificate"));
}

TEST_F(TlsTest, ARenewedCertificateIsServedWithoutARestart) {
  start();
  ASSERT_THAT(get(address_, first_.certificate), HasSubstr("\"ok\""));
  write(second_);
  std::string answer;
  for (int i = 0; i < 200 && answer.find("\"ok\"") == std::string::npos; ++i) {
    std::this_thread::sleep_for(50ms);
    answer = get(address_, second_.certificate);
  }
  EXPECT_THAT(answer, HasSubstr("\"ok\""));
  EXPECT_THAT(get(address_, first_.certificate), HasSubstr("certificate"));
}

TEST_F(TlsTest, AnUnusableNewCertificateLeavesTheOldOneAndSaysSo) {
  start();
  ASSERT_THAT(get(address_, first_.certificate), HasSubstr("\"ok\""));
  write("key.pem", second_.key);
  for (int i = 0; i < 200 && said().empty(); ++i) {
    std::this_thread::sleep_for(50ms);
    EXPECT_THAT(get(address_, first_.certificate), HasSubstr("\"ok\""));
  }
  EXPECT_THAT(said(), HasSubstr("does not belong to the certificate"));
  EXPECT_THAT(get(address_, first_.certificate), HasSubstr("\"ok\""));
}

TEST_F(TlsTest, WhatIsOlderThanTls12IsRefused) {
  start();
  EXPECT_THAT(get(address_, first_.certificate, "/healthz", CURL_SSLVERSION_MAX_TLSv1_1),
              ::testing::Not(HasSubstr("\"ok\"")));
  EXPECT_THAT(get(address_,
                  first_.certificate,
                  "/healthz",
                  int{CURL_SSLVERSION_TLSv1_2} | int{CURL_SSLVERSION_MAX_TLSv1_2}),
              HasSubstr("\"ok\""));
}

TEST_F(TlsTest, HandshakesThatNeverEndHoldUpNobody_Attack12) {
  start({.request = 2s});
  std::vector<RawClient> half_open;
  for (int i = 0; i < 100; ++i) {
    auto& client = half_open.emplace_back(address_);
    if (i % 2 == 1) client.send("\x16\x03\x01\x02");
  }
  EXPECT_THAT(get(address_, first_.certificate), HasSubstr("\"ok\""));
  EXPECT_TRUE(half_open.front().closed_within(20s));
}

TEST_F(TlsTest, WhatIsNoCertificateIsSaidWithoutItsContent_Attack17) {
  write("key.pem", "-----BEGIN PRIVATE KEY-----\nhunter22\n-----END PRIVATE KEY-----\n");
  auto loaded = TlsCertificate::load(files());
  ASSERT_FALSE(loaded);
  EXPECT_THAT(loaded.error().message, HasSubstr("key.pem: is no private key"));
  EXPECT_THAT(loaded.error().message, ::testing::Not(HasSubstr("hunter22")));
  write("cert.pem", "");
  loaded = TlsCertificate::load(files());
  ASSERT_FALSE(loaded);
  EXPECT_THAT(loaded.error().message, HasSubstr("cert.pem: is no certificate"));
  EXPECT_FALSE(TlsCertificate::load({.certificate = "/not/there", .key = "/not/there"}));
}

}  // namespace
}  // namespace skep::server::testing
