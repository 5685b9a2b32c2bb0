#include "diff/images.hpp"

#include <gtest/gtest.h>

#include "support.hpp"

namespace skep::diff {
namespace {

const std::string kA = testing::digest_of('a');
const std::string kB = testing::digest_of('b');

struct ImageRow {
  std::string name;
  ResolveImage mode = ResolveImage::changed;
  std::string text = "foo:1";
  std::string live_label, live_image;  ///< "" for a new service.
  std::string answer;                  ///< The registry's digest for what is sent, "" for silence.
  std::string record;
  std::string expected;
  bool asks = false;
};

class ChooseImage : public ::testing::TestWithParam<ImageRow> {};

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
constexpr auto kWhenChanged = ResolveImage::changed;
constexpr auto kNever = ResolveImage::never;

INSTANTIATE_TEST_SUITE_P(
    D6,
    ChooseImage,
    ::testing::Values(
        ImageRow{"new_is_pinned_D6_2", kWhenChanged, "foo:1", "", "", kA, "", "foo:1@" + kA, true},
        ImageRow{"new_untagged", kWhenChanged, "foo", "", "", kA, "", "foo:latest@" + kA, true},
        ImageRow{"new_without_answer_F121", kWhenChanged, "foo:1", "", "", "", "", "foo:1", true},
        ImageRow{"new_never", kNever, "foo:1", "", "", "", "", "foo:1", false},
        ImageRow{"new_always", kAlways, "foo:1", "", "", kA, "", "foo:1@" + kA, true},
        ImageRow{"new_pinned_by_git_asks_for_platforms",
                 kWhenChanged,
                 "foo:1@" + kB,
                 "",
                 "",
                 kB,
                 "",
                 "foo:1@" + kB,
                 true},
        ImageRow{"new_beside_one_with_a_record",
                 kWhenChanged,
                 "foo:1",
                 "",
                 "",
                 kB,
                 kA,
                 "foo:1@" + kA,
                 true},
        ImageRow{"an_id_is_no_name",
                 kAlways,
                 std::string(64, 'c'),
                 "",
                 "",
                 "",
                 "",
                 std::string(64, 'c'),
                 false},

        ImageRow{"equal_changed_F123",
                 kWhenChanged,
                 "foo:1",
                 "foo:1",
                 "foo:1@" + kA,
                 "",
                 "",
                 "foo:1@" + kA},
        ImageRow{"equal_unpinned", kWhenChanged, "foo:1", "foo:1", "foo:1", "", "", "foo:1"},
        ImageRow{"equal_never", kNever, "foo:1", "foo:1", "foo:1@" + kA, "", "", "foo:1@" + kA},
        ImageRow{"equal_always_same",
                 kAlways,
                 "foo:1",
                 "foo:1",
                 "foo:1@" + kA,
                 kA,
                 "",
                 "foo:1@" + kA,
                 true},
        ImageRow{"equal_always_moved_tag",
                 kAlways,
                 "foo:1",
                 "foo:1",
                 "foo:1@" + kA,
                 kB,
                 "",
                 "foo:1@" + kB,
                 true},
        ImageRow{"equal_always_unanswered_keeps_live_D6_6_F122",
                 kAlways,
                 "foo:1",
                 "foo:1",
                 "foo:1@" + kA,
                 "",
                 "",
                 "foo:1@" + kA,
                 true},

        ImageRow{"edited_by_hand_changed_E3_20",
                 kWhenChanged,
                 "foo:1",
                 "foo:1",
                 "evil:1@" + kB,
                 kA,
                 "",
                 "foo:1@" + kA,
                 true},
        ImageRow{"edited_by_hand_unanswered",
                 kWhenChanged,
                 "foo:1",
                 "foo:1",
                 "evil:1@" + kB,
                 "",
                 "",
                 "foo:1",
                 true},
        ImageRow{
            "edited_by_hand_never", kNever, "foo:1", "foo:1", "evil:1", "", "", "foo:1", false},
        ImageRow{"edited_by_hand_always",
                 kAlways,
                 "foo:1",
                 "foo:1",
                 "evil:1",
                 kA,
                 "",
                 "foo:1@" + kA,
                 true},
        ImageRow{"pinned_by_git_edited_digest",
                 kWhenChanged,
                 "foo:1@" + kA,
                 "foo:1@" + kA,
                 "foo:1@" + kB,
                 "",
                 "",
                 "foo:1@" + kA,
                 true},

        ImageRow{
            "record_agrees", kWhenChanged, "foo:1", "foo:1", "foo:1@" + kA, "", kA, "foo:1@" + kA},
        ImageRow{"record_heals_a_digest_edited_by_hand",
                 kWhenChanged,
                 "foo:1",
                 "foo:1",
                 "foo:1@" + kB,
                 "",
                 kA,
                 "foo:1@" + kA},
        ImageRow{"record_heals_an_image_edited_by_hand",
                 kWhenChanged,
                 "foo:1",
                 "foo:1",
                 "evil:1",
                 "",
                 kA,
                 "foo:1@" + kA},
        ImageRow{"record_pins_what_is_not_pinned",
                 kWhenChanged,
                 "foo:1",
                 "foo:1",
                 "foo:1",
                 "",
                 kA,
                 "foo:1@" + kA},

        ImageRow{"git_moved",
                 kWhenChanged,
                 "foo:2",
                 "foo:1",
                 "foo:1@" + kA,
                 kB,
                 "",
                 "foo:2@" + kB,
                 true},
        ImageRow{"git_moved_never_F125",
                 kNever,
                 "foo:2",
                 "foo:1",
                 "foo:1@" + kA,
                 "",
                 "",
                 "foo:2",
                 false},
        ImageRow{"git_moved_unanswered",
                 kWhenChanged,
                 "foo:2",
                 "foo:1",
                 "foo:1@" + kA,
                 "",
                 "",
                 "foo:2",
                 true},
        ImageRow{"git_moved_unanswered_with_record",
                 kWhenChanged,
                 "foo:2",
                 "foo:1",
                 "foo:1@" + kA,
                 "",
                 kB,
                 "foo:2@" + kB,
                 true},
        ImageRow{"only_the_spelling_changed_D6_4_F124",
                 kWhenChanged,
                 "foo:latest",
                 "foo",
                 "foo:latest@" + kA,
                 kB,
                 "",
                 "foo:latest@" + kB,
                 true},
        ImageRow{"only_the_spelling_changed_unanswered",
                 kWhenChanged,
                 "foo:latest",
                 "foo",
                 "foo:latest@" + kA,
                 "",
                 "",
                 "foo:latest@" + kA,
                 true}),
    [](const auto& row) { return std::string(row.param.name); });

TEST(ChooseImage, TakesPlatformsFromTheAnswerElseFromLive_E3_21_D6_5_F127) {
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

TEST(ChooseImage, AnAnswerSetsThePlatformsAgainOfAnImageThatIsPinnedAlready_D6_5) {
  auto stack = testing::stack("s");
  const auto& spec = testing::add_service(stack, "web", "foo:1");
  Policy policy;
  policy.resolve_image = ResolveImage::always;
  policy.resolved["foo:1"] = {kA, {{"amd64", "linux"}, {"unknown", "unknown"}}};
  swarm::LiveService live;
  live.spec = spec;
  live.spec.task_template.container.image = "foo:1@" + kA;
  auto& platforms = live.spec.task_template.placement->platforms;
  EXPECT_EQ(choose_image(spec, &live, policy).platforms, policy.resolved["foo:1"].platforms);
  platforms = {{"riscv", "linux"}};
  EXPECT_EQ(choose_image(spec, &live, policy).platforms, policy.resolved["foo:1"].platforms);
  // What a newer CLI leaves out is no reason for a write.
  platforms = {{"amd64", "linux"}};
  EXPECT_EQ(choose_image(spec, &live, policy).platforms, platforms);
  policy.resolved.clear();
  EXPECT_EQ(choose_image(spec, &live, policy).platforms, platforms);
}

}  // namespace
}  // namespace skep::diff
