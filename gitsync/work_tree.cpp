#include "gitsync/work_tree.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <map>
#include <mutex>
#include <set>
#include <system_error>
#include <utility>

#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "gitsync/descriptor.hpp"
#include "gitsync/git2.hpp"
#include "gitsync/library.hpp"
#include "gitsync/one_line.hpp"
#include "gitsync/snapshot.hpp"

namespace skep::gitsync {
namespace {

namespace fs = std::filesystem;
using ports::TreeEntry;
using ports::TreeFile;
using DirectoryHandle = Handle<DIR, ::closedir>;

Error refuse_path(std::string_view path, std::string_view why) {
  return Error{
      ErrorKind::invalid_input,
      (path.empty() ? std::string("the root") : one_line(path, 400)) + " " + std::string(why)};
}

Error refuse_link(std::string_view path) {
  return refuse_path(path,
                     "is a symbolic link: skep does not follow links, put the file itself there");
}

Error refuse_submodule(std::string_view path) {
  return refuse_path(path,
                     "is a git repository of its own: skep does not read submodules, put the files "
                     "themselves there");
}

Error cannot_read(std::string_view path, int number) {
  return Error{ErrorKind::unavailable, std::generic_category().message(number)}.within(
      one_line(path, 400));
}

Result<std::string> blob_id(std::string_view content) {
  git_oid id = {};
  if (auto done = call("id", git_odb_hash, &id, content.data(), content.size(), GIT_OBJECT_BLOB);
      !done)
    return std::move(done).error();
  return to_hex(id);
}

/// For what is too large to be read.
std::string stat_id(const struct stat& about) {
  return "stat-" + std::to_string(about.st_dev) + "-" + std::to_string(about.st_ino) + "-" +
         std::to_string(about.st_size) + "-" + std::to_string(about.st_mtim.tv_sec) + "." +
         std::to_string(about.st_mtim.tv_nsec) + "-" + std::to_string(about.st_ctim.tv_sec) + "." +
         std::to_string(about.st_ctim.tv_nsec);
}

template <typename Entry>
std::optional<std::string> answer_of(const std::optional<Entry>& entry) {
  if (!entry) return std::nullopt;
  return entry->executable ? entry->id + "+x" : entry->id;
}

bool is_executable(const struct stat& about) { return (about.st_mode & S_IXUSR) != 0; }

bool has_git(int directory) {
  struct stat about = {};
  return ::fstatat(directory, ".git", &about, AT_SYMLINK_NOFOLLOW) == 0;
}

/// The git repository whose work tree a directory is, or is in.
struct Surroundings {
  RepositoryHandle repository;
  std::string below;  ///< The directory, from the work tree's root; "." for that itself.
};

std::optional<Surroundings> surroundings_of(const fs::path& directory) {
  auto repository = acquire<RepositoryHandle>(
      "open", git_repository_open_ext, directory.c_str(), 0U, static_cast<const char*>(nullptr));
  if (!repository || git_repository_workdir(repository->get()) == nullptr) return std::nullopt;
  std::error_code error;
  const auto root = fs::canonical(git_repository_workdir(repository->get()), error);
  if (error) return std::nullopt;
  auto below = directory.lexically_relative(root).string();
  if (below.empty() || below.compare(0, 2, "..") == 0) return std::nullopt;
  return Surroundings{*std::move(repository), std::move(below)};
}

/// Whether git leaves it out: it is ignored, and was not added all the same.
bool is_ignored(const Surroundings& around, const RepoPath& path) {
  const auto full = around.below == "." ? path.text() : around.below + "/" + path.text();
  int ignored = 0;
  if (git_ignore_path_is_ignored(&ignored, around.repository.get(), full.c_str()) < 0 ||
      ignored == 0)
    return false;
  const auto index = acquire<IndexHandle>("index", git_repository_index, around.repository.get());
  return index && git_index_get_bypath(index->get(), full.c_str(), 0) == nullptr;
}

/// HEAD, where nothing of the directory differs from it.
std::optional<ports::Revision> clean_head(const Surroundings& around, ReadLimits limits) {
  const auto* repository = &around.repository;
  auto below = around.below;
  git_oid head = {};
  if (git_reference_name_to_id(&head, repository->get(), "HEAD") < 0) return std::nullopt;
  git_status_options options = GIT_STATUS_OPTIONS_INIT;
  options.flags = GIT_STATUS_OPT_INCLUDE_UNTRACKED | GIT_STATUS_OPT_DISABLE_PATHSPEC_MATCH;
  char* const pattern = below.data();
  char* const* const patterns = &pattern;
  if (below != ".") options.pathspec = git_strarray{const_cast<char**>(patterns), 1};
  auto status =
      acquire<StatusListHandle>("status", git_status_list_new, repository->get(), &options);
  if (!status || git_status_list_entrycount(status->get()) != 0) return std::nullopt;
  auto snapshot = GitSnapshot::open(git_repository_path(repository->get()), to_hex(head), limits);
  if (!snapshot) return std::nullopt;
  return (*snapshot)->revision();
}

}  // namespace

class WorkTreeSnapshot::Impl {
 public:
  Impl(Descriptor root,
       std::optional<Surroundings> around,
       ports::Revision revision,
       ReadLimits limits)
      : limits_(limits),
        around_(std::move(around)),
        revision_(std::move(revision)),
        root_(std::move(root)) {}

