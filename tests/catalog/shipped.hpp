#pragma once

#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "helm-like-templates/catalog/catalog.hpp"
#include "helm-like-templates/package/package.hpp"

namespace skep::catalog {

/// The templates in the source tree.
[[nodiscard]] std::filesystem::path source_folder();
[[nodiscard]] std::string slurp(const std::filesystem::path& path);
[[nodiscard]] std::string text_of(const Template& shipped, std::string_view path);
[[nodiscard]] package::Package package_of(const Template& shipped);
/// What becomes of it for a stack My.Stack_1 with these values, and settings over them.
[[nodiscard]] package::Output rendered(const Template& shipped,
                                       const std::string& values,
                                       std::vector<package::Setting> settings = {});
/// What skep makes of a text under the CLI's rules only.
[[nodiscard]] std::string mistakes_in(const std::string& text);

}  // namespace skep::catalog
