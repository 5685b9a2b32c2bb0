#include "gitsync/git_source.hpp"

#include <thread>

#include <sys/stat.h>

#include "gitsync/fetch_child.hpp"
#include "tests/gitsync/source_fixture.hpp"

namespace skep::gitsync::test {
namespace {

using testing::AllOf;
using testing::ContainsRegex;
using testing::HasSubstr;
using testing::Not;
using testing::StartsWith;

class GitSourceTest : public SourceTest {
 protected:
  std::string url() const { return repository_.path().string(); }
  std::size_t packs() const {
    std::size_t count = 0;
    for (const auto& entry : std::filesystem::directory_iterator(mirror() / "objects" / "pack"))
      count += entry.path().extension() == ".pack" ? 1 : 0;
    return count;
  }
  /// Commits, and a fetch of each into the mirror of the source.
  void fetch_often(int times) {
    auto request = FetchRequest{.url = url_of(url()),
                                .ref = "main",
                                .directory = mirror().parent_path(),
                                .slot = "0011",
                                .credentials = {},
                                .limits = {},
                                .previous_commit = "",
                                .previous_id = "",
                                .allow_rewind = false};
    for (int at = 1; at <= times; ++at) {
      const auto id = repository_.commit("main", {{"a", {std::to_string(at)}}});
      auto answer = fetch_into_mirror(request);
      ASSERT_TRUE(answer) << to_string(answer.error());
      ASSERT_EQ(answer->commit, id);
      request.previous_commit = request.previous_id = id;
    }
  }

