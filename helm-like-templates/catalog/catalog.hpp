#pragma once

#include <span>
#include <string_view>

/// The stack templates that ship: the folders beside this file, which the build puts into the
/// program. So a release of skep pins their versions, and nothing is read at run time.
namespace skep::catalog {

struct File {
  std::string_view path;  ///< Below the template's folder: "templates/app.yml".
  std::string_view text;
};

struct Template {
  std::string_view name;
  std::span<const File> files;
};

/// Sorted by name.
[[nodiscard]] std::span<const Template> all();
/// nullptr where there is none of that name.
[[nodiscard]] const Template* find(std::string_view name);

}  // namespace skep::catalog
