#include "gitsync/allowed_signers.hpp"

#include <array>
#include <charconv>

#include "core/ascii.hpp"
#include "core/digest.hpp"

namespace skep::gitsync {
namespace {

/// The next word; what stands between double quotes may hold blanks. Advances past it.
std::string_view take_quoted_word(std::string_view& line) {
  while (!line.empty() && (line.front() == ' ' || line.front() == '\t')) line.remove_prefix(1);
  bool quoted = false;
  std::size_t end = 0;
  for (; end < line.size(); ++end) {
    if (line[end] == '"') quoted = !quoted;
    if (!quoted && (line[end] == ' ' || line[end] == '\t')) break;
  }
  const auto word = line.substr(0, end);
  line.remove_prefix(end);
  return word;
}

bool is_key_type(std::string_view word) {
  return word.starts_with("ssh-") || word.starts_with("ecdsa-") || word.starts_with("sk-");
}

/// "20260131" or "202601311530", "…30" with seconds, "…Z" for UTC. Without Z too: a container has
/// no other time zone.
std::optional<WallTime> read_time(std::string_view text) {
  if (!text.empty() && (text.back() == 'Z' || text.back() == 'z')) text.remove_suffix(1);
  if (text.size() != 8 && text.size() != 12 && text.size() != 14) return std::nullopt;
  std::array<int, 6> parts{};
  std::size_t at = 0;
  for (std::size_t part = 0; at < text.size(); ++part) {
    const std::size_t digits = part == 0 ? 4 : 2;
    const auto* begin = text.data() + at;
    const auto [end, error] = std::from_chars(begin, begin + digits, parts[part]);
    if (error != std::errc() || end != begin + digits) return std::nullopt;
    at += digits;
  }
  const std::chrono::year_month_day date{std::chrono::year(parts[0]),
                                         std::chrono::month(static_cast<unsigned>(parts[1])),
                                         std::chrono::day(static_cast<unsigned>(parts[2]))};
  if (!date.ok() || parts[3] > 23 || parts[4] > 59 || parts[5] > 60) return std::nullopt;
  return std::chrono::time_point_cast<WallTime::duration>(
      std::chrono::sys_days(date) + std::chrono::hours(parts[3]) + std::chrono::minutes(parts[4]) +
      std::chrono::seconds(parts[5]));
}

/// The value of NAME=VALUE or NAME="VALUE", where the option is that one.
std::optional<std::string_view> value_of(std::string_view option, std::string_view name) {
  if (option.size() <= name.size() || lower(option.substr(0, name.size())) != name ||
      option[name.size()] != '=')
    return std::nullopt;
  auto value = option.substr(name.size() + 1);
  if (value.size() >= 2 && value.front() == '"' && value.back() == '"')
    value = value.substr(1, value.size() - 2);
  return value;
}

bool names_git(std::string_view list) {
  while (!list.empty()) {
    const auto comma = std::min(list.find(','), list.size());
    const auto name = list.substr(0, comma);
    if (name == "git" || name == "*") return true;
    list.remove_prefix(std::min(comma + 1, list.size()));
  }
  return false;
}

/// Options stand one after the other with commas between; a quoted value may hold some.
std::string_view take_option(std::string_view& options) {
  bool quoted = false;
  std::size_t end = 0;
  for (; end < options.size(); ++end) {
    if (options[end] == '"') quoted = !quoted;
    if (!quoted && options[end] == ',') break;
  }
  const auto option = options.substr(0, end);
  options.remove_prefix(std::min(end + 1, options.size()));
  return option;
}

}  // namespace

Result<AllowedSigners> AllowedSigners::parse(std::string_view text, const std::string& file) {
  AllowedSigners allowed;
  for (int number = 1; !text.empty(); ++number) {
    const auto end = std::min(text.find('\n'), text.size());
    auto line = text.substr(0, end);
    text.remove_prefix(std::min(end + 1, text.size()));
    if (!line.empty() && line.back() == '\r') line.remove_suffix(1);
    const auto wrong = [&](const std::string& what) {
      return Error{ErrorKind::invalid_input, what, SourcePosition{file, number, 1}};
    };
    const auto principals = take_quoted_word(line);
    if (principals.empty() || principals.front() == '#') continue;
    Signer signer;
    signer.principals = principals;
    auto word = take_quoted_word(line);
    if (!is_key_type(word)) {
      for (auto options = word; !options.empty();) {
        const auto option = take_option(options);
        if (lower(option) == "cert-authority")
          return wrong("certificate authorities are not supported: list the keys themselves");
        if (const auto spaces = value_of(option, "namespaces")) {
          signer.for_git = names_git(*spaces);
        } else if (const auto after = value_of(option, "valid-after")) {
          signer.after = read_time(*after);
          if (!signer.after) return wrong("valid-after must be a time such as 20260131");
        } else if (const auto before = value_of(option, "valid-before")) {
          signer.before = read_time(*before);
          if (!signer.before) return wrong("valid-before must be a time such as 20260131");
        } else {
          return wrong("the option \"" + std::string(option) + "\" is not known");
        }
      }
      word = take_quoted_word(line);
    }
    const auto blob = from_base64(take_quoted_word(line));
    if (!is_key_type(word) || !blob || blob->empty()) {
      return wrong(
          "a line must be: NAME [OPTIONS] KEYTYPE BASE64-KEY, such as "
          "ann@example.com ssh-ed25519 AAAA…");
    }
    signer.key = *blob;
    allowed.signers_.push_back(std::move(signer));
  }
  if (allowed.signers_.empty())
    return Error{ErrorKind::invalid_input, file + " names nobody whose signatures count"};
  return allowed;
}

AllowedSigners::Answer AllowedSigners::signer(std::string_view key, WallTime when) const {
  auto fingerprint = base64(sha256(key));
  while (!fingerprint.empty() && fingerprint.back() == '=') fingerprint.pop_back();
  const auto refused = [&](const std::string& what, bool expired = false) {
    return Answer{"", "it is signed with the key SHA256:" + fingerprint + ", " + what, expired};
  };
  bool known = false, in_time = false;
  for (const auto& signer : signers_) {
    if (signer.key != key) continue;
    known = true;
    if ((signer.after && when < *signer.after) || (signer.before && when >= *signer.before))
      continue;
    in_time = true;
    if (signer.for_git) return {signer.principals, "", false};
  }
  if (!known) return refused("which is nobody's whose signatures count");
  if (!in_time) return refused("which is not valid at the time of the commit", true);
  return refused("which does not count for git");
}

}  // namespace skep::gitsync
