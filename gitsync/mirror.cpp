#include "gitsync/mirror.hpp"

#include <set>
#include <system_error>
#include <utility>
#include <vector>

#include "gitsync/one_line.hpp"

namespace skep::gitsync {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t kDeepest = 256;

std::vector<fs::path> packs_in(const fs::path& directory, const std::string& extension) {
  std::vector<fs::path> found;
  std::error_code error;
  for (fs::directory_iterator at(directory, error), end; !error && at != end; at.increment(error))
    if (at->path().extension() == extension) found.push_back(at->path());
  return found;
}

/// A fetch that was killed leaves its half pack under libgit2's temporary name, and may leave the
/// lock file of a ref.
void remove_leftovers(const fs::path& mirror) {
  std::error_code error;
  const auto packs = mirror / "objects" / "pack";
  std::vector<fs::path> leftovers;
  for (fs::directory_iterator at(packs, error), end; !error && at != end; at.increment(error))
    if (at->path().filename().string().find("_git2_") != std::string::npos)
      leftovers.push_back(at->path());
  error.clear();
  for (fs::recursive_directory_iterator at(mirror / "refs", error), end; !error && at != end;
       at.increment(error))
    if (at->path().extension() == ".lock") leftovers.push_back(at->path());
  leftovers.push_back(mirror / "packed-refs.lock");
  leftovers.push_back(mirror / "config.lock");
  for (const auto& leftover : leftovers) fs::remove(leftover, error);
}

struct OidLess {
  bool operator()(const git_oid& left, const git_oid& right) const {
    return git_oid_cmp(&left, &right) < 0;
  }
};

}  // namespace

Mirror::Mirror(fs::path path, RepositoryHandle repository, OdbHandle odb)
    : path_(std::move(path)), repository_(std::move(repository)), odb_(std::move(odb)) {}

Result<Mirror> Mirror::open(const fs::path& path) {
  std::error_code error;
  if (fs::exists(path, error)) remove_leftovers(path);
  git_repository_init_options options = GIT_REPOSITORY_INIT_OPTIONS_INIT;
  options.flags = GIT_REPOSITORY_INIT_BARE | GIT_REPOSITORY_INIT_MKPATH;
  options.mode = 0700;
  // Also completes one whose making was interrupted.
  auto repository =
      acquire<RepositoryHandle>("open the mirror", git_repository_init_ext, path.c_str(), &options);
  if (!repository) return std::move(repository).error();
  auto odb = acquire<OdbHandle>("open the mirror's objects", git_repository_odb, repository->get());
  if (!odb) return std::move(odb).error();
  return Mirror(path, std::move(*repository), std::move(*odb));
}

Result<git_oid> Mirror::commit_of(const git_oid& object) const {
  auto found = acquire<ObjectHandle>(
      "object " + to_hex(object), git_object_lookup, repository_.get(), &object, GIT_OBJECT_ANY);
  if (!found) return std::move(found).error();
  git_object* raw = nullptr;
  if (git_object_peel(&raw, found->get(), GIT_OBJECT_COMMIT) < 0) {
    git_error_clear();
    return Error{ErrorKind::invalid_input, "the ref does not name a commit"};
  }
  const ObjectHandle commit(raw);
  return *git_object_id(commit.get());
}

bool Mirror::has(const git_oid& object) const { return git_odb_exists(odb_.get(), &object) == 1; }

