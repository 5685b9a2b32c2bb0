#include <algorithm>
#include <array>

#include "core/digest.hpp"
#include "diff/generation.hpp"
#include "diff/planner.hpp"
#include "diff/service_diff.hpp"
#include "swarm/labels.hpp"

namespace skep::diff {
namespace {

constexpr std::size_t kLongestName = 64;  // Of secrets and configs (rule D8.1, trap 20).

/// Lengths in front, so that no two different inputs look alike.
void append(std::string& input, std::string_view part) {
  input += std::to_string(part.size()) + ":";
  input += part;
}

void append(std::string& input, const std::optional<swarm::Driver>& driver) {
  input += driver ? "+" : "-";
  if (!driver) return;
  append(input, driver->name);
  for (const auto& [name, value] : driver->options) {
    append(input, name);
    append(input, value);
  }
  input += ";";
}

/// Whether `object` is cited by what a service is now; a rollback is not counted.
template <typename Kind>
const swarm::LiveService* first_user(const swarm::LiveState& state, const std::string& id) {
  const auto at = std::find_if(
      state.services.begin(), state.services.end(), [&](const swarm::LiveService& service) {
        return Kind::cites(service.spec, id);
      });
  return at == state.services.end() ? nullptr : &*at;
}

/// "BASE-SUFFIX" within the limit; the base gives way (trap 20).
std::string generation_name(const std::string& base, const std::string& suffix) {
  return base.substr(0, kLongestName - suffix.size() - 1) + "-" + suffix;
}

/// A base that would be cut tells no longer which object it is; then its name is part of the
/// digest.
bool is_cut(const std::string& base, std::size_t digits) {
  return base.size() + digits + 1 > kLongestName;
}

}  // namespace

std::string generation_content(std::string_view data,
                               const std::optional<swarm::Driver>& driver,
                               const std::optional<swarm::Driver>& templating) {
  std::string content;
  append(content, data);
  append(content, driver);
  append(content, templating);
  return content;
}

struct ConfigKind {
  using Spec = swarm::ConfigSpec;
  using Live = swarm::LiveConfig;
  static constexpr ObjectKind kKind = ObjectKind::config;
  static constexpr std::string_view kWord = "config";
  static auto& wanted(swarm::StackSpec& stack) { return stack.configs; }
  static const auto& live(const swarm::LiveState& state) { return state.configs; }
  static const Live* find(const swarm::LiveState& state, const std::string& name) {
    return state.find_config(name);
  }
  static const auto& own(const swarm::LiveStack& stack) { return stack.configs; }
  static bool cites(const swarm::ServiceSpec& spec, const std::string& id) {
    const auto& list = spec.task_template.container.configs;
    return std::any_of(
        list.begin(), list.end(), [&](const auto& entry) { return entry.config_id == id; });
  }
  static SecretAnswer holds(const Live& live, const Spec& spec, const Policy& /*policy*/) {
    const bool same = live.data_size == spec.data.size() && live.templating == spec.templating &&
                      live.data_sha256 == sha256_hex(spec.data);
    return same ? SecretAnswer::same : SecretAnswer::different;
  }
  /// Eight hex digits of what makes a new generation (trap 17), more where those are taken.
  static std::string suffix(const Spec& spec, const Policy& /*policy*/, std::size_t digits) {
    auto input = generation_content(spec.data, std::nullopt, spec.templating);
    if (is_cut(spec.name, digits)) append(input, spec.name);
    return sha256_hex(input).substr(0, digits);
  }
  /// What a new generation is always called, whoever makes it; "" where that is not known.
  static std::string lasting_name(const Spec& spec, const Policy& policy) {
    return generation_name(spec.name, suffix(spec, policy, 8));
  }
  static std::string digest_label(const Spec& /*spec*/, const Policy& /*policy*/) { return ""; }
};

struct SecretKind {
  using Spec = swarm::SecretSpec;
  using Live = swarm::LiveSecret;
  static constexpr ObjectKind kKind = ObjectKind::secret;
  static constexpr std::string_view kWord = "secret";
  static auto& wanted(swarm::StackSpec& stack) { return stack.secrets; }
  static const auto& live(const swarm::LiveState& state) { return state.secrets; }
  static const Live* find(const swarm::LiveState& state, const std::string& name) {
    return state.find_secret(name);
  }
  static const auto& own(const swarm::LiveStack& stack) { return stack.secrets; }
  static bool cites(const swarm::ServiceSpec& spec, const std::string& id) {
    const auto& list = spec.task_template.container.secrets;
    return std::any_of(
        list.begin(), list.end(), [&](const auto& entry) { return entry.secret_id == id; });
  }
  static SecretAnswer holds(const Live& live, const Spec& spec, const Policy& policy) {
    if (!(live.driver == spec.driver) || !(live.templating == spec.templating))
      return SecretAnswer::different;
    if (spec.driver && spec.data.empty()) return SecretAnswer::same;  // The driver has the data.
    return policy.secret_holds ? policy.secret_holds(live, spec) : SecretAnswer::unknown;
  }
  static std::string suffix(const Spec& spec, const Policy& policy, std::size_t digits) {
    if (!policy.secret_suffix) return "";
    auto suffix = policy.secret_suffix(spec);
    if (is_cut(spec.name, digits)) suffix = sha256_hex(suffix + spec.name);
    return suffix.substr(0, digits);
  }
  static std::string lasting_name(const Spec& spec, const Policy& policy) {
    return policy.secret_digest ? generation_name(spec.name, suffix(spec, policy, 8)) : "";
  }
  static std::string digest_label(const Spec& spec, const Policy& policy) {
    return policy.secret_digest ? policy.secret_digest(spec) : "";
  }
};

template <typename Kind>
void Planner::plan_objects() {
  const std::string word(Kind::kWord);
  auto& names = Kind::kKind == ObjectKind::secret ? secret_names_ : config_names_;
  for (auto& [key, spec] : Kind::wanted(plan_.desired)) {
    const std::string plain = spec.name;
    const auto* at_plain = Kind::find(live_.state(), plain);
    const auto is_cited_by_us = [&](const typename Kind::Live& object) {
      return std::any_of(own_.services.begin(), own_.services.end(), [&](const auto* service) {
        return Kind::cites(service->spec, object.id);
      });
    };

    if (at_plain != nullptr && !owns(at_plain->labels)) {
      const auto owner = at_plain->labels.find(std::string(swarm::kStackLabel));
      if (owner != at_plain->labels.end()) {
        note(Note::Severity::blocked,
             word + " " + quoted(plain) + " belongs to stack " + quoted(owner->second) +
                 ": give it another name or declare it external");
        names.emplace(plain, plain);
        continue;
      }
    }

    // All objects that may hold this content already: the plain name and earlier generations.
    std::vector<const typename Kind::Live*> candidates;
    if (at_plain != nullptr) candidates.push_back(at_plain);
    for (const auto* object : Kind::own(own_)) {
      if (policy_.plain_names) break;
      const auto of_key = object->labels.find(std::string(swarm::kKeyLabel));
      const bool ours = of_key != object->labels.end()
                            ? of_key->second == key
                            : object->name.starts_with(plain.substr(0, kLongestName / 2)) &&
                                  object->name == Kind::lasting_name(spec, policy_);
      if (ours && object != at_plain) candidates.push_back(object);
    }
    const typename Kind::Live* current = nullptr;  // What holds the content.
    const typename Kind::Live* old = nullptr;      // What the services use so far.
    bool current_is_cited = false;
    bool current_is_sure = false;
    for (const auto* object : candidates) {
      const bool cited = is_cited_by_us(*object);
      if (cited && old == nullptr) old = object;
      const auto answer = Kind::holds(*object, spec, policy_);
      if (answer == SecretAnswer::different) continue;
      const bool sure = answer == SecretAnswer::same;
      // A sure answer goes before a guess, what is in use before what is not, plain before hashed.
      if (current == nullptr ||
          std::pair(sure, cited) > std::pair(current_is_sure, current_is_cited)) {
        current = object;
        current_is_cited = cited;
        current_is_sure = sure;
      }
    }
    if (old == nullptr && at_plain != nullptr && owns(at_plain->labels)) old = at_plain;

    if (current != nullptr) {
      if (!current_is_sure)
        note(Note::Severity::info,
             "whether " + word + " " + quoted(current->name) +
                 " holds what git says cannot be told from here; it is left as it is");
      if (!owns(current->labels))
        note(Note::Severity::info,
             word + " " + quoted(current->name) + " exists without a stack's label: it is adopted");
      spec.name = current->name;
      names.emplace(plain, spec.name);
      auto changes =
          map_changes("labels",
                      policy_.plain_names ? current->labels : without_our_labels(current->labels),
                      spec.labels);
      // Our own labels stay; a rotated object keeps the one that says what it stands for.
      if (!policy_.plain_names) {
        for (const auto name : {swarm::kKeyLabel, swarm::kDigestLabel}) {
          if (const auto ours = current->labels.find(std::string(name));
              ours != current->labels.end())
            spec.labels.insert(*ours);
        }
      }
      put_instance_label(spec.labels);
      if (changes.empty()) continue;
      Action action;
      action.verb = Verb::update;
      action.kind = Kind::kKind;
      action.name = spec.name;
      action.key = key;
      action.changes = std::move(changes);
      action.live_id = current->id;
      plan_.actions.push_back(std::move(action));
      continue;
    }

    Action action;
    action.verb = Verb::create;
    action.kind = Kind::kKind;
    action.key = key;
    if (at_plain != nullptr && policy_.plain_names) {
      if (const auto* user = first_user<Kind>(live_.state(), at_plain->id)) {
        note(Note::Severity::blocked,
             word + " " + quoted(plain) + " has other content, and service " +
                 quoted(user->spec.name) + " uses it: deploy the stack first");
      }
      names.emplace(plain, plain);
      action.verb = Verb::replace;
      action.name = plain;
      action.reason = "holds older content, nothing uses it";
      action.live_id = at_plain->id;
      plan_.actions.push_back(std::move(action));
      continue;
    }
    if (at_plain != nullptr) {
      if (!policy_.rotate) {
        note(Note::Severity::blocked,
             word + " " + quoted(plain) +
                 " has changed, but the engine takes new labels only: give it a new name, or let "
                 "skep rotate it");
        names.emplace(plain, plain);
        continue;
      }
      std::string suffix = Kind::suffix(spec, policy_, 8);
      if (suffix.empty()) {
        note(Note::Severity::blocked,
             word + " " + quoted(plain) +
                 " has changed, but there is no key to name its new "
                 "generation by");
        names.emplace(plain, plain);
        continue;
      }
      if (Kind::find(live_.state(), generation_name(plain, suffix)) != nullptr)
        suffix = Kind::suffix(spec, policy_, 16);
      spec.name = generation_name(plain, suffix);
      if (Kind::find(live_.state(), spec.name) != nullptr) {
        note(Note::Severity::blocked,
             word + " " + quoted(spec.name) + " exists already with other content: remove it");
        names.emplace(plain, plain);
        continue;
      }
      spec.labels[std::string(swarm::kKeyLabel)] = key;
    }
    if (old != nullptr) action.reason = "replaces " + old->name;
    put_instance_label(spec.labels);
    if (auto digest = Kind::digest_label(spec, policy_); !digest.empty())
      spec.labels[std::string(swarm::kDigestLabel)] = std::move(digest);
    names.emplace(plain, spec.name);
    action.name = spec.name;
    plan_.actions.push_back(std::move(action));
  }
}

void Planner::plan_secrets() { plan_objects<SecretKind>(); }
void Planner::plan_configs() { plan_objects<ConfigKind>(); }

void Planner::check_external_objects() {
  const auto check = [&](const auto& externals, const auto& names, const char* word, auto exists) {
    for (const auto& [name, at] : externals) {
      if (exists(name) || names.count(name) != 0) continue;
      note(Note::Severity::blocked,
           std::string(word) + " " + quoted(name) +
               " is declared as external, but it does not exist: make it with \"docker " + word +
               " create " + name + " FILE\"",
           at);
    }
  };
  check(wanted_.external_secrets, secret_names_, "secret", [&](const std::string& name) {
    return live_.state().find_secret(name) != nullptr;
  });
  check(wanted_.external_configs, config_names_, "config", [&](const std::string& name) {
    return live_.state().find_config(name) != nullptr;
  });
}

void Planner::rewrite_references() {
  const auto rename = [](std::string& name, const std::map<std::string, std::string>& names) {
    if (const auto at = names.find(name); at != names.end()) name = at->second;
  };
  for (auto& [key, service] : plan_.desired.services) {
    auto& container = service.spec.task_template.container;
    for (auto& reference : container.secrets) rename(reference.secret_name, secret_names_);
    for (auto& reference : container.configs) rename(reference.config_name, config_names_);
    if (container.privileges && container.privileges->credential_spec)
      rename(container.privileges->credential_spec->config, config_names_);
  }
}

template <typename Kind>
void Planner::collect(const std::vector<const typename Kind::Live*>& live_objects) {
  const auto& externals =
      Kind::kKind == ObjectKind::secret ? wanted_.external_secrets : wanted_.external_configs;
  const auto& finals = Kind::wanted(plan_.desired);
  for (const auto* object : live_objects) {
    const bool current = std::any_of(finals.begin(), finals.end(), [&](const auto& entry) {
      return entry.second.name == object->name;
    });
    if (current || externals.count(object->name) != 0 || is_cited(object->id)) continue;
    const auto of_key = object->labels.find(std::string(swarm::kKeyLabel));
    const auto key = of_key != object->labels.end() ? of_key->second : key_of(object->name);
    if (!policy_.prune_objects && finals.count(key) == 0) continue;
    if (is_held_by_task(object->id)) continue;
    Action action;
    action.verb = Verb::remove;
    action.kind = Kind::kKind;
    action.name = object->name;
    action.key = key;
    action.reason = finals.count(key) != 0 ? "old generation, nothing uses it" : "no longer in the stack's files";
    action.live_id = object->id;
    removals_.push_back(std::move(action));
  }
}

bool Planner::is_held_by_task(const swarm::ObjectId& id) {
  if (!policy_.held_by_tasks) return false;
  if (!tasks_asked_) {
    tasks_asked_ = true;
    std::vector<swarm::ObjectId> services;
    for (const auto* service : own_.services) {
      if (removed_.count(service->spec.name) == 0) services.push_back(service->id);
    }
    held_by_tasks_.emplace();
    if (!services.empty()) held_by_tasks_ = policy_.held_by_tasks(services);
  }
  return !held_by_tasks_ || held_by_tasks_->count(id) != 0;
}

void Planner::collect_objects() {
  if (!policy_.prune_objects && !policy_.collect_generations) return;
  collect<SecretKind>(own_.secrets);
  collect<ConfigKind>(own_.configs);
}

}  // namespace skep::diff
