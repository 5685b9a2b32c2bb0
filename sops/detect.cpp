#include "sops/file.hpp"

namespace skep::sops {
namespace {

std::string_view base_name(std::string_view path) {
  const auto slash = path.rfind('/');
  return slash == std::string_view::npos ? path : path.substr(slash + 1);
}

bool is_dotenv_name(std::string_view name) {
  return name == ".env" || name.ends_with(".env") || name.starts_with(".env.") ||
         name.ends_with(".env.sops");
}

bool has_line_starting(std::string_view text, std::string_view start) {
  return text.starts_with(start) || text.find("\n" + std::string(start)) != std::string_view::npos;
}

/// A value in the form in which SOPS writes it, not merely its first characters.
bool has_sealed_value(std::string_view text) {
  constexpr std::string_view kStart = "ENC[AES256_GCM,";
  for (auto at = text.find(kStart); at != std::string_view::npos; at = text.find(kStart, at + 1)) {
    const auto end = text.find(']', at);
    if (end == std::string_view::npos) return false;
    if (parse_sealed(text.substr(at, end - at + 1))) return true;
  }
  return false;
}

/// The metadata of an encrypted file stands under a top-level key, with a MAC in it.
bool has_json_metadata(std::string_view text) {
  return text.find("\"sops\"") != std::string_view::npos &&
         (text.find("\"mac\"") != std::string_view::npos ||
          text.find("\"lastmodified\"") != std::string_view::npos);
}

bool has_yaml_metadata(std::string_view text) {
  const bool key = has_line_starting(text, "sops:") || has_line_starting(text, "\"sops\":");
  return key && (text.find("mac:") != std::string_view::npos ||
                 text.find("lastmodified:") != std::string_view::npos);
}

bool has_dotenv_metadata(std::string_view text) {
  return has_line_starting(text, "sops_mac=") || has_line_starting(text, "sops_lastmodified=") ||
         has_line_starting(text, "sops_version=");
}

bool is_object(std::string_view text) {
  const auto first = text.find_first_not_of(" \t\r\n");
  return first != std::string_view::npos && text[first] == '{';
}

std::optional<Format> format_by_text(std::string_view path, std::string_view text) {
  const auto named = format_of(path);
  if (named == Format::dotenv && has_dotenv_metadata(text)) return named;
  if (named == Format::ini && has_line_starting(text, "[sops]")) return named;
  if (is_object(text) && has_json_metadata(text)) {
    if (named == Format::json || named == Format::yaml) return named;
    return has_line_starting(text, "\t\"data\"") || text.find("\"data\"") != std::string_view::npos
               ? Format::binary
               : Format::json;
  }
  if (named == Format::json || !has_yaml_metadata(text)) {
    if (named == Format::binary && has_dotenv_metadata(text)) return Format::dotenv;
    return std::nullopt;
  }
  return Format::yaml;
}

/// A text may hold the words and be something else, a list of tools for one. What looks encrypted
/// and cannot be read is: the reader says what is wrong with it.
bool is_really(std::string_view path, std::string_view text, Format format) {
  const auto document = read_document(text, std::string(path), format);
  return document ? document->metadata.has_value()
                  : has_sealed_value(text) || is_named_encrypted(path);
}

}  // namespace

bool is_named_encrypted(std::string_view path) {
  const auto name = base_name(path);
  // `.sops.yaml` holds the rules for making files, and no secret.
  if (name == ".sops.yaml" || name == ".sops.yml") return false;
  if (name.ends_with(".sops")) return true;
  for (const std::string_view end : {".yaml", ".yml", ".json", ".env", ".ini"}) {
    if (!name.ends_with(end)) continue;
    const auto stem = name.substr(0, name.size() - end.size());
    if (stem.ends_with(".sops")) return true;
    // "values.sops.prod.yaml", of an environment. ".sops.prod.yaml" is more of those rules.
    const auto dot = stem.rfind('.');
    return dot != std::string_view::npos && dot > 5 && stem.substr(0, dot).ends_with(".sops");
  }
  return false;
}

Format format_of(std::string_view path) {
  const auto name = base_name(path);
  if (is_dotenv_name(name)) return Format::dotenv;
  if (name.ends_with(".yaml") || name.ends_with(".yml")) return Format::yaml;
  if (name.ends_with(".json")) return Format::json;
  if (name.ends_with(".ini")) return Format::ini;
  return Format::binary;
}

Result<std::optional<Format>> encrypted_format(std::string_view path, std::string_view text) {
  const auto name = base_name(path);
  if (name == ".sops.yaml" || name == ".sops.yml") return std::optional<Format>();
  const bool traces = text.find("sops") != std::string_view::npos ||
                      text.find("ENC[AES256_GCM,") != std::string_view::npos;
  const auto format = traces ? format_by_text(path, text) : std::nullopt;
  if (format && is_really(path, text, *format)) return format;
  if (is_named_encrypted(path)) {
    return Error{ErrorKind::invalid_input,
                 "the file's name says that it is encrypted, but it has no SOPS metadata: encrypt "
                 "it with skep secret encrypt, or give it another name",
                 SourcePosition{std::string(path)}};
  }
  if (traces && has_sealed_value(text)) {
    return Error{
        ErrorKind::invalid_input,
        "the file holds encrypted values, but its SOPS metadata is missing: take the whole "
        "file from git",
        SourcePosition{std::string(path)}};
  }
  return std::optional<Format>();
}

}  // namespace skep::sops
