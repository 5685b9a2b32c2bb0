#pragma once

#include <optional>
#include <string>

#include "core/finding.hpp"
#include "yaml/node.hpp"

namespace skep::compose {

/// Which schema a file asks for (rules A3.1 … A3.4).
struct FileVersion {
  int minor = 13;             ///< 3.<minor>
  std::string text = "3.13";  ///< As the CLI prints it when two files differ.
  bool operator==(const FileVersion&) const = default;
};

/// Read before interpolation. Nothing, and a finding, where no such schema exists. A number selects
/// a schema, too, but validate() then refuses it for not being a string (rule A3.3).
[[nodiscard]] std::optional<FileVersion> effective_version(const yaml::Node& root,
                                                           Findings& findings);

}  // namespace skep::compose
