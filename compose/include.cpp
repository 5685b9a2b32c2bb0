#include <algorithm>
#include <utility>
#include <vector>

#include "compose/paths.hpp"
#include "compose/rewrite.hpp"
#include "compose/text.hpp"

namespace skep::compose {
namespace {

constexpr std::size_t kDeepest = 20;
constexpr std::size_t kMostVisits = 200;

/// One file after the other, each with what it includes itself.
class Includer {
 public:
  explicit Includer(Rewrite& rewrite) : rewrite_(rewrite) {}

  void include_all(yaml::Node& root, const std::string& directory) {
    const auto include = take(root, "include");
    if (!include) return;
    const auto* list = include->value.as<yaml::List>();
    if (!list) return rewrite_.error(include->key_at, "include must be a list");
    for (const auto& item : *list) include_item(root, item, directory);
  }

 private:
  void include_item(yaml::Node& root, const yaml::Node& item, const std::string& directory) {
    const auto* path = item.as<yaml::Map>() ? item.find("path") : &item;
    if (!path) return rewrite_.error(item.at(), "include needs a path");
    if (item.find("env_file")) {
      rewrite_.warning(item.at(),
                       "env_file of include is ignored: variables are those of the stack");
    }
    std::optional<std::string> project;
    if (const auto* node = item.find("project_directory")) {
      if (const auto text = rewrite_.interpolated(*node)) {
        project = clean_path(resolve_path(directory, *text));
      }
    }
    const auto* list = path->as<yaml::List>();
    if (!list) return include_file(root, *path, directory, project);
    for (const auto& one : *list) include_file(root, one, directory, project);
  }

  void include_file(yaml::Node& root,
                    const yaml::Node& path_node,
                    const std::string& directory,
                    const std::optional<std::string>& project) {
    const auto text = rewrite_.interpolated(path_node);
    if (!text) return rewrite_.error(path_node.at(), "include needs a path");
    const auto path = clean_path(resolve_path(directory, *text));
    if (std::find(chain_.begin(), chain_.end(), path) != chain_.end()) {
      return rewrite_.error(path_node.at(), shown_path(path) + " includes itself");
    }
    if (chain_.size() >= kDeepest) {
      return rewrite_.error(path_node.at(), "files include each other more than 20 deep");
    }
    // Files that include each other twice would be visited more often than there are files.
    if (++visits_ > kMostVisits) {
      if (visits_ == kMostVisits + 1) rewrite_.error(path_node.at(), "too many includes");
      return;
    }
    const auto* parsed = rewrite_.file(path, path_node.at());
    if (!parsed) return;
    auto included = *parsed;
    chain_.push_back(path);
    const auto start = project.value_or(directory_of(path));
    include_all(included, start);
    chain_.pop_back();
    rebase(included, start);
    merge(root, std::move(included), path_node.at());
  }

  static void rebase(yaml::Node& root, const std::string& directory) {
    const auto each = [&](const char* section, auto function) {
      auto* node = root.find(section);
      auto* entries = node ? node->as<yaml::Map>() : nullptr;
      if (!entries) return;
      for (auto& entry : *entries) function(entry.value, directory);
    };
    each("services", rebase_service);
    each("secrets", rebase_file_object);
    each("configs", rebase_file_object);
  }

  /// Each definition may come from one file only, unless both say the same.
  void merge(yaml::Node& root, yaml::Node included, const SourcePosition& at) {
    for (const auto* section : {"services", "networks", "volumes", "secrets", "configs"}) {
      auto from = take(included, section);
      auto* entries = from ? from->value.as<yaml::Map>() : nullptr;
      if (!entries) continue;
      auto* into = root.find(section);
      if (!into || !into->as<yaml::Map>()) {
        put(root, section, std::move(from->value));
        continue;
      }
      for (auto& entry : *entries) {
        const auto* mine = into->find(entry.key);
        if (!mine) {
          into->as<yaml::Map>()->push_back(std::move(entry));
        } else if (!same(*mine, entry.value)) {
          rewrite_.error(
              at,
              std::string(section) + '.' + entry.key + " is defined here and in the included file");
        }
      }
    }
  }

  Rewrite& rewrite_;
  std::vector<std::string> chain_;
  std::size_t visits_ = 0;
};

}  // namespace

void apply_include(yaml::Node& root, Rewrite& rewrite) {
  Includer(rewrite).include_all(root, rewrite.input().working_directory);
}

}  // namespace skep::compose
