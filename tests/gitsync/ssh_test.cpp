#include <pwd.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tests/gitsync/source_fixture.hpp"

namespace skep::gitsync::test {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::Not;

/// A real sshd on a loopback port, with keys made for it.
class SshTest : public SourceTest {
 protected:
  void SetUp() override {
    if (program("sshd").empty() || program("ssh-keygen").empty() ||
        program("git-upload-pack").empty())
      GTEST_SKIP() << "sshd, ssh-keygen and git are needed";
    // Where sshd runs as root it insists on this directory, which its service makes.
    if (::geteuid() == 0) ::mkdir("/run/sshd", 0755);
    make_key("host", {"-t", "ed25519"});
    make_key("client", {"-t", "ed25519"});
    write_file(temp_.path() / "authorized", public_key("client"), 0600);
    start({"host"});
    id_ = repository_.commit("main", {{"a", {"over ssh"}}});
  }

  void start(const std::vector<std::string>& host_keys) {
    sshd_.reset();
    port_ = free_port();
    std::string config = "Port " + std::to_string(port_) +
                         "\nListenAddress 127.0.0.1\nAuthorizedKeysFile " + file("authorized") +
                         "\nPidFile none\nStrictModes no\nUsePAM no\nPermitRootLogin yes\n"
                         "PasswordAuthentication no\nKbdInteractiveAuthentication no\n";
    for (const auto& key : host_keys) config += "HostKey " + file(key) + "\n";
    write_file(temp_.path() / "sshd_config", config);
    sshd_ = std::make_unique<Background>(
        std::vector<std::string>{program("sshd"), "-D", "-e", "-f", file("sshd_config")},
        temp_.path() / "sshd.log");
    ASSERT_TRUE(wait_for_port(port_)) << read_file(temp_.path() / "sshd.log");
  }

  void TearDown() override {
    if (HasFailure()) std::cerr << read_file(temp_.path() / "sshd.log");
  }

  std::string file(const std::string& name) const { return (temp_.path() / name).string(); }

  void make_key(const std::string& name, std::vector<std::string> how, std::string phrase = "") {
    std::vector<std::string> command{program("ssh-keygen"), "-q", "-f", file(name), "-N", phrase};
    command.insert(command.end(), how.begin(), how.end());
    ASSERT_EQ(run(command).exit_code, 0);
  }

  std::string public_key(const std::string& name) const { return read_file(file(name + ".pub")); }

  std::string fingerprint_of(const std::string& name) const {
    const auto text = run({program("ssh-keygen"), "-lf", file(name + ".pub")}).output;
    const auto start = text.find("SHA256:");
    return text.substr(start, text.find(' ', start) - start);
  }

  std::string known_hosts_line(const std::string& key) const {
    return "[127.0.0.1]:" + std::to_string(port_) + " " + public_key(key);
  }

  GitOptions over_ssh() {
    const passwd* const user = ::getpwuid(::geteuid());  // NOLINT(concurrency-mt-unsafe)
    auto with = options("ssh://" + std::string(user->pw_name) +
                        "@127.0.0.1:" + std::to_string(port_) + repository_.path().string());
    with.credentials.ssh_key_file = file("client");
    with.credentials.known_hosts = known_hosts_line("host");
    return with;
  }

