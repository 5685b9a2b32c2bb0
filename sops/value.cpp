#include "sops/value.hpp"

#include <array>
#include <charconv>
#include <cmath>
#include <cstdint>
#include <utility>

#include "core/digest.hpp"
#include "sops/crypto.hpp"

namespace skep::sops {
namespace {

constexpr std::string_view kStart = "ENC[AES256_GCM,";

constexpr std::array<std::pair<std::string_view, Value::Type>, 8> kTypes = {{
    {"str", Value::Type::text},
    {"int", Value::Type::integer},
    {"int64", Value::Type::integer},
    {"float", Value::Type::real},
    {"bool", Value::Type::boolean},
    {"bytes", Value::Type::bytes},
    {"comment", Value::Type::comment},
    {"time", Value::Type::time},
}};

std::string_view type_name(Value::Type type) {
  for (const auto& [name, value] : kTypes) {
    if (value == type) return name;
  }
  return "str";
}

std::string associated_data(const Path& path) {
  std::string text;
  for (std::size_t i = 0; i < path.size(); ++i) text += (i == 0 ? "" : ":") + path[i];
  return text + ":";
}

/// The text in the one form that the MAC knows; nothing where it does not fit its type.
std::optional<std::string> canonical(Value::Type type, std::string text) {
  if (type == Value::Type::integer) {
    std::int64_t number = 0;
    std::string_view digits(text);
    if (digits.starts_with('+')) digits.remove_prefix(1);
    const auto [end, code] = std::from_chars(digits.data(), digits.data() + digits.size(), number);
    if (code != std::errc() || end != digits.data() + digits.size()) return std::nullopt;
    return std::to_string(number);
  }
  if (type == Value::Type::real) {
    if (text == "+Inf" || text == "-Inf" || text == "NaN") return text;
    double number = 0;
    std::string_view digits(text);
    if (digits.starts_with('+')) digits.remove_prefix(1);
    const auto [end, code] = std::from_chars(digits.data(), digits.data() + digits.size(), number);
    if (code != std::errc() || end != digits.data() + digits.size()) return std::nullopt;
    return plain_number(number);
  }
  if (type == Value::Type::boolean) {
    for (const auto* yes : {"1", "t", "T", "true", "TRUE", "True"}) {
      if (text == yes) return "True";
    }
    for (const auto* no : {"0", "f", "F", "false", "FALSE", "False"}) {
      if (text == no) return "False";
    }
    return std::nullopt;
  }
  return text;
}

/// What stands behind `name:` up to the next comma.
std::optional<std::string_view> take_part(std::string_view& rest, std::string_view name) {
  if (!rest.starts_with(name)) return std::nullopt;
  rest.remove_prefix(name.size());
  const auto comma = rest.find(',');
  if (comma == std::string_view::npos) return std::nullopt;
  const auto part = rest.substr(0, comma);
  rest.remove_prefix(comma + 1);
  return part;
}

std::string seal(std::string_view plain,
                 std::string_view type,
                 std::string_view key,
                 std::string_view associated,
                 std::string_view nonce) {
  const auto sealed = aes256_gcm_seal(key, nonce, plain, associated);
  const auto size = sealed.size() - kTagSize;
  return std::string(kStart) + "data:" + base64(std::string_view(sealed).substr(0, size)) +
         ",iv:" + base64(nonce) + ",tag:" + base64(std::string_view(sealed).substr(size)) +
         ",type:" + std::string(type) + "]";
}

Result<std::pair<Sealed, std::string>> open(std::string_view text,
                                            std::string_view key,
                                            std::string_view associated) {
  auto sealed = parse_sealed(text);
  if (!sealed) {
    return Error{ErrorKind::invalid_input,
                 is_encrypted_value(text) ? "the encrypted value is malformed"
                                          : "the value is not encrypted, though the file's rules "
                                            "say that it is"};
  }
  auto plain = aes256_gcm_open(key, sealed->nonce, sealed->data + sealed->tag, associated);
  if (!plain) {
    return Error{ErrorKind::invalid_input,
                 "the value cannot be decrypted: it was changed, or moved here from another place "
                 "or file"};
  }
  return std::pair(*std::move(sealed), *std::move(plain));
}

}  // namespace

std::string plain_number(double number) {
  if (std::isnan(number)) return "NaN";
  if (std::isinf(number)) return number > 0 ? "+Inf" : "-Inf";
  std::array<char, 64> buffer{};
  const auto end =
      std::to_chars(
          buffer.data(), buffer.data() + buffer.size(), number, std::chars_format::scientific)
          .ptr;
  // "-d.ddde±xx": the shortest digits that name this number; now without the exponent.
  std::string_view text(buffer.data(), static_cast<std::size_t>(end - buffer.data()));
  std::string sign;
  if (text.starts_with('-')) {
    sign = "-";
    text.remove_prefix(1);
  }
  const auto e = text.find('e');
  int exponent = 0;
  auto power = text.substr(e + 1);
  if (power.starts_with('+')) power.remove_prefix(1);
  std::from_chars(power.data(), power.data() + power.size(), exponent);
  std::string digits(1, text.front());
  if (e > 2) digits += text.substr(2, e - 2);
  const int point = exponent + 1;  // Digits before the point.
  const int count = static_cast<int>(digits.size());
  if (point <= 0) return sign + "0." + std::string(static_cast<std::size_t>(-point), '0') + digits;
  if (point >= count)
    return sign + digits + std::string(static_cast<std::size_t>(point - count), '0');
  digits.insert(static_cast<std::size_t>(point), ".");
  return sign + digits;
}

bool is_encrypted_value(std::string_view text) { return text.starts_with(kStart); }

std::optional<Sealed> parse_sealed(std::string_view text) {
  if (!text.starts_with(kStart) || !text.ends_with(']')) return std::nullopt;
  auto rest = text.substr(kStart.size(), text.size() - kStart.size() - 1);
  const auto data = take_part(rest, "data:");
  if (!data) return std::nullopt;
  const auto nonce = take_part(rest, "iv:");
  if (!nonce) return std::nullopt;
  const auto tag = take_part(rest, "tag:");
  if (!tag || !rest.starts_with("type:")) return std::nullopt;
  rest.remove_prefix(5);
  Sealed sealed;
  bool known = false;
  for (const auto& [name, type] : kTypes) {
    if (name != rest) continue;
    sealed.type = type;
    known = true;
  }
  auto bytes = from_base64(*data);
  auto iv = from_base64(*nonce);
  auto check = from_base64(*tag);
  if (!known || !bytes || !iv || !check || iv->empty() || check->size() != kTagSize)
    return std::nullopt;
  sealed.data = *std::move(bytes);
  sealed.nonce = *std::move(iv);
  sealed.tag = *std::move(check);
  return sealed;
}

std::string seal_value(const Value& value,
                       std::string_view key,
                       const Path& path,
                       std::string_view nonce) {
  if (value.text.empty()) return "";
  return seal(value.text, type_name(value.type), key, associated_data(path), nonce);
}

Result<Value> open_value(std::string_view text, std::string_view key, const Path& path) {
  if (text.empty()) return Value{};
  auto opened = open(text, key, associated_data(path));
  if (!opened) return std::move(opened).error();
  auto plain = canonical(opened->first.type, std::move(opened->second));
  if (!plain) {
    return Error{ErrorKind::invalid_input, "the decrypted value does not fit its type"};
  }
  return Value{opened->first.type, *std::move(plain)};
}

std::string seal_mac(std::string_view mac,
                     std::string_view key,
                     std::string_view last_modified,
                     std::string_view nonce) {
  return seal(mac, "str", key, last_modified, nonce);
}

Result<std::string> open_mac(std::string_view text,
                             std::string_view key,
                             std::string_view last_modified) {
  auto opened = open(text, key, last_modified);
  if (!opened) {
    return Error{ErrorKind::invalid_input,
                 "sops.mac cannot be decrypted: it, or sops.lastmodified, was changed"};
  }
  return std::move(opened->second);
}

}  // namespace skep::sops
