#include <algorithm>

#include "reconciler/work.hpp"
#include "swarm/labels.hpp"

// What waits for what, between stacks.
namespace skep::reconciler {

using ports::Health;

namespace {

constexpr std::string_view kDigestKeyName = "skep_digest_key";

std::set<std::string> volumes_of(const swarm::LiveStack& stack, const std::string& name) {
  std::set<std::string> volumes;
  for (const auto* service : stack.services) {
    for (const auto& mount : service->spec.task_template.container.mounts) {
      if (mount.type == "volume" && mount.source.starts_with(name + "_"))
        volumes.insert(mount.source);
    }
  }
  return volumes;
}

/// The keys of the services that run; empty where one is not named after the stack.
std::set<std::string> live_keys(const swarm::LiveStack& stack, const std::string& name) {
  std::set<std::string> keys;
  for (const auto* service : stack.services) {
    if (!service->spec.name.starts_with(name + "_")) return {};
    keys.insert(service->spec.name.substr(name.size() + 1));
  }
  return keys;
}

std::set<std::string> keys_of(const swarm::StackSpec& spec) {
  std::set<std::string> keys;
  for (const auto& [key, service] : spec.services) keys.insert(key);
  return keys;
}

/// As written in the file.
std::string image_of(const swarm::ServiceSpec& spec) {
  auto image = label_of(spec.labels, swarm::kImageLabel);
  return image.empty() ? spec.task_template.container.image : image;
}

bool has_images_of(const swarm::StackSpec& fresh, const swarm::LiveStack& old) {
  std::multiset<std::string> wanted, running;
  for (const auto& [key, service] : fresh.services) wanted.insert(image_of(service.spec));
  for (const auto* service : old.services) running.insert(image_of(service->spec));
  return wanted == running;
}

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
    if (memory_[facts.name].approved) continue;
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
    const auto end = clock_.steady() + left;
    turn.retry_at = std::min(turn.retry_at.value_or(end), end);
  }
}

std::map<std::string, const StackFacts*> Reconciler::new_names(const diff::LiveIndex& index,
                                                               const Work& work) {
  struct Alike {  ///< Stacks with the same service keys.
    std::vector<const StackFacts*> old, fresh;
  };
  std::map<std::set<std::string>, Alike> by_keys;
  for (std::size_t i = 0; i < work.facts.size(); ++i) {
    const auto& facts = work.facts[i];
    const auto verdict = work.decisions[i].verdict;
    if (facts.desired != nullptr) {
      if (facts.record == nullptr && !facts.live_there && !facts.desired->broken() &&
          facts.desired->source.settings.policy.sync != repository::SyncMode::observe)
        by_keys[keys_of(facts.desired->spec)].fresh.push_back(&facts);
      continue;
    }
    const bool leaves = verdict == Verdict::apply || verdict == Verdict::wait;
    if (leaves && facts.name != options_.self_stack && memory_[facts.name].failures == 0)
      by_keys[live_keys(index.stack(facts.name), facts.name)].old.push_back(&facts);
  }
  std::map<std::string, const StackFacts*> names;
  for (auto& [keys, alike] : by_keys) {
    // One new directory is the new name of one stack: which of several, nobody can tell, and the
    // others would go without the grace and the approval that is due to them.
    if (keys.empty() || alike.old.size() > alike.fresh.size()) continue;
    std::set<const StackFacts*> taken;
    for (const bool same_images : {true, false}) {
      for (const auto* old : alike.old) {
        if (names.count(old->name) != 0) continue;
        const auto fresh =
            std::find_if(alike.fresh.begin(), alike.fresh.end(), [&](const auto* one) {
              const auto& was = memory_[one->name].was_named;
              // What stood beside the old one in git is another stack.
              const bool appeared = memory_[one->name].moved_at >= memory_[old->name].moved_at;
              return appeared && taken.count(one) == 0 && (was.empty() || was == old->name) &&
                     (!same_images || has_images_of(one->desired->spec, index.stack(old->name)));
            });
        if (fresh == alike.fresh.end()) continue;
        taken.insert(*fresh);
        names[old->name] = *fresh;
      }
    }
  }
  return names;
}

