#pragma once

#include <optional>
#include <string>
#include <vector>

#include "compose/compose.hpp"
#include "compose/field.hpp"
#include "compose/types.hpp"
#include "yaml/node.hpp"

/// What skep understands beyond the CLI (docs/compose-support.md), off in strict mode. Before
/// interpolation a tree is rewritten into what the CLI's schema allows; what has no place there is
/// carried in `x-skep-…` keys and picked up by the loader. So the strict pipeline knows nothing of
/// extensions.
namespace skep::compose {

/// Rewrites the parsed files of one stack: which services there are is known of all of them
/// together only. Returns their top-level `name`, the last one's where several have one.
std::optional<std::string> apply_extensions(const std::vector<yaml::Node*>& roots,
                                            const Input& input,
                                            Findings& findings);

/// Of a service: depends_on with conditions.
void apply_carried(const Field& service, Service& result);

/// Of a secret or config: its data, where it does not come from a file.
void apply_content(const Field& written, const Input& input, FileObject& object);

}  // namespace skep::compose
