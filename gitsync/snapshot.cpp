#include "gitsync/snapshot.hpp"

#include <algorithm>
#include <mutex>
#include <vector>

#include "gitsync/git2.hpp"
#include "gitsync/library.hpp"
#include "gitsync/one_line.hpp"

namespace skep::gitsync {
namespace {

using ports::TreeEntry;

TreeEntry to_entry(const git_tree_entry* raw) {
  TreeEntry entry;
  entry.name = git_tree_entry_name(raw);
  entry.id = to_hex(*git_tree_entry_id(raw));
  switch (git_tree_entry_filemode_raw(raw) & 0170000U) {
    case GIT_FILEMODE_TREE:
      entry.kind = TreeEntry::Kind::directory;
      break;
    case GIT_FILEMODE_LINK:
      entry.kind = TreeEntry::Kind::symlink;
      break;
    case GIT_FILEMODE_COMMIT:
      entry.kind = TreeEntry::Kind::submodule;
      break;
    default:
      entry.executable = (git_tree_entry_filemode_raw(raw) & 0111U) != 0;
  }
  return entry;
}

bool is_link(TreeEntry::Kind kind) {
  return kind == TreeEntry::Kind::symlink || kind == TreeEntry::Kind::submodule;
}

Error refuse(std::string_view path, std::string_view why) {
  return Error{ErrorKind::invalid_input,
               one_line(path, 400) + (path.empty() ? "the root " : " ") + std::string(why)};
}

Error refuse_link(std::string_view path, TreeEntry::Kind kind) {
  return refuse(path,
                kind == TreeEntry::Kind::symlink
                    ? "is a symbolic link: skep does not follow links, put the file itself there"
                    : "is a submodule: skep does not read submodules, put the files themselves "
                      "there");
}

/// A tree may hold any bytes for a name; these would be read as a way to another place.
bool is_plain_name(std::string_view name) {
  return !name.empty() && name != "." && name != ".." && name.find('/') == name.npos;
}

ports::Revision to_revision(const git_commit* commit) {
  ports::Revision revision;
  revision.commit = to_hex(*git_commit_id(commit));
  const git_signature* const author = git_commit_author(commit);
  revision.author = one_line(author->name) + " <" + one_line(author->email) + ">";
  const char* const message = git_commit_message(commit);
  const std::string_view text = message == nullptr ? "" : message;
  const auto start = text.find_first_not_of("\r\n\t ");
  if (start != text.npos)
    revision.subject = one_line(text.substr(start, text.find('\n', start) - start));
  revision.committed_at = WallTime(std::chrono::seconds(git_commit_time(commit)));
  return revision;
}

}  // namespace

class GitSnapshot::Impl {
 public:
  Impl(RepositoryHandle repository,
       OdbHandle odb,
       TreeHandle root,
       ports::Revision revision,
       ReadLimits limits)
      : limits_(limits),
        revision_(std::move(revision)),
        repository_(std::move(repository)),
        odb_(std::move(odb)),
        root_(std::move(root)) {}

  const ports::Revision& revision() const { return revision_; }

  Result<std::vector<TreeEntry>> list(const RepoPath& directory) {
    const std::lock_guard lock(mutex_);
    std::vector<TreeEntry> entries;
    const git_tree* tree = root_.get();
    TreeHandle below;
    if (!directory.is_root()) {
      auto entry = walk(directory);
      if (!entry) return std::move(entry).error();
      if (!*entry) return entries;
      if (is_link((*entry)->kind)) return refuse_link(directory.text(), (*entry)->kind);
      if ((*entry)->kind != TreeEntry::Kind::directory)
        return refuse(directory.text(), "is not a directory");
      auto opened = tree_of((*entry)->id);
      if (!opened) return std::move(opened).error().within(directory.text());
      below = std::move(*opened);
      tree = below.get();
    }
    const std::size_t count = git_tree_entrycount(tree);
    if (count > limits_.directory_entries)
      return refuse(directory.text(),
                    "has " + std::to_string(count) + " entries, more than the limit of " +
                        std::to_string(limits_.directory_entries));
    entries.reserve(count);
    for (std::size_t at = 0; at < count; ++at) {
      auto entry = to_entry(git_tree_entry_byindex(tree, at));
      if (!is_plain_name(entry.name))
        return refuse(directory.text(), "holds an entry with a name that no file can have");
      entries.push_back(std::move(entry));
    }
    // Git sorts "a.b" before "a/" (a directory counts with its slash); we sort by name alone.
    std::sort(entries.begin(), entries.end(), [](const TreeEntry& left, const TreeEntry& right) {
      return left.name < right.name;
    });
    return entries;
  }

  Result<std::optional<TreeEntry>> find(const RepoPath& path) {
    const std::lock_guard lock(mutex_);
    if (path.is_root()) {
      TreeEntry entry;
      entry.kind = TreeEntry::Kind::directory;
      entry.id = to_hex(*git_tree_id(root_.get()));
      return std::optional(std::move(entry));
    }
    return walk(path);
  }

