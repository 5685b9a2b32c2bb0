#include "engine/endpoint.hpp"

#include <cstdlib>
#include <filesystem>
#include <fstream>

#include <gtest/gtest.h>

#include "core/digest.hpp"

namespace skep::engine {
namespace {

class EndpointTest : public testing::Test {
 protected:
  EndpointTest() {
    auto path = (std::filesystem::temp_directory_path() / "skep-endpoint-XXXXXX").string();
    home_ = ::mkdtemp(path.data());
    environment_["HOME"] = home_;
  }
  ~EndpointTest() override { std::filesystem::remove_all(home_); }

  void write(const std::string& name, const std::string& text) {
    const auto path = home_ + "/.docker/" + name;
    std::filesystem::create_directories(std::filesystem::path(path).parent_path());
    std::ofstream(path) << text;
  }
  void write_context(const std::string& name, const std::string& meta) {
    write("contexts/meta/" + sha256_hex(name) + "/meta.json", meta);
  }
  Endpoint endpoint(const std::optional<std::string>& flag = {}) {
    auto result = endpoint_from(environment_, flag);
    EXPECT_TRUE(result) << to_string(result.error());
    return result ? *result : Endpoint();
  }
  std::string refused(const std::optional<std::string>& flag = {}) {
    auto result = endpoint_from(environment_, flag);
    EXPECT_FALSE(result) << result->text();
    if (result) return {};
    EXPECT_EQ(result.error().kind, ErrorKind::invalid_input);
    return result.error().message;
  }