Result<void> Mirror::check_tree(const git_oid& commit, const FetchLimits& limits) const {
  auto found = acquire<CommitHandle>("commit", git_commit_lookup, repository_.get(), &commit);
  if (!found) return std::move(found).error();
  std::vector<std::pair<git_oid, std::size_t>> open{{*git_commit_tree_id(found->get()), 1}};
  // Equal trees once: a few objects can otherwise stand for billions of files.
  std::set<git_oid, OidLess> seen{open.front().first};
  std::uint64_t entries = 0;
  while (!open.empty()) {
    const auto [id, depth] = open.back();
    open.pop_back();
    auto tree = acquire<TreeHandle>("directory", git_tree_lookup, repository_.get(), &id);
    if (!tree) return std::move(tree).error();
    const std::size_t count = git_tree_entrycount(tree->get());
    entries += count;
    if (entries > limits.tree_entries)
      return Error{ErrorKind::invalid_input,
                   "the commit has more than " + std::to_string(limits.tree_entries) +
                       " files and directories, the limit"};
    for (std::size_t at = 0; at < count; ++at) {
      const git_tree_entry* const entry = git_tree_entry_byindex(tree->get(), at);
      const git_oid& entry_id = *git_tree_entry_id(entry);
      const auto type = git_tree_entry_type(entry);
      if (type == GIT_OBJECT_COMMIT) continue;  // a submodule's commit is in another repository
      if (type != GIT_OBJECT_TREE) {
        std::size_t size = 0;
        git_object_t stored = GIT_OBJECT_INVALID;
        if (auto header =
                call("object", git_odb_read_header, &size, &stored, odb_.get(), &entry_id);
            !header)
          return header;
        if (size > limits.object_bytes)
          return Error{ErrorKind::invalid_input,
                       "the file " + one_line(git_tree_entry_name(entry)) + " has " +
                           std::to_string(size) + " bytes, more than the limit of " +
                           std::to_string(limits.object_bytes)};
        continue;
      }
      if (depth == kDeepest)
        return Error{
            ErrorKind::invalid_input,
            "the commit's directories are more than " + std::to_string(kDeepest) + " levels deep"};
      if (seen.insert(entry_id).second) open.emplace_back(entry_id, depth + 1);
    }
  }
  return {};
}

Result<bool> Mirror::descends(const git_oid& descendant, const git_oid& ancestor) const {
  if (git_oid_equal(&descendant, &ancestor) == 1) return true;
  if (!has(ancestor)) return false;
  const int code = git_graph_descendant_of(repository_.get(), &descendant, &ancestor);
  if (code < 0) return git_error_of(code, "history");
  return code == 1;
}

bool Mirror::has_lost(const std::string& name) const {
  git_oid id = {};
  const auto ref = "refs/skep/" + name;
  const bool named = git_reference_name_to_id(&id, repository_.get(), ref.c_str()) == 0;
  git_error_clear();
  return named && !has(id);
}

Result<void> Mirror::keep(const std::string& name, const git_oid& object) const {
  const auto ref = "refs/skep/" + name;
  auto made = acquire<ReferenceHandle>("keep " + to_hex(object),
                                       git_reference_create,
                                       repository_.get(),
                                       ref.c_str(),
                                       &object,
                                       1,
                                       nullptr);
  if (!made) return std::move(made).error();
  return {};
}

Result<void> Mirror::compact() const {
  const auto directory = path_ / "objects" / "pack";
  const auto before = packs_in(directory, ".pack");
  auto builder = acquire<PackBuilderHandle>("compact", git_packbuilder_new, repository_.get());
  if (!builder) return std::move(builder).error();
  git_packbuilder_set_threads(builder->get(), 1);
  auto walk = acquire<RevwalkHandle>("compact", git_revwalk_new, repository_.get());
  if (!walk) return std::move(walk).error();
  if (auto done = call("compact", git_revwalk_push_glob, walk->get(), "refs/skep/*"); !done)
    return done;
  if (auto done = call("compact", git_packbuilder_insert_walk, builder->get(), walk->get()); !done)
    return done;
  if (auto done = call("compact",
                       git_packbuilder_write,
                       builder->get(),
                       directory.c_str(),
                       0U,
                       nullptr,
                       nullptr);
      !done)
    return done;
  const std::string fresh = std::string("pack-") + git_packbuilder_name(builder->get());
  std::error_code error;
  if (!fs::exists(directory / (fresh + ".idx"), error))
    return Error{ErrorKind::unavailable, "compact: the new pack is not where it should be"};
  for (const auto& old : before) {
    if (old.stem() == fresh) continue;
    // The index first: a reader that lists the directory must not find one without its pack.
    fs::remove(fs::path(old).replace_extension(".idx"), error);
    fs::remove(old, error);
  }
  return {};
}

std::size_t count_packs(const fs::path& mirror) {
  return packs_in(mirror / "objects" / "pack", ".pack").size();
}

}  // namespace skep::gitsync
