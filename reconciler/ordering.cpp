#include <algorithm>

#include "reconciler/work.hpp"
#include "swarm/labels.hpp"

// What waits for what, between stacks.
namespace skep::reconciler {

using ports::Health;

namespace {

constexpr std::string_view kDigestKeyName = "skep_digest_key";

}  // namespace

void Reconciler::spare_what_is_ours(const repository::DesiredState& desired,
                                    diff::Plan& plan) const {
  // Whatever label somebody gave them: decisions, the digest key and shared networks never go.
  std::erase_if(plan.actions, [&](const diff::Action& action) {
    if (action.verb != diff::Verb::remove) return false;
    switch (action.kind) {
      case diff::ObjectKind::config:
        return action.name == store_.config_name();
      case diff::ObjectKind::secret:
        return action.name == kDigestKeyName;
      case diff::ObjectKind::network:
        return desired.cluster.networks.count(action.name) != 0;
      case diff::ObjectKind::service:
        break;
    }
    return false;
  });
}

void Reconciler::give_grace(Work& work, Turn& turn) {
  // A directory that is new and cannot be read may be the new name of one that left.
  std::string unread;
  for (const auto& facts : work.facts) {
    if (facts.desired != nullptr && facts.desired->broken() && facts.record == nullptr)
      unread = facts.desired->source.directory.text();
  }
  for (std::size_t i = 0; i < work.facts.size(); ++i) {
    const auto& facts = work.facts[i];
    auto& decision = work.decisions[i];
    if (facts.desired != nullptr || decision.verdict != Verdict::apply) continue;
    if (facts.name == options_.self_stack) {
      decision = {Verdict::held,
                  "left git, but skep itself runs in it: it is never removed by skep; remove it "
                  "with `docker stack rm " +
                      facts.name + "`"};
      continue;
    }
    if (memory_[facts.name].approved || memory_[facts.name].requested) continue;
    if (!unread.empty()) {
      decision = {
          Verdict::wait,
          "left git; it stays while " + unread + ", which may be its new name, has mistakes"};
      continue;
    }
    if (options_.prune_grace.count() == 0 || facts.record == nullptr) continue;
    // The day's clock counts only what passed before this process: it may be set meanwhile.
    auto& leaves_at = memory_[facts.name].leaves_at;
    if (!leaves_at) {
      const auto since = facts.record->leaving_since.value_or(clock_.now());
      const auto gone = std::clamp<std::chrono::milliseconds>(
          clock_.now() - since, std::chrono::milliseconds::zero(), options_.prune_grace);
      leaves_at = clock_.steady() + (options_.prune_grace - gone);
    }
    const auto left =
        std::chrono::duration_cast<std::chrono::milliseconds>(*leaves_at - clock_.steady());
    if (left.count() <= 0) continue;
    decision = {
        Verdict::wait,
        "left git; is removed at " + to_rfc3339(clock_.now() + left) + ", unless it comes back"};
    work.in_grace.insert(facts.name);
    turn.retry_by(clock_.steady() + left);
  }
}

void Reconciler::hold_mass_removal(Work& work, const State& state) {
  std::size_t leaving = 0;
  for (const auto& facts : work.facts) {
    const bool renamed = work.renamed.count(facts.name) != 0;
    leaving += facts.desired == nullptr && !renamed ? 1 : 0;
  }
  const bool many = leaving * 2 > state.stacks.size();
  for (std::size_t i = 0; i < work.facts.size(); ++i) {
    const auto& facts = work.facts[i];
    const auto& decision = work.decisions[i];
    // That an approval will be needed is said at once, not when the grace has passed.
    const bool waits = decision.verdict == Verdict::wait && decision.waits_for.empty() &&
                       work.in_grace.count(facts.name) != 0;
    if (facts.desired != nullptr || (decision.verdict != Verdict::apply && !waits)) continue;
    if (memory_[facts.name].approved || work.renamed.count(facts.name) != 0) continue;
    if (contested_) {  // It may be the other one's, which has never seen our repository.
      work.decisions[i] = {Verdict::held,
                           "left git, or was never in it: while another agent of this instance's "
                           "name is about nothing is removed; `skep approve " +
                               facts.name + "` does it all the same"};
      continue;
    }
    // What was held stays so, however few are left when others were approved.
    const bool held_before = facts.record != nullptr && facts.record->removal_held;
    if (!many && !held_before) continue;
    work.removal_held.insert(facts.name);
    const auto with_it =
        many ? "left git, and with it " + std::to_string(leaving) + " of " +
                   std::to_string(state.stacks.size()) + " stacks: so many are removed only after"
             : std::string("left git when most stacks did: it is removed only after");
    work.decisions[i] = {Verdict::held, with_it + " `skep approve " + facts.name + "`"};
  }
}

Reconciler::Barrier Reconciler::barrier_of(const Work& work) {
  Barrier barrier;
  for (std::size_t i = 0; i < work.facts.size(); ++i) {
    const auto& facts = work.facts[i];
    barrier.index[facts.name] = i;
    if (facts.desired == nullptr || facts.name == options_.self_stack) continue;
    const auto& memory = memory_[facts.name];
    // What only waits to be tidied up until the rest is healthy, or failed and is tried again now
    // and then, is nothing to wait for.
    const bool idle = facts.hooks.due == nullptr && !facts.plan.empty() &&
                      facts.plan.only_removals() && facts.health != Health::healthy;
    const bool begins =
        work.decisions[i].verdict == Verdict::apply && !idle && memory.failures == 0;
    const bool asks = facts.waiting_for_registry && work.decisions[i].verdict == Verdict::wait;
    const bool changes = memory.operation || begins || asks;
    if (changes) barrier.busy.emplace(facts.desired->source.group, facts.name);
    if (changes) barrier.anybody = facts.name;
  }
  return barrier;
}

std::optional<Decision> Reconciler::waits_in_order(const repository::DesiredState& desired,
                                                   const StackFacts& facts,
                                                   const Work& work,
                                                   const Barrier& barrier) {
  if (facts.record != nullptr && cause_of(facts) == ports::DriftCause::live) return std::nullopt;
  std::optional<Decision> decision;
  for (const auto& need : facts.desired->source.settings.depends_on) {
    const auto at = barrier.index.find(need);
    if (at == barrier.index.end() || need == options_.self_stack) continue;
    const auto& other = work.facts[at->second];
    const auto& said = work.decisions[at->second];
    const bool healthy = other.health == Health::healthy;
    if (healthy && said.verdict == Verdict::nothing) continue;
    const auto why = !healthy || said.message.empty() ? std::string(to_string(other.health))
                                                      : "healthy, but: " + said.message;
    decision = {Verdict::wait, "waits for the stack " + need + " (" + why + ")", need};
  }
  // What has begun is not stopped by somebody else's beginning.
  if (memory_[facts.name].operation) return decision;
  const auto& groups = desired.cluster.groups;
  const auto group_of = [&groups](const std::string& name) {
    return std::find_if(
        groups.begin(), groups.end(), [&](const auto& group) { return group.name == name; });
  };
  for (auto at = group_of(facts.desired->source.group); at != groups.end() && !at->after.empty();
       at = group_of(at->after)) {
    if (const auto stack = barrier.busy.find(at->after); stack != barrier.busy.end()) {
      decision = {Verdict::wait,
                  "waits for " + at->after + "/" + stack->second + ", which is being changed",
                  stack->second};
    }
  }
  return decision;
}

void Reconciler::order(const repository::DesiredState& desired, Work& work) {
  const auto barrier = barrier_of(work);
  for (std::size_t i = 0; i < work.facts.size(); ++i) {
    const auto& facts = work.facts[i];
    auto& decision = work.decisions[i];
    if (facts.desired == nullptr || decision.verdict != Verdict::apply) continue;
    if (work.hand_over.count(facts.name) != 0) continue;  // Others wait for this one.
    if (facts.name == options_.self_stack) {  // It ends this very process: everything else first.
      if (!barrier.anybody.empty()) {
        decision = {
            Verdict::wait, "skep itself comes last; waits for " + barrier.anybody, barrier.anybody};
      }
      continue;
    }
    if (auto waits = waits_in_order(desired, facts, work, barrier)) decision = *std::move(waits);
  }
}

}  // namespace skep::reconciler
