#include "engine/registry_auth.hpp"

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <thread>

#include <gtest/gtest.h>

#include "core/digest.hpp"

namespace skep::engine {
namespace {

class RegistryAuthTest : public testing::Test {
 protected:
  RegistryAuthTest() {
    auto path = (std::filesystem::temp_directory_path() / "skep-auth-XXXXXX").string();
    directory_ = ::mkdtemp(path.data());
    path_before_ = ::getenv("PATH");
    ::setenv("PATH", (directory_ + ":" + path_before_).c_str(), 1);
  }
  ~RegistryAuthTest() override {
    ::setenv("PATH", path_before_.c_str(), 1);
    std::filesystem::remove_all(directory_);
  }

  void configure(const std::string& json) { std::ofstream(directory_ + "/config.json") << json; }
  /// A credential helper, as docker-credential-NAME in PATH.
  void add_helper(const std::string& name, const std::string& script) {
    const auto path = directory_ + "/docker-credential-" + name;
    std::ofstream(path) << "#!/bin/sh\n" << script;
    std::filesystem::permissions(path, std::filesystem::perms::owner_all);
  }
  Result<std::optional<RegistryCredentials>> look_up(const std::string& registry,
                                                     std::stop_token stop = {}) {
    return find_credentials(directory_ + "/config.json", registry, stop);
  }
  std::optional<RegistryCredentials> found(const std::string& registry) {
    auto result = look_up(registry);
    EXPECT_TRUE(result) << result.error().message;
    return result ? *result : std::nullopt;
  }

  std::string directory_, path_before_;
};

TEST_F(RegistryAuthTest, TheKeyIsTheImagesDomainAndTheIndexForTheHub_D7_3) {
  EXPECT_EQ(*registry_of("my-registry.com:8300/apps/my-app:1.0.0"), "my-registry.com:8300");
  EXPECT_EQ(*registry_of("nginx"), "https://index.docker.io/v1/");
  EXPECT_EQ(*registry_of("docker.io/library/nginx"), "https://index.docker.io/v1/");
  EXPECT_FALSE(registry_of(std::string(64, 'a')));
  EXPECT_FALSE(registry_of("../../containers/json?x="));
}

TEST_F(RegistryAuthTest, AuthIsSplitIntoUserAndPassword_D7_3) {
  configure(R"({"auths":{"reg:5000":{"auth":")" + base64("me:p:w") + R"(","email":"m@x"}}})");
  const auto credentials = found("reg:5000");
  ASSERT_TRUE(credentials);
  EXPECT_EQ(credentials->username, "me");
  EXPECT_EQ(credentials->password.reveal(), "p:w");
  EXPECT_EQ(from_base64(std::string(registry_auth_header(credentials).reveal())),
            R"({"username":"me","password":"p:w","email":"m@x","serveraddress":"reg:5000"})");
}

TEST_F(RegistryAuthTest, AnEntryIsAlsoFoundByTheHostOfItsAddress_D7_3) {
  configure(R"({"auths":{"https://reg:5000/v2/":{"identitytoken":"tok"}}})");
  const auto credentials = found("reg:5000");
  ASSERT_TRUE(credentials);
  EXPECT_EQ(credentials->identity_token.reveal(), "tok");
  EXPECT_EQ(credentials->server_address, "https://reg:5000/v2/");
  EXPECT_EQ(found("reg"), std::nullopt);
  EXPECT_EQ(found("https://reg:5000"), std::nullopt);
}

TEST_F(RegistryAuthTest, WithoutCredentialsTheHeaderIsAnEmptyObject_D7_2_F128) {
  EXPECT_EQ(found("reg"), std::nullopt);
  EXPECT_EQ(registry_auth_header(std::nullopt).reveal(), "e30=");
}

TEST_F(RegistryAuthTest, AHelperIsAskedBeforeTheFileAndThePerRegistryOneFirst_D7_3) {
  add_helper("one", R"(read server; echo "{\"Username\":\"$1\",\"Secret\":\"for $server\"}")");
  add_helper("all", R"(echo '{"Username":"<token>","Secret":"tok"}')");
  configure(
      R"({"credHelpers":{"a.io":"one"},"credsStore":"all","auths":{"a.io":{"auth":"eDp5"},"b.io":{"auth":"eDp5"}}})");
  const auto first = found("a.io");
  ASSERT_TRUE(first);
  EXPECT_EQ(first->username, "get");
  EXPECT_EQ(first->password.reveal(), "for a.io");
  const auto second = found("b.io");
  ASSERT_TRUE(second);
  EXPECT_EQ(second->username, "");
  EXPECT_EQ(second->identity_token.reveal(), "tok");
  EXPECT_EQ(second->server_address, "b.io");
}

TEST_F(RegistryAuthTest, AHelperThatKnowsNothingMeansNoneButAnyOtherFailureIsAnError) {
  configure(R"({"credsStore":"x"})");
  EXPECT_EQ(look_up("a.io").error().kind, ErrorKind::invalid_input);
  EXPECT_NE(look_up("a.io").error().message.find("cannot run docker-credential-x"),
            std::string::npos);
  add_helper("x", "echo 'credentials not found in native keychain'; exit 1");
  EXPECT_EQ(found("a.io"), std::nullopt);
  add_helper("x", "echo 'locked: hush'; exit 1");
  EXPECT_EQ(look_up("a.io").error().message, "docker-credential-x failed with exit code 1");
  add_helper("x", "echo nonsense");
  EXPECT_FALSE(look_up("a.io"));
  configure(R"({"credsStore":"../../bin/sh"})");
  EXPECT_NE(look_up("a.io").error().message.find("is not the name"), std::string::npos);
}

TEST_F(RegistryAuthTest, AHelperThatHangsEndsWhenAskedTo) {
  configure(R"({"credsStore":"slow"})");
  add_helper("slow", "exec sleep 60");
  std::stop_source stop;
  std::jthread soon([&stop] {
    std::this_thread::sleep_for(std::chrono::milliseconds(50));
    stop.request_stop();
  });
  const auto started = std::chrono::steady_clock::now();
  EXPECT_EQ(look_up("a.io", stop.get_token()).error().kind, ErrorKind::cancelled);
  EXPECT_LT(std::chrono::steady_clock::now() - started, std::chrono::seconds(1));
}

TEST_F(RegistryAuthTest, ABrokenFileIsAnErrorThatShowsNothingOfIt) {
  configure(R"({"auths":{"a.io":{"auth":"hush hush"}}})");
  ASSERT_FALSE(look_up("a.io"));
  EXPECT_EQ(look_up("a.io").error().message.find("hush"), std::string::npos);
  configure(R"({"auths":)");
  EXPECT_FALSE(look_up("a.io"));
  configure(R"({"auths":[],"credHelpers":3})");
  EXPECT_EQ(found("a.io"), std::nullopt);
}

}  // namespace
}  // namespace skep::engine
