#include <algorithm>
#include <tuple>

#include "diff/normalise.hpp"
#include "reconciler/work.hpp"
#include "swarm/labels.hpp"

// A directory that was renamed: one operation, in which the old name goes first.
namespace skep::reconciler {
namespace {

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

/// How much would differ if the one were the new name of the other. What the name itself makes
/// differ is the same for all.
std::size_t distance(const swarm::StackSpec& fresh,
                     const swarm::LiveStack& old,
                     const swarm::LiveState& live,
                     const std::string& old_name) {
  std::size_t places = 0;
  for (const auto* service : old.services) {
    const auto at = fresh.services.find(service->spec.name.substr(old_name.size() + 1));
    if (at == fresh.services.end()) continue;
    const auto sides = diff::comparable(at->second.spec, *service, live, "");
    places += differing_places(sides.desired, sides.live).size();
  }
  return places;
}

/// The old name waits, and it is the new one that a person approves.
Decision held_with(const StackFacts& fresh, const std::string& why) {
  return {Verdict::wait, "waits for its new name: " + fresh.name + " " + why, fresh.name};
}

/// Its pre_deploy hook is still to be run.
bool has_hook_before(const StackFacts& facts) {
  return facts.hooks.due != nullptr && facts.hooks.due->phase == repository::HookPhase::pre_deploy;
}

}  // namespace

Reconciler::Renames Reconciler::find_renames(const diff::LiveIndex& index, const Work& work) {
  struct Alike {  ///< Stacks with the same service keys.
    std::vector<const StackFacts*> old, fresh;
  };
  std::map<std::set<std::string>, Alike> by_keys;
  for (std::size_t i = 0; i < work.facts.size(); ++i) {
    const auto& facts = work.facts[i];
    const auto& memory = memory_[facts.name];
    const auto verdict = work.decisions[i].verdict;
    if (facts.desired != nullptr) {
      // That it is ours is written down when its pre_deploy hook begins.
      const bool is_new = facts.record == nullptr || !memory.was_named.empty();
      if (is_new && !facts.live_there && !facts.desired->broken() &&
          facts.desired->source.settings.policy.sync != repository::SyncMode::observe)
        by_keys[keys_of(facts.desired->spec)].fresh.push_back(&facts);
      continue;
    }
    const bool leaves =
        verdict == Verdict::apply || verdict == Verdict::wait || facts.suspension != nullptr;
    if (leaves && facts.name != options_.self_stack && memory.failures == 0)
      by_keys[live_keys(index.stack(facts.name), facts.name)].old.push_back(&facts);
  }
  Renames renames;
  for (auto& [keys, alike] : by_keys) {
    // One new directory is the new name of one stack: which of several, nobody can tell, and the
    // others would go without the grace and the approval that is due to them.
    if (keys.empty() || alike.old.size() > alike.fresh.size()) continue;
    struct Pair {
      bool other_images = false;
      std::size_t distance = 0;
      const StackFacts* old = nullptr;
      const StackFacts* fresh = nullptr;
      [[nodiscard]] bool as_near_as(const Pair& other) const {
        return old == other.old && other_images == other.other_images && distance == other.distance;
      }
    };
    std::vector<Pair> pairs;
    for (const auto* old : alike.old) {
      const auto& stack = index.stack(old->name);
      for (const auto* fresh : alike.fresh) {
        const auto& memory = memory_[fresh->name];
        // What stood beside the old one in git is another stack.
        if (memory.moved_at < memory_[old->name].moved_at) continue;
        if (!memory.was_named.empty() && memory.was_named != old->name) continue;
        const auto& spec = fresh->desired->spec;
        pairs.push_back({!has_images_of(spec, stack),
                         distance(spec, stack, index.state(), old->name),
                         old,
                         fresh});
      }
    }
    std::stable_sort(pairs.begin(), pairs.end(), [](const Pair& a, const Pair& b) {
      return std::tie(a.other_images, a.distance) < std::tie(b.other_images, b.distance);
    });
    std::set<const StackFacts*> taken;
    for (const auto& pair : pairs) {
      if (taken.count(pair.old) + taken.count(pair.fresh) != 0) continue;
      std::vector<const StackFacts*> rivals;
      for (const auto& other : pairs) {
        if (other.as_near_as(pair) && taken.count(other.fresh) == 0) rivals.push_back(other.fresh);
      }
      taken.insert(pair.old);
      if (rivals.size() > 1 && memory_[pair.fresh->name].was_named.empty()) {
        renames.unclear[pair.old->name] = std::move(rivals);
        continue;
      }
      taken.insert(pair.fresh);
      renames.new_names[pair.old->name] = pair.fresh;
    }
  }
  return renames;
}

void Reconciler::pair_renames(const repository::DesiredState& desired,
                              const diff::LiveIndex& index,
                              Work& work) {
  if (desired.broken()) return;
  const auto renames = find_renames(index, work);
  const auto decision_of = [&work](const StackFacts* facts) -> Decision& {
    return work.decisions[static_cast<std::size_t>(facts - work.facts.data())];
  };
  for (std::size_t o = 0; o < work.facts.size(); ++o) {
    const auto& old = work.facts[o];
    if (old.desired != nullptr) continue;
    const auto volumes = volumes_of(index.stack(old.name), old.name);
    const auto leaves_data = [&](const StackFacts& fresh) {
      return std::any_of(volumes.begin(), volumes.end(), [&](const std::string& volume) {
        return fresh.desired->spec.volumes.count(volume) == 0;
      });
    };
    if (const auto unclear = renames.unclear.find(old.name); unclear != renames.unclear.end()) {
      for (const auto* fresh : unclear->second) {
        if (!leaves_data(*fresh) || memory_[fresh->name].approved) continue;
        const auto why = "may be the new name of " + old.name +
                         ", as others may, whose data stays in the volume " + *volumes.begin() +
                         ": set `name: " + old.name +
                         "` in the skep.yaml of the one that is, or `skep approve " + fresh->name +
                         "` to begin with empty volumes";
        decision_of(fresh) = {Verdict::held, why};
        work.decisions[o] = held_with(*fresh, why);
      }
      continue;
    }
    const auto name = renames.new_names.find(old.name);
    if (name == renames.new_names.end()) continue;
    const auto* fresh = name->second;
    auto& verdict = decision_of(fresh);
    std::string why;
    if (leaves_data(*fresh)) {
      why = "is the new name of " + old.name + ", whose data stays in the volume " +
            *volumes.begin() + ": set `name: " + old.name +
            "` in its skep.yaml to keep the data, or `skep approve " + fresh->name +
            "` to begin with empty volumes";
    } else if (old.suspension != nullptr) {
      why = "is the new name of " + old.name + ", which is suspended: `skep resume " + old.name +
            "` lets it be renamed";
    } else if (old.record != nullptr && !old.record->quarantined.empty()) {
      why = "is the new name of " + old.name + ", which went back when " +
            old.record->applied.substr(0, 12) + " failed: `skep approve " + fresh->name +
            "` deploys it all the same";
    }
    if (!why.empty() && !memory_[fresh->name].approved) {
      verdict = {Verdict::held, why};
      if (old.suspension == nullptr) work.decisions[o] = held_with(*fresh, why);
      continue;
    }
    if (old.suspension != nullptr) continue;  // Both, for a person let the new one begin.
    // Ports are free only when the old one is gone. Whatever else is in the new one's way would
    // leave neither of them running.
    const bool can_go =
        verdict.verdict == Verdict::apply ||
        (verdict.verdict == Verdict::blocked && is_blocked_by_ports_of(*fresh, old.name, index));
    const bool is_there = verdict.verdict == Verdict::nothing || verdict.verdict == Verdict::adopt;
    std::string lacks = can_go || is_there ? "" : verdict.message;
    if (can_go) {
      if (const auto waits = waits_in_order(desired, *fresh, work, barrier_of(work)))
        lacks = waits->message;
    }
    if (lacks.empty() && can_go && has_hook_before(*fresh)) {
      memory_[fresh->name].was_named = old.name;  // Else the record of its hook made it another.
      lacks = verdict.message;
    }
    if (!lacks.empty() && !memory_[old.name].approved) {
      work.decisions[o] = {
          Verdict::wait,
          "stays until its new name, " + fresh->name + ", can be deployed: " + lacks,
          fresh->name};
    } else if (can_go) {
      verdict = {Verdict::wait, "waits until " + old.name + ", its old name, is gone", old.name};
      work.decisions[o] = {Verdict::apply, "was renamed to " + fresh->name};
      memory_[fresh->name].was_named = old.name;
      work.renamed.insert(old.name);
    }
  }
}

}  // namespace skep::reconciler
