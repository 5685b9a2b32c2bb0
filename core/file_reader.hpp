#pragma once

#include <optional>
#include <string>

#include "core/result.hpp"

namespace skep {

/// How pure code asks for a file's text: from a commit's tree, a work tree or the host, whoever
/// implements it.
class FileReader {
 public:
  virtual ~FileReader() = default;

  /// `path` is absolute and lexically clean. Nothing where there is no such file; "" is an empty
  /// file. Errors: invalid_input (a directory, a symlink, a submodule, larger than allowed, outside
  /// what may be read), unavailable. Messages never quote content.
  [[nodiscard]] virtual Result<std::optional<std::string>> read(const std::string& path) const = 0;
};

}  // namespace skep
