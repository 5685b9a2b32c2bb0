#include "tests/e2e/repo.hpp"

#include <fstream>

#include <gtest/gtest.h>

#include "tests/lab/command.hpp"

namespace skep::e2e {

Repo::Repo(std::filesystem::path directory) : directory_(std::move(directory)) {
  std::filesystem::create_directories(tree());
  const auto bare = lab::run({"git", "init", "-q", "--bare", "-b", "main", this->bare()});
  EXPECT_EQ(bare.exit_code, 0) << bare.err;
  git({"init", "-q", "-b", "main"});
  git({"remote", "add", "origin", this->bare()});
  write("skep.yaml", "defaults: { resolve_image: never, timeout: 60s }\n");
}

std::string Repo::git(const std::vector<std::string>& arguments) const {
  std::vector<std::string> command{"git",
                                   "-C",
                                   tree(),
                                   "-c",
                                   "user.name=Ada",
                                   "-c",
                                   "user.email=ada@example.com",
                                   "-c",
                                   "commit.gpgsign=false"};
  command.insert(command.end(), arguments.begin(), arguments.end());
  const auto done =
      lab::run(command, {{"GIT_CONFIG_GLOBAL", "/dev/null"}, {"GIT_CONFIG_SYSTEM", "/dev/null"}});
  EXPECT_EQ(done.exit_code, 0) << arguments.front() << ": " << done.err;
  return done.out;
}

void Repo::write(const std::string& path, const std::string& text) {
  const auto file = std::filesystem::path(tree()) / path;
  std::filesystem::create_directories(file.parent_path());
  std::ofstream(file, std::ios::binary) << text;
}

void Repo::stack(const std::string& name, const std::string& compose) {
  write("apps/" + name + "/docker-compose.yml", compose);
}

void Repo::remove(const std::string& path) {
  std::filesystem::remove_all(std::filesystem::path(tree()) / path);
}

void Repo::link(const std::string& path, const std::string& target) {
  const auto file = std::filesystem::path(tree()) / path;
  std::filesystem::create_directories(file.parent_path());
  std::filesystem::create_symlink(target, file);
}

std::string Repo::push(const std::string& message) {
  git({"add", "-A"});
  git({"commit", "-q", "-m", message});
  git({"push", "-q", "origin", "HEAD:main"});
  if (pushed) pushed();
  auto commit = git({"rev-parse", "HEAD"});
  while (!commit.empty() && commit.back() == '\n') commit.pop_back();
  return commit;
}

std::string Repo::rewrite() {
  git({"add", "-A"});
  git({"commit", "-q", "--amend", "-m", "rewritten"});
  git({"push", "-q", "--force", "origin", "HEAD:main"});
  if (pushed) pushed();
  auto commit = git({"rev-parse", "HEAD"});
  while (!commit.empty() && commit.back() == '\n') commit.pop_back();
  return commit;
}

void Repo::hide() {
  std::filesystem::rename(bare(), bare() + ".away");
  if (pushed) pushed();  // It is looked for now, not at the next interval.
}
void Repo::bring_back() { std::filesystem::rename(bare() + ".away", bare()); }

namespace {

std::string flow_style(const std::string& image,
                       const std::string& deploy,
                       const std::string& more) {
  return "{ image: " + image + ", stop_signal: SIGKILL, " + "deploy: { " + deploy +
         "update_config: { monitor: 200ms }, restart_policy: { delay: 100ms } }" +
         (more.empty() ? "" : ", " + more) + " }\n";
}

}  // namespace

std::string service(const std::string& image, const std::string& more) {
  return flow_style(image, "", more);
}
std::string idle_service(const std::string& image, const std::string& more) {
  return flow_style(image, "replicas: 0, ", more);
}

}  // namespace skep::e2e