  const ports::Revision& revision() const { return revision_; }

  Result<std::vector<TreeEntry>> list(const RepoPath& path) {
    const std::lock_guard lock(mutex_);
    std::vector<TreeEntry> entries;
    auto directory = open_directory(path);
    if (!directory) return std::move(directory).error();
    if (!directory->is_open()) return entries;
    const int copy = ::openat(directory->get(), ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (copy < 0) return cannot_read(path.text(), errno);
    const DirectoryHandle stream(::fdopendir(copy));
    if (!stream) {
      ::close(copy);
      return cannot_read(path.text(), errno);
    }
    for (;;) {
      errno = 0;
      const dirent* const item = ::readdir(stream.get());  // NOLINT(concurrency-mt-unsafe): ours
      if (item == nullptr) break;
      const std::string_view name = item->d_name;
      if (name == "." || name == ".." || name == ".git") continue;
      auto child = path.join(name);
      if (!child) return std::move(child).error();
      auto entry = entry_of(directory->get(), *child);
      if (!entry) return std::move(entry).error();
      if (!*entry) continue;  // gone since, or what git does not track either: socket, pipe, device
      if (entries.size() == limits_.directory_entries)
        return refuse_path(
            path.text(),
            "has more than " + std::to_string(limits_.directory_entries) + " entries, the limit");
      entries.push_back(**std::move(entry));
    }
    if (errno != 0) return cannot_read(path.text(), errno);
    std::sort(entries.begin(), entries.end(), [](const TreeEntry& left, const TreeEntry& right) {
      return left.name < right.name;
    });
    return entries;
  }

  Result<std::optional<TreeEntry>> find(const RepoPath& path) {
    const std::lock_guard lock(mutex_);
    auto entry = found(path);
    if (entry) answers_[path] = answer_of(*entry);
    return entry;
  }

  Result<std::optional<TreeFile>> read(const RepoPath& path) {
    const std::lock_guard lock(mutex_);
    auto file = content(path);
    if (file) answers_[path] = answer_of(*file);
    return file;
  }

  Answers answers() {
    const std::lock_guard lock(mutex_);
    return answers_;
  }

  bool agrees_with(const Answers& answers) {
    const std::lock_guard lock(mutex_);
    return std::all_of(answers.begin(), answers.end(), [this](const auto& answer) {
      const auto entry = found(answer.first);
      return entry && answer_of(*entry) == answer.second;
    });
  }

 private:
  Result<std::optional<TreeEntry>> found(const RepoPath& path) const {
    std::optional<TreeEntry> entry;
    if (path.is_root()) {
      entry.emplace();
      entry->kind = TreeEntry::Kind::directory;
    } else {
      auto parent = open_parent(path);
      if (!parent) return std::move(parent).error();
      if (!parent->is_open()) return entry;
      auto there = entry_of(parent->get(), path);
      if (!there) return there;
      entry = *std::move(there);
    }
    if (!entry || entry->kind != TreeEntry::Kind::directory) return entry;
    auto directory = open_directory(path);
    if (!directory) return std::move(directory).error();
    std::string names;
    std::uint64_t left = limits_.directory_entries;
    if (directory->is_open()) describe(directory->get(), "", left, names);
    auto id = blob_id(names);
    if (!id) return std::move(id).error();
    entry->id = *std::move(id);
    return entry;
  }

  /// A line for all that is below a directory; what it holds beyond the limit does not count.
  static void describe(int directory,
                       const std::string& before,
                       std::uint64_t& left,
                       std::string& names) {
    const int copy = ::openat(directory, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    const DirectoryHandle stream(copy < 0 ? nullptr : ::fdopendir(copy));
    if (!stream) {
      if (copy >= 0) ::close(copy);
      return;
    }
    std::set<std::string> here;
    // NOLINTNEXTLINE(concurrency-mt-unsafe): the stream is ours
    for (const dirent* item = ::readdir(stream.get()); item != nullptr && left > 0;
         item = ::readdir(stream.get()), --left)  // NOLINT(concurrency-mt-unsafe)
      here.emplace(item->d_name);
    for (const auto& name : here) {
      struct stat about = {};
      if (name == "." || name == ".." || name == ".git" ||
          ::fstatat(directory, name.c_str(), &about, AT_SYMLINK_NOFOLLOW) != 0)
        continue;
      names += before + name + '\0' + std::to_string(about.st_mode & S_IFMT) + '\n';
      if (!S_ISDIR(about.st_mode)) continue;
      const Descriptor inside(
          ::openat(directory, name.c_str(), O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
      if (!inside.is_open()) continue;
      if (has_git(inside.get()))
        names += "submodule\n";
      else
        describe(inside.get(), before + name + '/', left, names);
    }
  }

  Result<std::optional<TreeFile>> content(const RepoPath& path) {
    if (const auto known = files_.find(path); known != files_.end())
      return std::optional(known->second);
    if (path.is_root()) return refuse_path("", "is a directory");
    auto parent = open_parent(path);
    if (!parent) return std::move(parent).error();
    if (!parent->is_open()) return std::optional<TreeFile>();
    auto file = read_file(parent->get(), path);
    if (file && *file) {
      (*file)->ignored = around_ && is_ignored(*around_, path);
      files_.emplace(path, **file);
    }
    return file;
  }

  /// What counts as "no such directory" at the end of a path; further up a file always does.
  enum class Missing { nothing_there, also_a_file };

  /// Part by part, so that no link can lead elsewhere whatever changes meanwhile. Closed where
  /// there is no such directory.
  Result<Descriptor> open_directory(const RepoPath& path,
                                    Missing missing = Missing::nothing_there) const {
    Descriptor at(::openat(root_.get(), ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    if (!at.is_open()) return cannot_read("the root", errno);
    const std::string& text = path.text();
    for (std::size_t start = 0; start < text.size();) {
      const auto end = std::min(text.find('/', start), text.size());
      const std::string name = text.substr(start, end - start);
      const auto so_far = std::string_view(text).substr(0, end);
      if (name == ".git") return Descriptor();
      Descriptor next(
          ::openat(at.get(), name.c_str(), O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
      if (!next.is_open()) {
        const int number = errno;
        if (number == ENOENT || number == ENAMETOOLONG) return Descriptor();
        struct stat about = {};
        if (::fstatat(at.get(), name.c_str(), &about, AT_SYMLINK_NOFOLLOW) == 0) {
          if (S_ISLNK(about.st_mode)) return refuse_link(so_far);
          if (!S_ISDIR(about.st_mode)) {
            if (end != text.size() || missing == Missing::also_a_file) return Descriptor();
            return refuse_path(so_far, "is not a directory");
          }
        }
        return cannot_read(so_far, number);
      }
      if (has_git(next.get())) return refuse_submodule(so_far);
      at = std::move(next);
      start = end + 1;
    }
    return at;
  }

  /// Closed where nothing can be at `path`.
  Result<Descriptor> open_parent(const RepoPath& path) const {
    if (path.name() == ".git") return Descriptor();
    return open_directory(path.parent(), Missing::also_a_file);
  }

  /// Nothing where there is none, or neither file, directory nor link.
  Result<std::optional<TreeEntry>> entry_of(int parent, const RepoPath& path) const {
    TreeEntry entry;
    entry.name = std::string(path.name());
    struct stat about = {};
    if (::fstatat(parent, entry.name.c_str(), &about, AT_SYMLINK_NOFOLLOW) != 0) {
      if (errno == ENOENT || errno == ENAMETOOLONG) return std::optional<TreeEntry>();
      return cannot_read(path.text(), errno);
    }
    if (S_ISLNK(about.st_mode)) {
      entry.kind = TreeEntry::Kind::symlink;
      std::array<char, 4096> target{};
      const auto length = ::readlinkat(parent, entry.name.c_str(), target.data(), target.size());
      if (length < 0) return cannot_read(path.text(), errno);
      auto id = blob_id(std::string_view(target.data(), static_cast<std::size_t>(length)));
      if (!id) return std::move(id).error();
      entry.id = *std::move(id);
      return std::optional(std::move(entry));
    }
    if (S_ISDIR(about.st_mode)) {
      entry.kind = TreeEntry::Kind::directory;
      const Descriptor inside(
          ::openat(parent, entry.name.c_str(), O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
      if (inside.is_open() && has_git(inside.get())) entry.kind = TreeEntry::Kind::submodule;
      return std::optional(std::move(entry));
    }
    if (!S_ISREG(about.st_mode)) return std::optional<TreeEntry>();
    entry.executable = is_executable(about);
    if (const auto known = files_.find(path); known != files_.end()) {
      entry.id = known->second.id;
      entry.executable = known->second.executable;
    } else if (static_cast<std::uint64_t>(about.st_size) > limits_.file_bytes) {
      entry.id = stat_id(about);
    } else {
      auto file = read_file(parent, path);
      // One file that may not be read (a key beside the compose file) must not hide the others.
      if (!file && file.error().kind != ErrorKind::unavailable) return std::move(file).error();
      if (file && !*file) return std::optional<TreeEntry>();
      entry.id = file ? (*file)->id : stat_id(about);
    }
    return std::optional(std::move(entry));
  }

  Result<std::optional<TreeFile>> read_file(int parent, const RepoPath& path) const {
    const std::string name(path.name());
    // Looked at before it is opened, for opening a device may do something; and again after.
    struct stat about = {};
    if (::fstatat(parent, name.c_str(), &about, AT_SYMLINK_NOFOLLOW) != 0) {
      if (errno == ENOENT || errno == ENAMETOOLONG) return std::optional<TreeFile>();
      return cannot_read(path.text(), errno);
    }
    if (S_ISLNK(about.st_mode)) return refuse_link(path.text());
    if (S_ISDIR(about.st_mode)) return refuse_path(path.text(), "is a directory");
    if (!S_ISREG(about.st_mode)) return refuse_path(path.text(), "is not a regular file");
    const Descriptor file(
        ::openat(parent, name.c_str(), O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC));
    if (!file.is_open()) {
      if (errno == ENOENT) return std::optional<TreeFile>();
      if (errno == ELOOP) return refuse_link(path.text());
      return cannot_read(path.text(), errno);
    }
    if (::fstat(file.get(), &about) != 0) return cannot_read(path.text(), errno);
    if (!S_ISREG(about.st_mode)) return refuse_path(path.text(), "is not a regular file");
    TreeFile result;
    result.executable = is_executable(about);
    std::array<char, 65536> chunk;
    for (;;) {
      const auto count = ::read(file.get(), chunk.data(), chunk.size());
      if (count == 0) break;
      if (count < 0 && errno == EINTR) continue;
      if (count < 0) return cannot_read(path.text(), errno);
      result.text.append(chunk.data(), static_cast<std::size_t>(count));
      if (result.text.size() > limits_.file_bytes)
        return refuse_path(
            path.text(),
            "has more than " + std::to_string(limits_.file_bytes) + " bytes, the limit");
    }
    auto id = blob_id(result.text);
    if (!id) return std::move(id).error();
    result.id = *std::move(id);
    return std::optional(std::move(result));
  }

  const Library library_;
  const ReadLimits limits_;
  const std::optional<Surroundings> around_;  ///< Nothing where the directory is not in git.
  const ports::Revision revision_;
  const Descriptor root_;
  std::mutex mutex_;
  std::map<RepoPath, TreeFile> files_;  ///< What was read.
  Answers answers_;
};

Result<std::shared_ptr<const WorkTreeSnapshot>> WorkTreeSnapshot::open(const fs::path& directory,
                                                                       ReadLimits limits,
                                                                       bool named) {
  const Library library;
  std::error_code error;
  // Links above the root are the person's own way to name it.
  const auto canonical = fs::canonical(directory, error);
  if (error)
    return Error{error == std::errc::no_such_file_or_directory ? ErrorKind::invalid_input
                                                               : ErrorKind::unavailable,
                 directory.string() + ": " + error.message()};
  Descriptor root(::open(canonical.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!root.is_open()) {
    if (errno == ENOTDIR)
      return Error{ErrorKind::invalid_input, directory.string() + " is not a directory"};
    return cannot_read(directory.string(), errno);
  }
  auto around = surroundings_of(canonical);
  auto revision =
      named && around ? clean_head(*around, limits).value_or(ports::Revision{}) : ports::Revision{};
  return std::shared_ptr<const WorkTreeSnapshot>(new WorkTreeSnapshot(
      std::make_unique<Impl>(std::move(root), std::move(around), std::move(revision), limits)));
}

WorkTreeSnapshot::WorkTreeSnapshot(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
WorkTreeSnapshot::~WorkTreeSnapshot() = default;

const ports::Revision& WorkTreeSnapshot::revision() const { return impl_->revision(); }

Result<std::vector<TreeEntry>> WorkTreeSnapshot::list(const RepoPath& directory) const {
  return impl_->list(directory);
}

Result<std::optional<TreeEntry>> WorkTreeSnapshot::find(const RepoPath& path) const {
  return impl_->find(path);
}

Result<std::optional<TreeFile>> WorkTreeSnapshot::read(const RepoPath& path) const {
  return impl_->read(path);
}

WorkTreeSnapshot::Answers WorkTreeSnapshot::answers() const { return impl_->answers(); }

bool WorkTreeSnapshot::agrees_with(const Answers& answers) const {
  return impl_->agrees_with(answers);
}

}  // namespace skep::gitsync
