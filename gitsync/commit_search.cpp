#include "gitsync/commit_search.hpp"

#include <algorithm>
#include <optional>

#include "gitsync/git2.hpp"
#include "gitsync/library.hpp"
#include "gitsync/one_line.hpp"

namespace skep::gitsync {
namespace {

constexpr std::size_t kFewestDigits = 4;  // As git itself.

/// What stands at the path in a commit; nothing where nothing does.
Result<std::optional<git_oid>> entry_of(git_commit* commit, const std::string& path) {
  auto root = acquire<TreeHandle>("root of a commit", git_commit_tree, commit);
  if (!root) return std::move(root).error();
  git_tree_entry* raw = nullptr;
  const int code = git_tree_entry_bypath(&raw, root->get(), path.c_str());
  const TreeEntryHandle entry(raw);
  if (code == GIT_ENOTFOUND) return std::optional<git_oid>();
  if (code < 0) return git_error_of(code, path);
  return std::optional<git_oid>(*git_tree_entry_id(entry.get()));
}

bool same(const std::optional<git_oid>& left, const std::optional<git_oid>& right) {
  if (!left || !right) return left.has_value() == right.has_value();
  return git_oid_equal(&*left, &*right) != 0;
}

}  // namespace

Result<std::string> find_commit(const std::filesystem::path& repository,
                                const std::string& beginning) {
  const Library library;
  const auto shown = "\"" + one_line(beginning, 80) + "\"";
  git_oid prefix = {};
  const bool hex = beginning.size() >= kFewestDigits && beginning.size() <= GIT_OID_HEXSZ &&
                   git_oid_fromstrn(&prefix, beginning.data(), beginning.size()) == 0;
  if (!hex) {
    return Error{ErrorKind::invalid_input,
                 shown + " is no revision: give 4 to 40 hex digits of a commit's id"};
  }
  auto opened =
      acquire<RepositoryHandle>("open the repository", git_repository_open, repository.c_str());
  if (!opened) return std::move(opened).error();
  git_object* raw = nullptr;
  const int code =
      git_object_lookup_prefix(&raw, opened->get(), &prefix, beginning.size(), GIT_OBJECT_COMMIT);
  const ObjectHandle object(raw);
  if (code == GIT_EAMBIGUOUS)
    return Error{ErrorKind::invalid_input, shown + " begins several ids; give more digits"};
  if (code == GIT_ENOTFOUND) {
    return Error{ErrorKind::invalid_input,
                 "no commit " + shown + " was ever fetched here; `git log` shows what there is"};
  }
  if (code < 0) return git_error_of(code, "commit " + beginning);
  return to_hex(*git_object_id(object.get()));
}

Result<std::string> find_last_change(const std::filesystem::path& repository,
                                     const std::string& commit,
                                     const RepoPath& path,
                                     std::size_t furthest) {
  const Library library;
  const auto id = parse_oid(commit);
  if (!id) return id.error();
  auto opened =
      acquire<RepositoryHandle>("open the repository", git_repository_open, repository.c_str());
  if (!opened) return std::move(opened).error();
  auto current = acquire<CommitHandle>("commit " + commit, git_commit_lookup, opened->get(), &*id);
  if (!current) return std::move(current).error();
  const auto wanted = entry_of(current->get(), path.text());
  if (!wanted) return wanted.error();
  if (!*wanted) {
    return Error{ErrorKind::invalid_input,
                 "revision " + commit.substr(0, 12) + " has no file " + path.text()};
  }
  for (std::size_t looked_at = 0; looked_at < furthest; ++looked_at) {
    // Whatever parent has the same file, it came from there.
    CommitHandle origin;
    const unsigned parents = git_commit_parentcount(current->get());
    for (unsigned i = 0; i < parents && !origin; ++i) {
      auto parent = acquire<CommitHandle>("parent", git_commit_parent, current->get(), i);
      if (!parent) return std::move(parent).error();
      const auto before = entry_of(parent->get(), path.text());
      if (!before) return before.error();
      if (same(*before, *wanted)) origin = std::move(*parent);
    }
    if (!origin) return to_hex(*git_commit_id(current->get()));
    *current = std::move(origin);
  }
  return Error{ErrorKind::unavailable,
               path.text() + " was not changed in the last " + std::to_string(furthest) +
                   " commits; `git log -1 -- " + path.text() + "` looks further back"};
}

}  // namespace skep::gitsync
