#pragma once

#include <string>
#include <string_view>
#include <utility>

#include "core/result.hpp"

namespace skep::swarm {

/// A parsed image reference: `[domain/]path[:tag][@digest]` (rule C9.2).
struct ImageRef {
  std::string domain;  ///< "docker.io" where none is written.
  std::string path;    ///< With "library/" for single-component names on docker.io.
  std::string tag;     ///< "" for none.
  std::string digest;  ///< "sha256:…", "" for none.
  bool bare_id =
      false;  ///< 64 hex digits or "sha256:<hex>": an image id, no name; nothing else is set.
  bool operator==(const ImageRef&) const = default;

  /// Errors: invalid_input with the CLI's reason: "invalid reference format", "… repository name
  /// (library/FOO) must be lowercase".
  static Result<ImageRef> parse(std::string_view text);
  /// As people write it: without docker.io/ and library/; tag and digest kept.
  [[nodiscard]] std::string familiar() const;
};

/// What the CLI sends for an image text: familiar form, ":latest" where neither tag nor digest is
/// given; verbatim where the text is no name (rule C9.3).
[[nodiscard]] std::string familiar_tagged(std::string_view text);

/// "name:tag@sha256:…" → {"name:tag", "sha256:…"}; the second is "" where there is no digest.
[[nodiscard]] std::pair<std::string, std::string> split_digest(std::string_view image);

}  // namespace skep::swarm
