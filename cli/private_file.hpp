#pragma once

#include <string>
#include <string_view>

#include "core/result.hpp"

namespace skep::cli {

/// Whether a file that is replaced hands on its mode.
enum class OldMode { stays, goes };

/// Puts a file in the place of another in one step: readers see the old one or the new one. A new
/// file gets `mode`, and one whose old mode goes. A symbolic link stays one. What is no file, such
/// as a pipe or /dev/stdout, is written to. Errors: unavailable.
Result<void> replace_file(const std::string& path,
                          std::string_view text,
                          unsigned mode,
                          OldMode old_mode = OldMode::stays);

/// Makes a file that is not there yet. Errors: invalid_input where it is, unavailable.
Result<void> create_file(const std::string& path, std::string_view text, unsigned mode);

/// A file that nobody else may read, in memory where there is a place for that; gone with this.
class PrivateFile {
 public:
  /// `name` ends its path, for editors to see what kind of file it is. Errors: unavailable.
  static Result<PrivateFile> make(const std::string& name, std::string_view text);
  ~PrivateFile();
  PrivateFile(PrivateFile&& other) noexcept;
  PrivateFile& operator=(PrivateFile&&) = delete;
  PrivateFile(const PrivateFile&) = delete;
  PrivateFile& operator=(const PrivateFile&) = delete;

  [[nodiscard]] const std::string& path() const noexcept { return path_; }
  /// Else it is on a disk, which may keep what was removed.
  [[nodiscard]] bool is_in_memory() const noexcept;
  /// Now, and not only at the end. Safe to call from another thread, and again.
  void remove() const noexcept;

 private:
  PrivateFile(std::string directory, std::string path)
      : directory_(std::move(directory)), path_(std::move(path)) {}
  std::string directory_;
  std::string path_;
};

}  // namespace skep::cli
