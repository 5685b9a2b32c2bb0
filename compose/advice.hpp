#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "compose/schema_tables.hpp"
#include "yaml/node.hpp"

/// What people mostly mean by a key or a value that the schema does not take where it stands: the
/// end of a message, which begins with "; ", or "".
namespace skep::compose {

/// A key that has its place elsewhere, or another name. `path` is the mapping's, "" for the file.
[[nodiscard]] std::string advice_for_key(std::string_view path, const yaml::Entry& entry);

/// The key that is written most like it, of the `known` ones and of those that have their place
/// elsewhere.
[[nodiscard]] std::string advice_for_typo(std::string_view path,
                                          std::string_view key,
                                          const std::vector<std::string>& known);

/// A value of another type than `type`.
[[nodiscard]] std::string advice_for_value(std::string_view path,
                                           const yaml::Node& node,
                                           const Type& type);

/// For an entry of `services` that is no service but a part of one, indented too little.
[[nodiscard]] std::string advice_for_part_of_service(const yaml::Entry& entry);

/// The first key of such a part, or of whatever else, that no service has; nullptr without one.
[[nodiscard]] const yaml::Entry* first_foreign_key(const yaml::Node& service);

}  // namespace skep::compose
