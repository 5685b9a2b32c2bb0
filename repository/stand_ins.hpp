#pragma once

#include <string_view>

#include "compose/compose.hpp"
#include "sops/file.hpp"

namespace skep::repository {

/// Loads a stack some of whose values were not read for want of a key; `mask` stands for each of
/// them in its variables and files. What must be a number, a duration or the like would be refused
/// with it: there something of that form stands for the value, and a warning says so.
[[nodiscard]] compose::Output load_with_stand_ins(compose::Input input,
                                                  std::string_view mask,
                                                  sops::StandIns stand_ins);

}  // namespace skep::repository
