#include "gitsync/work_tree.hpp"

#include <gmock/gmock.h>
#include <sys/stat.h>

#include "gitsync/snapshot.hpp"
#include "tests/gitsync/process.hpp"
#include "tests/gitsync/test_repository.hpp"

namespace skep::gitsync::test {
namespace {

namespace fs = std::filesystem;
using ports::TreeEntry;
using testing::HasSubstr;
using testing::Not;

RepoPath repo_path(const std::string& text) { return *RepoPath::parse(text); }

class WorkTreeTest : public testing::Test {
 protected:
  std::shared_ptr<const ports::Snapshot> snapshot(ReadLimits limits = {}) {
    auto source = open_work_tree(root_, limits);
    EXPECT_TRUE(source);
    auto fetched = (*source)->fetch({});
    EXPECT_TRUE(fetched) << fetched.error().message;
    return fetched ? *fetched : nullptr;
  }

  /// Commits everything, as `git add -A; git commit` would.
  std::string commit_all() {
    RepositoryHandle repository =
        *acquire<RepositoryHandle>("init", git_repository_init, root_.c_str(), 0U);
    git_index* raw = nullptr;
    git_repository_index(&raw, repository.get());
    const Handle<git_index, git_index_free> index(raw);
    git_index_add_all(index.get(), nullptr, 0, nullptr, nullptr);
    git_index_write(index.get());
    git_oid tree_id = {}, id = {};
    git_index_write_tree(&tree_id, index.get());
    const auto tree = *acquire<TreeHandle>("tree", git_tree_lookup, repository.get(), &tree_id);
    git_signature* who = nullptr;
    git_signature_new(&who, "Bea", "bea@example.com", 1700000000, 0);
    git_commit_create_v(&id, repository.get(), "HEAD", who, who, nullptr, "All", tree.get(), 0);
    git_signature_free(who);
    return to_hex(id);
  }

  const Library library_;
  TempDirectory temp_;
  fs::path root_ = temp_.path() / "tree";