  Result<std::optional<ports::TreeFile>> read(const RepoPath& path) {
    const std::lock_guard lock(mutex_);
    if (path.is_root()) return refuse("", "is a directory");
    auto entry = walk(path);
    if (!entry) return std::move(entry).error();
    if (!*entry) return std::optional<ports::TreeFile>();
    if (is_link((*entry)->kind)) return refuse_link(path.text(), (*entry)->kind);
    if ((*entry)->kind == TreeEntry::Kind::directory) return refuse(path.text(), "is a directory");
    const auto id = parse_oid((*entry)->id);
    // The header first: a blob over the limit must not reach memory.
    std::size_t size = 0;
    git_object_t type = GIT_OBJECT_INVALID;
    if (auto header = call("size", git_odb_read_header, &size, &type, odb_.get(), &*id); !header)
      return std::move(header).error().within(path.text());
    if (size > limits_.file_bytes)
      return refuse(path.text(),
                    "has " + std::to_string(size) + " bytes, more than the limit of " +
                        std::to_string(limits_.file_bytes));
    auto blob = acquire<BlobHandle>("content", git_blob_lookup, repository_.get(), &*id);
    if (!blob) return std::move(blob).error().within(path.text());
    ports::TreeFile file;
    file.id = (*entry)->id;
    file.executable = (*entry)->executable;
    file.text.assign(static_cast<const char*>(git_blob_rawcontent(blob->get())),
                     static_cast<std::size_t>(git_blob_rawsize(blob->get())));
    return std::optional(std::move(file));
  }

 private:
  Result<TreeHandle> tree_of(const std::string& hex) {
    const auto id = parse_oid(hex);
    if (!id) return id.error();
    return acquire<TreeHandle>("directory", git_tree_lookup, repository_.get(), &*id);
  }

  /// The entry at a path that is not the root. Links on the way are refused, a link at the end is
  /// returned.
  Result<std::optional<TreeEntry>> walk(const RepoPath& path) {
    const std::string& text = path.text();
    const git_tree* tree = root_.get();
    TreeHandle holder;
    std::size_t start = 0;
    for (;;) {
      const auto end = std::min(text.find('/', start), text.size());
      const std::string name = text.substr(start, end - start);
      const git_tree_entry* const raw = git_tree_entry_byname(tree, name.c_str());
      if (raw == nullptr) return std::optional<TreeEntry>();
      auto entry = to_entry(raw);
      if (end == text.size()) return std::optional(std::move(entry));
      const auto so_far = std::string_view(text).substr(0, end);
      if (is_link(entry.kind)) return refuse_link(so_far, entry.kind);
      if (entry.kind != TreeEntry::Kind::directory) return std::optional<TreeEntry>();
      auto below = tree_of(entry.id);
      if (!below) return std::move(below).error().within(so_far);
      holder = std::move(*below);
      tree = holder.get();
      start = end + 1;
    }
  }

  const Library library_;
  const ReadLimits limits_;
  const ports::Revision revision_;
  std::mutex mutex_;  ///< libgit2 objects of one repository must not be used at the same time.
  RepositoryHandle repository_;
  OdbHandle odb_;
  TreeHandle root_;
};

Result<std::shared_ptr<const GitSnapshot>> GitSnapshot::open(
    const std::filesystem::path& repository, const std::string& commit, ReadLimits limits) {
  const Library library;
  const auto id = parse_oid(commit);
  if (!id) return id.error();
  auto opened =
      acquire<RepositoryHandle>("open the repository", git_repository_open, repository.c_str());
  if (!opened) return std::move(opened).error();
  auto odb = acquire<OdbHandle>("open the object database", git_repository_odb, opened->get());
  if (!odb) return std::move(odb).error();
  auto found = acquire<CommitHandle>("commit " + commit, git_commit_lookup, opened->get(), &*id);
  if (!found) return std::move(found).error();
  auto root = acquire<TreeHandle>("root of commit " + commit, git_commit_tree, found->get());
  if (!root) return std::move(root).error();
  auto impl = std::make_unique<Impl>(
      std::move(*opened), std::move(*odb), std::move(*root), to_revision(found->get()), limits);
  return std::shared_ptr<const GitSnapshot>(new GitSnapshot(std::move(impl)));
}

GitSnapshot::GitSnapshot(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
GitSnapshot::~GitSnapshot() = default;

const ports::Revision& GitSnapshot::revision() const { return impl_->revision(); }

Result<std::vector<TreeEntry>> GitSnapshot::list(const RepoPath& directory) const {
  return impl_->list(directory);
}

Result<std::optional<TreeEntry>> GitSnapshot::find(const RepoPath& path) const {
  return impl_->find(path);
}

Result<std::optional<ports::TreeFile>> GitSnapshot::read(const RepoPath& path) const {
  return impl_->read(path);
}

}  // namespace skep::gitsync