  std::string home_;
  Environment environment_;
};

TEST_F(EndpointTest, TheDefaultIsTheMachinesSocket) {
  EXPECT_EQ(endpoint().text(), "unix:///var/run/docker.sock");
  environment_.clear();
  EXPECT_EQ(endpoint().text(), "unix:///var/run/docker.sock");
}

TEST_F(EndpointTest, TheFlagWinsOverDockerHostAndThatOverAContext) {
  environment_["DOCKER_CONTEXT"] = "lab";
  write_context("lab", R"({"Name":"lab","Endpoints":{"docker":{"Host":"unix:///lab.sock"}}})");
  EXPECT_EQ(endpoint().socket, "/lab.sock");
  environment_["DOCKER_HOST"] = "unix:///host.sock";
  EXPECT_EQ(endpoint().socket, "/host.sock");
  EXPECT_EQ(endpoint("unix:///flag.sock").socket, "/flag.sock");
}

TEST_F(EndpointTest, TheCurrentContextOfTheConfigurationCounts) {
  write("config.json", R"({"currentContext":"lab"})");
  write_context("lab",
                R"({"Endpoints":{"docker":{"Host":"tcp://lab:2376","SkipTLSVerify":true}}})");
  write("contexts/tls/" + sha256_hex("lab") + "/docker/cert.pem", "x");
  const auto found = endpoint();
  EXPECT_EQ(found.address, "lab:2376");
  ASSERT_TRUE(found.tls);
  EXPECT_FALSE(found.tls->verify);
  EXPECT_TRUE(found.tls->certificate.ends_with("/docker/cert.pem"));
  EXPECT_EQ(found.tls->ca, "");
  environment_["DOCKER_CONTEXT"] = "default";
  EXPECT_EQ(endpoint().text(), "unix:///var/run/docker.sock");
}

TEST_F(EndpointTest, AContextThatIsNotThereIsAnErrorAndNotTheDefault) {
  environment_["DOCKER_CONTEXT"] = "gone";
  EXPECT_NE(refused().find("docker context \"gone\" does not exist"), std::string::npos);
  write_context("gone", "no json");
  EXPECT_NE(refused().find("is not a JSON object"), std::string::npos);
  write_context("gone", R"({"Endpoints":{"docker":{}}})");
  EXPECT_NE(refused().find("names no host"), std::string::npos);
}

TEST_F(EndpointTest, TlsComesFromTheEnvironment) {
  environment_["DOCKER_HOST"] = "tcp://10.0.0.1";
  EXPECT_EQ(endpoint().address, "10.0.0.1:2375");
  EXPECT_FALSE(endpoint().tls);
  environment_["DOCKER_TLS_VERIFY"] = "1";
  write("ca.pem", "x");
  write("key.pem", "x");
  const auto found = endpoint();
  EXPECT_EQ(found.address, "10.0.0.1:2376");
  ASSERT_TRUE(found.tls);
  EXPECT_TRUE(found.tls->verify);
  EXPECT_EQ(found.tls->ca, home_ + "/.docker/ca.pem");
  EXPECT_EQ(found.tls->key, home_ + "/.docker/key.pem");
  EXPECT_EQ(found.tls->certificate, "");
  environment_["DOCKER_CERT_PATH"] = "/elsewhere";
  EXPECT_NE(refused().find("/elsewhere/ca.pem is not there"), std::string::npos);
  environment_.erase("DOCKER_TLS_VERIFY");
  environment_["DOCKER_TLS"] = "1";
  EXPECT_FALSE(endpoint().tls->verify);
}

TEST_F(EndpointTest, SshIsRefusedWithTheLineToUse) {
  EXPECT_EQ(refused("ssh://me@manager:2222"),
            "ssh:// endpoints are not supported; forward the socket and use that:\n"
            "  ssh -nNT -p 2222 -L \"$HOME/docker-remote.sock:/var/run/docker.sock\" me@manager &\n"
            "  export DOCKER_HOST=unix://$HOME/docker-remote.sock");
  EXPECT_NE(refused("ssh://manager/run/other.sock").find(":/run/other.sock\" manager &"),
            std::string::npos);
}

TEST_F(EndpointTest, TheVersionOfTheEnvironmentIsKept) {
  environment_["DOCKER_API_VERSION"] = "v1.43";
  EXPECT_EQ(endpoint().api_version, "1.43");
  environment_["DOCKER_API_VERSION"] = "new";
  EXPECT_NE(refused().find("DOCKER_API_VERSION"), std::string::npos);
}

struct HostCase {
  const char *name, *host, *address;
};
class HostTest : public testing::TestWithParam<HostCase> {};

TEST_P(HostTest, IsReadAsTheCliReadsIt) {
  const auto result = endpoint_from({}, GetParam().host);
  if (GetParam().address == nullptr) {
    EXPECT_FALSE(result) << result->text();
  } else {
    ASSERT_TRUE(result) << result.error().message;
    EXPECT_EQ(result->text(), GetParam().address);
  }
}

INSTANTIATE_TEST_SUITE_P(
    Hosts,
    HostTest,
    testing::Values(HostCase{"socket", "unix:///a/b.sock", "unix:///a/b.sock"},
                    HostCase{"default_socket", "unix://", "unix:///var/run/docker.sock"},
                    HostCase{"without_scheme", "host:99", "tcp://host:99"},
                    HostCase{"port_only", "tcp://:99", "tcp://127.0.0.1:99"},
                    HostCase{"path", "tcp://host:99/docker/", "tcp://host:99/docker"},
                    HostCase{"ipv6", "tcp://[::1]:99", "tcp://[::1]:99"},
                    HostCase{"ipv6_default_port", "tcp://[::1]", "tcp://[::1]:2375"},
                    HostCase{"https", "https://host", "tcp://host:2376"},
                    HostCase{"bare_ipv6", "tcp://::1:99", nullptr},
                    HostCase{"bad_port", "tcp://host:99999", nullptr},
                    HostCase{"word_port", "tcp://host:http", nullptr},
                    HostCase{"credentials", "tcp://me:pw@host:99", nullptr},
                    HostCase{"pipe", "npipe:////./pipe/docker_engine", nullptr},
                    HostCase{"descriptor", "fd://", nullptr}),
    [](const auto& row) { return std::string(row.param.name); });

}  // namespace
}  // namespace skep::engine
