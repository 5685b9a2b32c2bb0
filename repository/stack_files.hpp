#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "repository/discovery.hpp"

namespace skep::repository {

/// Whether something else than a directory of that name is among them.
[[nodiscard]] bool has_file(const std::vector<ports::TreeEntry>& entries, std::string_view name);

/// What a stack is made from, by its settings and by what stands in its directory (`entries`), as
/// discover() says: its `compose_files` and `values_files`, what is `overlooked`, and what is wrong
/// with them among its findings.
void find_stack_files(StackSource& stack,
                      const TreeReader& reader,
                      const std::vector<ports::TreeEntry>& entries,
                      const std::string& environment);

}  // namespace skep::repository
