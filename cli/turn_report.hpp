#pragma once

#include <functional>
#include <set>
#include <string>
#include <string_view>

#include "core/result.hpp"
#include "reconciler/reconciler.hpp"

/// What `skep plan` says of a turn that only planned.
namespace skep::cli {

/// Every note, and of every stack its plan, its message, or that it has no plan.
[[nodiscard]] std::string to_text(const reconciler::Turn& turn, bool color);
/// The same for a pull request's comment.
[[nodiscard]] std::string to_markdown(const reconciler::Turn& turn);
/// The same in the form of docs/plan-json.md, which `skep apply --plan` reads. `selection`: names
/// of the stacks that were asked for; empty for all. `mask` is what the output does to each text:
/// the digest is that of what arrives.
[[nodiscard]] std::string to_json(const reconciler::Turn& turn,
                                  const std::string& commit,
                                  const std::set<std::string>& selection,
                                  const std::function<std::string(std::string_view)>& mask);

/// Whether carrying out what was planned would write anything.
[[nodiscard]] bool has_changes(const reconciler::Turn& turn);

/// A plan that somebody reviewed.
struct SavedPlan {
  std::string file;                 ///< Its name, for messages.
  std::string reviewed;             ///< What is compared: revision and plans.
  std::set<std::string> selection;  ///< As to_json() was given.
};
/// Errors: invalid_input where the text is no saved plan, has another format, or was edited.
Result<SavedPlan> read_saved_plan(const std::string& file, const std::string& text);

/// Errors: conflict where what would be done now, as to_json() has it, is not what was reviewed.
Result<void> check_reviewed(const SavedPlan& saved, const std::string& now);

}  // namespace skep::cli
