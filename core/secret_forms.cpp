#include "core/secret_forms.hpp"

#include <algorithm>
#include <cctype>
#include <cstdint>
#include <utility>

#include "core/digest.hpp"
#include "core/utf8.hpp"

namespace skep {
namespace {

constexpr std::string_view kUpperHex = "0123456789ABCDEF";
constexpr std::string_view kLowerHex = "0123456789abcdef";

/// `\x07`, `\u00e4`: a letter, and as many digits as it wants.
std::string numbered(char letter, std::uint32_t number, std::string_view hex) {
  auto digits = letter == 'x' ? 2U : letter == 'u' ? 4U : 8U;
  std::string out = {'\\', letter};
  while (digits-- > 0) out += hex[(number >> (4 * digits)) & 0xFU];
  return out;
}

/// How a format escapes what may not stand between its double quotes.
struct Escapes {
  /// Pairs of a byte and the letter that stands for it behind a backslash; the backslash and the
  /// quote stand for themselves.
  std::string_view letters;
  /// A further one by its number; "" where it stands as it is.
  std::string (*further)(std::uint32_t point);
};

std::string escaped(std::string_view text, const Escapes& as) {
  std::string out;
  while (!text.empty()) {
    const auto next = first_character(text).value_or(Utf8Character{0xFFFD, 1});
    const char c = text.front();
    const bool ascii = next.point < 0x80;
    std::size_t pair = 0;
    while (pair < as.letters.size() && as.letters[pair] != c) pair += 2;
    if (ascii && (c == '"' || c == '\\')) {
      out += {'\\', c};
    } else if (ascii && pair < as.letters.size()) {
      out += {'\\', as.letters[pair + 1]};
    } else if (const auto number = as.further(next.point); !number.empty()) {
      out += number;
    } else {
      out += text.substr(0, next.length);
    }
    text.remove_prefix(next.length);
  }
  return out;
}

constexpr std::string_view kJsonLetters = "\nn\rr\tt";
constexpr Escapes kJson = {kJsonLetters, [](std::uint32_t point) {
                             return point < 0x20 ? numbered('u', point, kLowerHex) : "";
                           }};
/// Go's JSON, which also escapes what means something to HTML.
constexpr Escapes kHtmlJson = {kJsonLetters, [](std::uint32_t point) {
                                 const bool html = point == '<' || point == '>' || point == '&';
                                 return point < 0x20 || html ? numbered('u', point, kLowerHex) : "";
                               }};
/// JSON as most programs write its control characters, and in ASCII as some write it all.
constexpr Escapes kAsciiJson = {"\nn\rr\tt\bb\ff", [](std::uint32_t point) -> std::string {
                                  if (point >= 0x20 && point < 0x80) return "";
                                  if (point < 0x10000) return numbered('u', point, kLowerHex);
                                  const auto rest = point - 0x10000;
                                  return numbered('u', 0xD800 + (rest >> 10U), kLowerHex) +
                                         numbered('u', 0xDC00 + (rest & 0x3FFU), kLowerHex);
                                }};
constexpr Escapes kShortJson = {"\nn\rr\tt\bb\ff", kJson.further};
constexpr Escapes kGo = {"\aa\bb\tt\nn\vv\ff\rr", [](std::uint32_t point) {
                           return point < 0x20 || point == 0x7F ? numbered('x', point, kLowerHex)
                                                                : "";
                         }};
/// As libyaml writes it: characters beyond the basic plane, too.
constexpr Escapes kYaml = {
    "\aa\bb\tt\nn\vv\ff\rr\x1b"
    "e",
    [](std::uint32_t point) -> std::string {
      switch (point) {
        case 0:
          return "\\0";
        case 0x85:
          return "\\N";
        case 0x2028:
          return "\\L";
        case 0x2029:
          return "\\P";
        default:
          break;
      }
      if (point < 0x20 || (point >= 0x7F && point < 0xA0)) return numbered('x', point, kUpperHex);
      if (point == 0xFEFF || point == 0xFFFE || point == 0xFFFF)
        return numbered('u', point, kUpperHex);
      return point > 0xFFFF ? numbered('U', point, kUpperHex) : "";
    }};

std::string doubled(std::string_view text, char quote) {
  std::string out;
  for (const char c : text) {
    out += c;
    if (c == quote) out += c;
  }
  return out;
}

std::string for_url(std::string_view text, std::string_view hex, std::string_view kept, bool plus) {
  std::string out;
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (byte < 0x80U && (std::isalnum(byte) != 0 || kept.find(c) != std::string_view::npos)) {
      out += c;
    } else if (plus && c == ' ') {
      out += '+';
    } else {
      out += '%';
      out += hex[byte >> 4U];
      out += hex[byte & 0xFU];
    }
  }
  return out;
}

}  // namespace

std::string inner_base64(std::string_view secret, std::size_t offset) {
  const auto text = base64(std::string(offset, '\0') + std::string(secret));
  const auto begin = (offset * 8 + 5) / 6;
  const auto end = (offset + secret.size()) * 8 / 6;
  return text.substr(begin, end - begin);
}

std::vector<std::string> forms_of(std::string_view secret) {
  std::vector<std::string> forms = {std::string(secret), doubled(secret, '\'')};
  for (const auto* as : {&kJson, &kHtmlJson, &kShortJson, &kAsciiJson, &kGo, &kYaml})
    forms.push_back(escaped(secret, *as));
  forms.push_back(escaped(escaped(secret, kJson), kJson));  // JSON within JSON.
  for (const auto hex : {kUpperHex, kLowerHex}) {
    forms.push_back(for_url(secret, hex, "-_.~", false));
    forms.push_back(for_url(secret, hex, "-_.~", true));
    forms.push_back(for_url(secret, hex, "-_.~!$&'()*+,;=:@/", false));
  }
  for (std::size_t offset = 0; offset < 3; ++offset) {
    auto text = inner_base64(secret, offset);
    auto url = text;
    std::replace(url.begin(), url.end(), '+', '-');
    std::replace(url.begin(), url.end(), '/', '_');
    forms.push_back(std::move(text));
    forms.push_back(std::move(url));
  }
  std::sort(forms.begin(), forms.end());
  forms.erase(std::unique(forms.begin(), forms.end()), forms.end());
  return forms;
}

}  // namespace skep
