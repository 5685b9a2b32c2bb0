#include "diff/words.hpp"

#include <algorithm>
#include <array>
#include <charconv>

#include "core/ascii.hpp"

namespace skep::diff {
namespace {

bool contains(std::string_view text, std::string_view part) {
  return text.find(part) != std::string_view::npos;
}

/// "scheme://user:password@host"
bool has_password_url(std::string_view value) {
  for (auto at = value.find("://"); at != std::string_view::npos; at = value.find("://", at + 3)) {
    const auto rest = value.substr(at + 3);
    const auto authority = rest.substr(0, rest.find_first_of("/?# \t\n\"'"));
    const auto end = authority.rfind('@');
    if (end == std::string_view::npos) {
      // A password may hold a slash: then the '@' comes later, after a colon that is no port.
      const auto colon = rest.find(':');
      const auto sign = rest.find('@');
      if (colon < sign && sign != std::string_view::npos &&
          rest.substr(0, sign).find_first_of(" \t\n") == std::string_view::npos)
        return true;
      continue;
    }
    if (contains(authority.substr(0, end), ":") || end > 0) return true;
  }
  return false;
}

}  // namespace

bool is_credential_name(std::string_view name) {
  constexpr std::array<std::string_view, 14> kMarks{"pass",
                                                    "pwd",
                                                    "secret",
                                                    "token",
                                                    "key",
                                                    "credential",
                                                    "private",
                                                    "auth",
                                                    "dsn",
                                                    "cookie",
                                                    "salt",
                                                    "signature",
                                                    "license",
                                                    "webhook"};
  const auto folded = lower(name);
  return std::any_of(
      kMarks.begin(), kMarks.end(), [&](std::string_view mark) { return contains(folded, mark); });
}

bool holds_credential(std::string_view value) {
  if (has_password_url(value)) return true;
  constexpr std::array<std::string_view, 7> kHashes{
      "$apr1$", "$2a$", "$2b$", "$2y$", "$5$", "$6$", "{sha}"};
  constexpr std::array<std::string_view, 10> kNames{"password",
                                                    "passwd",
                                                    "passphrase",
                                                    "pwd",
                                                    "secret",
                                                    "token",
                                                    "api_key",
                                                    "apikey",
                                                    "api-key",
                                                    "requirepass"};
  const auto folded = lower(value);
  if (contains(folded, "-----begin ") || contains(folded, "authorization:")) return true;
  if (std::any_of(
          kHashes.begin(), kHashes.end(), [&](auto mark) { return contains(folded, mark); }))
    return true;
  return std::any_of(kNames.begin(), kNames.end(), [&](std::string_view name) {
    for (auto at = folded.find(name); at != std::string::npos; at = folded.find(name, at + 1)) {
      const auto after =
          folded.find_first_not_of("abcdefghijklmnopqrstuvwxyz_-\"'", at + name.size());
      if (after != std::string::npos && (folded[after] == '=' || folded[after] == ':' ||
                                         (folded[after] == ' ' && at > 0 && folded[at - 1] == '-')))
        return true;
    }
    return false;
  });
}

bool is_credential(std::string_view name, std::string_view value) {
  if (holds_credential(value)) return true;
  const bool path = value.starts_with('/') &&
                    value.find_first_of(" \t\r\n") == std::string_view::npos &&
                    lower(name).ends_with("_file");
  return !path && is_credential_name(name);
}

std::string printable(std::string_view text) {
  std::string result;
  result.reserve(text.size());
  for (std::size_t i = 0; i < text.size(); ++i) {
    const auto byte = static_cast<unsigned char>(text[i]);
    if (byte == '\n' || byte == '\t' || byte == '\r') {
      result += ' ';
    } else if (byte < 0x20 || byte == 0x7f) {
      continue;
    } else if (byte == 0xc2 && i + 1 < text.size() &&
               static_cast<unsigned char>(text[i + 1]) < 0xa0) {
      ++i;  // U+0080 … U+009F, the second set of control characters.
    } else if (byte == 0xe2 && i + 2 < text.size() &&
               ((text[i + 1] == '\x80' && ((text[i + 2] >= '\xaa' && text[i + 2] <= '\xae') ||
                                           (text[i + 2] >= '\x8b' && text[i + 2] <= '\x8f') ||
                                           text[i + 2] == '\xa8' || text[i + 2] == '\xa9')) ||
                (text[i + 1] == '\x81' && text[i + 2] >= '\xa6' && text[i + 2] <= '\xa9'))) {
      i += 2;  // Direction marks, invisible joiners, line separators.
    } else {
      result += text[i];
    }
  }
  return result;
}

std::string show_bytes(std::int64_t bytes) {
  constexpr std::array<std::pair<std::int64_t, char>, 4> kUnits{
      std::pair{std::int64_t{1} << 40, 'T'},
      std::pair{std::int64_t{1} << 30, 'G'},
      std::pair{std::int64_t{1} << 20, 'M'},
      std::pair{std::int64_t{1} << 10, 'K'}};
  for (const auto& [size, unit] : kUnits) {
    if (bytes != 0 && bytes % size == 0) return std::to_string(bytes / size) + unit;
  }
  return std::to_string(bytes) + "B";
}

std::string show_cpus(std::int64_t nano_cpus) {
  constexpr std::int64_t kNano = 1'000'000'000;
  std::string text = nano_cpus < 0 ? "-" : "";
  const auto size = nano_cpus < 0 ? -static_cast<std::uint64_t>(nano_cpus)
                                  : static_cast<std::uint64_t>(nano_cpus);
  text += std::to_string(size / kNano);
  auto fraction = std::to_string(size % kNano);
  if (fraction == "0") return text;
  fraction.insert(0, 9 - fraction.size(), '0');
  fraction.erase(fraction.find_last_not_of('0') + 1);
  return text + "." + fraction;
}

std::string show_duration(swarm::Nanoseconds duration) {
  struct Unit {
    std::int64_t size;
    const char* name;
  };
  constexpr std::array<Unit, 6> kUnits{Unit{3'600'000'000'000, "h"},
                                       Unit{60'000'000'000, "m"},
                                       Unit{1'000'000'000, "s"},
                                       Unit{1'000'000, "ms"},
                                       Unit{1'000, "us"},
                                       Unit{1, "ns"}};
  auto rest = duration.count();
  if (rest == 0) return "0s";
  std::string text;
  for (const auto& unit : kUnits) {
    const auto count = rest / unit.size;
    if (count == 0) continue;
    text += std::to_string(text.empty() ? count : std::abs(count)) + unit.name;
    rest %= unit.size;
  }
  return text;
}

std::string show_words(const std::vector<std::string>& words) {
  std::string text;
  for (const auto& word : words) {
    if (!text.empty()) text += ' ';
    const bool plain = !word.empty() && word.find_first_of(" \t\n\"'\\$`") == std::string::npos;
    text += plain ? word : "\"" + word + "\"";
  }
  return text;
}

std::string show_ratio(float ratio) {
  std::array<char, 32> buffer{};
  const auto end = std::to_chars(buffer.data(), buffer.data() + buffer.size(), ratio).ptr;
  return {buffer.data(), end};
}

}  // namespace skep::diff
