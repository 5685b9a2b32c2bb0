#include "cli/turn_report.hpp"

#include <algorithm>
#include <vector>

#include <nlohmann/json.hpp>

#include "core/digest.hpp"
#include "diff/render.hpp"
#include "swarm/stack_spec.hpp"

namespace skep::cli {
namespace {

using nlohmann::json;

constexpr int kFormat = 1;
constexpr std::string_view kNoPlan = "no plan";

std::string heading(const ports::StackStatus& stack) {
  return stack.path.empty() ? stack.name : stack.path;
}

/// Empty where the plan's own note says it.
std::string message_of(const ports::StackStatus& stack) {
  return stack.plan && stack.plan->blocked() ? std::string() : stack.message;
}

std::string dumped(const json& document, int indent = -1) {
  return document.dump(indent, ' ', false, json::error_handler_t::replace);
}

/// A changed secret gets a random suffix in each process (design §5); two plans that differ in
/// nothing else are the same.
std::string without_random_names(const json& plan) {
  auto text = dumped(plan);
  if (!plan.is_object()) return text;
  const auto stack = swarm::StackName::parse(plan.value("stack", ""));
  if (!stack) return text;
  for (const auto& action : plan.value("actions", json::array())) {
    if (action.value("kind", "") != "secret" || action.value("verb", "") != "create") continue;
    const auto name = action.value("name", "");
    const auto plain = stack->scope(action.value("key", ""));
    if (name.size() <= plain.size() || !name.starts_with(plain)) continue;
    for (auto at = text.find(name); at != std::string::npos; at = text.find(name, at)) {
      text.replace(at, name.size(), plain);
      at += plain.size();
    }
  }
  return text;
}

/// What a reviewer agreed to: the commit, and what would be done to what. Messages are left out,
/// for they tell of the moment.
std::string reviewed_part(const json& document) {
  auto text = document.value("revision", "");
  for (const auto& stack : document.at("stacks")) {
    text +=
        "\n" + stack.value("stack", "") + "\n" + without_random_names(stack.value("plan", json()));
  }
  return text;
}

json entry_of(const ports::StackStatus& stack) {
  json entry;
  entry["stack"] = stack.name;
  entry["path"] = stack.path;
  entry["message"] = stack.message;
  entry["held"] = stack.held;
  entry["plan"] = stack.plan ? json::parse(diff::to_json(*stack.plan, heading(stack))) : json();
  return entry;
}

}  // namespace

std::string to_text(const reconciler::Turn& turn, bool color) {
  std::string text;
  for (const auto& note : turn.notes) text += note + "\n";
  std::size_t unchanged = 0;
  for (const auto& stack : turn.stacks) {
    if (stack.plan && stack.plan->empty() && stack.plan->notes.empty() && !stack.held) {
      ++unchanged;
      continue;
    }
    text += stack.plan ? diff::to_text(*stack.plan, heading(stack), {color})
                       : heading(stack) + "   " + std::string(kNoPlan) + "\n";
    if (const auto message = message_of(stack); !message.empty()) text += "  ! " + message + "\n";
  }
  const auto count = std::to_string(unchanged);
  const bool only = unchanged == turn.stacks.size();
  if (only && !turn.announces_writes) {
    text +=
        "No changes: " + count + " stack" + (unchanged == 1 ? " is" : "s are") + " as git says.\n";
  } else if (unchanged > 0) {
    text += count + (only ? "" : " other") + " stack" + (unchanged == 1 ? "" : "s") +
            " without changes\n";
  }
  return text;
}

std::string to_markdown(const reconciler::Turn& turn) {
  std::string text;
  if (!turn.notes.empty()) text += diff::markdown("cluster", "", turn.notes) + "\n";
  for (const auto& stack : turn.stacks) {
    std::vector<std::string> lines;
    if (const auto message = message_of(stack); !message.empty()) lines.push_back("! " + message);
    text += (stack.plan ? diff::to_markdown(*stack.plan, heading(stack), lines)
                        : diff::markdown(heading(stack), kNoPlan, lines)) +
            "\n";
  }
  return text;
}

std::string to_json(const reconciler::Turn& turn,
                    const std::string& commit,
                    const std::set<std::string>& selection,
                    const std::function<std::string(std::string_view)>& mask) {
  json document;
  document["format"] = kFormat;
  document["revision"] = commit;
  document["selection"] = selection;
  document["notes"] = turn.notes;
  document["stacks"] = json::array();
  for (const auto& stack : turn.stacks) document["stacks"].push_back(entry_of(stack));
  if (auto masked = json::parse(mask(dumped(document, 2)), nullptr, false); masked.is_object())
    document = std::move(masked);
  document["digest"] = sha256_hex(reviewed_part(document));
  return dumped(document, 2);
}

bool has_changes(const reconciler::Turn& turn) {
  return turn.announces_writes ||
         std::any_of(turn.stacks.begin(), turn.stacks.end(), [](const auto& stack) {
           return stack.plan && !stack.plan->empty();
         });
}

Result<SavedPlan> read_saved_plan(const std::string& file, const std::string& text) {
  const auto document = json::parse(text, nullptr, false);
  const auto has = [&](const char* member, json::value_t type) {
    return document.is_object() && document.contains(member) && document[member].type() == type;
  };
  if (!has("digest", json::value_t::string) || !has("stacks", json::value_t::array)) {
    return Error{ErrorKind::invalid_input,
                 file + " is no saved plan; make one with `skep plan -o json > FILE`"};
  }
  if (document.value("format", json()) != kFormat) {
    return Error{ErrorKind::invalid_input,
                 file + " has the format " + dumped(document.value("format", json())) +
                     ", and this skep reads " + std::to_string(kFormat) +
                     ": plan again with the same version of skep"};
  }
  SavedPlan saved;
  saved.file = file;
  try {
    saved.reviewed = reviewed_part(document);
    saved.selection = document.value("selection", saved.selection);
  } catch (const json::exception&) {
    saved.reviewed.clear();  // Somebody changed the type of a member: the digest does not fit.
  }
  if (sha256_hex(saved.reviewed) != document["digest"].get<std::string>()) {
    return Error{ErrorKind::invalid_input,
                 file +
                     " was edited since `skep plan` wrote it: its digest is that of another "
                     "plan; plan and review again"};
  }
  return saved;
}

Result<void> check_reviewed(const SavedPlan& saved, const std::string& now) {
  if (saved.reviewed == reviewed_part(json::parse(now))) return {};
  return Error{ErrorKind::conflict,
               "git or the swarm changed since " + saved.file +
                   " was made, or other flags were "
                   "given: plan and review again"};
}

}  // namespace skep::cli
