#include <cstdlib>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/e2e/agent_process.hpp"
#include "tests/e2e/repo.hpp"
#include "tests/gitsync/process.hpp"
#include "tests/gitsync/tls_certificate.hpp"
#include "tests/lab/lab.hpp"

namespace skep::e2e {
namespace {

using gitsync::test::make_certificate;
using gitsync::test::write_file;
using testing::HasSubstr;

/// An engine that listens on TCP and lets in whom its authority knows, as Docker's own instructions
/// set it up.
class TlsEngine : public testing::Test {
 protected:
  void SetUp() override {
    const auto server = make_certificate(), client = make_certificate("client");
    const auto other = make_certificate();
    write_file(path("server.pem"), server.certificate, 0600);
    write_file(path("server.key"), server.key, 0600);
    write_file(path("clients.pem"), client.certificate, 0600);
    identity("right", server.certificate, client);
    identity("wrong-authority", other.certificate, client);
    identity("unknown-client", server.certificate, make_certificate("client"));
    const auto flags = "-H tcp://127.0.0.1:2376 --tlsverify --tlscacert=" + path("clients.pem") +
                       " --tlscert=" + path("server.pem") + " --tlskey=" + path("server.key");
    ::setenv("SKEP_LAB_DOCKERD_FLAGS", flags.c_str(), 1);
    engine_ = std::make_unique<lab::LabEngine>();
    ::unsetenv("SKEP_LAB_DOCKERD_FLAGS");
    SKEP_NEEDS_ENGINE(*engine_);
    write_file(path("stack.yml"), "services:\n  app: " + service(kImage1) + kHostNetwork);
  }
  [[nodiscard]] std::string path(const std::string& name) const {
    return (directory_.path() / name).string();
  }
  void identity(const std::string& name,
                const std::string& authority,
                const gitsync::test::TlsCertificate& client) {
    write_file(path(name + "/ca.pem"), authority, 0600);
    write_file(path(name + "/cert.pem"), client.certificate, 0600);
    write_file(path(name + "/key.pem"), client.key, 0600);
  }
  lab::CommandOutput skep(const std::string& certificates,
                          const std::vector<std::string>& arguments) {
    std::vector<std::string> words{"env",
                                   "DOCKER_HOST=tcp://localhost:2376",
                                   "DOCKER_TLS_VERIFY=1",
                                   "DOCKER_CERT_PATH=" + path(certificates),
                                   "ASAN_OPTIONS=detect_leaks=0",  // It cannot, in there.
                                   binary()};
    words.insert(words.end(), arguments.begin(), arguments.end());
    return engine_->enter(words);
  }
  gitsync::test::TempDirectory directory_;
  std::unique_ptr<lab::LabEngine> engine_;
};

TEST_F(TlsEngine, IsUsedOverTcpByWhomItsAuthorityKnowsAndOthersAreToldWhy) {
  const std::vector<std::string> deploy{
      "deploy", "--detach", "--resolve-image", "never", "-c", path("stack.yml"), "far"};
  const auto wrong = skep("wrong-authority", deploy);
  EXPECT_EQ(wrong.exit_code, 1) << wrong.out;
  EXPECT_THAT(wrong.err, HasSubstr("certificate"));
  const auto unknown = skep("unknown-client", deploy);
  EXPECT_EQ(unknown.exit_code, 1) << unknown.out;
  EXPECT_THAT(unknown.err, HasSubstr("localhost:2376"));
  const auto nothing = skep("not-there", deploy);
  EXPECT_EQ(nothing.exit_code, 1) << nothing.out;
  EXPECT_THAT(nothing.err, HasSubstr(path("not-there")));
  EXPECT_EQ(engine_->docker({"service", "ls", "-q"}).out, "");

  const auto deployed = skep("right", deploy);
  EXPECT_EQ(deployed.exit_code, 0) << deployed.err;
  EXPECT_THAT(deployed.out, HasSubstr("Creating service far_app"));
  EXPECT_THAT(engine_->docker({"service", "ls"}).out, HasSubstr("far_app"));
}

}  // namespace
}  // namespace skep::e2e
