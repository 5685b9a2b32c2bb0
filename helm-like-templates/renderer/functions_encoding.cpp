#include <cstdio>
#include <string>
#include <vector>

#include "core/digest.hpp"
#include "helm-like-templates/renderer/arguments.hpp"
#include "helm-like-templates/renderer/data_text.hpp"
#include "helm-like-templates/renderer/format.hpp"
#include "helm-like-templates/renderer/functions.hpp"
#include "helm-like-templates/renderer/unicode.hpp"

namespace skep::templates {
namespace {

constexpr std::string_view kBase32 = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";

std::string base32(std::string_view bytes) {
  std::string out;
  std::uint32_t bits = 0;
  int count = 0;
  for (const char c : bytes) {
    bits = (bits << 8U) | static_cast<unsigned char>(c);
    count += 8;
    for (; count >= 5; count -= 5) out += kBase32[(bits >> static_cast<unsigned>(count - 5)) & 31U];
  }
  if (count > 0) out += kBase32[(bits << static_cast<unsigned>(5 - count)) & 31U];
  while (out.size() % 8 != 0) out += '=';
  return out;
}

// Line ends are skipped, as Go does it.
std::string one_line(std::string_view in) {
  std::string out;
  for (const char c : in) {
    if (c != '\n' && c != '\r') out += c;
  }
  return out;
}

Result<Value> from_base32(Env& /*env*/, Args a) {
  const auto in = one_line(text(a, 0));
  const auto wrong = failure("this is not base32");
  if (in.size() % 8 != 0) return wrong;
  const auto digits = std::min(in.find('='), in.size());
  const auto padding = in.size() - digits;
  if (in.find_first_not_of('=', digits) != std::string::npos || padding > 6 || padding == 2 ||
      padding == 5)
    return wrong;
  std::string out;
  std::uint32_t bits = 0;
  int count = 0;
  for (const char c : in.substr(0, digits)) {
    const auto digit = kBase32.find(c);
    if (digit == std::string_view::npos) return wrong;
    bits = (bits << 5U) | static_cast<std::uint32_t>(digit);
    count += 5;
    if (count >= 8) {
      count -= 8;
      out += static_cast<char>((bits >> static_cast<unsigned>(count)) & 0xFFU);
    }
  }
  return Value(std::move(out));
}

Result<Value> from_base64_text(Env& /*env*/, Args a) {
  auto bytes = from_loose_base64(one_line(text(a, 0)));  // As Go does.
  if (!bytes) return failure("this is not base64");
  return Value(std::move(*bytes));
}

std::string adler32(std::string_view bytes) {
  std::uint32_t low = 1;
  std::uint32_t high = 0;
  for (const char c : bytes) {
    low = (low + static_cast<unsigned char>(c)) % 65521;
    high = (high + low) % 65521;
  }
  return std::to_string((high << 16U) | low);
}

std::string html(std::string_view in) {
  std::string out;
  for (const char c : in) {
    switch (c) {
      case '\0':
        out += "\xEF\xBF\xBD";
        break;
      case '"':
        out += "&#34;";
        break;
      case '\'':
        out += "&#39;";
        break;
      case '&':
        out += "&amp;";
        break;
      case '<':
        out += "&lt;";
        break;
      case '>':
        out += "&gt;";
        break;
      default:
        out += c;
    }
  }
  return out;
}

std::string js(std::string_view in) {
  std::string out;
  while (!in.empty()) {
    const auto next = decode(in);
    const auto rune = next.rune;
    if (rune == '\\' || rune == '\'' || rune == '"') {
      out += '\\';
      out += static_cast<char>(rune);
    } else if (rune < ' ' || rune == '<' || rune == '>' || rune == '&' || rune == '=' ||
               (rune >= 0x80 && !is_print(rune))) {
      char buffer[16];
      std::snprintf(buffer, sizeof(buffer), "\\u%04X", static_cast<unsigned>(rune));
      out += buffer;
    } else {
      out += in.substr(0, next.size);
    }
    in.remove_prefix(next.size);
  }
  return out;
}

std::string urlquery(std::string_view in) {
  std::string out;
  for (const char c : in) {
    const bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                       std::string_view("-_.~").find(c) != std::string_view::npos;
    if (plain) {
      out += c;
    } else if (c == ' ') {
      out += '+';
    } else {
      char buffer[8];
      std::snprintf(buffer, sizeof(buffer), "%%%02X", static_cast<unsigned char>(c));
      out += buffer;
    }
  }
  return out;
}

template <std::string (*escape)(std::string_view)>
Result<Value> escaped(Env& env, Args a) {
  std::vector<Value> values(a.begin(), a.end());
  for (auto& value : values) {
    if (value.is_nil()) value = Value("<no value>");
  }
  auto shown = sprint(env, values);
  if (!shown) return std::move(shown).error();
  if (auto paid = env.charge(shown->size() * 6); !paid) return std::move(paid).error();
  return Value(escape(*shown));
}

template <bool pretty, bool raw>
Result<Value> json(Env& env, Args a) {
  return text_value(to_json(env, a[0], {.pretty = pretty, .html = !raw}));
}

// The array forms promise a list.
Result<Value> list_only(Result<Value> value) {
  if (value && value->is_nil()) return Value(List());
  if (value && value->list() == nullptr)
    return failure("a list is expected; this is a " + std::string(type_name(*value)));
  return value;
}

Result<Value> yaml_or_map(Env& env, Args a) {
  auto value = from_yaml(env, text(a, 0));
  if (value && value->is_nil()) return Value(Map());
  return value;
}

Result<Value> read_json(Env& env, Args a) { return from_json(env, text(a, 0)); }

const Function kEncodingFunctions[] = {
    {"html", "a*", escaped<html>, true},
    {"js", "a*", escaped<js>, true},
    {"urlquery", "a*", escaped<urlquery>, true},
    {"b64enc", "s", [](Env&, Args a) -> Result<Value> { return Value(base64(text(a, 0))); }},
    {"b64dec", "s", from_base64_text},
    {"b32enc", "s", [](Env&, Args a) -> Result<Value> { return Value(base32(text(a, 0))); }},
    {"b32dec", "s", from_base32},
    {"sha1sum", "s", [](Env&, Args a) -> Result<Value> { return Value(sha1_hex(text(a, 0))); }},
    {"sha256sum", "s", [](Env&, Args a) -> Result<Value> { return Value(sha256_hex(text(a, 0))); }},
    {"sha512sum", "s", [](Env&, Args a) -> Result<Value> { return Value(sha512_hex(text(a, 0))); }},
    {"adler32sum", "s", [](Env&, Args a) -> Result<Value> { return Value(adler32(text(a, 0))); }},
    {"toJson", "a", json<false, false>},
    {"mustToJson", "a", json<false, false>},
    {"toPrettyJson", "a", json<true, false>},
    {"mustToPrettyJson", "a", json<true, false>},
    {"toRawJson", "a", json<false, true>},
    {"mustToRawJson", "a", json<false, true>},
    {"fromJson", "s", read_json},
    {"mustFromJson", "s", read_json},
    {"fromJsonArray", "s", [](Env& e, Args a) { return list_only(from_json(e, text(a, 0))); }},
    {"toYaml", "a", [](Env& e, Args a) { return text_value(to_yaml(e, a[0])); }},
    {"mustToYaml", "a", [](Env& e, Args a) { return text_value(to_yaml(e, a[0])); }},
    {"fromYaml", "s", yaml_or_map},
    {"fromYamlArray", "s", [](Env& e, Args a) { return list_only(from_yaml(e, text(a, 0))); }},
};

}  // namespace

std::span<const Function> encoding_functions() { return kEncodingFunctions; }

}  // namespace skep::templates
