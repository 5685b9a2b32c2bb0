#include "compose/convert.hpp"

#include <utility>

#include "compose/engine_checks.hpp"
#include "compose/text.hpp"
#include "swarm/image_ref.hpp"
#include "swarm/labels.hpp"

namespace skep::compose {
namespace {

/// Rule C9. The image must be there and be a reference, whatever the service's other mistakes.
void check_image(const ServiceConversion& conversion) {
  const auto& image = conversion.service.image;
  const auto refuse = [&](const std::string& reason) {
    conversion.all.error(conversion.service.position_of("image"),
                         "invalid image reference for service " + conversion.key + ": " + reason);
  };
  if (image.empty()) {
    const bool built = conversion.service.key_at.contains("build") || conversion.service.built;
    return refuse(built
                      ? "no image specified; a swarm builds nothing: build the image, push it to a "
                        "registry and name it under image"
                      : "no image specified");
  }
  const auto parsed = swarm::ImageRef::parse(image);
  if (parsed) return;
  // With variables in it the text is not what stands in the file.
  refuse(parsed.error().message + " (" + quoted(image) + ")");
}

/// Objects that exist already and that a service cites: who applies the stack looks for them first.
void note_external(const Conversion& conversion, const Service& service, swarm::StackSpec& stack) {
  const auto note = [](const auto& references, const auto& objects, auto& external) {
    for (const auto& reference : references) {
      const auto found = objects.find(reference.source);
      if (found == objects.end() || !found->second.external) continue;
      external.emplace(found->second.name, found->second.at);
    }
  };
  if (service.secrets) note(*service.secrets, conversion.file.secrets, stack.external_secrets);
  if (service.configs) note(*service.configs, conversion.file.configs, stack.external_configs);
  if (service.credential_spec) {
    const auto found = conversion.file.configs.find(service.credential_spec->config);
    if (found != conversion.file.configs.end() && found->second.external) {
      stack.external_configs.emplace(found->second.name, found->second.at);
    }
  }
}

void note_volumes(const swarm::ServiceSpec& spec, swarm::StackSpec& stack) {
  for (const auto& mount : spec.task_template.container.mounts) {
    if ((mount.type == "volume" || mount.type.empty()) && !mount.source.empty()) {
      stack.volumes.insert(mount.source);
    }
  }
}

}  // namespace

std::string Conversion::object_name(const std::string& key, const std::string& name) const {
  return name.empty() ? input.stack.scope(key) : name;
}

swarm::StringMap Conversion::with_stack_label(swarm::StringMap labels) const {
  labels[std::string(swarm::kStackLabel)] = input.stack.text();
  return labels;
}

void Conversion::error(const SourcePosition& at, std::string message) const {
  findings.push_back({Finding::Severity::error, std::move(message), at});
}

void ServiceConversion::error(const SourcePosition& at, const std::string& message) const {
  all.error(at, "service " + key + ": " + message);
}

std::string advice_for_undefined(const std::string& name,
                                 const std::vector<std::string>& defined,
                                 const std::string& section) {
  constexpr std::size_t kShortestPart = 3;
  auto near = nearest(name, defined);
  if (near.empty() && name.size() >= kShortestPart) {
    std::vector<std::string> related;
    for (const auto& other : defined) {
      const bool part = other.size() >= kShortestPart && (other.find(name) != std::string::npos ||
                                                          name.find(other) != std::string::npos);
      if (part) related.push_back(other);
    }
    if (related.size() == 1) near = related.front();
  }
  return near.empty() ? "; list it under the top-level " + section : "; did you mean " + near + '?';
}

swarm::StackSpec convert(const Conversion& conversion) {
  swarm::StackSpec stack;
  stack.name = conversion.input.stack;
  check_stack_name_for_engine(conversion);
  convert_networks(conversion, stack);
  convert_objects(conversion, stack);
  for (const auto& [key, service] : conversion.file.services) {
    const ServiceConversion one{conversion, key, service};
    check_image(one);
    swarm::DesiredService desired;
    desired.spec = convert_service(one);
    check_for_engine(one, desired.spec);
    desired.depends_on = service.depends_on;
    desired.at = service.at;
    note_external(conversion, service, stack);
    note_volumes(desired.spec, stack);
    stack.services.emplace(key, std::move(desired));
  }
  check_letter_case_for_engine(conversion, stack);
  return stack;
}

}  // namespace skep::compose
