// How long the shipped web-app template takes to become compose text, and how long a whole
// repository of stacks made from it takes to become engine objects: 1,000 stacks by default, or as
// many as the argument says. CPU time.
#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <functional>
#include <map>
#include <string>
#include <utility>

#include "core/digest.hpp"
#include "helm-like-templates/catalog/catalog.hpp"
#include "helm-like-templates/package/package.hpp"
#include "repository/desired_state.hpp"

namespace {

using namespace skep;

/// A repository in memory that finds things as fast as git does.
class MemoryTree final : public ports::Snapshot {
 public:
  MemoryTree(const std::map<std::string, std::string>& files, std::string commit) {
    revision_.commit = std::move(commit);
    for (const auto& [text, content] : files) {
      auto path = *RepoPath::parse(text);
      files_[path] = {sha256_hex(content), content, false};
      ports::TreeEntry entry{
          std::string(path.name()), ports::TreeEntry::Kind::file, files_[path].id};
      while (!path.is_root()) {
        auto& known = directories_[path.parent()][entry.name];
        if (entry.kind == ports::TreeEntry::Kind::directory)
          entry.id = sha256_hex(known.id + entry.id);
        known = entry;
        path = path.parent();
        entry = {std::string(path.name()), ports::TreeEntry::Kind::directory, entry.id};
      }
    }
  }
  const ports::Revision& revision() const override { return revision_; }
  Result<std::vector<ports::TreeEntry>> list(const RepoPath& directory) const override {
    std::vector<ports::TreeEntry> entries;
    const auto found = directories_.find(directory);
    if (found == directories_.end()) return entries;
    for (const auto& [name, entry] : found->second) entries.push_back(entry);
    return entries;
  }
  Result<std::optional<ports::TreeEntry>> find(const RepoPath& path) const override {
    const auto found = directories_.find(path.parent());
    if (found == directories_.end()) return std::optional<ports::TreeEntry>();
    const auto entry = found->second.find(std::string(path.name()));
    if (entry == found->second.end()) return std::optional<ports::TreeEntry>();
    return std::optional(entry->second);
  }
  Result<std::optional<ports::TreeFile>> read(const RepoPath& path) const override {
    const auto found = files_.find(path);
    if (found == files_.end()) return std::optional<ports::TreeFile>();
    return std::optional(found->second);
  }

 private:
  ports::Revision revision_;
  std::map<RepoPath, ports::TreeFile> files_;
  std::map<RepoPath, std::map<std::string, ports::TreeEntry>> directories_;
};

double milliseconds(const std::function<void()>& work) {
  const auto start = std::clock();
  work();
  return 1000.0 * static_cast<double>(std::clock() - start) / CLOCKS_PER_SEC;
}

std::string values(std::size_t i) {
  return "image: registry.example.com/shop/web:2.4." + std::to_string(i) +
         "\nproxy: { hosts: [shop-" + std::to_string(i) +
         ".example.com], tls: true, certResolver: le }\nhealthcheck: { path: /health }\nenv: { "
         "LOG_LEVEL: info, WORKERS: 4 }\nsecrets: { api_key: { external: shop-api-key } }\n";
}

}  // namespace

int main(int argc, char** argv) {
  const auto count = argc > 1 ? static_cast<std::size_t>(std::atol(argv[1])) : 1000U;
  package::Package::Files files;
  for (const auto& file : catalog::find("web-app")->files) files.emplace(file.path, file.text);
  const auto package = package::Package::from("web-app", "web-app", files);
  package::Input input;
  input.values = {{"values.yaml", values(1)}};
  templates::Map stack;
  stack.entries.emplace("Name", templates::Value("shop"));
  input.stack = templates::Value(std::move(stack));
  constexpr int kRounds = 200;
  const auto one = milliseconds([&] {
    for (int i = 0; i < kRounds; ++i) {
      const auto output = package::render(package, input);
      if (output.documents.size() != 1) std::abort();
    }
  });
  std::printf("one web-app rendered      %8.3f ms\n", one / kRounds);

  std::map<std::string, std::string> tree;
  for (std::size_t i = 0; i < count; ++i) {
    const auto directory = "apps/shop-" + std::to_string(i);
    tree[directory + "/skep.yaml"] = "template: web-app\n";
    tree[directory + "/values.yaml"] = values(i);
  }
  const MemoryTree before(tree, "c1");
  repository::DesiredState first;
  const auto all = milliseconds([&] {
    auto state = repository::load_desired_state(before, {}, nullptr);
    if (!state || state->rendered != count || state->stacks.front()->broken()) std::abort();
    first = *std::move(state);
  });
  std::printf("%zu stacks               %8.1f ms\n", count, all);
  tree["apps/shop-0/values.yaml"] += "replicas: 3\n";
  const MemoryTree after(tree, "c2");
  std::size_t rendered = 0;
  const auto again = milliseconds([&] {
    auto state = repository::load_desired_state(after, {}, &first);
    if (!state) std::abort();
    rendered = state->rendered;
  });
  std::printf("one of them changed       %8.1f ms, %zu rendered again\n", again, rendered);
  return rendered == 1 ? 0 : 1;
}
