#include "reconciler/access/access_policy.hpp"

#include <charconv>

#include <fnmatch.h>

#include "repository/mapping_reader.hpp"
#include "yaml/parse.hpp"

namespace skep::reconciler {
namespace {

constexpr std::uint32_t kLastPort = 65535;
constexpr const char* kFile = "the policy file";

bool matches(const std::string& pattern, std::string_view directory) {
  return ::fnmatch(pattern.c_str(), std::string(directory).c_str(), FNM_PATHNAME) == 0;
}

std::optional<std::uint32_t> read_port(std::string_view text) {
  std::uint32_t port = 0;
  const auto* end = text.data() + text.size();
  const auto [at, error] = std::from_chars(text.data(), end, port);
  if (error != std::errc() || at != end || port == 0 || port > kLastPort) return std::nullopt;
  return port;
}

/// 443, "8000-8999".
std::optional<AccessProfile::PortRange> read_ports(const yaml::Node& node) {
  if (const auto* number = node.as<std::int64_t>()) {
    const auto port = read_port(std::to_string(*number));
    return port ? std::optional(AccessProfile::PortRange(*port, *port)) : std::nullopt;
  }
  const auto* text = node.as<std::string>();
  if (text == nullptr) return std::nullopt;
  const auto dash = text->find('-');
  const auto first = read_port(std::string_view(*text).substr(0, dash));
  const auto last =
      dash == std::string::npos ? first : read_port(std::string_view(*text).substr(dash + 1));
  if (!first || !last || *last < *first) return std::nullopt;
  return AccessProfile::PortRange(*first, *last);
}

struct RuleReader {
  std::string path;
  AccessProfile profile;

  void read(const yaml::Node& node, const std::string& name, Findings& findings) {
    repository::MappingReader reader(name, findings, kFile);
    const auto list = [&](const char* key, auto& into) {
      reader.key(key, [&reader, &into, key](const yaml::Node& value) {
        std::vector<std::string> words;
        reader.strings(value, key, words);
        into = std::move(words);
      });
    };
    list("registries", profile.registries);
    list("bind_sources", profile.bind_sources);
    list("capabilities", profile.capabilities);
    list("sysctls", profile.sysctls);
    list("networks", profile.networks);
    reader.key("path", [&](const yaml::Node& value) { reader.text(value, "path", path); })
        .key("allow",
             [&](const yaml::Node& value) {
               reader.word<bool>(value, "allow", {{"everything", true}}, profile.everything);
             })
        .key("managers",
             [&](const yaml::Node& value) { reader.boolean(value, "managers", profile.managers); })
        .key("ports", [&](const yaml::Node& value) {
          const auto* ports = value.as<yaml::List>();
          profile.ports.emplace();
          if (ports == nullptr)
            return repository::complain(
                findings, value.at(), reader.named("ports") + " must be a list");
          for (const auto& item : *ports) {
            if (const auto range = read_ports(item)) {
              profile.ports->push_back(*range);
            } else {
              repository::complain(
                  findings,
                  item.at(),
                  reader.named("ports[]") +
                      " must be a port from 1 to 65535 or a range such as 8000-8999");
            }
          }
        });
    reader.read(node);
    check(node, name, findings);
  }

 private:
  void check(const yaml::Node& node, const std::string& name, Findings& findings) const {
    if (path.empty())
      repository::complain(
          findings, node.at(), name + " needs a path, such as apps/* or apps/MY-APP");
    if (profile.everything && !(profile == AccessProfile{.everything = true}))
      repository::complain(
          findings, node.at(), name + ": allow: everything leaves nothing else to say");
    for (const auto& source : profile.bind_sources.value_or(std::vector<std::string>())) {
      if (source != "ordinary" && !source.starts_with('/'))
        repository::complain(findings,
                             node.at(),
                             name + ".bind_sources: \"" + source +
                                 "\" must be an absolute directory, or the word ordinary");
    }
  }
};

}  // namespace

Result<AccessPolicy> AccessPolicy::parse(std::string_view text, const std::string& file) {
  const auto root = yaml::parse(text, file);
  if (!root) return root.error();
  AccessPolicy policy;
  Findings findings;
  repository::MappingReader reader("", findings, kFile);
  reader.key("rules", [&](const yaml::Node& node) {
    const auto* list = node.as<yaml::List>();
    if (list == nullptr) return repository::complain(findings, node.at(), "rules must be a list");
    for (std::size_t i = 0; i < list->size(); ++i) {
      RuleReader rule;
      rule.read((*list)[i], "rules[" + std::to_string(i) + "]", findings);
      policy.rules_.push_back({std::move(rule.path), std::move(rule.profile)});
    }
  });
  reader.read(*root);
  if (has_errors(findings)) {
    sort_and_unique(findings);
    return to_error(findings);
  }
  return policy;
}

AccessProfile AccessPolicy::profile(std::string_view directory) const {
  for (const auto& rule : rules_) {
    if (matches(rule.path, directory)) return rule.profile;
  }
  AccessProfile usual;
  usual.everything = matches("management/*", directory);
  return usual;
}

}  // namespace skep::reconciler
