#include <algorithm>
#include <array>
#include <optional>
#include <string>
#include <vector>

#include <re2/re2.h>

#include "helm-like-templates/renderer/arguments.hpp"
#include "helm-like-templates/renderer/functions.hpp"
#include "helm-like-templates/renderer/literal.hpp"

namespace skep::templates {
namespace {

struct Version {
  std::array<std::uint64_t, 3> parts = {};
  std::string pre;
  std::string metadata;
};

std::optional<std::uint64_t> number(std::string_view digits) {
  const auto parsed = parse_int(digits, 10);
  if (!parsed || *parsed < 0) return std::nullopt;
  return static_cast<std::uint64_t>(*parsed);
}

std::vector<std::string> split(const std::string& in, char by) {
  std::vector<std::string> parts;
  std::size_t at = 0;
  for (;;) {
    const auto found = in.find(by, at);
    parts.push_back(in.substr(at, found - at));
    if (found == std::string::npos) return parts;
    at = found + 1;
  }
}

bool all_digits(std::string_view part) {
  return part.find_first_not_of("0123456789") == std::string_view::npos;
}

Result<Version> version(const std::string& in) {
  static const re2::RE2 pattern(
      "v?([0-9]+)(\\.[0-9]+)?(\\.[0-9]+)?(?:-([0-9A-Za-z\\-]+(?:\\.[0-9A-Za-z\\-]+)*))?"
      "(?:\\+([0-9A-Za-z\\-]+(?:\\.[0-9A-Za-z\\-]+)*))?");
  Version made;
  std::array<std::string, 3> digits;
  if (in.size() > 256 ||
      !re2::RE2::FullMatch(
          in, pattern, &digits[0], &digits[1], &digits[2], &made.pre, &made.metadata))
    return failure("invalid semantic version: " + quote(in.substr(0, 80)));
  for (std::size_t i = 0; i < 3; ++i) {
    if (digits[i].empty()) continue;
    const auto parsed = number(std::string_view(digits[i]).substr(i == 0 ? 0 : 1));
    if (!parsed) return failure("a part of the version is too large: " + quote(in));
    made.parts[i] = *parsed;
  }
  if (made.pre.empty()) return made;
  for (const auto& part : split(made.pre, '.')) {
    if (part.size() > 1 && part[0] == '0' && all_digits(part))
      return failure("a part of the version starts with 0: " + quote(in));
  }
  return made;
}

std::string shown(const Version& version) {
  std::string out = std::to_string(version.parts[0]) + '.' + std::to_string(version.parts[1]) +
                    '.' + std::to_string(version.parts[2]);
  if (!version.pre.empty()) out += '-' + version.pre;
  if (!version.metadata.empty()) out += '+' + version.metadata;
  return out;
}

int compare_part(const std::string& a, const std::string& b) {
  if (a == b) return 0;
  if (a.empty()) return -1;
  if (b.empty()) return 1;
  const auto number_a = all_digits(a) ? number(a) : std::nullopt;
  const auto number_b = all_digits(b) ? number(b) : std::nullopt;
  if (!number_a && !number_b) return a > b ? 1 : -1;
  if (!number_b) return -1;
  if (!number_a) return 1;
  return *number_a > *number_b ? 1 : -1;
}

int compare_pre(const std::string& a, const std::string& b) {
  const auto parts_a = split(a, '.');
  const auto parts_b = split(b, '.');
  const auto at = [](const auto& parts, std::size_t i) {
    return i < parts.size() ? parts[i] : std::string();
  };
  for (std::size_t i = 0; i < std::max(parts_a.size(), parts_b.size()); ++i) {
    if (const int order = compare_part(at(parts_a, i), at(parts_b, i)); order != 0) return order;
  }
  return 0;
}

int compare(const Version& a, const Version& b) {
  if (a.parts != b.parts) return a.parts < b.parts ? -1 : 1;
  if (a.pre.empty() && b.pre.empty()) return 0;
  if (a.pre.empty()) return 1;
  if (b.pre.empty()) return -1;
  return compare_pre(a.pre, b.pre);
}

struct Constraint {
  std::string op;
  Version version;
  bool any_minor = false;  ///< "1" or "1.x"
  bool any_patch = false;  ///< "1.2" or "1.2.x"
  bool open = false;       ///< Any part is missing or a wildcard.
};

const std::string kVersion =
    "v?([0-9|x|X|\\*]+)(\\.[0-9|x|X|\\*]+)?(\\.[0-9|x|X|\\*]+)?"
    "(-(?:[0-9A-Za-z\\-]+(?:\\.[0-9A-Za-z\\-]+)*))?"
    "(\\+(?:[0-9A-Za-z\\-]+(?:\\.[0-9A-Za-z\\-]+)*))?";
const std::string kOperator = "(=||!=|>|<|>=|=>|<=|=<|~|~>|\\^)";

bool wildcard(const std::string& part) {
  return part.empty() || part == "x" || part == "X" || part == "*" || part == ".x" ||
         part == ".X" || part == ".*";
}

Result<Constraint> constraint(const std::string& in) {
  static const re2::RE2 pattern("\\s*" + kOperator + "\\s*" + kVersion + "\\s*");
  Constraint made;
  std::string major;
  std::string minor;
  std::string patch;
  std::string pre;
  std::string metadata;
  if (!re2::RE2::FullMatch(in, pattern, &made.op, &major, &minor, &patch, &pre, &metadata))
    return failure("improper constraint: " + quote(in));
  std::string plain = major + minor + patch + pre + metadata;
  if (wildcard(major)) {
    plain = "0.0.0" + pre;
    made.open = true;
  } else if (wildcard(minor)) {
    plain = major + ".0.0" + pre;
    made.open = made.any_minor = true;
  } else if (wildcard(patch)) {
    plain = major + minor + ".0" + pre;
    made.open = made.any_patch = true;
  }
  auto parsed = version(plain);
  if (!parsed) return failure("improper constraint: " + quote(in));
  made.version = std::move(*parsed);
  return made;
}

bool tilde(const Version& v, const Constraint& c) {
  if (compare(v, c.version) < 0) return false;
  if (c.version.parts == std::array<std::uint64_t, 3>{} && !c.any_minor && !c.any_patch)
    return true;
  if (v.parts[0] != c.version.parts[0]) return false;
  return v.parts[1] == c.version.parts[1] || c.any_minor;
}

bool caret(const Version& v, const Constraint& c) {
  if (compare(v, c.version) < 0) return false;
  if (c.version.parts[0] > 0 || c.any_minor) return v.parts[0] == c.version.parts[0];
  if (v.parts[0] > 0) return false;
  if (c.version.parts[1] > 0 || c.any_patch) return v.parts[1] == c.version.parts[1];
  if (v.parts[1] > 0) return false;
  return v.parts[2] == c.version.parts[2];
}

bool differs(const Version& v, const Constraint& c) {
  if (c.open) {
    if (!v.pre.empty() && c.version.pre.empty()) return false;
    if (v.parts[0] != c.version.parts[0]) return true;
    if (v.parts[1] != c.version.parts[1] && !c.any_minor) return true;
    if (c.any_minor) return false;
    if (v.parts[2] != c.version.parts[2] && !c.any_patch) return true;
    if (c.any_patch)
      return (!v.pre.empty() || !c.version.pre.empty()) && compare_pre(v.pre, c.version.pre) != 0;
  }
  return compare(v, c.version) != 0;
}

bool holds(const Version& v, const Constraint& c) {
  const auto& op = c.op;
  if (op == "!=") return differs(v, c);
  // A pre-release counts only where the constraint names one.
  if (!v.pre.empty() && c.version.pre.empty()) return false;
  const auto& parts = c.version.parts;
  if (op == ">") {
    if (!c.open) return compare(v, c.version) > 0;
    if (v.parts[0] != parts[0]) return v.parts[0] > parts[0];
    if (c.any_minor) return false;
    if (c.any_patch) return v.parts[1] > parts[1];
    return compare(v, c.version) > 0;
  }
  if (op == "<") return compare(v, c.version) < 0;
  if (op == ">=" || op == "=>") return compare(v, c.version) >= 0;
  if (op == "<=" || op == "=<") {
    if (!c.open) return compare(v, c.version) <= 0;
    if (v.parts[0] > parts[0]) return false;
    return v.parts[0] != parts[0] || v.parts[1] <= parts[1] || c.any_minor;
  }
  if (op == "~" || op == "~>") return tilde(v, c);
  if (op == "^") return caret(v, c);
  return c.open ? tilde(v, c) : compare(v, c.version) == 0;
}

// "1.2 - 2.3" is ">= 1.2, <= 2.3".
std::string without_ranges(std::string in) {
  static const re2::RE2 pattern("\\s*(" + kVersion + ")\\s+-\\s+(" + kVersion + ")\\s*");
  re2::RE2::GlobalReplace(&in, pattern, ">= \\1, <= \\7");
  return in;
}

Result<bool> all_hold(const Version& v, const std::string& conjunction) {
  static const re2::RE2 valid("(\\s*" + kOperator + "\\s*(" + kVersion + ")\\s*)((?:\\s+|,\\s*)" +
                              kOperator + "\\s*(" + kVersion + ")\\s*)*");
  static const re2::RE2 each("(" + kOperator + "\\s*" + kVersion + ")");
  if (!re2::RE2::FullMatch(conjunction, valid))
    return failure("improper constraint: " + quote(conjunction.substr(0, 80)));
  re2::StringPiece rest(conjunction);
  std::string one;
  bool all = true;
  while (re2::RE2::FindAndConsume(&rest, each, &one)) {
    auto parsed = constraint(one);
    if (!parsed) return std::move(parsed).error();
    all = all && holds(v, *parsed);
  }
  return all;
}

Result<Value> semver_compare(Env& env, Args a) {
  if (auto paid = env.spend(text(a, 0).size()); !paid) return std::move(paid).error();
  if (text(a, 0).size() > 1024) return failure("the constraint is too long");
  const auto constraints = without_ranges(text(a, 0));
  auto parsed = version(text(a, 1));
  std::vector<std::string> either;
  std::size_t at = 0;
  for (auto end = constraints.find("||"); end != std::string::npos;
       end = constraints.find("||", at)) {
    either.push_back(constraints.substr(at, end - at));
    at = end + 2;
  }
  either.push_back(constraints.substr(at));
  bool any = false;
  for (const auto& conjunction : either) {
    auto holds_here = all_hold(parsed ? *parsed : Version(), conjunction);
    if (!holds_here) return std::move(holds_here).error();
    any = any || *holds_here;
  }
  if (!parsed) return std::move(parsed).error();
  return Value(any);
}

Result<Value> semver(Env& /*env*/, Args a) {
  auto parsed = version(text(a, 0));
  if (!parsed) return std::move(parsed).error();
  Map made;
  made.type = Map::Type::version;
  const auto part = [&](std::size_t i) {
    return Value(Int{static_cast<std::int64_t>(parsed->parts[i]), Int::Type::uint64});
  };
  made.entries.emplace("Major", part(0));
  made.entries.emplace("Minor", part(1));
  made.entries.emplace("Patch", part(2));
  made.entries.emplace("Prerelease", Value(parsed->pre));
  made.entries.emplace("Metadata", Value(parsed->metadata));
  made.entries.emplace("Original", a[0]);
  made.entries.emplace("String", Value(shown(*parsed)));
  return Value(std::move(made));
}

Version version_of(const Map& made) {
  return version(*made.entries.find("Original")->second.text()).value();
}

const Function kVersionFunctions[] = {
    {"semver", "s", semver},
    {"semverCompare", "ss", semver_compare},
};

}  // namespace

bool is_version_method(std::string_view name) {
  return name == "Compare" || name == "Equal" || name == "LessThan" || name == "GreaterThan";
}

Value version_method(std::string_view name, const Map& version, const Map& other) {
  const auto order = compare(version_of(version), version_of(other));
  if (name == "Compare") return Value(order);
  return Value(name == "Equal" ? order == 0 : name == "LessThan" ? order < 0 : order > 0);
}

std::span<const Function> version_functions() { return kVersionFunctions; }

}  // namespace skep::templates