void Reconciler::pair_renames(const repository::DesiredState& desired,
                              const diff::LiveIndex& index,
                              Work& work) {
  if (desired.broken()) return;
  const auto names = new_names(index, work);
  for (std::size_t o = 0; o < work.facts.size(); ++o) {
    const auto& old = work.facts[o];
    const auto name = names.find(old.name);
    if (old.desired != nullptr || name == names.end()) continue;
    const auto* fresh = name->second;
    const auto& stack = index.stack(old.name);
    auto& verdict = work.decisions[static_cast<std::size_t>(fresh - work.facts.data())];
    const auto volumes = volumes_of(stack, old.name);
    const bool moves_data =
        std::any_of(volumes.begin(), volumes.end(), [&](const std::string& volume) {
          return fresh->desired->spec.volumes.count(volume) == 0;
        });
    if (moves_data && !memory_[fresh->name].approved) {
      const auto why = "is the new name of " + old.name + ", whose data stays in the volume " +
                       *volumes.begin() + ": set `name: " + old.name +
                       "` in its skep.yaml to keep the data, or `skep approve " + fresh->name +
                       "` to begin with empty volumes";
      verdict = {Verdict::held, why};
      work.decisions[o] = {Verdict::held, "waits for its new name: " + fresh->name + " " + why};
      continue;
    }
    // Ports are free only when the old one is gone. Whatever else is in the new one's way would
    // leave neither of them running.
    const bool can_go =
        verdict.verdict == Verdict::apply ||
        (verdict.verdict == Verdict::blocked && is_blocked_by_ports_of(*fresh, old.name, index));
    const bool is_there = verdict.verdict == Verdict::nothing || verdict.verdict == Verdict::adopt;
    if (!can_go && !is_there && !memory_[old.name].approved) {
      work.decisions[o] = {
          Verdict::wait,
          "stays until its new name, " + fresh->name + ", can be deployed: " + verdict.message,
          fresh->name};
    } else if (can_go) {
      verdict = {Verdict::wait, "waits until " + old.name + ", its old name, is gone", old.name};
      work.decisions[o] = {Verdict::apply, "was renamed to " + fresh->name};
      memory_[fresh->name].was_named = old.name;
      work.renamed.insert(old.name);
    }
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
    work.decisions[i] = {Verdict::held,
                         "left git, and with it " + std::to_string(leaving) + " of " +
                             std::to_string(state.stacks.size()) +
                             " stacks: so many are removed only after `skep approve " +
                             work.facts[i].name + "`"};
  }
}

void Reconciler::order(const repository::DesiredState& desired, Work& work) {
  std::map<std::string, const repository::GroupSettings*> groups;
  for (const auto& group : desired.cluster.groups) groups[group.name] = &group;
  std::map<std::string, std::string> busy;  // Group → a stack of it that is being changed.
  std::map<std::string, std::size_t> index;
  std::string anybody;
  for (std::size_t i = 0; i < work.facts.size(); ++i) {
    const auto& facts = work.facts[i];
    index[facts.name] = i;
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
    if (changes) busy.emplace(facts.desired->source.group, facts.name);
    if (changes) anybody = facts.name;
  }
  for (std::size_t i = 0; i < work.facts.size(); ++i) {
    const auto& facts = work.facts[i];
    auto& decision = work.decisions[i];
    if (facts.desired == nullptr || decision.verdict != Verdict::apply) continue;
    if (work.hand_over.count(facts.name) != 0) continue;  // Others wait for this one.
    if (facts.name == options_.self_stack) {  // It ends this very process: everything else first.
      if (!anybody.empty())
        decision = {Verdict::wait, "skep itself comes last; waits for " + anybody, anybody};
      continue;
    }
    for (const auto& need : facts.desired->source.settings.depends_on) {
      const auto at = index.find(need);
      if (at == index.end() || need == options_.self_stack) continue;
      const auto& other = work.facts[at->second];
      const bool ready =
          other.health == Health::healthy && work.decisions[at->second].verdict == Verdict::nothing;
      if (!ready)
        decision = {
            Verdict::wait,
            "waits for the stack " + need + " (" + std::string(to_string(other.health)) + ")",
            need};
    }
    if (memory_[facts.name].operation)
      continue;  // What has begun is not stopped by somebody else's beginning.
    for (auto at = groups.find(facts.desired->source.group);
         at != groups.end() && !at->second->after.empty();) {
      const auto& earlier = at->second->after;
      if (const auto stack = busy.find(earlier); stack != busy.end()) {
        decision = {Verdict::wait,
                    "waits for " + earlier + "/" + stack->second + ", which is being changed",
                    stack->second};
      }
      at = groups.find(earlier);
    }
  }
}

}  // namespace skep::reconciler
