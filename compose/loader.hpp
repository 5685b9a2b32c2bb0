#pragma once

#include "compose/compose.hpp"
#include "compose/field.hpp"
#include "compose/types.hpp"

/// One interpolated and validated file → typed values (rules B). Mistakes go to the fields'
/// findings; what could not be read is left empty.
namespace skep::compose {

[[nodiscard]] Service load_service(const Field& service, const Input& input);

/// The whole file. `minor` is the effective version's: some warnings start with one.
[[nodiscard]] ComposeFile load_file(const Field& root, const Input& input, int minor);

/// The four sections of shared objects, into `file`.
void load_sections(const Field& root, const Input& input, int minor, ComposeFile& file);

}  // namespace skep::compose
