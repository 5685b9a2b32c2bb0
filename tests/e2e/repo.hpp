#pragma once

#include <filesystem>
#include <functional>
#include <string>
#include <vector>

namespace skep::e2e {

/// A config repository: a work tree and the bare repository that it is pushed to.
class Repo {
 public:
  /// Both are made below `directory`. The first commit holds a `skep.yaml` that asks no registry.
  explicit Repo(std::filesystem::path directory);

  [[nodiscard]] std::string bare() const { return (directory_ / "cluster.git").string(); }
  [[nodiscard]] std::string tree() const { return (directory_ / "tree").string(); }
  void write(const std::string& path, const std::string& text);
  /// `docker-compose.yml` of apps/NAME.
  void stack(const std::string& name, const std::string& compose);
  /// A file or a whole directory.
  void remove(const std::string& path);
  void link(const std::string& path, const std::string& target);
  /// Commits all that was changed and pushes it. Returns the commit.
  std::string push(const std::string& message = "change");
  /// As push(), but what was changed takes the place of the last commit: a forced push.
  std::string rewrite();
  /// Where the bare repository is while it cannot be read.
  void hide();
  void bring_back();

  std::function<void()> pushed;  ///< Called after each push, if set.

 private:
  std::string git(const std::vector<std::string>& arguments) const;
  std::filesystem::path directory_;
};

/// One service in flow style, whose task ends and starts without delay: `image`, then further keys
/// ("environment: {A: b}").
[[nodiscard]] std::string service(const std::string& image, const std::string& more = {});

/// The same without a task, where only what is written to the swarm matters: no container has to
/// start and end.
[[nodiscard]] std::string idle_service(const std::string& image, const std::string& more = {});

/// For stacks that need no network of their own: their tasks start and end in half the time.
inline const std::string kHostNetwork = "networks: { default: { external: true, name: host } }\n";

inline const std::string kImage1 = "skep-test/busybox:1.0";
inline const std::string kImage2 = "skep-test/busybox:2.0";

}  // namespace skep::e2e
