#include "diff/images.hpp"

#include <gtest/gtest.h>

#include "support.hpp"

namespace skep::diff {
namespace {

const std::string kA = testing::digest_of('a');
const std::string kB = testing::digest_of('b');

struct Row {
  std::string name;
  ResolveImage mode = ResolveImage::changed;
  std::string text = "foo:1";
  std::string live_label, live_image;  ///< "" for a new service.
  std::string answer;                  ///< The registry's digest for what is sent, "" for silence.
  std::string record;
  std::string expected;
  bool asks = false;
};

class ChooseImage : public ::testing::TestWithParam<Row> {};

TEST_P(ChooseImage, AsTheTableSays) {
  const auto& row = GetParam();
  auto stack = testing::stack("s");
  const auto& spec = testing::add_service(stack, "web", row.text);
  swarm::LiveState state;
  if (!row.live_image.empty()) {
    swarm::LiveService live;
    live.spec = spec;
    live.spec.labels[testing::kImage] = row.live_label;
    live.spec.task_template.container.image = row.live_image;
    state.services.push_back(live);
  }
  const auto* live = state.find_service("s_web");
  Policy policy;
  policy.resolve_image = row.mode;
  if (!row.answer.empty())
    policy.resolved[spec.task_template.container.image] = {row.answer, {{"amd64", "linux"}}};
  if (!row.record.empty()) policy.recorded_digests[row.text] = row.record;
  EXPECT_EQ(choose_image(spec, live, policy).image, row.expected);
  EXPECT_EQ(images_to_resolve(stack, state, policy).size(), row.asks ? 1U : 0U);
}

constexpr auto kAlways = ResolveImage::always;
constexpr auto kChanged = ResolveImage::changed;
constexpr auto kNever = ResolveImage::never;

INSTANTIATE_TEST_SUITE_P(
    D6,
    ChooseImage,
    ::testing::Values(
        Row{"new_is_pinned_D6_2", kChanged, "foo:1", "", "", kA, "", "foo:1@" + kA, true},
        Row{"new_untagged", kChanged, "foo", "", "", kA, "", "foo:latest@" + kA, true},
        Row{"new_without_answer_F121", kChanged, "foo:1", "", "", "", "", "foo:1", true},
        Row{"new_never", kNever, "foo:1", "", "", "", "", "foo:1", false},
        Row{"new_always", kAlways, "foo:1", "", "", kA, "", "foo:1@" + kA, true},
        Row{"new_pinned_by_git_asks_for_platforms",
            kChanged,
            "foo:1@" + kB,
            "",
            "",
            kB,
            "",
            "foo:1@" + kB,
            true},
        Row{"new_beside_one_with_a_record", kChanged, "foo:1", "", "", kB, kA, "foo:1@" + kA, true},
        Row{"an_id_is_no_name",
            kAlways,
            std::string(64, 'c'),
            "",
            "",
            "",
            "",
            std::string(64, 'c'),
            false},

        Row{"equal_changed_F123", kChanged, "foo:1", "foo:1", "foo:1@" + kA, "", "", "foo:1@" + kA},
        Row{"equal_unpinned", kChanged, "foo:1", "foo:1", "foo:1", "", "", "foo:1"},
        Row{"equal_never", kNever, "foo:1", "foo:1", "foo:1@" + kA, "", "", "foo:1@" + kA},
        Row{"equal_always_same",
            kAlways,
            "foo:1",
            "foo:1",
            "foo:1@" + kA,
            kA,
            "",
            "foo:1@" + kA,
            true},
        Row{"equal_always_moved_tag",
            kAlways,
            "foo:1",
            "foo:1",
            "foo:1@" + kA,
            kB,
            "",
            "foo:1@" + kB,
            true},
        Row{"equal_always_unanswered_keeps_live_D6_6_F122",
            kAlways,
            "foo:1",
            "foo:1",
            "foo:1@" + kA,
            "",
            "",
            "foo:1@" + kA,
            true},

        Row{"edited_by_hand_changed_E3_20",
            kChanged,
            "foo:1",
            "foo:1",
            "evil:1@" + kB,
            kA,
            "",
            "foo:1@" + kA,
            true},
        Row{"edited_by_hand_unanswered",
            kChanged,
            "foo:1",
            "foo:1",
            "evil:1@" + kB,
            "",
            "",
            "foo:1",
            true},
        Row{"edited_by_hand_never", kNever, "foo:1", "foo:1", "evil:1", "", "", "foo:1", false},
        Row{"edited_by_hand_always",
            kAlways,
            "foo:1",
            "foo:1",
            "evil:1",
            kA,
            "",
            "foo:1@" + kA,
            true},
        Row{"pinned_by_git_edited_digest",
            kChanged,
            "foo:1@" + kA,
            "foo:1@" + kA,
            "foo:1@" + kB,
            "",
            "",
            "foo:1@" + kA,
            true},

        Row{"record_agrees", kChanged, "foo:1", "foo:1", "foo:1@" + kA, "", kA, "foo:1@" + kA},
        Row{"record_heals_a_digest_edited_by_hand",
            kChanged,
            "foo:1",
            "foo:1",
            "foo:1@" + kB,
            "",
            kA,
            "foo:1@" + kA},
        Row{"record_heals_an_image_edited_by_hand",
            kChanged,
            "foo:1",
            "foo:1",
            "evil:1",
            "",
            kA,
            "foo:1@" + kA},
        Row{"record_pins_what_is_not_pinned",
            kChanged,
            "foo:1",
            "foo:1",
            "foo:1",
            "",
            kA,
            "foo:1@" + kA},

        Row{"git_moved", kChanged, "foo:2", "foo:1", "foo:1@" + kA, kB, "", "foo:2@" + kB, true},
        Row{"git_moved_never_F125",
            kNever,
            "foo:2",
            "foo:1",
            "foo:1@" + kA,
            "",
            "",
            "foo:2",
            false},
        Row{"git_moved_unanswered",
            kChanged,
            "foo:2",
            "foo:1",
            "foo:1@" + kA,
            "",
            "",
            "foo:2",
            true},
        Row{"git_moved_unanswered_with_record",
            kChanged,
            "foo:2",
            "foo:1",
            "foo:1@" + kA,
            "",
            kB,
            "foo:2@" + kB,
            true},
        Row{"only_the_spelling_changed_D6_4_F124",
            kChanged,
            "foo:latest",
            "foo",
            "foo:latest@" + kA,
            kB,
            "",
            "foo:latest@" + kB,
            true},
        Row{"only_the_spelling_changed_unanswered",
            kChanged,
            "foo:latest",
            "foo",
            "foo:latest@" + kA,
            "",
            "",
            "foo:latest@" + kA,
            true}),
    [](const auto& row) { return std::string(row.param.name); });

TEST(ChooseImage, TakesPlatformsFromTheAnswerElseFromLive_E3_21_D6_5) {
  auto stack = testing::stack("s");
  const auto& spec = testing::add_service(stack, "web", "foo:1");
  Policy policy;
  policy.resolved["foo:1"] = {kA, {{"ARM", "linux"}, {"amd64", "linux"}}};
  EXPECT_EQ(choose_image(spec, nullptr, policy).platforms,
            (std::vector<swarm::Platform>{{"", "linux"}, {"amd64", "linux"}}));
  swarm::LiveService live;
  live.spec = spec;
  live.spec.task_template.container.image = "foo:1@" + kA;
  live.spec.task_template.placement->platforms = {{"riscv", "linux"}};
  EXPECT_EQ(choose_image(spec, &live, policy).platforms,
            (std::vector<swarm::Platform>{{"riscv", "linux"}}));
}

}  // namespace
}  // namespace skep::diff
