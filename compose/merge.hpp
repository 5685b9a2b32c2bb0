#pragma once

#include "compose/types.hpp"

namespace skep::compose {

/// Lays one loaded file over another (rules A9): `later` is the later file of the command line.
[[nodiscard]] ComposeFile merge(ComposeFile base, ComposeFile later);

}  // namespace skep::compose
