#include "tests/gitsync/test_repository.hpp"

#include <algorithm>
#include <stdexcept>
#include <vector>

namespace skep::gitsync::test {
namespace {

template <typename T>
T must(Result<T> result) {
  if (!result) throw std::runtime_error(result.error().message);
  return *std::move(result);
}

std::string octal(unsigned mode) {
  std::string text;
  for (; mode != 0; mode /= 8) text.insert(text.begin(), static_cast<char>('0' + mode % 8));
  return text;
}

}  // namespace

TestRepository::TestRepository(const std::filesystem::path& path) : path_(path) {
  repository_ = must(acquire<RepositoryHandle>("init", git_repository_init, path.c_str(), 1U));
  odb_ = must(acquire<OdbHandle>("odb", git_repository_odb, repository_.get()));
  set_head("main");
}

git_oid TestRepository::write(const std::string& bytes, git_object_t type) {
  git_oid id = {};
  if (git_odb_write(&id, odb_.get(), bytes.data(), bytes.size(), type) < 0)
    throw std::runtime_error("write object");
  return id;
}

git_oid TestRepository::write_tree(const Files& files) {
  struct Item {
    std::string name;
    unsigned mode;
    git_oid id;
  };
  std::vector<Item> items;
  std::map<std::string, Files> below;
  for (const auto& [path, file] : files) {
    const auto slash = path.find('/');
    if (slash != std::string::npos) {
      below[path.substr(0, slash)][path.substr(slash + 1)] = file;
      continue;
    }
    git_oid id = {};
    if (file.mode == 0160000)
      std::fill(std::begin(id.id), std::end(id.id), static_cast<unsigned char>(0x11));
    else
      id = write(file.content, GIT_OBJECT_BLOB);
    items.push_back(Item{path, file.mode, id});
  }
  for (const auto& [name, inside] : below) items.push_back(Item{name, 040000, write_tree(inside)});
  std::sort(items.begin(), items.end(), [](const Item& left, const Item& right) {
    const auto key = [](const Item& item) { return item.name + (item.mode == 040000 ? "/" : ""); };
    return key(left) < key(right);
  });
  std::string bytes;
  for (const auto& item : items) {
    bytes += octal(item.mode) + " " + item.name + '\0';
    bytes.append(reinterpret_cast<const char*>(item.id.id), GIT_OID_RAWSZ);
  }
  return write(bytes, GIT_OBJECT_TREE);
}

std::string TestRepository::write_commit(const Files& files, const std::string& parent) {
  const auto number = std::to_string(++commits_);
  std::string text = "tree " + to_hex(write_tree(files)) + "\n";
  if (!parent.empty()) text += "parent " + parent + "\n";
  const auto who =
      "Bea Keeper <bea@example.com> " + std::to_string(1700000000 + commits_) + " +0000\n";
  text += "author " + who + "committer " + who + "\nChange number " + number + "\n\nWhy.\n";
  return to_hex(write(text, GIT_OBJECT_COMMIT));
}

void TestRepository::set(const std::string& ref, const std::string& id) {
  const auto oid = must(parse_oid(id));
  must(acquire<ReferenceHandle>(
      "ref", git_reference_create, repository_.get(), ref.c_str(), &oid, 1, nullptr));
}

std::string TestRepository::commit(const std::string& branch, const Files& files) {
  git_oid head = {};
  const auto ref = "refs/heads/" + branch;
  const bool exists = git_reference_name_to_id(&head, repository_.get(), ref.c_str()) == 0;
  const auto id = write_commit(files, exists ? to_hex(head) : "");
  set(ref, id);
  return id;
}

std::string TestRepository::rewrite(const std::string& branch, const Files& files) {
  const auto id = write_commit(files, "");
  set("refs/heads/" + branch, id);
  return id;
}

std::string TestRepository::loose_commit(const Files& files) { return write_commit(files, ""); }

void TestRepository::tag(const std::string& name, const std::string& commit) {
  set("refs/tags/" + name, commit);
}

std::string TestRepository::annotated_tag(const std::string& name, const std::string& commit) {
  const auto id =
      to_hex(write("object " + commit + "\ntype commit\ntag " + name +
                       "\ntagger Bea Keeper <bea@example.com> 1700000000 +0000\n\nTag.\n",
                   GIT_OBJECT_TAG));
  set("refs/tags/" + name, id);
  return id;
}

void TestRepository::move_branch(const std::string& branch, const std::string& commit) {
  set("refs/heads/" + branch, commit);
}

void TestRepository::delete_branch(const std::string& branch) {
  if (git_reference_remove(repository_.get(), ("refs/heads/" + branch).c_str()) < 0)
    throw std::runtime_error("delete " + branch);
}

void TestRepository::set_head(const std::string& branch) {
  if (git_repository_set_head(repository_.get(), ("refs/heads/" + branch).c_str()) < 0)
    throw std::runtime_error("set HEAD");
}

}  // namespace skep::gitsync::test
