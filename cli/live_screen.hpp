#pragma once

#include <cstddef>
#include <iosfwd>
#include <string>

namespace skep::cli {

/// A picture that is drawn again in the same place of a terminal.
class LiveScreen {
 public:
  explicit LiveScreen(std::ostream& out) : out_(out) {}
  /// Lines that do not fit are cut off at the right and at the bottom, where the last one says so.
  void draw(const std::string& text);

 private:
  std::ostream& out_;
  bool begun_ = false;
};

/// The text within so many columns and rows; each line ends with a line feed.
[[nodiscard]] std::string fitted(const std::string& text, std::size_t columns, std::size_t rows);

/// Whether standard output is a terminal that can be drawn on.
[[nodiscard]] bool can_draw(const std::string& term);

}  // namespace skep::cli
