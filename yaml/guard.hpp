#pragma once

#include "core/result.hpp"
#include "yaml/events.hpp"
#include "yaml/source_text.hpp"

namespace skep::yaml {

/// Walks the text between and inside the scalars that yaml-cpp found and refuses what Go's yaml.v3
/// refuses but yaml-cpp takes: tabs as indentation, quotes without an end, text that runs on
/// without indentation, empty entries of a flow list, unknown escapes, handles and directives,
/// foreign characters in anchors. Also tells quoted scalars from plain ones, which yaml-cpp does
/// not once a tag is written. Errors: invalid_input, positioned.
Result<void> check_source(const SourceText& source, RawDocument& document);

}  // namespace skep::yaml
