#include "compose/casts.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <cstdlib>
#include <limits>
#include <optional>

#include "compose/sizes.hpp"
#include "compose/text.hpp"

namespace skep::compose {
namespace {

enum class Target { integer, number, boolean };

struct Rule {
  std::string_view path;  ///< `*` is any one part.
  Target target;
};

constexpr std::array kRules = {
    Rule{"services.*.configs.[].mode", Target::integer},
    Rule{"services.*.secrets.[].mode", Target::integer},
    Rule{"services.*.healthcheck.retries", Target::integer},
    Rule{"services.*.healthcheck.disable", Target::boolean},
    Rule{"services.*.deploy.replicas", Target::integer},
    Rule{"services.*.deploy.update_config.parallelism", Target::integer},
    Rule{"services.*.deploy.update_config.max_failure_ratio", Target::number},
    Rule{"services.*.deploy.rollback_config.parallelism", Target::integer},
    Rule{"services.*.deploy.rollback_config.max_failure_ratio", Target::number},
    Rule{"services.*.deploy.restart_policy.max_attempts", Target::integer},
    Rule{"services.*.deploy.placement.max_replicas_per_node", Target::integer},
    Rule{"services.*.ports.[].target", Target::integer},
    Rule{"services.*.ports.[].published", Target::integer},
    Rule{"services.*.ulimits.*", Target::integer},
    Rule{"services.*.ulimits.*.hard", Target::integer},
    Rule{"services.*.ulimits.*.soft", Target::integer},
    Rule{"services.*.oom_score_adj", Target::integer},
    Rule{"services.*.privileged", Target::boolean},
    Rule{"services.*.read_only", Target::boolean},
    Rule{"services.*.stdin_open", Target::boolean},
    Rule{"services.*.tty", Target::boolean},
    Rule{"services.*.volumes.[].read_only", Target::boolean},
    Rule{"services.*.volumes.[].volume.nocopy", Target::boolean},
    Rule{"networks.*.external", Target::boolean},
    Rule{"networks.*.internal", Target::boolean},
    Rule{"networks.*.attachable", Target::boolean},
    Rule{"volumes.*.external", Target::boolean},
    Rule{"secrets.*.external", Target::boolean},
    Rule{"configs.*.external", Target::boolean},
};

/// Places that the CLI casts nothing in, so that no variable can be used there.
constexpr std::array kExtraRules = {
    Rule{"services.*.init", Target::boolean},
    Rule{"services.*.deploy.resources.limits.pids", Target::integer},
    Rule{"services.*.deploy.resources.reservations.generic_resources.[].discrete_resource_spec."
         "value",
         Target::integer},
    Rule{"services.*.volumes.[].tmpfs.size", Target::integer},
};

/// Part by part; a key that holds a dot makes more parts and so never matches, as in the CLI.
bool matches(std::string_view pattern, std::string_view path) {
  while (true) {
    const auto p = cut(pattern, '.');
    const auto t = cut(path, '.');
    if (p.before != "*" && p.before != t.before) return false;
    if (p.found != t.found) return false;
    if (!p.found) return true;
    pattern = p.after;
    path = t.after;
  }
}

Error refusal(std::string_view function, const std::string& text, std::string_view why) {
  return Error{
      ErrorKind::invalid_input,
      "strconv." + std::string(function) + ": parsing " + quoted(text) + ": " + std::string(why),
      {}};
}

Result<yaml::Node::Value> integer(const std::string& text) {
  std::string_view digits = text;
  const bool minus = digits.starts_with('-');
  if (minus || digits.starts_with('+')) digits.remove_prefix(1);
  const bool plain =
      !digits.empty() && digits.find_first_not_of("0123456789") == std::string_view::npos;
  if (!plain) return refusal("Atoi", text, "invalid syntax");
  std::uint64_t magnitude = 0;
  const auto read = std::from_chars(digits.data(), digits.data() + digits.size(), magnitude);
  constexpr std::uint64_t kMax = std::numeric_limits<std::int64_t>::max();
  if (read.ec != std::errc() || magnitude > kMax + (minus ? 1U : 0U)) {
    return refusal("Atoi", text, "value out of range");
  }
  return yaml::Node::Value(static_cast<std::int64_t>(minus ? 0U - magnitude : magnitude));
}

/// A `_` between two digits is no part of the number; elsewhere it is a mistake.
std::optional<std::string> without_separators(std::string_view text) {
  constexpr std::string_view kDigits = "0123456789abcdefABCDEFxX";
  std::string plain;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '_') {
      plain += text[i];
    } else if (i == 0 || i + 1 == text.size() ||
               kDigits.find(text[i - 1]) == std::string_view::npos ||
               kDigits.find(text[i + 1]) == std::string_view::npos) {
      return std::nullopt;
    }
  }
  return plain;
}

