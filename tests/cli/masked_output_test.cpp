#include "cli/masked_output.hpp"

#include <array>
#include <cerrno>
#include <sstream>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

namespace skep::cli {
namespace {

/// Takes what comes, and fails with `reason` when it is to arrive, as a file in memory does.
class FailingBuffer final : public std::stringbuf {
 public:
  explicit FailingBuffer(int reason) : reason_(reason) {}

 protected:
  int sync() override {
    errno = reason_;
    return -1;
  }

 private:
  int reason_;
};

Result<void> finished(int reason) {
  FailingBuffer buffer(reason);
  std::ostream stream(&buffer);
  MaskedOutput output(stream, std::make_shared<RedactionSet>());
  stream << "a line\nand half of one";
  return output.finish();
}

TEST(MaskedOutput, SaysWhyItCouldNotBeWritten) {
  const auto full = finished(ENOSPC);
  ASSERT_FALSE(full);
  EXPECT_EQ(full.error().message, "write to standard output: No space left on device");
}

TEST(MaskedOutput, IsQuietWhereTheReaderHasEnough) { EXPECT_TRUE(finished(EPIPE)); }

TEST(MaskedOutput, WritesEverythingBeforeItIsFinished) {
  std::ostringstream stream;
  {
    MaskedOutput output(stream, std::make_shared<RedactionSet>());
    stream << "a line\nand half of one";
    EXPECT_TRUE(output.finish());
  }
  EXPECT_EQ(stream.str(), "a line\nand half of one");
}

TEST(MaskedOutput, IsReadByNobodyOnceTheOtherEndIsClosed) {
  std::array<int, 2> ends{};
  ASSERT_EQ(::pipe(ends.data()), 0);
  EXPECT_FALSE(nobody_reads(ends[1]));
  ::close(ends[0]);
  EXPECT_TRUE(nobody_reads(ends[1]));
  ::close(ends[1]);
}

}  // namespace
}  // namespace skep::cli
