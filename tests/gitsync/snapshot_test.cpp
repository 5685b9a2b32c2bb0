#include "gitsync/snapshot.hpp"

#include <thread>

#include <gmock/gmock.h>

#include "tests/gitsync/process.hpp"
#include "tests/gitsync/test_repository.hpp"

namespace skep::gitsync::test {
namespace {

using ports::TreeEntry;
using testing::HasSubstr;
using testing::Not;

RepoPath path(const std::string& text) { return *RepoPath::parse(text); }

class SnapshotTest : public testing::Test {
 protected:
  std::shared_ptr<const GitSnapshot> snapshot(const Files& files, ReadLimits limits = {}) {
    auto opened = GitSnapshot::open(repository_.path(), repository_.commit("main", files), limits);
    EXPECT_TRUE(opened) << opened.error().message;
    return opened ? *opened : nullptr;
  }

  TempDirectory temp_;
  TestRepository repository_{temp_.path() / "x.git"};
};

TEST_F(SnapshotTest, ReadsFilesAndListsDirectoriesSortedByName) {
  const auto tree = snapshot({{"apps/web/compose.yml", {"one"}},
                              {"apps/web/run.sh", {"#!", 0100755}},
                              {"apps/web.old/x", {"x"}},
                              {"apps/web-2", {"y"}},
                              {"empty", {""}}});
  auto entries = tree->list(path("apps"));
  ASSERT_TRUE(entries);
  ASSERT_EQ(entries->size(), 3U);
  EXPECT_EQ((*entries)[0].name, "web");
  EXPECT_EQ((*entries)[0].kind, TreeEntry::Kind::directory);
  EXPECT_EQ((*entries)[1].name, "web-2");
  EXPECT_EQ((*entries)[2].name, "web.old");
  EXPECT_EQ(tree->list(RepoPath())->size(), 2U);
  EXPECT_TRUE(tree->list(path("none/there"))->empty());
  EXPECT_TRUE(tree->list(path("empty/there"))->empty());
  EXPECT_EQ((*tree->read(path("apps/web/compose.yml")))->text, "one");
  EXPECT_TRUE((*tree->read(path("apps/web/run.sh")))->executable);
  EXPECT_EQ((*tree->read(path("empty")))->text, "") << "an empty file is not an absent one";
  EXPECT_FALSE(*tree->read(path("apps/none")));
  EXPECT_FALSE(*tree->read(path("empty/below-a-file")));
  EXPECT_EQ((*tree->find(path("apps/web")))->kind, TreeEntry::Kind::directory);
  EXPECT_EQ((*tree->find(RepoPath()))->kind, TreeEntry::Kind::directory);
  EXPECT_FALSE(*tree->find(path("nothing")));
}

TEST_F(SnapshotTest, AnIdChangesWhenAndOnlyWhenTheContentDoes) {
  const auto one = snapshot({{"a", {"1"}}, {"b/x", {"1"}}});
  const auto two = snapshot({{"a", {"2"}}, {"b/x", {"1"}}});
  EXPECT_NE((*one->find(path("a")))->id, (*two->find(path("a")))->id);
  EXPECT_EQ((*one->find(path("b")))->id, (*two->find(path("b")))->id);
  EXPECT_EQ((*one->find(path("a")))->id, (*one->read(path("a")))->id);
}

TEST_F(SnapshotTest, RefusesSymlinksAlsoOnTheWay_Attack1) {
  const auto tree = snapshot({{"apps/web", {"/run/secrets", 0120000}},
                              {"apps/env", {"/proc/self/environ", 0120000}},
                              {"apps/ok", {"x"}}});
  for (const char* const text : {"apps/env", "apps/web/db_password", "apps/web"}) {
    const auto file = tree->read(path(text));
    ASSERT_FALSE(file) << text;
    EXPECT_EQ(file.error().kind, ErrorKind::invalid_input);
    EXPECT_THAT(file.error().message, HasSubstr("is a symbolic link"));
    EXPECT_THAT(file.error().message, Not(HasSubstr("/run/secrets")));
  }
  EXPECT_THAT(tree->read(path("apps/web/deep/x")).error().message,
              testing::StartsWith("apps/web "));
  EXPECT_FALSE(tree->list(path("apps/web")));
  EXPECT_FALSE(tree->list(path("apps/web/below")));
  EXPECT_FALSE(tree->find(path("apps/web/below")));
  EXPECT_EQ((*tree->find(path("apps/web")))->kind, TreeEntry::Kind::symlink);
  EXPECT_EQ(tree->list(path("apps"))->size(), 3U) << "a link is shown, not followed";
}

TEST_F(SnapshotTest, RefusesSubmodules_Attack1) {
  const auto tree = snapshot({{"apps/sub", {"", 0160000}}});
  for (const char* const text : {"apps/sub", "apps/sub/compose.yml"}) {
    const auto file = tree->read(path(text));
    ASSERT_FALSE(file);
    EXPECT_THAT(file.error().message, HasSubstr("apps/sub is a submodule"));
  }
  EXPECT_EQ((*tree->find(path("apps/sub")))->kind, TreeEntry::Kind::submodule);
}

TEST_F(SnapshotTest, AFileAndADirectoryAreNotTakenForEachOther) {
  const auto tree = snapshot({{"dir/file", {"x"}}});
  EXPECT_THAT(tree->read(path("dir")).error().message, HasSubstr("dir is a directory"));
  EXPECT_THAT(tree->list(path("dir/file")).error().message, HasSubstr("is not a directory"));
  EXPECT_FALSE(tree->read(RepoPath()));
}

TEST_F(SnapshotTest, TheSizeOfAFileIsLimitedAndItsContentNotShown_Attack9) {
  const auto tree = snapshot({{"big", {std::string(101, 's')}}, {"fits", {std::string(100, 's')}}},
                             {.file_bytes = 100});
  const auto file = tree->read(path("big"));
  ASSERT_FALSE(file);
  EXPECT_EQ(file.error().message, "big has 101 bytes, more than the limit of 100");
  EXPECT_TRUE(tree->read(path("fits")));
}

TEST_F(SnapshotTest, TheNumberOfEntriesIsLimited_Attack26) {
  const auto tree = snapshot({{"d/1", {}}, {"d/2", {}}, {"d/3", {}}}, {.directory_entries = 2});
  EXPECT_THAT(tree->list(path("d")).error().message, HasSubstr("d has 3 entries"));
}

TEST_F(SnapshotTest, ATreeWithNamesThatClimbIsRefused_Attack2) {
  const auto tree = snapshot({{"d/..", {"x"}}, {"e/.", {"x"}}, {"ok", {"1"}}});
  EXPECT_FALSE(tree->list(path("d")));
  EXPECT_FALSE(tree->list(path("e")));
  EXPECT_EQ((*tree->read(path("ok")))->text, "1");
}

TEST_F(SnapshotTest, DeepPathsAreRead) {
  std::string deep;
  for (int at = 0; at < 200; ++at) deep += "d/";
  const auto tree = snapshot({{deep + "file", {"down here"}}});
  EXPECT_EQ((*tree->read(path(deep + "file")))->text, "down here");
}

TEST_F(SnapshotTest, FiltersAndAttributesAreIgnored_Attack5) {
  const auto tree = snapshot({{".gitattributes", {"* text=auto eol=crlf filter=lfs ident\n"}},
                              {".gitmodules", {"[submodule \"x\"]\n\turl = ext::sh\n"}},
                              {"f", {"$Id$\nline\n"}}});
  EXPECT_EQ((*tree->read(path("f")))->text, "$Id$\nline\n");
}

TEST_F(SnapshotTest, ACommitThatIsNotThereIsUnavailable_Attack24) {
  repository_.commit("main", {{"a", {"1"}}});
  const auto opened = GitSnapshot::open(repository_.path(), std::string(40, 'b'), {});
  ASSERT_FALSE(opened);
  EXPECT_EQ(opened.error().kind, ErrorKind::unavailable);
}

TEST_F(SnapshotTest, ManyThreadsMayRead_Attack23) {
  Files files;
  for (int at = 0; at < 50; ++at) files["d" + std::to_string(at) + "/f"] = {std::to_string(at)};
  const auto tree = snapshot(files);
  std::vector<std::jthread> threads;
  for (int thread = 0; thread < 4; ++thread)
    threads.emplace_back([&tree] {
      for (int at = 0; at < 50; ++at) {
        const auto directory = "d" + std::to_string(at);
        EXPECT_EQ((*tree->read(path(directory + "/f")))->text, std::to_string(at));
        EXPECT_EQ(tree->list(path(directory))->size(), 1U);
      }
    });
}

}  // namespace
}  // namespace skep::gitsync::test
