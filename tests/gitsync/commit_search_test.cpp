#include "gitsync/commit_search.hpp"

#include "gitsync/git_source.hpp"
#include "tests/gitsync/source_fixture.hpp"

namespace skep::gitsync::test {
namespace {

using testing::HasSubstr;

class CommitSearch : public SourceTest {
 protected:
  [[nodiscard]] std::string url() const { return repository_.path().string(); }
  static RepoPath path(const std::string& text) { return *RepoPath::parse(text); }

  TestRepository repository_{temp_.path() / "remote.git"};
};

TEST_F(CommitSearch, ACommitIsFoundByTheBeginningOfItsId) {
  const auto first = repository_.commit("main", {{"a", {"1"}}});
  const auto second = repository_.commit("main", {{"a", {"2"}}});
  auto source = open(url());
  ASSERT_TRUE(source->fetch({}));
  for (const auto& commit : {first, second}) {
    const auto found = source->find_commit(commit.substr(0, 10));
    ASSERT_TRUE(found) << found.error().message;
    EXPECT_EQ(*found, commit);
    EXPECT_EQ(*source->find_commit(commit), commit);
  }
}

TEST_F(CommitSearch, WhatIsNoIdOrNotThereIsRefusedWithWhatToGive) {
  const auto commit = repository_.commit("main", {{"a", {"1"}}});
  auto source = open(url());
  ASSERT_TRUE(source->fetch({}));
  for (const auto& bad : {std::string("main"),
                          std::string("HEAD~1"),
                          std::string("abc"),
                          std::string("../../etc"),
                          commit + "0"}) {
    const auto found = source->find_commit(bad);
    ASSERT_FALSE(found) << bad;
    EXPECT_EQ(found.error().kind, ErrorKind::invalid_input);
    EXPECT_THAT(found.error().message, HasSubstr("hex digits"));
  }
  const auto none = source->find_commit("0123456789");
  ASSERT_FALSE(none);
  EXPECT_THAT(none.error().message, HasSubstr("no commit"));
}

TEST_F(CommitSearch, TheLastChangeOfAFileIsTheCommitThatTouchedIt) {
  repository_.commit("main", {{"apps/a/c.yml", {"1"}}, {"apps/b/c.yml", {"1"}}});
  const auto touched =
      repository_.commit("main", {{"apps/a/c.yml", {"2"}}, {"apps/b/c.yml", {"1"}}});
  repository_.commit("main", {{"apps/a/c.yml", {"2"}}, {"apps/b/c.yml", {"2"}}});
  const auto head = repository_.commit(
      "main", {{"apps/a/c.yml", {"2"}}, {"apps/b/c.yml", {"2"}}, {"README", {"x"}}});
  auto source = open(url());
  ASSERT_TRUE(source->fetch({}));
  const auto change = source->last_change(head, path("apps/a/c.yml"));
  ASSERT_TRUE(change) << change.error().message;
  EXPECT_EQ(change->commit, touched);
  EXPECT_EQ(change->author, "Bea Keeper <bea@example.com>");
  EXPECT_FALSE(source->last_change(head, path("apps/none.yml")));
  EXPECT_FALSE(source->last_change(std::string(40, '0'), path("README")));
}

TEST_F(CommitSearch, AFileThatStandsSinceTheFirstCommitWasChangedThere) {
  const auto first = repository_.commit("main", {{"a", {"1"}}});
  const auto head = repository_.commit("main", {{"a", {"1"}}, {"b", {"1"}}});
  auto source = open(url());
  ASSERT_TRUE(source->fetch({}));
  EXPECT_EQ(source->last_change(head, path("a"))->commit, first);
}

TEST_F(CommitSearch, TheSearchHasAnEnd) {
  repository_.commit("main", {{"a", {"1"}}});
  std::string head;
  for (int i = 0; i < 5; ++i)
    head = repository_.commit("main", {{"a", {"1"}}, {"b", {std::to_string(i)}}});
  const auto found = find_last_change(repository_.path(), head, path("a"), 3);
  ASSERT_FALSE(found);
  EXPECT_EQ(found.error().kind, ErrorKind::unavailable);
  EXPECT_THAT(found.error().message, HasSubstr("git log -1 -- a"));
}

}  // namespace
}  // namespace skep::gitsync::test
