#pragma once

#include <string_view>

#include "core/result.hpp"
#include "yaml/node.hpp"

namespace skep::package {

// Values in Helm's way, with the places where they were written: so that a mistake in them can be
// shown where a person mends it.

/// Lays one values file over another: maps are merged deeply, everything else is replaced. A null
/// stays, for it deletes a default of the template later on.
void merge(yaml::Node& base, yaml::Node over);

/// What people set over a template's defaults: as merge(), but a null deletes the key, and is
/// nowhere in what comes from `values`.
[[nodiscard]] yaml::Node over_defaults(yaml::Node defaults, const yaml::Node& values);

/// `--set`: Helm's syntax. "a.b=1,c[0]=x,d={p,q},e=a\,b"; numbers without a leading zero, true,
/// false and null are what they look like, unless `text`: everything else is a string. A setting
/// goes into `values`, over what is there; "" sets nothing. Errors: invalid_input; then some of it
/// may be set.
Result<void> set(yaml::Node& values, std::string_view setting, bool text);

}  // namespace skep::package
