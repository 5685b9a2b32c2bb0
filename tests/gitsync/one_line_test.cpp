#include "gitsync/one_line.hpp"

#include <gtest/gtest.h>

namespace skep::gitsync {
namespace {

TEST(OneLine, ControlCharactersBecomeOneBlank_Attack22) {
  EXPECT_EQ(one_line("\x1b[31mred\x1b[0m\r\n\tnext\x7f\x01"), "[31mred [0m next");
}

TEST(OneLine, MarksThatTurnTheWritingDirectionGo_Attack22) {
  EXPECT_EQ(one_line("a\xE2\x80\xAE"
                     "b\xE2\x81\xA6"
                     "c"),
            "a b c");
}

TEST(OneLine, WhatIsNotUtf8IsReplaced) {
  EXPECT_EQ(one_line("a\xFF"
                     "b\xC0\xAF\xED\xA0\x80"),
            "a\xEF\xBF\xBD"
            "b\xEF\xBF\xBD\xEF\xBF\xBD\xEF\xBF\xBD\xEF\xBF\xBD\xEF\xBF\xBD");
  EXPECT_EQ(one_line("Zoë 🐝"), "Zoë 🐝");
}

TEST(OneLine, IsCutAtACharacter) { EXPECT_EQ(one_line("aaë", 3), "aa"); }

}  // namespace
}  // namespace skep::gitsync
