#include "reconciler/jobs.hpp"

#include <algorithm>

namespace skep::reconciler {

void leave_jobs_alone(diff::Plan& plan,
                      const std::map<std::string, std::string>& hashes,
                      const StackRecord* record) {
  const auto asked_by_git = [&](const std::string& key, const std::string& hash) {
    if (record == nullptr) return false;
    const auto at = record->jobs.find(key);
    return at == record->jobs.end() || at->second != hash;
  };
  std::erase_if(plan.actions, [&](const diff::Action& action) {
    const auto job = hashes.find(action.key);
    const bool concerned = action.kind == diff::ObjectKind::service && job != hashes.end() &&
                           (action.verb == diff::Verb::update ||
                            (action.verb == diff::Verb::replace && record == nullptr));
    if (!concerned || asked_by_git(job->first, job->second)) return false;
    plan.notes.push_back({diff::Note::Severity::info,
                          "job \"" + action.name +
                              "\" differs from git, which has not changed it since it ran; it is "
                              "left alone, for every update runs a job again",
                          std::nullopt});
    plan.untouched.push_back(action.key);
    return true;
  });
  std::sort(plan.untouched.begin(), plan.untouched.end());
}

}  // namespace skep::reconciler
