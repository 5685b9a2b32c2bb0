#pragma once

#include <compare>
#include <string>
#include <string_view>

#include "core/result.hpp"

namespace skep {

/// A path inside a repository: relative to its root, '/' between parts, no "." or ".." part, no
/// empty part, no NUL. The root is "".
class RepoPath {
 public:
  RepoPath() = default;

  /// Takes what people write ("./a//b", "a/../b", "/a"): cleaned lexically. Errors: invalid_input
  /// for a path that leaves the repository; the message never says whether something exists out
  /// there.
  static Result<RepoPath> parse(std::string_view text);

  [[nodiscard]] const std::string& text() const noexcept { return text_; }
  [[nodiscard]] bool is_root() const noexcept { return text_.empty(); }
  [[nodiscard]] RepoPath parent() const;
  /// The last part; "" for the root.
  [[nodiscard]] std::string_view name() const noexcept;
  /// This directory joined with a relative text, cleaned. Errors: as parse().
  [[nodiscard]] Result<RepoPath> join(std::string_view relative) const;
  [[nodiscard]] bool is_below(const RepoPath& directory) const;

  auto operator<=>(const RepoPath&) const = default;

 private:
  explicit RepoPath(std::string clean) : text_(std::move(clean)) {}
  std::string text_;
};

}  // namespace skep
