#include "gitsync/remote_refs.hpp"

#include <gmock/gmock.h>

namespace skep::gitsync {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

const std::vector<RemoteRef> kRefs{{"HEAD", "1"},
                                   {"refs/heads/main", "1"},
                                   {"refs/heads/v1", "2"},
                                   {"refs/pull/7/head", "9"},
                                   {"refs/tags/v1", "3"},
                                   {"refs/tags/v2", "4"}};

TEST(RemoteRefs, ABranchGoesBeforeATagOfTheSameName) {
  EXPECT_EQ(pick("v1", "refs/heads/main", kRefs)->id, "2");
  EXPECT_EQ(pick("refs/tags/v1", "refs/heads/main", kRefs)->id, "3");
  EXPECT_EQ(pick("v2", "refs/heads/main", kRefs)->label, "tag v2");
}

TEST(RemoteRefs, HeadIsTheDefaultBranch) {
  const auto picked = pick("", "refs/heads/main", kRefs);
  EXPECT_THAT(picked->refspecs, ElementsAre("refs/heads/main"));
  EXPECT_EQ(picked->label, "default branch main");
  EXPECT_THAT(pick("HEAD", "refs/heads/gone", kRefs).error().message,
              HasSubstr("no default branch that exists; choose a ref: it has branches main, v1"));
}

TEST(RemoteRefs, AWantedCommitMeansAllBranchesAndTags) {
  const std::string id(40, 'a');
  EXPECT_THAT(pick(id, "", kRefs)->refspecs, ElementsAre("refs/heads/*", "refs/tags/*"));
}

TEST(RemoteRefs, AtMostTenNamesAreShown) {
  std::vector<RemoteRef> many;
  for (int at = 10; at < 30; ++at) many.push_back({"refs/heads/b" + std::to_string(at), "1"});
  const auto picked = pick("x", "", many);
  EXPECT_THAT(picked.error().message, HasSubstr("b18, b19 and 10 more"));
}

TEST(RemoteRefs, OtherRefsAreNoContent) {
  EXPECT_THAT(pick("main", "", {{"refs/pull/7/head", "9"}}).error().message,
              HasSubstr("the repository is empty"));
}

TEST(RemoteRefs, NamesAreChecked_Attack4) {
  for (const char* const good : {"",
                                 "HEAD",
                                 "main",
                                 "feature/a-b_c",
                                 "v1.0.0",
                                 "refs/heads/x",
                                 "refs/tags/1",
                                 "0123456789012345678901234567890123456789",
                                 "ä"})
    EXPECT_TRUE(check_ref(good)) << good;
  for (const char* const bad : {"-x",
                                "--upload-pack=x",
                                "refs/heads/-x",
                                "a..b",
                                "a b",
                                "a~1",
                                "a^",
                                "a:b",
                                "a?",
                                "a*",
                                "a[b",
                                "a\\b",
                                "/a",
                                "a/",
                                "a//b",
                                ".a",
                                "a/.b",
                                "a.",
                                "a.lock",
                                "a.lock/b",
                                "@",
                                "a@{1}",
                                "refs/pull/1/head",
                                "refs/",
                                "a\nb",
                                "a\x7f"})
    EXPECT_FALSE(check_ref(bad)) << bad;
}

}  // namespace
}  // namespace skep::gitsync