  TestRepository repository_{temp_.path() / "x.git"};
  std::string id_;
  std::uint16_t port_ = 0;
  std::unique_ptr<Background> sshd_;
};

TEST_F(SshTest, FetchesWithAnEd25519KeyFromAKnownHost) {
  auto source = open(over_ssh());
  EXPECT_EQ(fetched(*source), id_);
  EXPECT_EQ(text_of(*source->last_good(), "a"), "over ssh");
  EXPECT_EQ(fetched(*source), id_);
  EXPECT_FALSE(source->last_answer()->downloaded);
  const auto next = repository_.commit("main", {{"a", {"2"}}});
  EXPECT_EQ(fetched(*source), next);
}

TEST_F(SshTest, TakesHashedKnownHostsAndPinnedFingerprints) {
  write_file(temp_.path() / "known", known_hosts_line("host"), 0600);
  ASSERT_EQ(run({program("ssh-keygen"), "-q", "-H", "-f", file("known")}).exit_code, 0);
  auto hashed = over_ssh();
  hashed.credentials.known_hosts = read_file(temp_.path() / "known");
  ASSERT_THAT(hashed.credentials.known_hosts, testing::StartsWith("|1|"));
  EXPECT_EQ(fetched(*open(hashed)), id_);
  auto pinned = over_ssh();
  pinned.credentials.known_hosts.clear();
  pinned.credentials.host_key_fingerprints = {fingerprint_of("host")};
  EXPECT_EQ(fetched(*open(pinned)), id_);
}

TEST_F(SshTest, AnUnknownHostIsRefusedWithItsFingerprintAndWhatToDo_Attack25) {
  auto with = over_ssh();
  with.credentials.known_hosts.clear();
  const auto error = fetch_error(*open(with));
  EXPECT_EQ(error.kind, ErrorKind::unauthorized) << error.message;
  EXPECT_THAT(error.message,
              AllOf(HasSubstr("is not known"),
                    HasSubstr("ssh-ed25519 " + fingerprint_of("host")),
                    HasSubstr("ssh-keyscan -p " + std::to_string(port_) + " 127.0.0.1")));
}

TEST_F(SshTest, AChangedHostKeyIsRefused_Attack25) {
  make_key("former", {"-t", "ed25519"});
  auto with = over_ssh();
  with.credentials.known_hosts = known_hosts_line("former");
  const auto error = fetch_error(*open(with));
  EXPECT_EQ(error.kind, ErrorKind::unauthorized);
  EXPECT_THAT(error.message, AllOf(HasSubstr("has CHANGED"), HasSubstr(fingerprint_of("host"))));
  with.credentials.known_hosts.clear();
  with.credentials.host_key_fingerprints = {fingerprint_of("former")};
  EXPECT_THAT(fetch_error(*open(with)).message, HasSubstr("none of the pinned fingerprints"));
}

TEST_F(SshTest, AKeyThatTheHostDoesNotKnowIsUnauthorized) {
  make_key("stranger", {"-t", "ed25519"});
  auto with = over_ssh();
  with.credentials.ssh_key_file = file("stranger");
  const auto error = fetch_error(*open(with));
  EXPECT_EQ(error.kind, ErrorKind::unauthorized) << error.message;
  EXPECT_THAT(error.message, HasSubstr("did not accept the ssh key " + file("stranger")));
  with.credentials.ssh_key_file.clear();
  EXPECT_THAT(fetch_error(*open(with)).message, HasSubstr("--git-ssh-key FILE"));
}

TEST_F(SshTest, AnRsaKeyEitherWorksOrIsSaidToBeTheReason) {
  make_key("rsa", {"-t", "rsa", "-b", "2048"});
  write_file(temp_.path() / "authorized", public_key("rsa"), 0600);
  auto with = over_ssh();
  with.credentials.ssh_key_file = file("rsa");
  auto source = open(with);
  const auto snapshot = source->fetch({});
  if (snapshot) return;  // a libssh2 that signs with SHA-2
  EXPECT_EQ(snapshot.error().kind, ErrorKind::unauthorized);
  EXPECT_THAT(
      snapshot.error().message,
      AllOf(HasSubstr("it is an RSA key"), HasSubstr("use an Ed25519 key: ssh-keygen -t ed25519")));
}

TEST_F(SshTest, AKeyWithAPassphraseWorksOnlyWithIt) {
  make_key("locked", {"-t", "ed25519"}, "hunter22");
  write_file(temp_.path() / "authorized", public_key("locked"), 0600);
  auto with = over_ssh();
  with.credentials.ssh_key_file = file("locked");
  EXPECT_THAT(
      fetch_error(*open(with)).message,
      AllOf(HasSubstr("has a passphrase, and none was given"), HasSubstr("ssh-keygen -p -N ''")));
  with.credentials.ssh_key_passphrase = Secret("wrong-pass");
  const auto error = fetch_error(*open(with));
  EXPECT_EQ(error.kind, ErrorKind::unauthorized) << error.message;
  EXPECT_THAT(error.message, AllOf(HasSubstr("passphrase"), Not(HasSubstr("wrong-pass"))));
  with.credentials.ssh_key_passphrase = Secret("hunter22");
  EXPECT_EQ(fetched(*open(with)), id_);
}

TEST_F(SshTest, AsksTheServerForTheKeyTypeThatKnownHostsLists) {
  make_key("second", {"-t", "ecdsa"});
  start({"host", "second"});
  auto with = over_ssh();
  with.credentials.known_hosts = known_hosts_line("host");
  EXPECT_EQ(fetched(*open(with)), id_);
  with.credentials.known_hosts = "a line that cannot be read\n" + known_hosts_line("second");
  EXPECT_EQ(fetched(*open(with)), id_);
}

TEST_F(SshTest, TheOrderOfKnownHostsDoesNotMatter) {
  make_key("rsa", {"-t", "rsa", "-b", "2048"});
  make_key("ecdsa", {"-t", "ecdsa"});
  make_key("gone", {"-t", "ed25519"});
  start({"host", "rsa", "ecdsa"});
  auto with = over_ssh();
  with.credentials.known_hosts = known_hosts_line("rsa") + known_hosts_line("host");
  EXPECT_EQ(fetched(*open(with)), id_);
  start({"rsa", "ecdsa"});
  with = over_ssh();
  with.credentials.known_hosts =
      known_hosts_line("rsa") + known_hosts_line("gone") + known_hosts_line("ecdsa");
  EXPECT_EQ(fetched(*open(with)), id_) << "where one type is not there the next one is asked for";
}

TEST_F(SshTest, AHostWithNothingButAnRsaKeyIsReachedOrTheReasonIsSaid) {
  make_key("rsa", {"-t", "rsa", "-b", "2048"});
  start({"rsa"});
  auto with = over_ssh();
  with.credentials.known_hosts = known_hosts_line("rsa");
  auto source = open(with);
  const auto snapshot = source->fetch({});
  if (snapshot) return;  // a libssh2 that knows RSA with SHA-2
  EXPECT_THAT(snapshot.error().message, HasSubstr("needs an Ed25519 or ECDSA key"));
}

TEST_F(SshTest, WhereOnlyAnRsaLineIsKnownTheOtherKeysAreShown) {
  make_key("rsa", {"-t", "rsa", "-b", "2048"});
  start({"host", "rsa"});
  auto with = over_ssh();
  with.credentials.known_hosts = known_hosts_line("rsa");
  EXPECT_THAT(fetch_error(*open(with)).message,
              AllOf(HasSubstr("of a type that known_hosts does not list: ssh-ed25519"),
                    HasSubstr("ssh-keyscan")));
}

TEST_F(SshTest, AnyOfTheHostsKeysMayBePinned) {
  make_key("ecdsa", {"-t", "ecdsa"});
  make_key("another", {"-t", "ed25519"});
  start({"host", "ecdsa"});
  auto with = over_ssh();
  with.credentials.known_hosts.clear();
  for (const auto* key : {"host", "ecdsa"}) {
    with.credentials.host_key_fingerprints = {fingerprint_of(key)};
    EXPECT_EQ(fetched(*open(with)), id_) << key;
  }
  with.credentials.host_key_fingerprints = {fingerprint_of("another")};
  EXPECT_THAT(fetch_error(*open(with)).message,
              AllOf(HasSubstr("none of the pinned fingerprints"),
                    HasSubstr(fingerprint_of("host")),
                    HasSubstr(fingerprint_of("ecdsa"))));
}

TEST_F(SshTest, AKeyOfAnotherTypeThanListedIsSaidSo) {
  make_key("former", {"-t", "ecdsa"});
  auto with = over_ssh();
  with.credentials.known_hosts = known_hosts_line("former");
  const auto error = fetch_error(*open(with));
  EXPECT_EQ(error.kind, ErrorKind::unauthorized);
  EXPECT_THAT(error.message, HasSubstr("of a type that known_hosts does not list: ssh-ed25519"));
}

TEST_F(SshTest, AShallowRemoteIsSaidToBeOne) {
  repository_.commit("main", {{"a", {"2"}}});
  const auto shallow = temp_.path() / "shallow.git";
  ASSERT_EQ(run({program("git"),
                 "clone",
                 "-q",
                 "--bare",
                 "--depth",
                 "1",
                 "file://" + repository_.path().string(),
                 shallow.string()})
                .exit_code,
            0);
  auto with = over_ssh();
  const auto text = with.url.text();
  with.url =
      url_of(text.substr(0, text.size() - repository_.path().string().size()) + shallow.string());
  EXPECT_THAT(fetch_error(*open(with)).message,
              AllOf(HasSubstr("shallow clone"), HasSubstr("git fetch --unshallow")));
}

TEST_F(SshTest, ARepositoryThatIsNotThereIsAnErrorOfTheRemote) {
  auto with = over_ssh();
  with.url = url_of(with.url.text() + "-none");
  const auto error = fetch_error(*open(with));
  EXPECT_EQ(error.kind, ErrorKind::unavailable) << error.message;
}

}  // namespace
}  // namespace skep::gitsync::test