  TestRepository repository_{temp_.path() / "remote.git"};
};

TEST_F(GitSourceTest, ReadsTheNewestCommitOfABranch) {
  repository_.commit("main", {{"apps/web/compose.yml", {"v1"}}});
  auto source = open(url());
  EXPECT_EQ(source->last_good(), nullptr);
  auto first = source->fetch({});
  ASSERT_TRUE(first) << to_string(first.error());
  EXPECT_EQ(text_of(**first, "apps/web/compose.yml"), "v1");
  EXPECT_EQ((*first)->revision().author, "Bea Keeper <bea@example.com>");
  EXPECT_EQ((*first)->revision().subject, "Change number 1");
  EXPECT_EQ((*first)->revision().committed_at, WallTime(std::chrono::seconds(1700000001)));
  const auto second = repository_.commit("main", {{"apps/web/compose.yml", {"v2"}}});
  EXPECT_EQ(fetched(*source), second);
  EXPECT_EQ(text_of(*source->last_good(), "apps/web/compose.yml"), "v2");
  EXPECT_EQ(text_of(**first, "apps/web/compose.yml"), "v1") << "a snapshot never changes";
  EXPECT_TRUE(source->last_answer()->fast_forward);
  EXPECT_TRUE(source->last_answer()->downloaded);
}

TEST_F(GitSourceTest, DownloadsNothingWhereTheRemoteHasNothingNew) {
  repository_.commit("main", {{"a", {"1"}}});
  auto source = open(url());
  const auto first = source->fetch({});
  const auto again = source->fetch({});
  ASSERT_TRUE(first && again);
  EXPECT_EQ(*first, *again) << "the very same snapshot";
  EXPECT_FALSE(source->last_answer()->downloaded);
  EXPECT_EQ(source->last_answer()->received_bytes, 0U);
}

TEST_F(GitSourceTest, FollowsBranchTagAnnotatedTagAndCommit) {
  const auto first = repository_.commit("main", {{"a", {"1"}}});
  const auto second = repository_.commit("main", {{"a", {"2"}}});
  const auto other = repository_.commit("release/1.0", {{"a", {"3"}}});
  repository_.tag("light", first);
  const auto tag = repository_.annotated_tag("v1", first);
  EXPECT_EQ(fetched(*open(url(), "main")), second);
  EXPECT_EQ(fetched(*open(url(), "")), second);
  EXPECT_EQ(fetched(*open(url(), "HEAD")), second);
  EXPECT_EQ(fetched(*open(url(), "release/1.0")), other);
  EXPECT_EQ(fetched(*open(url(), "refs/heads/release/1.0")), other);
  EXPECT_EQ(fetched(*open(url(), "light")), first);
  EXPECT_EQ(fetched(*open(url(), first)), first);
  auto annotated = open(url(), "refs/tags/v1");
  EXPECT_EQ(fetched(*annotated), first);
  EXPECT_EQ(annotated->last_answer()->remote_id, tag);
  EXPECT_EQ(fetched(*annotated), first);
  EXPECT_FALSE(annotated->last_answer()->downloaded);
}

TEST_F(GitSourceTest, RefusesACommitThatNoBranchOrTagLeadsTo_Attack24) {
  repository_.commit("main", {{"a", {"1"}}});
  const auto loose = repository_.loose_commit({{"a", {"of a fork"}}});
  auto source = open(url(), loose);
  const auto error = fetch_error(*source);
  EXPECT_EQ(error.kind, ErrorKind::invalid_input);
  EXPECT_THAT(error.message, HasSubstr("is in none of the remote's branches and tags"));
}

TEST_F(GitSourceTest, RefusesACommitThatIsInTheMirrorButInNoBranchAnyMore) {
  repository_.commit("main", {{"a", {"1"}}});
  const auto gone = repository_.commit("topic", {{"a", {"2"}}});
  EXPECT_EQ(fetched(*open(url(), "topic")), gone);
  repository_.delete_branch("topic");
  EXPECT_THAT(fetch_error(*open(url(), gone)).message, HasSubstr("in none of the remote's"));
}

TEST_F(GitSourceTest, NamesWhatExistsWhereTheRefDoesNot) {
  const auto id = repository_.commit("main", {{"a", {"1"}}});
  repository_.tag("v1", id);
  auto source = open(url(), "mian");
  const auto error = fetch_error(*source);
  EXPECT_EQ(error.kind, ErrorKind::invalid_input);
  EXPECT_THAT(error.message, HasSubstr("no branch or tag \"mian\"; it has branches main; tags v1"));
}

TEST_F(GitSourceTest, AShortenedCommitIsToldToBeGivenWhole) {
  const auto id = repository_.commit("main", {{"a", {"1"}}});
  EXPECT_THAT(fetch_error(*open(url(), id.substr(0, 12))).message, HasSubstr("give all 40 digits"));
}

TEST_F(GitSourceTest, AShallowRemoteIsSaidToBeOne) {
  if (program("git").empty()) GTEST_SKIP() << "git is not installed";
  repository_.commit("main", {{"a", {"1"}}});
  repository_.commit("main", {{"a", {"2"}}});
  const auto shallow = (temp_.path() / "shallow.git").string();
  const auto from = "file://" + repository_.path().string();
  ASSERT_EQ(run({program("git"), "clone", "-q", "--bare", "--depth", "1", from, shallow}).exit_code,
            0);
  EXPECT_THAT(fetch_error(*open(shallow)).message,
              AllOf(HasSubstr("it is a shallow clone"), HasSubstr("git fetch --unshallow")));
}

TEST_F(GitSourceTest, ARepositoryOfSha256IsSaidToBeOne) {
  if (program("git").empty()) GTEST_SKIP() << "git is not installed";
  const auto other = (temp_.path() / "other.git").string();
  ASSERT_EQ(
      run({program("git"), "init", "-q", "--bare", "--object-format=sha256", other}).exit_code, 0);
  const auto error = fetch_error(*open(other));
  EXPECT_EQ(error.kind, ErrorKind::invalid_input);
  EXPECT_THAT(error.message, HasSubstr("names its objects by SHA-256"));
}

TEST_F(GitSourceTest, AnEmptyRepositoryIsAnErrorAndNeverAnEmptySnapshot_Attack24) {
  auto source = open(url(), "");
  EXPECT_THAT(fetch_error(*source).message, HasSubstr("the repository is empty"));
  EXPECT_EQ(source->last_good(), nullptr);
}

TEST_F(GitSourceTest, KeepsTheLastGoodOneWhereTheRemoteIsGone_Attack25) {
  const auto id = repository_.commit("main", {{"a", {"1"}}});
  auto source = open(url());
  EXPECT_EQ(fetched(*source), id);
  EXPECT_FALSE(source->failing_since());
  std::filesystem::rename(repository_.path(), temp_.path() / "away.git");
  const auto error = fetch_error(*source);
  EXPECT_EQ(error.kind, ErrorKind::unavailable);
  ASSERT_NE(source->last_good(), nullptr);
  EXPECT_EQ(text_of(*source->last_good(), "a"), "1");
  const auto since = source->failing_since();
  ASSERT_TRUE(since);
  fetch_error(*source);
  EXPECT_EQ(source->failing_since(), since) << "since the first failure, not the last";
  std::filesystem::rename(temp_.path() / "away.git", repository_.path());
  EXPECT_EQ(fetched(*source), id);
  EXPECT_FALSE(source->failing_since());
}

TEST_F(GitSourceTest, RemembersTheLastGoodOneAcrossARestart) {
  const auto id = repository_.commit("main", {{"a", {"1"}}});
  std::optional<WallTime> before;
  {
    auto source = open(url());
    EXPECT_EQ(fetched(*source), id);
    before = source->last_success();
  }
  std::filesystem::rename(repository_.path(), temp_.path() / "away.git");
  auto source = open(url());
  ASSERT_NE(source->last_good(), nullptr);
  EXPECT_EQ(source->last_good()->revision().commit, id);
  EXPECT_EQ(source->last_success(), before);
  EXPECT_EQ(open(url(), "other")->last_good(), nullptr) << "another ref has its own memory";
}

TEST_F(GitSourceTest, AnUnreachableBranchThatWasDeletedKeepsTheLastGoodOne) {
  repository_.commit("other", {{"a", {"0"}}});
  const auto id = repository_.commit("main", {{"a", {"1"}}});
  auto source = open(url());
  EXPECT_EQ(fetched(*source), id);
  repository_.delete_branch("main");
  EXPECT_THAT(fetch_error(*source).message, HasSubstr("it has branches other"));
  EXPECT_EQ(source->last_good()->revision().commit, id);
}

TEST_F(GitSourceTest, RefusesARewrittenHistoryAndKeepsTheLastGoodOne_Attack24) {
  const auto id = repository_.commit("main", {{"a", {"1"}}});
  auto source = open(url());
  EXPECT_EQ(fetched(*source), id);
  const auto rewritten = repository_.rewrite("main", {{"a", {"evil"}}});
  for (int attempt = 0; attempt < 2; ++attempt) {
    const auto error = fetch_error(*source);
    EXPECT_EQ(error.kind, ErrorKind::unauthorized);
    EXPECT_THAT(error.message, HasSubstr("the history of branch main was rewritten"));
    EXPECT_EQ(source->last_good()->revision().commit, id);
  }
  auto restarted = open(url());
  EXPECT_THAT(fetch_error(*restarted).message, HasSubstr("was rewritten"));
  auto allowing = options(url());
  allowing.allow_rewind = true;
  auto allowed = open(std::move(allowing));
  EXPECT_EQ(fetched(*allowed), rewritten);
  EXPECT_FALSE(allowed->last_answer()->fast_forward);
  EXPECT_EQ(fetched(*open(url())), rewritten) << "once accepted it is the new base";
}

TEST_F(GitSourceTest, ARewrittenHistoryIsTakenWhenAPersonAcceptsJustThatOne_Attack24) {
  const auto id = repository_.commit("main", {{"a", {"1"}}});
  auto source = open(url());
  EXPECT_EQ(fetched(*source), id);
  EXPECT_EQ(source->refused_rewind(), "");
  const auto first = repository_.rewrite("main", {{"a", {"2"}}});
  fetch_error(*source);
  EXPECT_EQ(source->refused_rewind(), first);
  const auto second = repository_.rewrite("main", {{"a", {"3"}}});
  source->accept_rewind(first);
  EXPECT_THAT(fetch_error(*source).message, HasSubstr("was rewritten"))
      << "another one than the person looked at";
  EXPECT_EQ(source->refused_rewind(), second);
  source->accept_rewind(second);
  EXPECT_EQ(fetched(*source), second);
  EXPECT_EQ(source->refused_rewind(), "");
  repository_.rewrite("main", {{"a", {"4"}}});
  EXPECT_THAT(fetch_error(*source).message, HasSubstr("was rewritten")) << "once is not always";
}

TEST_F(GitSourceTest, RefusesABranchThatWentBack_Attack24) {
  const auto first = repository_.commit("main", {{"a", {"1"}}});
  repository_.commit("main", {{"a", {"2"}}});
  auto source = open(url());
  fetched(*source);
  repository_.move_branch("main", first);
  EXPECT_EQ(fetch_error(*source).kind, ErrorKind::unauthorized);
}

TEST_F(GitSourceTest, RefusesATagThatMovedElsewhere_Attack24) {
  repository_.tag("stable", repository_.commit("main", {{"a", {"1"}}}));
  auto source = open(url(), "stable");
  fetched(*source);
  repository_.tag("stable", repository_.rewrite("other", {{"a", {"2"}}}));
  EXPECT_THAT(fetch_error(*source).message, HasSubstr("the history of tag stable was rewritten"));
}

TEST_F(GitSourceTest, TwoSourcesShareOneStateDirectory) {
  const auto main = repository_.commit("main", {{"a", {"1"}}});
  const auto other = repository_.commit("other", {{"a", {"2"}}});
  TestRepository second(temp_.path() / "second.git");
  const auto elsewhere = second.commit("main", {{"a", {"3"}}});
  auto one = open(url()), two = open(url(), "other"), three = open(second.path().string());
  auto same = open(url());
  std::vector<std::string> seen(4);
  {
    std::vector<std::jthread> threads;
    threads.emplace_back([&] { seen[0] = fetched(*one); });
    threads.emplace_back([&] { seen[1] = fetched(*two); });
    threads.emplace_back([&] { seen[2] = fetched(*three); });
    threads.emplace_back([&] { seen[3] = fetched(*same); });
  }
  EXPECT_THAT(seen, testing::ElementsAre(main, other, elsewhere, main));
}

TEST_F(GitSourceTest, TheDeadlineEndsAFetchFromAServerThatNeverAnswers_Attack26) {
  const SilentServer server;
  auto slow = options("http://127.0.0.1:" + std::to_string(server.port()) + "/x.git");
  slow.deadline = std::chrono::seconds(1);
  auto source = open(std::move(slow));
  const auto started = std::chrono::steady_clock::now();
  const auto error = fetch_error(*source);
  EXPECT_LT(std::chrono::steady_clock::now() - started, std::chrono::seconds(5));
  EXPECT_EQ(error.kind, ErrorKind::unavailable);
  EXPECT_THAT(error.message, HasSubstr("not done within the deadline of 1 s"));
}

TEST_F(GitSourceTest, AStopEndsAFetchAtOnceAndIsNoFailure) {
  const SilentServer server;
  auto source = open("http://127.0.0.1:" + std::to_string(server.port()) + "/x.git");
  std::stop_source stop;
  std::jthread stopper([&stop] {
    std::this_thread::sleep_for(std::chrono::milliseconds(200));
    stop.request_stop();
  });
  const auto started = std::chrono::steady_clock::now();
  const auto snapshot = source->fetch(stop.get_token());
  EXPECT_LT(std::chrono::steady_clock::now() - started, std::chrono::seconds(5));
  ASSERT_FALSE(snapshot);
  EXPECT_EQ(snapshot.error().kind, ErrorKind::cancelled);
  EXPECT_FALSE(source->failing_since());
}

TEST_F(GitSourceTest, TheSizeOfAFetchIsLimited_Attack26) {
  std::string noise;
  for (std::uint32_t state = 1, at = 0; at < 600'000; ++at) {
    state = state * 1664525U + 1013904223U;
    noise += static_cast<char>(state >> 24U);
  }
  repository_.commit("main", {{"big", {noise}}});
  auto small = options(url());
  small.fetch_limits.pack_bytes = 100'000;
  const auto error = fetch_error(*open(small));
  EXPECT_EQ(error.kind, ErrorKind::invalid_input);
  EXPECT_THAT(error.message, HasSubstr("more than 100000 bytes"));
  auto few = options(url());
  few.fetch_limits.objects = 2;
  EXPECT_THAT(fetch_error(*open(few)).message, HasSubstr("sends 3 objects"));
  auto low = options(url());
  low.fetch_limits.object_bytes = 100'000;
  EXPECT_THAT(fetch_error(*open(low)).message, HasSubstr("the file big has 600000 bytes"));
  EXPECT_TRUE(open(url())->fetch({})) << "the refused fetches left the mirror usable";
}

TEST_F(GitSourceTest, TheNumberOfFilesIsLimited_Attack26) {
  Files files;
  for (int at = 0; at < 50; ++at) files["dir/file" + std::to_string(at)] = {std::to_string(at)};
  repository_.commit("main", files);
  auto few = options(url());
  few.fetch_limits.tree_entries = 40;
  const auto error = fetch_error(*open(few));
  EXPECT_EQ(error.kind, ErrorKind::invalid_input);
  EXPECT_THAT(error.message, HasSubstr("more than 40 files"));
}

TEST_F(GitSourceTest, TooLittleMemoryIsAnErrorAndNotACrash_Attack26) {
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
  GTEST_SKIP() << "a sanitizer needs more address space than any limit";
#endif
  repository_.commit("main", {{"big", {std::string(48U << 20U, 'x')}}});
  auto small = options(url());
  small.fetch_limits.memory_bytes = 48U << 20U;
  const auto error = fetch_error(*open(small));
  EXPECT_EQ(error.kind, ErrorKind::unavailable) << error.message;
}

TEST_F(GitSourceTest, ADamagedMirrorIsMadeAnew_Attack25) {
  repository_.commit("main", {{"a", {"1"}}});
  auto source = open(url());
  fetched(*source);
  for (const auto& entry : std::filesystem::directory_iterator(mirror() / "objects" / "pack")) {
    std::filesystem::permissions(entry.path(), std::filesystem::perms::owner_all);
    std::filesystem::resize_file(entry.path(), 10);
  }
  const auto id = repository_.commit("main", {{"a", {"2"}}});
  auto again = open(url());
  EXPECT_EQ(fetched(*again), id);
  EXPECT_EQ(text_of(*again->last_good(), "a"), "2");
}

TEST_F(GitSourceTest, AMirrorThatIsGoneIsMadeAnew) {
  const auto id = repository_.commit("main", {{"a", {"1"}}});
  auto source = open(url());
  fetched(*source);
  std::filesystem::remove_all(mirror());
  EXPECT_EQ(fetched(*open(url())), id);
}

TEST_F(GitSourceTest, ManyFetchesDoNotLeaveManyPacks) {
  const auto first = repository_.commit("main", {{"a", {"0"}}});
  auto source = open(url());
  EXPECT_EQ(fetched(*source), first);
  fetch_often(45);
  EXPECT_GT(packs(), 40U);
  const auto last = repository_.commit("main", {{"a", {"last"}}});
  EXPECT_EQ(fetched(*source), last);
  EXPECT_GT(packs(), 40U) << "a commit that somebody waits for comes first";
  EXPECT_EQ(fetched(*source), last);
  EXPECT_EQ(packs(), 1U);
  for (const auto& commit : {first, last})
    EXPECT_TRUE(GitSnapshot::open(mirror(), commit, {})) << commit;
}

TEST_F(GitSourceTest, AMirrorThatCannotBeCompactedGivesItsCommitsAllTheSame) {
  repository_.commit("main", {{"a", {"0"}}});
  auto source = open(url());
  fetched(*source);
  std::vector<std::filesystem::path> oldest;
  for (const auto& entry : std::filesystem::directory_iterator(mirror() / "objects" / "pack"))
    oldest.push_back(entry.path());
  fetch_often(38);
  const auto before = repository_.commit("main", {{"a", {"before"}}});
  EXPECT_EQ(fetched(*source), before);
  for (const auto& file : oldest) std::filesystem::remove(file);
  for (int i = 0; i < 4; ++i) {
    const auto id = repository_.commit("main", {{"a", {"new " + std::to_string(i)}}});
    EXPECT_EQ(fetched(*source), id);
    EXPECT_EQ(fetched(*source), id);
    EXPECT_FALSE(source->failing_since());
  }
  EXPECT_GT(packs(), 40U);
}

TEST_F(GitSourceTest, TheStateDirectoryIsForItsOwnerOnly) {
  repository_.commit("main", {{"a", {"1"}}});
  auto source = open(url());
  fetched(*source);
  struct stat about = {};
  ASSERT_EQ(::stat(mirror().parent_path().c_str(), &about), 0);
  EXPECT_EQ(about.st_mode & 0777U, 0700U);
}

TEST_F(GitSourceTest, SaysWhatIsWrongWithItsOptions) {
  for (const char* const ref :
       {"--upload-pack=x", "a..b", "refs/notes/x", "x y", "@{u}", "a.lock"}) {
    auto source = Git2Source::open(options(url(), ref), clock_, log_);
    ASSERT_FALSE(source) << ref;
    EXPECT_EQ(source.error().kind, ErrorKind::invalid_input);
  }
  auto missing = options(url());
  missing.executable = temp_.path() / "missing";
  EXPECT_THAT(fetch_error(*open(missing)).message, HasSubstr("No such file"));
  auto wrong = options(url());
  wrong.executable = "/bin/false";
  EXPECT_THAT(fetch_error(*open(wrong)).message, HasSubstr("ended without an answer, exit code 1"));
}

TEST_F(GitSourceTest, ShowsTheUrlWithoutCredentials_Attack17) {
  const auto parsed = RemoteUrl::parse("https://bea:hunter22@git.example.com/x.git");
  ASSERT_TRUE(parsed);
  auto with = options(url());
  with.url = parsed->url;
  EXPECT_EQ(open(with)->describe(), "https://git.example.com/x.git (main)");
}

}  // namespace
}  // namespace skep::gitsync::test
