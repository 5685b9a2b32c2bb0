#include "sops/rules.hpp"

#include <algorithm>

#include <re2/re2.h>

namespace skep::sops {
namespace {

/// Compiling is linear and bounded by RE2; what a file asks for must not take more than this.
constexpr std::int64_t kMostMemory = std::int64_t{8} << 20U;

Error bad_expression(const std::string& what, const re2::RE2& expression) {
  return {ErrorKind::invalid_input, what + ": " + expression.error()};
}

re2::RE2::Options options() {
  re2::RE2::Options options;
  options.set_log_errors(false);
  options.set_max_mem(kMostMemory);
  return options;
}

}  // namespace

std::string_view name_of(Rules::Kind kind) {
  switch (kind) {
    case Rules::Kind::unencrypted_suffix:
      return "unencrypted_suffix";
    case Rules::Kind::encrypted_suffix:
      return "encrypted_suffix";
    case Rules::Kind::unencrypted_regex:
      return "unencrypted_regex";
    case Rules::Kind::encrypted_regex:
      return "encrypted_regex";
    case Rules::Kind::unencrypted_comment_regex:
      return "unencrypted_comment_regex";
    case Rules::Kind::encrypted_comment_regex:
      return "encrypted_comment_regex";
  }
  return "";
}

Result<Selector> Selector::from(const Rules& rules) {
  Selector selector(rules);
  if (rules.kind != Rules::Kind::unencrypted_suffix &&
      rules.kind != Rules::Kind::encrypted_suffix) {
    auto compiled = std::make_shared<const re2::RE2>(rules.text, options());
    if (!compiled->ok()) return bad_expression(std::string(name_of(rules.kind)), *compiled);
    selector.expression_ = std::move(compiled);
  }
  return selector;
}

bool Selector::by_comments() const {
  return rules_.kind == Rules::Kind::unencrypted_comment_regex ||
         rules_.kind == Rules::Kind::encrypted_comment_regex;
}

bool Selector::names(const std::string& comment) const {
  return by_comments() && re2::RE2::PartialMatch(comment, *expression_);
}

bool Selector::encrypted(const Path& path, const std::vector<std::string>& comments) const {
  if (by_comments()) {
    const bool named = std::any_of(
        comments.begin(), comments.end(), [this](const auto& comment) { return names(comment); });
    return named == (rules_.kind == Rules::Kind::encrypted_comment_regex);
  }
  const bool named = std::any_of(path.begin(), path.end(), [&](const std::string& key) {
    return expression_ ? re2::RE2::PartialMatch(key, *expression_) : key.ends_with(rules_.text);
  });
  const bool names_plain = rules_.kind == Rules::Kind::unencrypted_suffix ||
                           rules_.kind == Rules::Kind::unencrypted_regex;
  return named != names_plain;
}

Result<bool> path_matches(const std::string& expression, const std::string& path) {
  const re2::RE2 compiled(expression, options());
  if (!compiled.ok()) return bad_expression("path_regex", compiled);
  return re2::RE2::PartialMatch(path, compiled);
}

}  // namespace skep::sops