/// Go's ParseFloat: decimal, hexadecimal with an exponent, "inf", "infinity" and "nan".
Result<yaml::Node::Value> number(const std::string& text) {
  const auto invalid = [&] { return refusal("ParseFloat", text, "invalid syntax"); };
  const auto plain = without_separators(text);
  if (!plain) return invalid();
  std::string_view rest = *plain;
  const bool minus = rest.starts_with('-');
  const bool sign = minus || rest.starts_with('+');
  if (sign) rest.remove_prefix(1);
  if (rest.empty() || rest[0] == '-') return invalid();
  const auto word = lower(rest);
  double value = 0;
  if (word == "inf" || word == "infinity") {
    value = std::numeric_limits<double>::infinity();
  } else if (word == "nan") {
    if (sign) return invalid();
    value = std::numeric_limits<double>::quiet_NaN();
  } else {
    const bool hex = word.starts_with("0x");
    if (hex && word.find('p') == std::string::npos) return invalid();
    if (!hex && rest.find_first_not_of("0123456789.eE+-") != std::string_view::npos) {
      return invalid();
    }
    if (hex) rest.remove_prefix(2);
    const auto* const end = rest.data() + rest.size();
    const auto read = std::from_chars(
        rest.data(), end, value, hex ? std::chars_format::hex : std::chars_format::general);
    if (read.ec == std::errc::invalid_argument || read.ptr != end) return invalid();
    if (read.ec == std::errc::result_out_of_range) {
      const bool tiny = word.find(hex ? "p-" : "e-") != std::string::npos;
      if (!tiny) return refusal("ParseFloat", text, "value out of range");
      value = 0;
    }
  }
  return yaml::Node::Value(minus ? -value : value);
}

/// What an integer's place means by a text that is none, off strict mode.
std::optional<std::int64_t> meant_integer(std::string_view path, const std::string& text) {
  if (matches("services.*.volumes.[].tmpfs.size", path)) {
    const auto bytes = parse_size(text);
    return bytes ? std::optional(*bytes) : std::nullopt;
  }
  const bool limit =
      path.starts_with("services.") && path.find(".ulimits.") != std::string_view::npos;
  if (limit && lower(text) == "unlimited") return -1;
  const bool mode =
      matches("services.*.configs.[].mode", path) || matches("services.*.secrets.[].mode", path);
  if (mode && lower(text).starts_with("0o")) {
    std::int64_t value = 0;
    const auto* const end = text.data() + text.size();
    const auto read = std::from_chars(text.data() + 2, end, value, 8);
    if (read.ec == std::errc() && read.ptr == end && text[2] != '-') return value;
  }
  return std::nullopt;
}

Result<yaml::Node::Value> boolean(const std::string& text) {
  const auto word = lower(text);
  for (const std::string_view yes : {"y", "yes", "true", "on"}) {
    if (word == yes) return yaml::Node::Value(true);
  }
  for (const std::string_view no : {"n", "no", "false", "off"}) {
    if (word == no) return yaml::Node::Value(false);
  }
  return Error{ErrorKind::invalid_input, "invalid boolean: " + text, {}};
}

const Rule* rule_of(std::string_view path, bool strict) {
  const auto find_in = [&](const auto& rules) -> const Rule* {
    const auto* const found = std::find_if(
        rules.begin(), rules.end(), [&](const Rule& row) { return matches(row.path, path); });
    return found == rules.end() ? nullptr : found;
  };
  const auto* rule = find_in(kRules);
  return rule == nullptr && !strict ? find_in(kExtraRules) : rule;
}

}  // namespace

std::string_view needed_value(std::string_view path) {
  if (const auto* rule = rule_of(path, false))
    return rule->target == Target::boolean ? "true or false" : "a number";
  for (const auto* bounds : {"services.*.deploy.resources.limits.memory",
                             "services.*.deploy.resources.reservations.memory"}) {
    if (matches(bounds, path)) return "an amount, such as 64M";
  }
  return "";
}

Result<yaml::Node::Value> cast(std::string_view path, const std::string& text, bool strict) {
  const auto* rule = rule_of(path, strict);
  if (rule == nullptr) return yaml::Node::Value(text);
  switch (rule->target) {
    case Target::integer: {
      auto value = integer(text);
      if (value || strict) return value;
      const auto meant = meant_integer(path, text);
      return meant ? Result<yaml::Node::Value>(*meant) : std::move(value);
    }
    case Target::number:
      return number(text);
    case Target::boolean:
      break;
  }
  return boolean(text);
}

}  // namespace skep::compose
