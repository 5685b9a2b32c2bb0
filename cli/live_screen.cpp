#include "cli/live_screen.hpp"

#include <ostream>
#include <sstream>
#include <vector>

#include <sys/ioctl.h>
#include <unistd.h>

namespace skep::cli {
namespace {

/// Of UTF-8, every character one column wide.
std::string cut(const std::string& line, std::size_t columns) {
  std::size_t count = 0;
  for (std::size_t i = 0; i < line.size(); ++i) {
    const bool begins = (static_cast<unsigned char>(line[i]) & 0xC0U) != 0x80U;
    if (begins && count++ == columns) return line.substr(0, i);
  }
  return line;
}

}  // namespace

std::string fitted(const std::string& text, std::size_t columns, std::size_t rows) {
  std::vector<std::string> lines;
  std::istringstream stream(text);
  for (std::string line; std::getline(stream, line);) lines.push_back(cut(line, columns));
  if (lines.size() > rows && rows > 0) {
    const auto more = lines.size() - rows + 1;
    lines.resize(rows - 1);
    lines.push_back(cut("… " + std::to_string(more) + " more lines", columns));
  }
  std::string result;
  for (const auto& line : lines) result += line + "\n";
  return result;
}

bool can_draw(const std::string& term) {
  return ::isatty(STDOUT_FILENO) == 1 && !term.empty() && term != "dumb";
}

void LiveScreen::draw(const std::string& text) {
  winsize size{};
  const bool known = ::ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_row > 1;
  const auto picture = fitted(text, known ? size.ws_col : 80, known ? size.ws_row - 1U : 23);
  // Over the old picture rather than after clearing it, so that nothing flickers.
  std::string frame = begun_ ? "\x1b[H" : "\x1b[2J\x1b[H";
  begun_ = true;
  for (const char c : picture) {
    if (c == '\n') frame += "\x1b[K";
    frame += c;
  }
  out_ << frame << "\x1b[J" << std::flush;
}

}  // namespace skep::cli
