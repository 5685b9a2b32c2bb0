#include <gtest/gtest.h>

#include "gitsync/git2.hpp"
#include "gitsync/library.hpp"

namespace skep::gitsync {
namespace {

TEST(GitError, TheSameTroubleHasTheSameWordsWhateverTheTemporaryFileIsCalled) {
  const Library library;
  const auto words = [](const char* text) {
    git_error_set_str(GIT_ERROR_OS, text);
    return git_error_of(-1, "fetch").message;
  };
  const auto first = words("failed to write '/m/pack_git2_5725fb7c': No space left on device");
  EXPECT_EQ(first, words("failed to write '/m/pack_git2_9a01e3d4': No space left on device"));
  EXPECT_EQ(first, "fetch: failed to write '/m/pack_git2_': No space left on device");
}

}  // namespace
}  // namespace skep::gitsync
