#include "cli/policy_flag.hpp"

#include "cli/session.hpp"

namespace skep::cli {

void add_policy_flag(Command& app, std::string& file) {
  app.add_option(
         "--policy-file", file, "YAML file that says what stacks may ask for (docs/policy.md)")
      ->envname("SKEP_POLICY_FILE");
}

Result<reconciler::AccessPolicy> read_access_policy(const std::string& file) {
  if (file.empty()) return reconciler::AccessPolicy();
  const auto text = read_file(file);
  if (!text) return Error(text.error()).within("--policy-file");
  auto policy = reconciler::AccessPolicy::parse(*text, file);
  if (!policy) return std::move(policy).error().within("--policy-file");
  return policy;
}

}  // namespace skep::cli
