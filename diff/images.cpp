#include "diff/images.hpp"

#include <set>
#include <string>
#include <utility>
#include <vector>

#include "swarm/image_ref.hpp"
#include "swarm/labels.hpp"

namespace skep::diff {
namespace {

const std::string& label_of(const swarm::ServiceSpec& spec) {
  static const std::string kNone;
  const auto at = spec.labels.find(std::string(swarm::kImageLabel));
  return at == spec.labels.end() ? kNone : at->second;
}

/// What is known of one service's image, wanted and live.
struct Images {
  std::string text;               ///< As written in the file.
  std::string tagged;             ///< As it is sent, before a digest is added.
  std::string reference, digest;  ///< Of `tagged`.
  bool same_text = false;         ///< Live was made from the same text.
  bool same_reference = false;    ///< Live without its digest is what is wanted.
  std::string live;
  std::string live_digest;
  const std::string* record = nullptr;  ///< The digest that the agent decided on for `text`.

  Images(const swarm::ServiceSpec& desired, const swarm::LiveService* service, const Policy& policy)
      : text(label_of(desired)), tagged(desired.task_template.container.image) {
    std::tie(reference, digest) = swarm::split_digest(tagged);
    if (service != nullptr) {
      live = service->spec.task_template.container.image;
      std::string live_reference;
      std::tie(live_reference, live_digest) = swarm::split_digest(live);
      same_text = label_of(service->spec) == text;
      same_reference = live_reference == reference && (digest.empty() || digest == live_digest);
    }
    const auto at = policy.recorded_digests.find(text);
    if (at != policy.recorded_digests.end() && digest.empty()) record = &at->second;
  }
  [[nodiscard]] std::string with_digest(const std::string& value) const {
    return digest.empty() && !value.empty() ? tagged + "@" + value : tagged;
  }
};

std::vector<swarm::Platform> platforms_to_send(const ResolvedImage& answer) {
  auto platforms = answer.platforms;
  for (auto& platform : platforms) {  // D6.5: "arm" is no architecture that a node says of itself.
    const auto& name = platform.architecture;
    if (name.size() == 3 && (name[0] | 0x20) == 'a' && (name[1] | 0x20) == 'r' &&
        (name[2] | 0x20) == 'm')
      platform.architecture.clear();
  }
  return platforms;
}

/// Newer CLIs leave out doubles and what is unknown, which says nothing of any node.
bool say_the_same(const std::vector<swarm::Platform>& one,
                  const std::vector<swarm::Platform>& other) {
  const auto known = [](const std::vector<swarm::Platform>& platforms) {
    std::set<std::pair<std::string, std::string>> set;
    for (const auto& platform : platforms) {
      if (platform.os != "unknown") set.emplace(platform.architecture, platform.os);
    }
    return set;
  };
  return known(one) == known(other);
}

}  // namespace

ImageChoice choose_image(const swarm::ServiceSpec& desired,
                         const swarm::LiveService* live,
                         const Policy& policy) {
  const Images images(desired, live, policy);
  std::vector<swarm::Platform> live_platforms;
  if (live != nullptr && live->spec.task_template.placement)
    live_platforms = live->spec.task_template.placement->platforms;
  const auto answer_at = policy.resolve_image == ResolveImage::never
                             ? policy.resolved.end()
                             : policy.resolved.find(images.tagged);
  const bool answered = answer_at != policy.resolved.end();
  // What is inherited together with the live image, resp. found for another one.
  const auto chosen = [&](std::string image) {
    ImageChoice choice{std::move(image), {}};
    if (live != nullptr && choice.image == images.live) {
      choice.platforms = live_platforms;
    } else if (answered && choice.image == images.with_digest(answer_at->second.digest)) {
      choice.platforms = platforms_to_send(answer_at->second);
    }
    return choice;
  };
  // An answer counts, platforms and all, also where the image is the one that runs (D6.5).
  const auto fresh = [&] {
    if (answered) {
      ImageChoice choice{images.with_digest(answer_at->second.digest),
                         platforms_to_send(answer_at->second)};
      if (choice.image == images.live && say_the_same(choice.platforms, live_platforms))
        choice.platforms = live_platforms;
      return choice;
    }
    if (images.record != nullptr && policy.resolve_image != ResolveImage::never)
      return chosen(images.with_digest(*images.record));
    return chosen(images.tagged);
  };
  const bool as_wanted = images.same_text && images.same_reference;

  switch (policy.resolve_image) {
    case ResolveImage::never:
      return as_wanted ? chosen(images.live) : chosen(images.tagged);
    case ResolveImage::always:
      // An unreachable registry must not un-pin a running service (deviation from D6.6).
      if (!answered && images.same_reference && live != nullptr) return chosen(images.live);
      return fresh();
    case ResolveImage::changed:
      break;
  }
  if (images.record != nullptr && (live == nullptr || images.same_text))
    return chosen(images.with_digest(*images.record));
  if (as_wanted) return chosen(images.live);
  if (!answered && images.record == nullptr && live != nullptr && images.same_reference)
    return chosen(images.live);  // Only the spelling changed, "foo" to "foo:latest".
  return fresh();
}

bool wants_answer(const swarm::ServiceSpec& desired,
                  const swarm::LiveService* live,
                  const Policy& policy) {
  if (policy.resolve_image == ResolveImage::never) return false;
  const Images images(desired, live, policy);
  const auto parsed = swarm::ImageRef::parse(images.tagged);
  if (!parsed || parsed->bare_id) return false;  // No name that a registry could know.
  if (policy.resolve_image == ResolveImage::always || live == nullptr) return true;
  if (!images.same_text) return true;
  return images.record == nullptr && !images.same_reference;
}

}  // namespace skep::diff
