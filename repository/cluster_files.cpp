#include "repository/cluster_files.hpp"

#include <utility>

#include "repository/conflicts.hpp"

namespace skep::repository {

UnreadableFiles read_cluster_files(const ports::Snapshot& snapshot,
                                   const LoadOptions& options,
                                   DesiredState& state) {
  UnreadableFiles unreadable;
  const auto& root = options.root;
  const TreeReader reader(snapshot, root, root, options.decryption.get());
  const auto read = [&](const std::map<std::string, ClusterFile>& files,
                        std::map<std::string, std::string>& failed,
                        auto&& use) {
    for (const auto& [name, wanted] : files) {
      const auto complain = [&, subject = name, at = wanted.at](const std::string& message) {
        state.file_findings.push_back({Finding::Severity::error, subject + ": " + message, at});
        failed[subject] = message;
      };
      const auto path = root.join("./" + wanted.file);
      if (!path) {
        complain(path.error().message);
        continue;
      }
      auto file = reader.file(*path);
      if (!file) {
        complain(to_string(file.error()));
      } else if (!*file) {
        complain("there is no file " + path->text() + " in the repository");
      } else if ((*file)->text.empty()) {
        complain("the file " + path->text() + " is empty");
      } else {
        use(name, std::move((*file)->text));
      }
    }
  };
  read(state.cluster.configs, unreadable.configs, [&](const std::string& name, std::string data) {
    swarm::ConfigSpec spec;
    spec.name = name;
    spec.data = std::move(data);
    state.configs.push_back(std::move(spec));
  });
  read(state.cluster.secrets, unreadable.secrets, [&](const std::string& name, std::string data) {
    swarm::SecretSpec spec;
    spec.name = name;
    spec.data = Secret(std::move(data));
    state.secrets.push_back(std::move(spec));
  });
  state.file_findings.insert(
      state.file_findings.end(), reader.findings().begin(), reader.findings().end());
  return unreadable;
}

void hold_users_of(const UnreadableFiles& unreadable, std::vector<StackPointer>& stacks) {
  const auto check = [](StackPointer& stack,
                        const std::map<std::string, SourcePosition>& used,
                        const std::map<std::string, std::string>& failed,
                        const std::string& word) {
    for (const auto& [name, at] : used) {
      const auto why = failed.find(name);
      if (why == failed.end()) continue;
      blame(
          stack,
          "the " + word + " " + name + " of the cluster's skep.yaml cannot be read: " + why->second,
          at);
    }
  };
  for (auto& stack : stacks) {
    if (stack->broken()) continue;
    const auto spec = stack->spec;
    check(stack, spec.external_secrets, unreadable.secrets, "secret");
    check(stack, spec.external_configs, unreadable.configs, "config");
  }
}

}  // namespace skep::repository
