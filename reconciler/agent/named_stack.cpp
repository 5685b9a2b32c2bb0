#include "reconciler/agent/named_stack.hpp"

#include <algorithm>
#include <vector>

#include "core/finding.hpp"

namespace skep::reconciler {

bool is_named(const ports::StackStatus& stack, const std::string& word) {
  return stack.name == word || stack.path == word || stack.group + "/" + stack.name == word;
}

const ports::StackStatus* find_stack(const ports::AgentStatus& status, const std::string& word) {
  const auto at = std::find_if(status.stacks.begin(),
                               status.stacks.end(),
                               [&](const ports::StackStatus& one) { return is_named(one, word); });
  return at == status.stacks.end() ? nullptr : &*at;
}

Error no_stack(const ports::AgentStatus& status, const std::string& word) {
  if (auto elsewhere = status.stands_by()) return *std::move(elsewhere);
  std::vector<std::string> names;
  for (const auto& stack : status.stacks) names.push_back(stack.name);
  const auto near = nearest(word, names);
  return {ErrorKind::invalid_input,
          "no stack " + word +
              (near.empty() ? "; `skep status` lists them" : "; did you mean " + near + "?")};
}

}  // namespace skep::reconciler
