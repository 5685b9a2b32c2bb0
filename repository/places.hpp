#pragma once

#include <cstddef>
#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "core/error.hpp"
#include "core/repo_path.hpp"

namespace skep::repository {

/// Begin and end of a line, counted from 1, without its line end; both the end of the text where
/// there is no such line.
[[nodiscard]] std::pair<std::size_t, std::size_t> line_range(std::string_view text, int line);

/// The names of the variables that a text of compose puts in.
[[nodiscard]] std::vector<std::string> variables_in(std::string_view text);

/// What stands at the places that messages are about.
class Places {
 public:
  using Texts = std::map<std::string, std::string>;

  /// Messages name files as seen from `root`, or by their whole path. What is given outlives this.
  Places(const Texts& files, const RepoPath& root, const std::map<std::string, std::string>& values)
      : files_(files), root_(root), values_(values) {}

  /// A text that is in no file, under the name that messages use.
  void add(std::string name, std::string_view text) { others_[std::move(name)] = text; }

  /// The line, what is indented below it, and the values of the variables there; "" where the text
  /// or the line is not known.
  [[nodiscard]] std::string text_at(const SourcePosition& at) const;

 private:
  [[nodiscard]] std::string_view text_of(const std::string& file) const;

  const Texts& files_;
  const RepoPath& root_;
  const std::map<std::string, std::string>& values_;
  std::map<std::string, std::string_view> others_;
};

}  // namespace skep::repository
