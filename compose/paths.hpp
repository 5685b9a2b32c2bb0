#pragma once

#include <string>
#include <string_view>

/// Lexical paths, as the CLI treats them: nothing looks at a disk.
namespace skep::compose {

/// Without "." and "..", double and trailing slashes; "" becomes ".".
[[nodiscard]] std::string clean_path(std::string_view path);
/// `path` itself where it begins with '/', else joined to `directory` and cleaned (rules A1.4,
/// B4.1, B9.1).
[[nodiscard]] std::string resolve_path(std::string_view directory, std::string_view path);
/// `C:\x`, `C:/x`, `\\server\share\x`; not `\\.\pipe\x` (rule B2.7).
[[nodiscard]] bool is_absolute_on_windows(std::string_view path);
/// For messages: a path of the repository without the marker of its root.
[[nodiscard]] std::string shown_path(std::string_view path);

}  // namespace skep::compose
