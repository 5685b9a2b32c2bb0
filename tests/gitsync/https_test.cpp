#include "tests/gitsync/http_server.hpp"
#include "tests/gitsync/source_fixture.hpp"

namespace skep::gitsync::test {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::Not;

class HttpsTest : public SourceTest {
 protected:
  void SetUp() override {
    if (program("git").empty()) GTEST_SKIP() << "git is not installed";
    write_file(ca_, certificate().certificate);
    write_file(temp_.path() / "other.pem", make_certificate().certificate);
  }

  /// Making a key takes a moment: one for all tests.
  static const TlsCertificate& certificate() {
    static const TlsCertificate made = make_certificate();
    return made;
  }

  HttpServer::Options served() const { return {.root = temp_.path(), .tls = certificate()}; }

  GitOptions trusting(const HttpServer& server) {
    auto with = options(server.url("x.git"));
    with.credentials.ca_file = ca_.string();
    return with;
  }

  std::filesystem::path ca_{temp_.path() / "ca.pem"};
  TestRepository repository_{temp_.path() / "x.git"};
};

TEST_F(HttpsTest, FetchesAndThenOnlyAsks) {
  const auto first = repository_.commit("main", {{"apps/web/compose.yml", {"v1"}}});
  const HttpServer server(served());
  auto source = open(trusting(server));
  EXPECT_EQ(fetched(*source), first);
  EXPECT_EQ(server.downloads(), 1);
  EXPECT_EQ(fetched(*source), first);
  EXPECT_EQ(server.downloads(), 1) << "nothing new: listed, not downloaded";
  const auto second = repository_.commit("main", {{"apps/web/compose.yml", {"v2"}}});
  EXPECT_EQ(fetched(*source), second);
  EXPECT_EQ(server.downloads(), 2);
  EXPECT_EQ(text_of(*source->last_good(), "apps/web/compose.yml"), "v2");
}

TEST_F(HttpsTest, APinnedCommitThatIsHereAsksNobody) {
  const auto first = repository_.commit("main", {{"a", {"1"}}});
  repository_.commit("main", {{"a", {"2"}}});
  const HttpServer server(served());
  auto with = trusting(server);
  with.ref = first;
  auto source = open(with);
  EXPECT_EQ(fetched(*source), first);
  const int before = server.requests();
  EXPECT_EQ(fetched(*source), first);
  EXPECT_EQ(server.requests(), before);
}

TEST_F(HttpsTest, AnUnknownCaIsRefusedWithTheOptionThatMendsIt_Attack25) {
  repository_.commit("main", {{"a", {"1"}}});
  const HttpServer server(served());
  const auto error = fetch_error(*open(server.url("x.git")));
  EXPECT_EQ(error.kind, ErrorKind::unauthorized) << error.message;
  EXPECT_THAT(error.message,
              AllOf(HasSubstr("TLS certificate of localhost"), HasSubstr("--git-ca-file FILE")));
  EXPECT_EQ(server.requests(), 0);
}

TEST_F(HttpsTest, TheWrongCaIsRefused_Attack25) {
  repository_.commit("main", {{"a", {"1"}}});
  const HttpServer server(served());
  auto with = trusting(server);
  with.credentials.ca_file = (temp_.path() / "other.pem").string();
  const auto error = fetch_error(*open(with));
  EXPECT_EQ(error.kind, ErrorKind::unauthorized);
  EXPECT_THAT(error.message, HasSubstr("is not signed by the CA in " + with.credentials.ca_file));
}

TEST_F(HttpsTest, ACaFileThatIsMissingIsNamed) {
  const HttpServer server(served());
  auto with = trusting(server);
  with.credentials.ca_file = (temp_.path() / "none.pem").string();
  const auto error = fetch_error(*open(with));
  EXPECT_EQ(error.kind, ErrorKind::unauthorized);
  EXPECT_THAT(error.message, HasSubstr("the CA file " + with.credentials.ca_file));
}

TEST_F(HttpsTest, AnExpiredCertificateAndAnotherNameAreSaidSo) {
  repository_.commit("main", {{"a", {"1"}}});
  for (const auto& [made, words] :
       {std::pair(make_certificate("localhost", -1), "has expired"),
        std::pair(make_certificate("elsewhere", 1), "is for another host name")}) {
    const HttpServer server({.root = temp_.path(), .tls = made});
    write_file(temp_.path() / "made.pem", made.certificate);
    auto with = trusting(server);
    with.credentials.ca_file = (temp_.path() / "made.pem").string();
    const auto error = fetch_error(*open(with));
    EXPECT_EQ(error.kind, ErrorKind::unauthorized);
    EXPECT_THAT(error.message, HasSubstr(words));
  }
}

TEST_F(HttpsTest, AServerThatIsReachedByItsAddressIsTrustedByTheAddressInItsCertificate) {
  const auto id = repository_.commit("main", {{"a", {"1"}}});
  const auto fetched_from = [&](const TlsCertificate& made, bool trusted) {
    const HttpServer server({.root = temp_.path(), .tls = made, .host = "127.0.0.1"});
    if (trusted) write_file(ca_, made.certificate);
    return fetched(*open(trusting(server)));
  };
  EXPECT_THAT(fetched_from(make_certificate("127.0.0.1"), false), HasSubstr("not signed by"));
  EXPECT_THAT(fetched_from(make_certificate("127.0.0.2"), true),
              HasSubstr("is for another host name"));
  EXPECT_THAT(fetched_from(make_certificate("127.0.0.1", -1), true), HasSubstr("has expired"));
  EXPECT_EQ(fetched_from(make_certificate("127.0.0.1"), true), id);
}

TEST_F(HttpsTest, LogsInWithUserAndPassword) {
  const auto id = repository_.commit("main", {{"a", {"1"}}});
  auto closed = served();
  closed.user = "bea";
  closed.password = "hunter22";
  const HttpServer server(closed);
  auto right = trusting(server);
  right.credentials.user = "bea";
  right.credentials.password = Secret("hunter22");
  EXPECT_EQ(fetched(*open(right)), id);
  auto wrong = trusting(server);
  wrong.state_directory = temp_.path() / "other-state";
  wrong.credentials.user = "bea";
  wrong.credentials.password = Secret("wrong-pass");
  auto source = open(wrong);
  auto error = fetch_error(*source);
  EXPECT_EQ(error.kind, ErrorKind::unauthorized);
  EXPECT_THAT(error.message,
              AllOf(HasSubstr("refuses the user or the password"), Not(HasSubstr("wrong-pass"))));
  wrong.credentials = {};
  wrong.credentials.ca_file = ca_.string();
  error = fetch_error(*open(wrong));
  EXPECT_EQ(error.kind, ErrorKind::unauthorized);
  EXPECT_THAT(error.message, HasSubstr("the remote asks for credentials"));
}

TEST_F(HttpsTest, NoPasswordIsStoredInTheStateDirectory_Attack17) {
  repository_.commit("main", {{"a", {"1"}}});
  auto closed = served();
  closed.user = "bea";
  closed.password = "hunter22";
  const HttpServer server(closed);
  auto right = trusting(server);
  right.credentials.user = "bea";
  right.credentials.password = Secret("hunter22");
  fetched(*open(right));
  int files = 0;
  for (const auto& entry : std::filesystem::recursive_directory_iterator(temp_.path() / "state")) {
    if (!entry.is_regular_file()) continue;
    ++files;
    const auto text = read_file(entry.path());
    EXPECT_THAT(text, Not(HasSubstr("hunter22"))) << entry.path();
    EXPECT_THAT(text, Not(HasSubstr("aHVudGVyMjI"))) << entry.path();
  }
  EXPECT_GT(files, 3);
}

TEST_F(HttpsTest, ARedirectToAnotherHostIsNotFollowed_Attack16) {
  repository_.commit("main", {{"a", {"1"}}});
  const HttpServer target({.root = temp_.path(), .tls = std::nullopt});
  const HttpServer server({.root = temp_.path(),
                           .tls = std::nullopt,
                           .redirect_to = "http://127.0.0.1:" + std::to_string(target.port())});
  auto with = options(server.url("x.git"));
  with.credentials.user = "bea";
  with.credentials.password = Secret("hunter22");
  const auto error = fetch_error(*open(with));
  EXPECT_EQ(error.kind, ErrorKind::unauthorized) << error.message;
  EXPECT_THAT(error.message, HasSubstr("redirects to another host"));
  EXPECT_EQ(target.requests(), 0);
}

TEST_F(HttpsTest, StatusesAreSaidInWords) {
  for (const auto& [status, kind, words] :
       {std::tuple(404, ErrorKind::unauthorized, "knows no such repository"),
        std::tuple(403, ErrorKind::unauthorized, "refuses access"),
        std::tuple(503, ErrorKind::unavailable, "503")}) {
    const HttpServer server({.root = temp_.path(), .tls = std::nullopt, .status = status});
    const auto error = fetch_error(*open(server.url("x.git")));
    EXPECT_EQ(error.kind, kind) << error.message;
    EXPECT_THAT(error.message, HasSubstr(words));
  }
}

TEST_F(HttpsTest, AFetchThatIsKilledInTheMiddleLeavesTheMirrorUsable_Attack26) {
  std::string noise;
  for (std::uint32_t state = 7, at = 0; at < 400'000; ++at) {
    state = state * 1664525U + 1013904223U;
    noise += static_cast<char>(state >> 24U);
  }
  const auto first = repository_.commit("main", {{"a", {"1"}}});
  HttpServer server(served());
  auto with = trusting(server);
  auto source = open(with);
  EXPECT_EQ(fetched(*source), first);
  const auto second = repository_.commit("main", {{"a", {"2"}}, {"noise", {noise}}});
  server.stall_downloads(true);
  auto hasty = with;
  hasty.deadline = std::chrono::seconds(2);
  EXPECT_THAT(fetch_error(*open(hasty)).message, HasSubstr("not done within the deadline"));
  const auto leftovers = [this] {
    std::size_t count = 0;
    for (const auto& entry : std::filesystem::directory_iterator(mirror() / "objects" / "pack"))
      count += entry.path().filename().string().find("_git2_") != std::string::npos ? 1 : 0;
    return count;
  };
  EXPECT_EQ(leftovers(), 1U) << "it was killed while a pack arrived";
  EXPECT_EQ(text_of(*source->last_good(), "a"), "1");
  server.stall_downloads(false);
  EXPECT_EQ(fetched(*source), second);
  EXPECT_EQ(leftovers(), 0U);
  EXPECT_EQ(text_of(*source->last_good(), "noise"), noise);
}

TEST_F(HttpsTest, TheSizeOfAPackIsLimitedWhileItArrives_Attack26) {
  std::string noise;
  for (std::uint32_t state = 7, at = 0; at < 2'000'000; ++at) {
    state = state * 1664525U + 1013904223U;
    noise += static_cast<char>(state >> 24U);
  }
  repository_.commit("main", {{"noise", {noise}}});
  const HttpServer server(served());
  auto with = trusting(server);
  with.fetch_limits.pack_bytes = 500'000;
  auto source = open(with);
  const auto error = fetch_error(*source);
  EXPECT_EQ(error.kind, ErrorKind::invalid_input) << error.message;
  EXPECT_THAT(error.message, HasSubstr("more than 500000 bytes"));
  EXPECT_EQ(source->last_good(), nullptr);
}

}  // namespace
}  // namespace skep::gitsync::test
