#include "cli/log.hpp"

#include <gtest/gtest.h>

#include "core/logfmt.hpp"

namespace skep::cli {
namespace {

TEST(Log, AShortValueMasksTheFieldThatItStandsIn) {
  RedactionSet set;
  for (const auto* value : {"z9Kq", "long-enough\n", "web", "not", "7"}) set.add(value);
  const auto line = logfmt(
      "image is not pinned: x",
      {{"image", "there:z9Kq"}, {"stack", "web"}, {"error", "said \"long-enough\""}, {"tries", 7}});
  EXPECT_EQ(masked_line(line, set),
            R"(image is not pinned: x image=*** stack=web error="said \"***\"" tries=7)");
  EXPECT_EQ(masked_line("no fields, long-enough", set), "no fields, ***");
}

TEST(Log, AValueIsFoundBeforeItIsQuoted) {
  RedactionSet set;
  set.add("a \"b\" \x01 c");
  EXPECT_EQ(masked_line(logfmt("failed", {{"why", "it is a \"b\" \x01 c!"}}), set),
            "failed why=\"it is ***!\"");
}

}  // namespace
}  // namespace skep::cli