  void SetUp() override {
    write_file(root_ / "apps/web/compose.yml", "one");
    write_file(root_ / "apps/web/run.sh", "#!", 0755);
  }
};

TEST_F(WorkTreeTest, ReadsAPlainDirectory) {
  const auto tree = snapshot();
  EXPECT_EQ(tree->revision().commit, "");
  EXPECT_EQ(tree->revision().abbreviated(), "work tree");
  const auto entries = *tree->list(repo_path("apps/web"));
  ASSERT_EQ(entries.size(), 2U);
  EXPECT_EQ(entries[0].name, "compose.yml");
  EXPECT_TRUE(entries[1].executable);
  EXPECT_EQ(entries[0].id, (*tree->read(repo_path("apps/web/compose.yml")))->id);
  EXPECT_EQ((*tree->find(repo_path("apps")))->kind, TreeEntry::Kind::directory);
  EXPECT_FALSE(*tree->read(repo_path("apps/none")));
  EXPECT_FALSE(*tree->read(repo_path("apps/web/compose.yml/below")));
  EXPECT_FALSE(*tree->find(repo_path("apps/web/compose.yml/below")));
  EXPECT_FALSE(*tree->find(repo_path("none/below")));
  EXPECT_TRUE(tree->list(repo_path("none"))->empty());
  EXPECT_TRUE(tree->list(repo_path("apps/web/compose.yml/below"))->empty());
  EXPECT_THAT(tree->list(repo_path("apps/web/compose.yml")).error().message,
              HasSubstr("is not a directory"));
  EXPECT_THAT(tree->read(repo_path("apps")).error().message, HasSubstr("apps is a directory"));
}

TEST_F(WorkTreeTest, TellsWhichFilesGitIgnores) {
  const auto ignored = [&](const std::string& path) {
    return (*snapshot()->read(repo_path(path)))->ignored;
  };
  write_file(root_ / "apps/web/.env", "A=1");
  EXPECT_FALSE(ignored("apps/web/.env")) << "there is no git";
  commit_all();
  write_file(root_ / ".gitignore", ".env\n*.log\n");
  write_file(root_ / "apps/api/.env", "A=1");
  write_file(root_ / "apps/api/new.yml", "one");
  EXPECT_TRUE(ignored("apps/api/.env"));
  EXPECT_FALSE(ignored("apps/api/new.yml")) << "not tracked yet, which is no secret";
  EXPECT_FALSE(ignored("apps/web/.env")) << "tracked all the same";
  root_ /= "apps";
  EXPECT_TRUE(ignored("api/.env")) << "also below the work tree's root";
}

TEST_F(WorkTreeTest, NamesTheCommitOnlyWhileNothingDiffers) {
  const auto id = commit_all();
  const auto clean = snapshot();
  EXPECT_EQ(clean->revision().commit, id);
  EXPECT_EQ(clean->revision().subject, "All");
  write_file(root_ / "untracked", "x");
  EXPECT_EQ(snapshot()->revision().commit, "");
  fs::remove(root_ / "untracked");
  EXPECT_EQ(snapshot()->revision().commit, id);
  write_file(root_ / "apps/web/compose.yml", "two");
  EXPECT_EQ(snapshot()->revision().commit, "");
}

TEST_F(WorkTreeTest, ADirectoryBelowTheRootOfAWorkTreeIsJudgedAlone) {
  const auto id = commit_all();
  write_file(root_ / "elsewhere", "changed");
  auto source = open_work_tree(root_ / "apps");
  const auto tree = *(*source)->fetch({});
  EXPECT_EQ(tree->revision().commit, id);
  EXPECT_EQ((*tree->read(repo_path("web/compose.yml")))->text, "one");
}

TEST_F(WorkTreeTest, IdsAreThoseOfGit) {
  const auto id = commit_all();
  const auto from_git = *GitSnapshot::open(root_ / ".git", id, {});
  EXPECT_EQ((*from_git->find(repo_path("apps/web/compose.yml")))->id,
            (*snapshot()->find(repo_path("apps/web/compose.yml")))->id);
}

TEST_F(WorkTreeTest, TheGitDirectoryIsNotShown) {
  commit_all();
  const auto tree = snapshot();
  EXPECT_EQ(tree->list(RepoPath())->size(), 1U);
  EXPECT_FALSE(*tree->read(repo_path(".git/config")));
  EXPECT_FALSE(*tree->find(repo_path(".git")));
  EXPECT_TRUE(tree->list(repo_path(".git"))->empty());
}

TEST_F(WorkTreeTest, RefusesSymlinksAlsoOnTheWay_Attack1) {
  write_file(temp_.path() / "outside/secret", "hunter22");
  fs::create_directory_symlink(temp_.path() / "outside", root_ / "link");
  fs::create_symlink("web/compose.yml", root_ / "apps/inside");
  const auto tree = snapshot();
  for (const char* const text : {"link/secret", "link", "apps/inside"}) {
    const auto file = tree->read(repo_path(text));
    ASSERT_FALSE(file) << text;
    EXPECT_EQ(file.error().kind, ErrorKind::invalid_input);
    EXPECT_THAT(file.error().message, HasSubstr("is a symbolic link"));
    EXPECT_THAT(file.error().message, Not(HasSubstr("outside")));
  }
  EXPECT_THAT(tree->read(repo_path("link/none")).error().message, testing::StartsWith("link "))
      << "whether it exists out there is not told";
  EXPECT_FALSE(tree->list(repo_path("link")));
  EXPECT_FALSE(tree->find(repo_path("link/secret")));
  EXPECT_EQ((*tree->find(repo_path("link")))->kind, TreeEntry::Kind::symlink);
}

TEST_F(WorkTreeTest, RefusesARepositoryInsideAsASubmodule) {
  write_file(root_ / "apps/sub/.git", "gitdir: ../..");
  write_file(root_ / "apps/sub/compose.yml", "x");
  const auto tree = snapshot();
  EXPECT_THAT(tree->read(repo_path("apps/sub/compose.yml")).error().message,
              HasSubstr("apps/sub is a git repository of its own"));
  EXPECT_EQ((*tree->find(repo_path("apps/sub")))->kind, TreeEntry::Kind::submodule);
}

TEST_F(WorkTreeTest, APipeIsNeitherShownNorRead) {
  ASSERT_EQ(::mkfifo((root_ / "pipe").c_str(), 0600), 0);
  const auto tree = snapshot();
  EXPECT_THAT(tree->read(repo_path("pipe")).error().message, HasSubstr("not a regular file"));
  EXPECT_EQ(tree->list(RepoPath())->size(), 1U);
}

TEST_F(WorkTreeTest, SizeAndNumberAreLimited) {
  write_file(root_ / "big", std::string(101, 's'));
  const auto tree = snapshot({.file_bytes = 100, .directory_entries = 2});
  EXPECT_THAT(tree->read(repo_path("big")).error().message, HasSubstr("more than 100 bytes"));
  EXPECT_THAT((*tree->find(repo_path("big")))->id, testing::StartsWith("stat-"));
  EXPECT_TRUE(tree->list(RepoPath()));
  write_file(root_ / "third", "x");
  EXPECT_THAT(tree->list(RepoPath()).error().message, HasSubstr("the root has more than 2"));
}

TEST_F(WorkTreeTest, WhatWasReadStaysAsItWas) {
  const auto tree = snapshot();
  const auto before = (*tree->read(repo_path("apps/web/compose.yml")))->id;
  write_file(root_ / "apps/web/compose.yml", "two");
  EXPECT_EQ((*tree->read(repo_path("apps/web/compose.yml")))->text, "one");
  EXPECT_EQ((*tree->find(repo_path("apps/web/compose.yml")))->id, before);
  EXPECT_EQ((*snapshot()->read(repo_path("apps/web/compose.yml")))->text, "two");
}

TEST_F(WorkTreeTest, ADirectorysIdTellsWhatIsInIt) {
  fs::create_directories(root_ / "apps/web/sub");
  const auto id = [&] { return (*snapshot()->find(repo_path("apps")))->id; };
  const auto before = id();
  EXPECT_NE(before, "");
  EXPECT_EQ(id(), before);
  write_file(root_ / "apps/web/sub/added", "x");
  const auto added = id();
  EXPECT_NE(added, before);
  fs::rename(root_ / "apps/web/sub/added", root_ / "apps/web/added");
  EXPECT_NE(id(), before);
  EXPECT_NE(id(), added);
  fs::remove(root_ / "apps/web/added");
  EXPECT_EQ(id(), before);
  fs::remove(root_ / "apps/web/sub");
  write_file(root_ / "apps/web/sub", "a file now");
  EXPECT_NE(id(), before);
}

TEST_F(WorkTreeTest, AnIgnoredFileThatWasReadAndChangedIsNotTheSameRevision) {
  write_file(root_ / ".gitignore", ".env\nother\n");
  const auto id = commit_all();
  write_file(root_ / "apps/web/.env", "A=1\n");
  auto source = *open_work_tree(root_);
  const auto fetched = [&] { return (*source->fetch({}))->revision().commit; };
  EXPECT_EQ(fetched(), id);
  ASSERT_TRUE(*source->last_good()->read(repo_path("apps/web/.env")));
  ASSERT_FALSE(*source->last_good()->find(repo_path("apps/.env")));
  EXPECT_EQ(fetched(), id);
  const auto read_all = [&] {
    (void)source->last_good()->read(repo_path("apps/web/.env"));
    (void)source->last_good()->find(repo_path("apps/.env"));
  };
  read_all();
  write_file(root_ / "other", "nobody reads it");
  EXPECT_EQ(fetched(), id);
  write_file(root_ / "apps/web/.env", "A=2\n");
  EXPECT_EQ(fetched(), "") << "what was read is remembered over fetches that nobody read";
  read_all();
  EXPECT_EQ(fetched(), id) << "that it changed was told";
  write_file(root_ / "apps/.env", "B=1\n");
  EXPECT_EQ(fetched(), "") << "it was asked for and absent";
}

TEST_F(WorkTreeTest, ADirectoryThatIsNotThereIsAnError) {
  EXPECT_FALSE(open_work_tree(temp_.path() / "none"));
  EXPECT_FALSE(open_work_tree(root_ / "apps/web/compose.yml"));
  auto source = open_work_tree(root_);
  ASSERT_TRUE((*source)->fetch({}));
  fs::remove_all(root_);
  EXPECT_FALSE((*source)->fetch({}));
  EXPECT_NE((*source)->last_good(), nullptr);
}

}  // namespace
}  // namespace skep::gitsync::test
