#include "compose/rewrite.hpp"

#include <algorithm>
#include <utility>

#include "compose/interpolate.hpp"
#include "compose/paths.hpp"
#include "compose/stringify.hpp"
#include "compose/text.hpp"
#include "yaml/parse.hpp"

namespace skep::compose {
namespace {

constexpr std::size_t kMostFiles = 100;
constexpr std::size_t kMostNodes = 400'000;  // As much as one file may have.

}  // namespace

void Rewrite::error(const SourcePosition& at, std::string message) {
  findings_.push_back({Finding::Severity::error, std::move(message), at});
}

void Rewrite::warning(const SourcePosition& at, std::string message) {
  findings_.push_back({Finding::Severity::warning, std::move(message), at});
}

void Rewrite::only_known_keys(const yaml::Node& mapping,
                              const std::string& path,
                              const std::vector<std::string>& known) {
  const auto* entries = mapping.as<yaml::Map>();
  if (!entries) return;
  for (const auto& entry : *entries) {
    if (entry.key.starts_with("x-") ||
        std::find(known.begin(), known.end(), entry.key) != known.end())
      continue;
    const auto near = nearest(entry.key, known);
    std::string allowed;
    for (const auto& key : known) allowed += (allowed.empty() ? "" : ", ") + key;
    error(entry.key_at,
          path + " Additional property " + entry.key + " is not allowed; " +
              (near.empty() ? "allowed are " + allowed : "did you mean " + near + "?"));
  }
}

std::optional<std::string> Rewrite::interpolated(const yaml::Node& node, const std::string& path) {
  yaml::Node copy = node;
  const auto before = findings_.size();
  interpolate(
      copy,
      input_.environment,
      {.unset_variable_is_error = input_.unset_variable_is_error, .strict = false, .path = path},
      findings_);
  for (std::size_t i = before; i < findings_.size(); ++i) {
    if (findings_[i].severity == Finding::Severity::error) return std::nullopt;
  }
  const auto* text = copy.as<std::string>();
  return text ? std::optional(*text) : std::nullopt;
}

std::optional<std::string> Rewrite::expanded(const yaml::Node& node) const {
  const auto* text = node.as<std::string>();
  if (!text) return std::nullopt;
  if (text->find('$') == std::string::npos) return *text;
  yaml::Node copy = node;
  Findings unreported;
  interpolate(copy,
              input_.environment,
              {.unset_variable_is_error = input_.unset_variable_is_error, .strict = false},
              unreported);
  const auto* value = copy.as<std::string>();
  return value && unreported.empty() ? std::optional(*value) : std::nullopt;
}

const yaml::Node* Rewrite::file(const std::string& path, const SourcePosition& at) {
  const auto shown = shown_path(path);
  const auto refuse = [&](const std::string& message) -> const yaml::Node* {
    error(at, message);
    return nullptr;
  };
  if (const auto known = files_.find(path); known != files_.end()) {
    return known->second ? &*known->second : nullptr;
  }
  if (files_.size() >= kMostFiles) return refuse("more than 100 compose files belong together");
  auto& place = files_[path];
  const auto text = input_.reader->read(path);
  if (!text) return refuse(shown + ": " + text.error().message);
  if (!*text) return refuse("open " + shown + ": no such file or directory");
  auto root = yaml::parse(**text, shown, {}, &findings_);
  if (!root) {
    return error(root.error().at.value_or(at), root.error().message), nullptr;
  }
  if (!root->as<yaml::Map>()) return refuse(shown + ": top-level object must be a mapping");
  if (!spend(count_nodes(*root), at)) return nullptr;
  place = *std::move(root);
  return &*place;
}

const std::vector<std::string_view>& Rewrite::lines_of(const std::string& file) {
  const auto [known, fresh] = lines_.try_emplace(file);
  if (!fresh) return known->second;
  for (const auto& own : input_.files) {
    if (own.name == file) known->second = split(own.text, '\n');
  }
  return known->second;
}

bool Rewrite::spend(std::size_t nodes, const SourcePosition& at) {
  const bool before = spent_ > kMostNodes;
  spent_ += nodes;
  if (spent_ <= kMostNodes) return true;
  if (!before) error(at, "include and extends make the stack too large");
  return false;
}

std::size_t count_nodes(const yaml::Node& node) {
  std::size_t count = 1;
  if (const auto* list = node.as<yaml::List>()) {
    for (const auto& item : *list) count += count_nodes(item);
  } else if (const auto* map = node.as<yaml::Map>()) {
    for (const auto& entry : *map) count += count_nodes(entry.value);
  }
  return count;
}

std::optional<yaml::Entry> take(yaml::Node& map, std::string_view key) {
  auto* entries = map.as<yaml::Map>();
  if (!entries) return std::nullopt;
  const auto found = std::find_if(
      entries->begin(), entries->end(), [&](const auto& entry) { return entry.key == key; });
  if (found == entries->end()) return std::nullopt;
  auto entry = std::move(*found);
  entries->erase(found);
  return entry;
}

void put(yaml::Node& map, std::string_view key, yaml::Node value) {
  if (auto* present = map.find(key)) {
    *present = std::move(value);
  } else if (auto* entries = map.as<yaml::Map>()) {
    const auto at = value.at();
    entries->push_back(yaml::Entry{std::string(key), at, std::move(value)});
  }
}

std::string fingerprint(const yaml::Node& node) {
  // The type's number keeps 80 and "80" apart; lengths keep what is nested apart.
  std::string text = std::to_string(node.value().index()) + ':';
  const auto add = [&text](const std::string& part) {
    text += std::to_string(part.size()) + '=' + part;
  };
  if (const auto* list = node.as<yaml::List>()) {
    for (const auto& item : *list) add(fingerprint(item));
  } else if (const auto* map = node.as<yaml::Map>()) {
    std::map<std::string, std::string> sorted;
    for (const auto& entry : *map) sorted[entry.key] = fingerprint(entry.value);
    for (const auto& [key, value] : sorted) {
      add(key);
      add(value);
    }
  } else {
    text += stringify(node).value_or("");
  }
  return text;
}

bool same(const yaml::Node& a, const yaml::Node& b) { return fingerprint(a) == fingerprint(b); }

std::string directory_of(const std::string& path) {
  const auto slash = path.rfind('/');
  return slash == 0 || slash == std::string::npos ? "/" : path.substr(0, slash);
}

}  // namespace skep::compose
