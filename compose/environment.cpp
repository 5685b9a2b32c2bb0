#include "compose/environment.hpp"

#include <algorithm>

#include "compose/paths.hpp"
#include "compose/text.hpp"

namespace skep::compose {
namespace {

constexpr std::size_t kLongestLine = 64U << 10U;

Error invalid_line(int line, const std::string& reason) {
  return {ErrorKind::invalid_input, "line " + std::to_string(line) + ": " + reason};
}

/// What is meant by a line with a blank in its name. Nothing of a value is shown.
std::string meant_by_blanks(std::string_view line, const std::vector<EnvironmentLine>& before) {
  if (!before.empty() && before.back().value && !before.back().value->empty()) {
    const auto& last = before.back();
    const char quote = last.value->front();
    const bool open =
        (quote == '"' || quote == '\'') && last.value->find(quote, 1) == std::string::npos;
    if (open || last.value->starts_with("-----BEGIN "))
      return "; a value has one line only, and that of " + last.key + " seems to go on here";
  }
  const auto parts = cut(line, ':');
  const bool is_yaml = parts.found && parts.before.find_first_of(" \t") == std::string_view::npos &&
                       (parts.after.starts_with(' ') || parts.after.starts_with('\t'));
  if (!is_yaml) return "; each line is NAME=VALUE";
  const std::string name(parts.before);
  return "; write " + name + "=… instead of " + name + ": …";
}

bool is_continuation(unsigned char byte) { return (byte & 0xC0U) == 0x80U; }

/// Without overlong forms, surrogates and what lies beyond Unicode.
bool is_utf8(std::string_view text) {
  for (std::size_t i = 0; i < text.size();) {
    const auto byte = static_cast<unsigned char>(text[i]);
    const std::size_t length = byte < 0x80   ? 1
                               : byte < 0xC2 ? 0
                               : byte < 0xE0 ? 2
                               : byte < 0xF0 ? 3
                               : byte < 0xF5 ? 4
                                             : 0;
    if (length == 0 || i + length > text.size()) return false;
    for (std::size_t k = 1; k < length; ++k) {
      if (!is_continuation(static_cast<unsigned char>(text[i + k]))) return false;
    }
    const auto second = length > 1 ? static_cast<unsigned char>(text[i + 1]) : 0U;
    if ((byte == 0xE0 && second < 0xA0) || (byte == 0xED && second > 0x9F) ||
        (byte == 0xF0 && second < 0x90) || (byte == 0xF4 && second > 0x8F)) {
      return false;
    }
    i += length;
  }
  return true;
}

/// The number of bytes of the Unicode white space at the front; 0 if there is none.
std::size_t leading_space(std::string_view text) {
  if (text.empty()) return 0;
  if (text[0] == ' ' || (text[0] >= '\t' && text[0] <= '\r')) return 1;
  for (const std::string_view space : {"\xC2\x85",
                                       "\xC2\xA0",
                                       "\xE1\x9A\x80",
                                       "\xE2\x80\x80",
                                       "\xE2\x80\x81",
                                       "\xE2\x80\x82",
                                       "\xE2\x80\x83",
                                       "\xE2\x80\x84",
                                       "\xE2\x80\x85",
                                       "\xE2\x80\x86",
                                       "\xE2\x80\x87",
                                       "\xE2\x80\x88",
                                       "\xE2\x80\x89",
                                       "\xE2\x80\x8A",
                                       "\xE2\x80\xA8",
                                       "\xE2\x80\xA9",
                                       "\xE2\x80\xAF",
                                       "\xE2\x81\x9F",
                                       "\xE3\x80\x80"}) {
    if (text.substr(0, space.size()) == space) return space.size();
  }
  return 0;
}

/// Rule B4.4: null and "" both give way to the process's value.
void apply(const std::string& key,
           const std::optional<std::string>& value,
           const Input& input,
           Environment& result) {
  const auto process = input.environment.find(key);
  const bool empty = !value || value->empty();
  result[key] =
      empty && process != input.environment.end() ? std::optional(process->second) : value;
}

/// As cut() does, for the lines that the CLI refuses: `export KEY=VALUE`, and blanks around the
/// sign.
Cut cut_shell_line(std::string_view line) {
  constexpr std::string_view kBlanks = " \t";
  constexpr std::string_view kExport = "export";
  auto parts = cut(line, '=');
  if (parts.before.find_first_of(kBlanks) == std::string_view::npos) return parts;
  const auto after_word = parts.before.find_first_not_of(kBlanks, kExport.size());
  if (parts.before.starts_with(kExport) && after_word != kExport.size() &&
      after_word != std::string_view::npos) {
    parts.before.remove_prefix(after_word);
  }
  const auto last = parts.before.find_last_not_of(kBlanks);
  if (last + 1 < parts.before.size()) {
    parts.before = parts.before.substr(0, last + 1);
    parts.after.remove_prefix(std::min(parts.after.find_first_not_of(kBlanks), parts.after.size()));
  }
  return parts;
}

/// What docker compose would read otherwise; one line of each kind.
void warn_of_other_readings(const Field& field,
                            const std::string& path,
                            const std::vector<EnvironmentLine>& lines) {
  const auto first = [&](auto holds, const char* what) {
    const auto line = std::find_if(lines.begin(), lines.end(), [&](const EnvironmentLine& entry) {
      return entry.value && holds(*entry.value);
    });
    if (line == lines.end()) return;
    field.warning(path + ": " + line->key + ": " + what +
                  ", as with docker stack deploy; docker compose reads it otherwise");
  };
  first(
      [](const std::string& value) {
        return value.size() > 1 && (value.front() == '"' || value.front() == '\'') &&
               value.back() == value.front();
      },
      "the quotes are part of the value");
  first([](const std::string& value) { return value.find(" #") != std::string::npos; },
        "what follows the # is part of the value, and no comment");
  first([](const std::string& value) { return value.find("${") != std::string::npos; },
        "no variables are put in");
}

/// The pairs of one file; a line without a value is the process's, or is dropped (rule B4.3).
void read_file(const Field& field,
               const std::string& name,
               const Input& input,
               Environment& pairs) {
  const auto path = clean_path(resolve_path(input.working_directory, name));
  const auto text = input.reader->read(path);
  if (!text)
    return field.error("invalid env file (" + shown_path(path) + "): " + text.error().message);
  if (!*text) {
    return field.error(
        "open " + shown_path(path) + ": no such file or directory" +
        (input.strict ? "" : "; {path: " + name + ", required: false} may be missing"));
  }
  const auto lines = parse_env_file(**text, input.strict);
  if (!lines) {
    return field.error("invalid env file (" + shown_path(path) + "): " + lines.error().message);
  }
  if (!input.strict) warn_of_other_readings(field, shown_path(path), *lines);
  for (const auto& line : *lines) {
    if (line.value) {
      pairs[line.key] = line.value;
    } else if (const auto process = input.environment.find(line.key);
               process != input.environment.end()) {
      pairs[line.key] = process->second;
    }
  }
}

}  // namespace

Result<std::vector<EnvironmentLine>> parse_env_file(std::string_view text, bool strict) {
  std::vector<EnvironmentLine> result;
  int number = 0;
  while (!text.empty()) {
    const auto end = text.find('\n');
    auto line = text.substr(0, end);
    text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
    ++number;
    if (line.size() >= kLongestLine) return invalid_line(number, "longer than 64 KiB");
    if (!line.empty() && line.back() == '\r') line.remove_suffix(1);
    if (!is_utf8(line)) return invalid_line(number, "invalid utf8 bytes");
    if (number == 1 && line.substr(0, 3) == "\xEF\xBB\xBF") line.remove_prefix(3);
    while (const auto space = leading_space(line)) line.remove_prefix(space);
    if (line.empty() || line.front() == '#') continue;
    const auto parts = strict ? cut(line, '=') : cut_shell_line(line);
    if (parts.before.empty()) return invalid_line(number, "no variable name");
    if (parts.before.find_first_of(" \t") != std::string_view::npos) {
      return invalid_line(
          number,
          "variable name contains whitespaces" + (strict ? "" : meant_by_blanks(line, result)));
    }
    EnvironmentLine entry;
    entry.key = parts.before;
    if (parts.found) entry.value = std::string(parts.after);
    result.push_back(std::move(entry));
  }
  return result;
}

Environment load_environment(const Field& env_file, const Field& environment, const Input& input) {
  Environment from_files;
  if (env_file.is_list()) {
    for (const auto& item : env_file.items()) {
      const auto name = item.text();
      if (item.is_text()) read_file(item, name, input, from_files);
    }
  } else if (env_file.present()) {
    const auto name = env_file.text();
    if (env_file.is_text()) read_file(env_file, name, input, from_files);
  }
  Environment result;
  for (const auto& [key, value] : from_files) apply(key, value, input, result);
  for (const auto& [key, value] : environment.pairs()) apply(key, value, input, result);
  return result;
}

}  // namespace skep::compose
