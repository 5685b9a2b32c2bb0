#pragma once

#include <memory>
#include <string>

#include "core/result.hpp"
#include "sops/value.hpp"

namespace re2 {
class RE2;
}

namespace skep::sops {

/// Which values of a file are encrypted: at most one kind of rule, as in the file's metadata and in
/// `.sops.yaml`. With none, all but those below a key that ends in `_unencrypted`.
struct Rules {
  enum class Kind {
    unencrypted_suffix,
    encrypted_suffix,
    unencrypted_regex,
    encrypted_regex,
    unencrypted_comment_regex,  ///< About comments before a value, or before what it is part of.
    encrypted_comment_regex,
  };
  Kind kind = Kind::unencrypted_suffix;
  std::string text = "_unencrypted";
  bool mac_only_encrypted = false;  ///< The MAC leaves out what is not encrypted.
  bool operator==(const Rules&) const = default;
};

inline constexpr Rules::Kind kRuleKinds[] = {Rules::Kind::unencrypted_suffix,
                                             Rules::Kind::encrypted_suffix,
                                             Rules::Kind::unencrypted_regex,
                                             Rules::Kind::encrypted_regex,
                                             Rules::Kind::unencrypted_comment_regex,
                                             Rules::Kind::encrypted_comment_regex};

/// "encrypted_regex" and so on, as both files spell it.
[[nodiscard]] std::string_view name_of(Rules::Kind kind);

/// The rules, ready to be asked. A key anywhere on the path decides for all below it.
class Selector {
 public:
  /// Errors: invalid_input for a regular expression that Go would not take either.
  static Result<Selector> from(const Rules& rules);
  /// Whether a value becomes encrypted. `comments`: those before it and before each mapping and
  /// list entry that it stands in. The path decides, or the comments do.
  [[nodiscard]] bool encrypted(const Path& path, const std::vector<std::string>& comments) const;
  [[nodiscard]] bool by_comments() const;
  /// Whether a comment, without its '#', is one that a rule about comments names.
  [[nodiscard]] bool names(const std::string& comment) const;

 private:
  explicit Selector(Rules rules) : rules_(std::move(rules)) {}
  Rules rules_;
  std::shared_ptr<const re2::RE2> expression_;  ///< Null for a suffix.
};

/// Whether a path of the repository is one that a creation rule is for. Errors: as Selector::from.
Result<bool> path_matches(const std::string& expression, const std::string& path);

}  // namespace skep::sops
