#include "diff/impact.hpp"

#include <functional>

#include <gtest/gtest.h>

#include "diff/normalise.hpp"
#include "support.hpp"

namespace skep::diff {
namespace {

using swarm::ServiceSpec;

struct ImpactRow {
  std::string name;
  std::function<void(ServiceSpec&)> edit;
  Impact expected;
};

class ImpactOf : public ::testing::TestWithParam<ImpactRow> {};

TEST_P(ImpactOf, AnUpdateIsSwarmsOwnRule) {
  auto stack = testing::stack("s");
  auto live = testing::add_service(stack, "web");
  live.task_template.placement->constraints = {"node.role==worker"};
  auto desired = live;
  GetParam().edit(desired);
  EXPECT_EQ(impact_of(canonical(live), canonical(desired)), GetParam().expected);
}

INSTANTIATE_TEST_SUITE_P(
    E4,
    ImpactOf,
    ::testing::Values(
        ImpactRow{"E4_1_image",
                  [](auto& s) { s.task_template.container.image = "x:2"; },
                  Impact::restart},
        ImpactRow{
            "E4_1_explicit_default_differs_from_absent",
            [](auto& s) { s.task_template.container.stop_grace_period = std::chrono::seconds(10); },
            Impact::restart},
        ImpactRow{"E4_1_ports", [](auto& s) { testing::publish(s, 80); }, Impact::restart},
        ImpactRow{
            "E4_1_networks", [](auto& s) { s.task_template.networks.clear(); }, Impact::restart},
        ImpactRow{"E4_1_log_driver",
                  [](auto& s) { s.task_template.log_driver.emplace(); },
                  Impact::restart},
        ImpactRow{"E4_2_service_label", [](auto& s) { s.labels["a"] = "b"; }, Impact::none},
        ImpactRow{"E4_2_update_config", [](auto& s) { s.update_config.emplace(); }, Impact::none},
        ImpactRow{
            "E4_2_rollback_config", [](auto& s) { s.rollback_config.emplace(); }, Impact::none},
        ImpactRow{"E4_2_replicas", [](auto& s) { s.mode.replicated->replicas = 5; }, Impact::scale},
        ImpactRow{"E4_2_platforms",
                  [](auto& s) {
                    s.task_template.placement->platforms = {{"amd64", "linux"}};
                  },
                  Impact::none},
        ImpactRow{"E4_2_constraint_less",
                  [](auto& s) { s.task_template.placement->constraints.clear(); },
                  Impact::none},
        ImpactRow{"E4_2_constraint_more_may_move_tasks",
                  [](auto& s) { s.task_template.placement->constraints.push_back("node.id==a"); },
                  Impact::restart},
        ImpactRow{"E4_2_replicas_and_image",
                  [](auto& s) {
                    s.mode.replicated->replicas = 5;
                    s.task_template.container.image = "x:2";
                  },
                  Impact::restart},
        ImpactRow{"E4_3_container_label",
                  [](auto& s) { s.task_template.container.labels["a"] = "b"; },
                  Impact::restart},
        ImpactRow{"E4_3_alias_order",
                  [](auto& s) {
                    s.task_template.networks[0].aliases = {"b", "web"};
                  },
                  Impact::restart}),
    [](const auto& row) { return std::string(row.param.name); });

TEST(ImpactOfAJob, IsAnotherRunWhateverChanges_D6_8) {
  auto stack = testing::stack("s");
  auto live = testing::add_service(stack, "job");
  live.mode = {};
  live.mode.replicated_job.emplace();
  auto desired = live;
  desired.labels["a"] = "b";
  EXPECT_EQ(impact_of(canonical(live), canonical(desired)), Impact::rerun);
}

TEST(TaskCount, IsReplicasOrCompletionsOrUnknown) {
  auto stack = testing::stack("s");
  auto spec = testing::add_service(stack, "web");
  EXPECT_EQ(task_count(spec), 1U);
  spec.mode.replicated->replicas = 0;
  EXPECT_EQ(task_count(spec), 0U);
  spec.mode = {};
  spec.mode.global.emplace();
  EXPECT_EQ(task_count(spec), 0U);
}

}  // namespace
}  // namespace skep::diff
