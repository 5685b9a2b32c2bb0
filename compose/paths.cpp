#include "compose/paths.hpp"

#include <vector>

#include "compose/compose.hpp"
#include "compose/text.hpp"
#include "core/ascii.hpp"

namespace skep::compose {
namespace {

bool is_slash(char c) { return c == '/' || c == '\\'; }

}  // namespace

std::string clean_path(std::string_view path) {
  const bool rooted = !path.empty() && path.front() == '/';
  std::vector<std::string_view> kept;
  for (const auto part : split(path, '/')) {
    if (part.empty() || part == ".") continue;
    if (part != "..") {
      kept.push_back(part);
    } else if (!kept.empty() && kept.back() != "..") {
      kept.pop_back();
    } else if (!rooted) {
      kept.push_back(part);
    }
  }
  std::string result = rooted ? "/" : "";
  for (std::size_t i = 0; i < kept.size(); ++i) {
    if (i > 0) result += '/';
    result += kept[i];
  }
  return result.empty() ? "." : result;
}

std::string resolve_path(std::string_view directory, std::string_view path) {
  if (!path.empty() && path.front() == '/') return std::string(path);
  if (path.empty()) return clean_path(directory);
  return clean_path(std::string(directory) + '/' + std::string(path));
}

bool is_absolute_on_windows(std::string_view path) {
  if (path.size() >= 3 && is_letter(path[0]) && path[1] == ':') return is_slash(path[2]);
  // A share: two slashes, a server that does not start with '.', a slash, a share, then a slash.
  if (path.size() < 5 || !is_slash(path[0]) || !is_slash(path[1])) return false;
  if (is_slash(path[2]) || path[2] == '.') return false;
  std::size_t at = 3;
  while (at < path.size() && !is_slash(path[at])) ++at;
  if (at + 1 >= path.size() || is_slash(path[at + 1]) || path[at + 1] == '.') return false;
  ++at;
  while (at < path.size() && !is_slash(path[at])) ++at;
  return at < path.size();
}

std::string shown_path(std::string_view path) {
  if (path == kRepositoryRoot) return ".";
  if (path.substr(0, kRepositoryRoot.size()) == kRepositoryRoot &&
      path[kRepositoryRoot.size()] == '/') {
    return std::string(path.substr(kRepositoryRoot.size() + 1));
  }
  return std::string(path);
}

}  // namespace skep::compose
