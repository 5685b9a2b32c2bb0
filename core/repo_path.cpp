#include "core/repo_path.hpp"

#include <vector>

namespace skep {

Result<RepoPath> RepoPath::parse(std::string_view text) {
  if (text.find('\0') != std::string_view::npos)
    return Error{ErrorKind::invalid_input, "a path must not contain a NUL byte"};
  std::vector<std::string_view> parts;
  std::size_t start = 0;
  while (start <= text.size()) {
    auto end = text.find('/', start);
    if (end == std::string_view::npos) end = text.size();
    const auto part = text.substr(start, end - start);
    start = end + 1;
    if (part.empty() || part == ".") continue;
    if (part != "..") {
      parts.push_back(part);
    } else if (parts.empty()) {
      return Error{ErrorKind::invalid_input,
                   "the path \"" + std::string(text) + "\" leaves the repository"};
    } else {
      parts.pop_back();
    }
  }
  std::string clean;
  for (const auto part : parts) {
    if (!clean.empty()) clean += '/';
    clean += part;
  }
  return RepoPath(std::move(clean));
}

RepoPath RepoPath::parent() const {
  const auto slash = text_.rfind('/');
  return RepoPath(slash == std::string::npos ? std::string() : text_.substr(0, slash));
}

std::string_view RepoPath::name() const noexcept {
  const auto slash = text_.rfind('/');
  return slash == std::string::npos ? std::string_view(text_)
                                    : std::string_view(text_).substr(slash + 1);
}

Result<RepoPath> RepoPath::join(std::string_view relative) const {
  if (!relative.empty() && relative.front() == '/') return parse(relative);
  return parse(text_ + "/" + std::string(relative));
}

bool RepoPath::is_below(const RepoPath& directory) const {
  if (directory.is_root()) return !is_root();
  return text_.size() > directory.text_.size() &&
         text_.compare(0, directory.text_.size(), directory.text_) == 0 &&
         text_[directory.text_.size()] == '/';
}

}  // namespace skep
