#include "core/repo_path.hpp"

#include <gtest/gtest.h>

namespace skep {
namespace {

TEST(RepoPath, IsCleanedLexically) {
  const std::pair<std::string, std::string> cases[] = {{"", ""},
                                                       {"/", ""},
                                                       {".", ""},
                                                       {"./a//b/", "a/b"},
                                                       {"a/../b", "b"},
                                                       {"/a", "a"},
                                                       {"a/b/../../c", "c"},
                                                       {"a/..", ""},
                                                       {"..a/...", "..a/..."}};
  for (const auto& [text, clean] : cases) {
    const auto path = RepoPath::parse(text);
    ASSERT_TRUE(path) << text;
    EXPECT_EQ(path->text(), clean) << text;
  }
}

TEST(RepoPath, NeverLeavesTheRepository) {
  for (const std::string text : {"..", "../x", "a/../..", "/..", "a/../../a"})
    EXPECT_FALSE(RepoPath::parse(text)) << text;
  EXPECT_FALSE(RepoPath::parse(std::string("a\0b", 3)));
  EXPECT_FALSE(RepoPath::parse("apps/web")->join("../../../etc/passwd"));
}

TEST(RepoPath, KnowsParentNameAndWhatIsBelow) {
  const auto path = *RepoPath::parse("apps/web/compose.yml");
  EXPECT_EQ(path.name(), "compose.yml");
  EXPECT_EQ(path.parent().text(), "apps/web");
  EXPECT_TRUE(path.parent().parent().parent().is_root());
  EXPECT_TRUE(path.is_below(*RepoPath::parse("apps")));
  EXPECT_TRUE(path.is_below(RepoPath()));
  EXPECT_FALSE(path.is_below(path));
  EXPECT_FALSE(RepoPath::parse("apps2")->is_below(*RepoPath::parse("apps")));
  EXPECT_FALSE(RepoPath().is_below(RepoPath()));
}

TEST(RepoPath, JoinsRelativeTexts) {
  const auto path = *RepoPath::parse("apps/web");
  EXPECT_EQ(path.join("../common/x")->text(), "apps/common/x");
  EXPECT_EQ(path.join("")->text(), "apps/web");
  EXPECT_EQ(path.join("/x")->text(), "x");
  EXPECT_EQ(RepoPath().join("x")->text(), "x");
}

}  // namespace
}  // namespace skep
