#include <algorithm>
#include <set>
#include <string_view>
#include <tuple>
#include <utility>

#include "compose/convert.hpp"
#include "compose/engine_checks.hpp"
#include "compose/paths.hpp"
#include "compose/text.hpp"

namespace skep::compose {
namespace {

/// The data of a definition; nothing where there is none, or where its file cannot be read
/// (reported).
std::optional<std::string> read_data(const Conversion& conversion,
                                     const std::string& subject,
                                     const FileObject& object) {
  if (object.content) return object.content;
  if (!object.driver.empty() || object.unreadable) return std::nullopt;
  const auto shown = shown_path(object.file);
  if (object.file == conversion.input.working_directory) {  // No `file` at all (rule B9.1).
    conversion.error(object.at,
                     subject + (conversion.input.strict
                                    ? ": read " + shown + ": is a directory"
                                    : ": it says nothing of its content; write file: PATH, or "
                                      "external: true for one that exists"));
    return std::nullopt;
  }
  auto data = conversion.input.reader->read(object.file);
  if (!data) {
    conversion.error(object.file_at, subject + ": " + data.error().message);
    return std::nullopt;
  }
  if (!*data) {
    conversion.error(object.file_at, subject + ": open " + shown + ": no such file or directory");
  }
  return *std::move(data);
}

/// What the engine will be sent, after a look at whether it will take it.
std::string checked_data(const Conversion& conversion,
                         const std::string& kind,
                         const std::string& key,
                         const FileObject& object,
                         const std::string& name) {
  check_name_for_engine(conversion, key, object, kind, name);
  const auto data = read_data(conversion, kind + ' ' + key, object);
  if (data) check_for_engine(conversion, key, object, kind, data->size());
  return data.value_or("");
}

std::optional<swarm::Driver> templating(const FileObject& object) {
  if (object.template_driver.empty()) return std::nullopt;
  return swarm::Driver{object.template_driver, {}};
}

/// What a reference to a secret and one to a config have in common (rule C6.2).
struct Resolved {
  std::string object_name;
  swarm::ReferenceFile file;
};

/// Reports undefined keys and targets that are taken; sorted by object name, then target (rule
/// C6.4).
std::vector<Resolved> resolve(const ServiceConversion& conversion,
                              const std::optional<std::vector<FileReference>>& references,
                              const std::map<std::string, FileObject>& objects,
                              const std::string& kind) {
  std::vector<Resolved> result;
  if (!references) return result;
  std::set<std::string> targets;
  for (const auto& reference : *references) {
    const auto found = objects.find(reference.source);
    if (found == objects.end()) {
      if (!conversion.all.file.unreadable_sections.contains(kind + 's')) {
        conversion.error(reference.at,
                         "undefined " + kind + ' ' + quoted(reference.source) +
                             advice_for_undefined(reference.source, objects, kind + 's'));
      }
      continue;
    }
    Resolved resolved;
    resolved.object_name = conversion.all.object_name(reference.source, found->second.name);
    resolved.file.name = reference.target.empty() ? reference.source : reference.target;
    resolved.file.uid = reference.uid.empty() ? "0" : reference.uid;
    resolved.file.gid = reference.gid.empty() ? "0" : reference.gid;
    resolved.file.mode = reference.mode.value_or(0444);
    if (!targets.insert(resolved.file.name).second) {
      conversion.error(
          reference.at,
          "duplicate " + kind + " target for " + resolved.object_name + " not allowed");
    }
    result.push_back(std::move(resolved));
  }
  std::stable_sort(result.begin(), result.end(), [](const Resolved& a, const Resolved& b) {
    return std::tie(a.object_name, a.file.name) < std::tie(b.object_name, b.file.name);
  });
  return result;
}

/// The object name of a credential spec's config, "" where there is none or it cannot work (rule
/// C6.5).
std::string credential_config(const ServiceConversion& conversion, bool report) {
  const auto& spec = conversion.service.credential_spec;
  if (!spec || spec->config.empty()) return {};
  const auto& at = conversion.service.position_of("credential_spec");
  const auto& configs = conversion.all.file.configs;
  const auto found = configs.find(spec->config);
  if (found == configs.end()) {
    if (report) {
      conversion.error(at,
                       "undefined config " + quoted(spec->config) +
                           advice_for_undefined(spec->config, configs, "configs"));
    }
    return {};
  }
  auto name = conversion.all.object_name(spec->config, found->second.name);
  if (name == spec->config || name == conversion.all.input.stack.scope(spec->config)) return name;
  if (report) {
    conversion.error(at,
                     "invalid credential spec: spec specifies config " + spec->config +
                         ", but no such config can be found");
  }
  return {};
}

}  // namespace

void convert_objects(const Conversion& conversion, swarm::StackSpec& stack) {
  for (const auto& [key, object] : conversion.file.secrets) {
    if (object.external) continue;
    swarm::SecretSpec spec;
    spec.name = conversion.object_name(key, object.name);
    spec.labels = conversion.with_stack_label(object.labels);
    spec.data = Secret(checked_data(conversion, "secret", key, object, spec.name));
    if (!object.driver.empty()) spec.driver = swarm::Driver{object.driver, object.driver_opts};
    spec.templating = templating(object);
    stack.secrets.emplace(key, std::move(spec));
  }
  for (const auto& [key, object] : conversion.file.configs) {
    if (object.external) continue;
    swarm::ConfigSpec spec;
    spec.name = conversion.object_name(key, object.name);
    spec.labels = conversion.with_stack_label(object.labels);
    spec.data = checked_data(conversion, "config", key, object, spec.name);
    spec.templating = templating(object);
    stack.configs.emplace(key, std::move(spec));
  }
}

std::vector<swarm::SecretReference> convert_secret_references(const ServiceConversion& conversion) {
  std::vector<swarm::SecretReference> references;
  for (auto& resolved :
       resolve(conversion, conversion.service.secrets, conversion.all.file.secrets, "secret")) {
    swarm::SecretReference reference;
    reference.file = std::move(resolved.file);
    reference.secret_name = std::move(resolved.object_name);
    references.push_back(std::move(reference));
  }
  return references;
}

std::vector<swarm::ConfigReference> convert_config_references(const ServiceConversion& conversion) {
  std::vector<swarm::ConfigReference> references;
  for (auto& resolved :
       resolve(conversion, conversion.service.configs, conversion.all.file.configs, "config")) {
    swarm::ConfigReference reference;
    reference.file = std::move(resolved.file);
    reference.config_name = std::move(resolved.object_name);
    references.push_back(std::move(reference));
  }
  if (auto name = credential_config(conversion, false); !name.empty()) {
    swarm::ConfigReference reference;
    reference.runtime.emplace();
    reference.config_name = std::move(name);
    const auto place = std::find_if(references.begin(), references.end(), [&](const auto& other) {
      return other.config_name > reference.config_name;
    });
    references.insert(place, std::move(reference));
  }
  return references;
}

std::optional<swarm::CredentialSpec> convert_credential_spec(const ServiceConversion& conversion) {
  const auto& spec = conversion.service.credential_spec;
  if (!spec) return std::nullopt;
  std::vector<std::string> written;
  if (!spec->config.empty()) written.emplace_back("\"Config\"");
  if (!spec->file.empty()) written.emplace_back("\"File\"");
  if (!spec->registry.empty()) written.emplace_back("\"Registry\"");
  const auto& at = conversion.service.position_of("credential_spec");
  if (written.size() == 2) {
    conversion.error(
        at, "invalid credential spec: cannot specify both " + written[0] + " and " + written[1]);
  } else if (written.size() == 3) {
    conversion.error(at,
                     "invalid credential spec: cannot specify both " + written[0] + ", " +
                         written[1] + ", and " + written[2]);
  }
  if (written.empty()) return std::nullopt;
  credential_config(conversion, true);
  // Its config is an id for the engine: filled in with the reference's, once the object exists.
  return swarm::CredentialSpec{"", spec->file, spec->registry};
}

}  // namespace skep::compose
