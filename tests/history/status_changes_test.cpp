#include "history/status_changes.hpp"

#include <gmock/gmock.h>

#include "tests/history/recorded.hpp"

namespace skep::history::test {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

ports::StackStatus healthy(const std::string& name = "web") {
  ports::StackStatus stack;
  stack.group = "apps";
  stack.name = name;
  stack.sync = ports::SyncState::synced;
  stack.health = ports::Health::healthy;
  return stack;
}

/// "sync synced -> unknown: message"
std::vector<std::string> told(const StatusChanges::Changes& changes) {
  std::vector<std::string> lines;
  for (const auto& [event, first] : changes.changed) {
    if (first && event.before == event.value) continue;
    lines.push_back(event.kind + " " + event.before + " -> " + event.value +
                    (event.message.empty() ? "" : ": " + event.message) +
                    (event.actor.empty() ? "" : " by " + event.actor));
  }
  return lines;
}

TEST(StatusChanges, AFirstLookTellsWhereAStackStandsAndNotWhatIsAsUsual) {
  StatusChanges changes;
  EXPECT_THAT(told(changes.next({healthy()}, kThen)),
              ElementsAre("sync  -> synced", "health  -> healthy"));
}

TEST(StatusChanges, TheSamePictureTwiceIsNoNews) {
  StatusChanges changes;
  (void)changes.next({healthy()}, kThen);
  auto same = healthy();
  same.message = "a sentence alone changes nothing";
  EXPECT_THAT(told(changes.next({same}, kThen)), IsEmpty());
}

TEST(StatusChanges, EachStateThatChangesIsToldWithItsSentence) {
  StatusChanges changes;
  (void)changes.next({healthy()}, kThen);
  auto stack = healthy();
  stack.sync = ports::SyncState::out_of_sync;
  stack.health = ports::Health::degraded;
  stack.message = "rolled back to 1234, for it failed";
  stack.held = stack.quarantined = true;
  stack.quarantine_reason = "task: non-zero exit (1)";
  EXPECT_THAT(told(changes.next({stack}, kThen)),
              ElementsAre("sync synced -> out_of_sync: rolled back to 1234, for it failed",
                          "health healthy -> degraded: rolled back to 1234, for it failed",
                          "held false -> true: rolled back to 1234, for it failed",
                          "quarantined false -> true: task: non-zero exit (1)"));
  EXPECT_THAT(told(changes.next({healthy()}, kThen)),
              ElementsAre("sync out_of_sync -> synced",
                          "health degraded -> healthy",
                          "held true -> false",
                          "quarantined true -> false"));
}

TEST(StatusChanges, DriftNamesObjectsAndFieldsAndNeverAValue) {
  StatusChanges changes;
  (void)changes.next({healthy()}, kThen);
  auto stack = healthy();
  stack.drift_cause = ports::DriftCause::live;
  auto& action = stack.plan.emplace().actions.emplace_back();
  action.name = "web_app";
  action.changes = {
      {"environment", "PASSWORD", diff::FieldChange::Kind::changed, "canary-1", "canary-2", true},
      {"environment", "LEVEL", diff::FieldChange::Kind::added, "", "canary-3", false}};
  EXPECT_THAT(told(changes.next({stack}, kThen)),
              ElementsAre("drift none -> live: web_app (environment)"));
}

TEST(StatusChanges, ASuspensionTellsWhyUntilWhenAndByWhom) {
  StatusChanges changes;
  (void)changes.next({healthy()}, kThen);
  auto stack = healthy();
  stack.suspended = true;
  stack.suspension = {"migration", "uid 1000", kThen, kThen};
  EXPECT_THAT(told(changes.next({stack}, kThen)),
              ElementsAre("suspended false -> true: migration; until 2023-11-14T22:13:20Z by uid "
                          "1000"));
}

TEST(StatusChanges, AStackThatLeftIsForgottenAndNewAgainWhenItComesBack) {
  StatusChanges changes;
  (void)changes.next({healthy("web"), healthy("db")}, kThen);
  EXPECT_THAT(changes.next({healthy("web")}, kThen).gone, ElementsAre("apps/db"));
  EXPECT_THAT(told(changes.next({healthy("web"), healthy("db")}, kThen)),
              ElementsAre("sync  -> synced", "health  -> healthy"));
}

}  // namespace
}  // namespace skep::history::test
