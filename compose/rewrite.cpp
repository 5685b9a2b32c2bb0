#include "compose/rewrite.hpp"

#include <algorithm>
#include <utility>

#include "compose/interpolate.hpp"
#include "compose/paths.hpp"
#include "compose/text.hpp"
#include "yaml/parse.hpp"

namespace skep::compose {
namespace {

constexpr std::size_t kMostFiles = 100;

}  // namespace

void Rewrite::error(const SourcePosition& at, std::string message) {
  findings_.push_back({Finding::Severity::error, std::move(message), at});
}

void Rewrite::warning(const SourcePosition& at, std::string message) {
  findings_.push_back({Finding::Severity::warning, std::move(message), at});
}

std::optional<std::string> Rewrite::interpolated(const yaml::Node& node) {
  yaml::Node copy = node;
  const auto before = findings_.size();
  interpolate(copy,
              input_.environment,
              {.unset_variable_is_error = input_.unset_variable_is_error, .strict = false},
              findings_);
  for (std::size_t i = before; i < findings_.size(); ++i) {
    if (findings_[i].severity == Finding::Severity::error) return std::nullopt;
  }
  const auto* text = copy.as<std::string>();
  return text ? std::optional(*text) : std::nullopt;
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
  auto root = yaml::parse(**text, shown);
  if (!root) {
    return error(root.error().at.value_or(at), root.error().message), nullptr;
  }
  if (!root->as<yaml::Map>()) return refuse(shown + ": top-level object must be a mapping");
  place = *std::move(root);
  return &*place;
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

bool same(const yaml::Node& a, const yaml::Node& b) {
  const auto* list = a.as<yaml::List>();
  const auto* other_list = b.as<yaml::List>();
  if (list && other_list) {
    return std::equal(list->begin(), list->end(), other_list->begin(), other_list->end(), same);
  }
  const auto* map = a.as<yaml::Map>();
  const auto* other_map = b.as<yaml::Map>();
  if (map && other_map) {
    return map->size() == other_map->size() &&
           std::all_of(map->begin(), map->end(), [&](const yaml::Entry& entry) {
             const auto* other = b.find(entry.key);
             return other && same(entry.value, *other);
           });
  }
  if (list || other_list || map || other_map || a.value().index() != b.value().index())
    return false;
  if (a.as<std::string>()) return *a.as<std::string>() == *b.as<std::string>();
  if (a.as<bool>()) return *a.as<bool>() == *b.as<bool>();
  if (a.as<std::int64_t>()) return *a.as<std::int64_t>() == *b.as<std::int64_t>();
  if (a.as<std::uint64_t>()) return *a.as<std::uint64_t>() == *b.as<std::uint64_t>();
  if (a.as<double>())
    return !(*a.as<double>() < *b.as<double>() || *b.as<double>() < *a.as<double>());
  if (a.as<yaml::Timestamp>()) return *a.as<yaml::Timestamp>() == *b.as<yaml::Timestamp>();
  return true;  // both null
}

std::string directory_of(const std::string& path) {
  const auto slash = path.rfind('/');
  return slash == 0 || slash == std::string::npos ? "/" : path.substr(0, slash);
}

}  // namespace skep::compose
