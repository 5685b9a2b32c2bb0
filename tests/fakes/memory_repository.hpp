#pragma once

#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "core/digest.hpp"
#include "reconciler/ports/source.hpp"

namespace skep::tests {

/// A repository in memory: path → text.
class MemorySnapshot final : public ports::Snapshot {
 public:
  explicit MemorySnapshot(std::map<std::string, std::string> files,
                          std::string commit,
                          std::set<std::string> executables = {})
      : files_(std::move(files)), executables_(std::move(executables)) {
    revision_.commit = std::move(commit);
  }
  [[nodiscard]] const ports::Revision& revision() const override { return revision_; }
  void set_subject(std::string subject) { revision_.subject = std::move(subject); }
  [[nodiscard]] Result<std::vector<ports::TreeEntry>> list(
      const RepoPath& directory) const override {
    std::map<std::string, ports::TreeEntry> entries;
    const auto prefix = directory.is_root() ? std::string() : directory.text() + "/";
    for (const auto& [path, text] : files_) {
      if (!path.starts_with(prefix)) continue;
      const auto rest = path.substr(prefix.size());
      const auto slash = rest.find('/');
      ports::TreeEntry entry;
      entry.name = rest.substr(0, slash);
      entry.kind = slash == std::string::npos ? ports::TreeEntry::Kind::file
                                              : ports::TreeEntry::Kind::directory;
      entry.id = sha256_hex(text);
      entry.executable = executables_.count(path) != 0;
      if (const auto kind = kinds.find(path); kind != kinds.end()) entry.kind = kind->second;
      if (slash != std::string::npos) {  // Of a directory: of all that is in it.
        entry.executable = false;
        entry.id = sha256_hex(entries[entry.name].id + path + text);
      }
      entries[entry.name] = entry;
    }
    std::vector<ports::TreeEntry> list;
    for (auto& [name, entry] : entries) list.push_back(entry);
    return list;
  }
  [[nodiscard]] Result<std::optional<ports::TreeEntry>> find(const RepoPath& path) const override {
    ++finds;
    if (unreadable.count(path.text()) != 0) return unreadable.at(path.text());
    const auto entries = list(path.parent());
    for (const auto& entry : *entries) {
      if (entry.name == path.name()) return std::optional(entry);
    }
    return std::optional<ports::TreeEntry>();
  }
  [[nodiscard]] Result<std::optional<ports::TreeFile>> read(const RepoPath& path) const override {
    if (unreadable.count(path.text()) != 0) return unreadable.at(path.text());
    const auto at = files_.find(path.text());
    if (at == files_.end()) return std::optional<ports::TreeFile>();
    return std::optional(ports::TreeFile{sha256_hex(at->second),
                                         at->second,
                                         executables_.count(path.text()) != 0,
                                         ignored.count(path.text()) != 0});
  }
  mutable std::size_t finds = 0;
  std::map<std::string, Error> unreadable;              ///< Paths of which find() and read() fail.
  std::map<std::string, ports::TreeEntry::Kind> kinds;  ///< Of paths where no file stands.
  std::set<std::string> ignored;                        ///< Paths of files that git ignores.

 private:
  std::map<std::string, std::string> files_;
  std::set<std::string> executables_;
  ports::Revision revision_;
};

/// The commits that were made; a test may lose some.
class MemoryHistory final : public ports::Source {
 public:
  Result<std::shared_ptr<const ports::Snapshot>> fetch(std::stop_token /*stop*/) override {
    return Error{ErrorKind::unavailable, "nothing to fetch from"};
  }
  [[nodiscard]] std::shared_ptr<const ports::Snapshot> last_good() const override {
    return nullptr;
  }
  [[nodiscard]] Result<std::shared_ptr<const ports::Snapshot>> snapshot_at(
      const std::string& commit) const override {
    const auto at = commits.find(commit);
    if (at == commits.end()) return Error{ErrorKind::unavailable, "no commit " + commit};
    return at->second;
  }
  [[nodiscard]] std::string describe() const override { return "memory"; }
  std::map<std::string, std::shared_ptr<const ports::Snapshot>> commits;
};

/// "services: {web: {image: IMAGE}}"
inline std::string one_service(const std::string& image, const std::string& service = "web") {
  return "services:\n  " + service + ":\n    image: " + image + "\n";
}

}  // namespace skep::tests
