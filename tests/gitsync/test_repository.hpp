#pragma once

#include <filesystem>
#include <map>
#include <string>

#include "gitsync/git2.hpp"
#include "gitsync/library.hpp"

namespace skep::gitsync::test {

struct File {
  std::string content;
  unsigned mode = 0100644;  ///< 0120000: a symlink to `content`; 0160000: a submodule.
};
using Files = std::map<std::string, File>;

/// A bare repository that tests fill. Objects are written byte by byte, so that it can hold what
/// git itself would refuse to make.
class TestRepository {
 public:
  explicit TestRepository(const std::filesystem::path& path);

  /// A commit with exactly `files`, on top of the branch; returns its id.
  std::string commit(const std::string& branch, const Files& files);
  /// The same without a parent: the branch's history is rewritten.
  std::string rewrite(const std::string& branch, const Files& files);
  /// A commit on no branch.
  std::string loose_commit(const Files& files);
  void tag(const std::string& name, const std::string& commit);
  /// Returns the id of the tag object.
  std::string annotated_tag(const std::string& name, const std::string& commit);
  void move_branch(const std::string& branch, const std::string& commit);
  void delete_branch(const std::string& branch);
  void set_head(const std::string& branch);

  [[nodiscard]] const std::filesystem::path& path() const { return path_; }

 private:
  git_oid write(const std::string& bytes, git_object_t type);
  git_oid write_tree(const Files& files);
  std::string write_commit(const Files& files, const std::string& parent);
  void set(const std::string& ref, const std::string& id);

  const Library library_;
  std::filesystem::path path_;
  RepositoryHandle repository_;
  OdbHandle odb_;
  int commits_ = 0;
};

}  // namespace skep::gitsync::test
