#include <algorithm>
#include <array>
#include <string_view>
#include <utility>
#include <vector>

#include "compose/paths.hpp"
#include "compose/rewrite.hpp"
#include "compose/text.hpp"

namespace skep::compose {
namespace {

constexpr std::size_t kDeepestInclude = 20;
constexpr std::size_t kMostVisits = 200;
constexpr std::array kSections = {"services", "networks", "volumes", "secrets", "configs"};

/// What docker compose would fetch: "https://…", "oci://…", "git@host:…".
bool is_remote(std::string_view path) {
  return path.find("://") != std::string_view::npos || path.starts_with("git@");
}

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
    rewrite_.only_known_keys(item, "include.[]", {"path", "project_directory", "env_file"});
    if (item.find("env_file")) {
      rewrite_.warning(item.at(),
                       "env_file of include is ignored: variables are those of the stack");
    }
    std::optional<std::string> project;
    if (const auto* node = item.find("project_directory")) {
      if (const auto text = rewrite_.interpolated(*node, "include.project_directory")) {
        project = clean_path(resolve_path(directory, *text));
      }
    }
    const auto* list = path->as<yaml::List>();
    include_files(root, list ? *list : yaml::List{*path}, directory, project, item);
  }

  /// Several paths of one item are one project: the later files lie over the earlier ones.
  void include_files(yaml::Node& root,
                     const yaml::List& paths,
                     const std::string& directory,
                     std::optional<std::string> start,
                     const yaml::Node& item) {
    std::optional<yaml::Node> project;
    for (const auto& node : paths) {
      if (!node.as<std::string>()) return rewrite_.error(node.at(), "include needs a path");
      const auto text = rewrite_.interpolated(node, "include.path");
      if (!text) return;
      if (is_remote(*text)) {
        return rewrite_.error(node.at(),
                              "include: " + quoted(*text) + " is another machine's: skep reads " +
                                  "files of the repository only; copy the file into it");
      }
      const auto path = clean_path(resolve_path(directory, *text));
      if (!start) start = directory_of(path);
      auto file = read(path, *start, node.at());
      if (!file) return;
      if (project) {
        lay_over(*project, *file);
      } else {
        project = std::move(file);
      }
    }
    if (!project) return;
    if (!item.find("env_file")) warn_of_variables(*start, paths.front().at());
    merge(root, *std::move(project), paths.front().at());
  }

  void warn_of_variables(const std::string& directory, const SourcePosition& at) {
    if (directory == rewrite_.input().working_directory) return;
    const auto path = clean_path(directory + "/.env");
    const auto found = rewrite_.input().reader->read(path);
    if (!found || !*found) return;
    rewrite_.warning(at,
                     shown_path(path) + " is not read: the variables of included files are those " +
                         "of the stack");
  }

  std::optional<yaml::Node> read(const std::string& path,
                                 const std::string& start,
                                 const SourcePosition& at) {
    const auto refuse = [&](const std::string& message) {
      rewrite_.error(at, message);
      return std::nullopt;
    };
    if (std::find(chain_.begin(), chain_.end(), path) != chain_.end()) {
      return refuse(shown_path(path) + " includes itself");
    }
    if (chain_.size() >= kDeepestInclude)
      return refuse("files include each other more than 20 deep");
    // Files that include each other twice would be visited more often than there are files.
    if (++visits_ > kMostVisits) {
      if (visits_ == kMostVisits + 1) rewrite_.error(at, "too many includes");
      return std::nullopt;
    }
    const auto* parsed = rewrite_.file(path, at);
    if (!parsed) return std::nullopt;
    auto included = *parsed;
    chain_.push_back(path);
    include_all(included, start);
    chain_.pop_back();
    rebase(included, start);
    return included;
  }

  static void lay_over(yaml::Node& project, yaml::Node& later) {
    for (const auto* section : kSections) {
      const auto from = take(later, section);
      const auto* entries = from ? from->value.as<yaml::Map>() : nullptr;
      if (!entries) continue;
      auto* into = project.find(section);
      if (!into || !into->as<yaml::Map>()) {
        put(project, section, from->value);
        continue;
      }
      for (const auto& entry : *entries) {
        auto* mine = into->find(entry.key);
        put(*into, entry.key, mine ? overlay(std::move(*mine), entry.value) : entry.value);
      }
    }
  }

  void rebase(yaml::Node& root, const std::string& directory) const {
    const auto each = [&](const char* section, auto function) {
      auto* node = root.find(section);
      auto* entries = node ? node->as<yaml::Map>() : nullptr;
      if (!entries) return;
      for (auto& entry : *entries) function(entry.value, directory, rewrite_);
    };
    each("services", rebase_service);
    each("secrets", rebase_file_object);
    each("configs", rebase_file_object);
  }

  /// Each definition may come from one file only, unless both say the same.
  void merge(yaml::Node& root, yaml::Node included, const SourcePosition& at) {
    for (const auto* section : kSections) {
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
