#include "reconciler/planner.hpp"

#include "core/digest.hpp"
#include "core/logfmt.hpp"
#include "reconciler/observation/task_references.hpp"
#include "swarm/image_ref.hpp"
#include "swarm/labels.hpp"

namespace skep::reconciler {
namespace {

using namespace std::chrono_literals;

/// A commit that names a tag just pushed must not get an older answer for long.
constexpr auto kRegistryAnswerAge = 30s;
/// A plan that waits, for a window or for a person, is no reason to ask: registries count requests.
constexpr auto kWaitingAnswerAge = 24h;
/// How often a tag that moves is looked at (`resolve_image: always`).
constexpr auto kFollowInterval = 5min;

/// Whether a service runs what was rolled out for its tag, and the registry now says something else
/// than then: the tag moved, or it gave no digest at all.
bool tag_moved(const swarm::StackSpec& desired,
               const diff::LiveIndex& live,
               const diff::Policy& policy) {
  for (const auto& [key, service] : desired.services) {
    const auto* found = live.state().find_service(service.spec.name);
    const auto& image = service.spec.task_template.container.image;
    const auto answer = policy.resolved.find(image);
    const auto label = service.spec.labels.find(std::string(swarm::kImageLabel));
    if (found == nullptr || answer == policy.resolved.end() || label == service.spec.labels.end())
      continue;
    const auto record = policy.recorded_digests.find(label->second);
    const auto runs = swarm::split_digest(found->spec.task_template.container.image);
    if (runs.first != image || runs.second == answer->second.digest) continue;
    const bool recorded = record != policy.recorded_digests.end();
    if (runs.second.empty() && !recorded) return true;
    if (policy.resolve_image == diff::ResolveImage::always && recorded &&
        runs.second == record->second)
      return true;
  }
  return false;
}

}  // namespace

Planner::Planner(ports::Engine& engine,
                 const Clock& clock,
                 spdlog::logger& log,
                 std::string instance,
                 repository::SecretDigest digest,
                 std::function<void()> on_answer)
    : engine_(engine),
      clock_(clock),
      log_(log),
      instance_(std::move(instance)),
      digest_(std::move(digest)),
      resolver_(engine, clock, std::move(on_answer)) {}

Planner::Planned Planner::plan(const repository::DesiredStack& stack,
                               const diff::LiveIndex& live,
                               const StackRecord* record,
                               std::stop_token stop) {
  Planned planned;
  if (engine_api_.empty()) {
    if (const auto info = engine_.info(stop)) engine_api_ = info->api_version;
  }
  auto policy = policy_for(stack.source.settings.policy, record, stop);
  for (const auto& image : diff::images_to_resolve(stack.spec, live, policy)) {
    const bool follows = policy.resolve_image == diff::ResolveImage::always;
    const auto answer =
        resolver_.resolve(image,
                          follows ? std::chrono::milliseconds(kFollowInterval) : kWaitingAnswerAge,
                          follows ? ImageResolver::Stale::used : ImageResolver::Stale::refused);
    if (!answer) {
      planned.waiting_for_registry = true;
      continue;
    }
    if (!follows && answer->image && clock_.steady() - answer->at > kRegistryAnswerAge)
      planned.old_answers.push_back(image);
    if (answer->image) {
      policy.resolved[image] = *answer->image;
      if (unanswered_.erase(image) > 0)
        log_.info(logfmt("the registry answers again", {{"image", image}}));
    } else if (auto& error = unanswered_[image]; error != answer->error) {
      error = answer->error;
      log_.warn(logfmt("image is not pinned: the registry gave no digest; it is asked again later",
                       {{"image", image}, {"error", error}}));
    }
  }
  planned.plan = diff::plan(stack.spec, live, policy);
  planned.tag_moved = tag_moved(stack.spec, live, policy);
  return planned;
}

std::string Planner::registry_trouble(const std::string& image) const {
  const auto at = unanswered_.find(image);
  return at == unanswered_.end() ? "" : at->second;
}

void Planner::ask_anew(const std::vector<std::string>& images) {
  for (const auto& image : images) (void)resolver_.resolve(image, kRegistryAnswerAge);
}

diff::Plan Planner::plan_removal(const std::string& stack, const diff::LiveIndex& live) {
  swarm::StackSpec nothing;
  nothing.name = swarm::StackName::parse(stack).value();
  diff::Policy policy;
  policy.instance = instance_;
  policy.prune = true;
  policy.prune_objects = true;
  return diff::plan(nothing, live, policy);
}

diff::Policy Planner::policy_for(const repository::StackPolicy& settings,
                                 const StackRecord* record,
                                 std::stop_token stop) {
  diff::Policy policy;
  policy.instance = instance_;
  policy.engine_api = engine_api_;
  policy.resolve_image = settings.resolve_image;
  policy.prune = settings.prune;
  policy.prune_objects = settings.prune;
  policy.rotate = !settings.strict;
  policy.allow_replace = settings.allow_replace;
  if (record != nullptr) policy.recorded_digests = record->digests;
  name_secrets(policy, stop);
  policy.held_by_tasks = [this, stop](const std::vector<swarm::ObjectId>& services) {
    return held_by_tasks(engine_, services, stop);
  };
  return policy;
}

void Planner::name_secrets(diff::Policy& policy, std::stop_token stop) {
  policy.secret_holds = [this, stop](const swarm::LiveSecret& live, const swarm::SecretSpec& spec) {
    return compare(live, spec, stop);
  };
  if (digest_.has_key()) {
    policy.secret_suffix = [this](const swarm::SecretSpec& spec) { return digest_.of(spec); };
    policy.secret_digest = [this](const swarm::SecretSpec& spec) { return digest_.label(spec); };
    return;
  }
  policy.secret_suffix = [this](const swarm::SecretSpec& spec) {
    // Random, for a hash of a password could be guessed back; kept, so that one content has one
    // name while this process runs.
    auto& suffix = secret_suffixes_[sha256_hex(spec.data.reveal())];
    if (suffix.empty()) suffix = to_hex(random_bytes(4));
    return suffix;
  };
}

diff::SecretAnswer Planner::compare(const swarm::LiveSecret& live,
                                    const swarm::SecretSpec& spec,
                                    std::stop_token stop) {
  const auto answer = digest_.compare(live, spec);
  return answer != diff::SecretAnswer::unknown ? answer : secret_holds(live, spec, std::move(stop));
}

diff::SecretAnswer Planner::secret_holds(const swarm::LiveSecret& live,
                                         const swarm::SecretSpec& spec,
                                         std::stop_token stop) {
  const auto key =
      live.id + "/" + std::to_string(live.version) + "/" + sha256_hex(spec.data.reveal());
  if (const auto at = secret_answers_.find(key); at != secret_answers_.end()) return at->second;
  auto asked = spec;
  asked.name = live.name;
  const auto answer = engine_.secret_holds(live.id, asked, stop);
  if (!answer) return diff::SecretAnswer::unknown;
  if (*answer != diff::SecretAnswer::unknown) secret_answers_[key] = *answer;
  return *answer;
}

}  // namespace skep::reconciler
