#include "compose/field.hpp"

#include <cmath>

#include "compose/duration.hpp"
#include "compose/shell_words.hpp"
#include "compose/sizes.hpp"
#include "compose/stringify.hpp"
#include "compose/text.hpp"

namespace skep::compose {
namespace {

constexpr double kTwoTo63 = 9223372036854775808.0;

}  // namespace

Field Field::operator[](std::string_view key) const {
  std::string path = path_.empty() ? std::string(key) : path_ + '.' + std::string(key);
  const yaml::Node* child = node_ == nullptr ? nullptr : node_->find(key);
  if (const auto* map = node_ == nullptr ? nullptr : node_->as<yaml::Map>(); map && !child) {
    for (const auto& entry : *map) {
      if (equal_ignoring_case(entry.key, key)) child = &entry.value;
    }
  }
  return {child, std::move(path), child ? child->at() : at_, findings_, strict_};
}

std::vector<Field> Field::items() const {
  std::vector<Field> result;
  if (!present()) return result;
  const auto* list = node_->as<yaml::List>();
  if (!list) {
    wrong_type("list");
    return result;
  }
  for (std::size_t i = 0; i < list->size(); ++i) {
    const auto& item = (*list)[i];
    result.push_back(Field(&item, path_ + '.' + std::to_string(i), item.at(), findings_, strict_));
  }
  return result;
}

std::vector<Field::Member> Field::members() const {
  std::vector<Member> result;
  if (!present()) return result;
  const auto* map = node_->as<yaml::Map>();
  if (!map) {
    wrong_type("mapping");
    return result;
  }
  for (const auto& entry : *map) {
    std::string path = path_.empty() ? entry.key : path_ + '.' + entry.key;
    Field value(&entry.value, std::move(path), entry.value.at(), findings_, strict_);
    result.push_back(Member{entry.key, entry.key_at, std::move(value)});
  }
  return result;
}

std::string Field::text() const {
  if (!present()) return {};
  if (const auto* text = node_->as<std::string>()) return *text;
  wrong_type("string");
  return {};
}

bool Field::boolean() const {
  if (!present()) return false;
  if (const auto* flag = node_->as<bool>()) return *flag;
  wrong_type("boolean");
  return false;
}

std::optional<std::int64_t> Field::integer() const {
  if (!present()) return std::nullopt;
  if (const auto* number = node_->as<std::int64_t>()) return *number;
  if (const auto* number = node_->as<double>();
      number && *number > -kTwoTo63 && *number < kTwoTo63) {
    return static_cast<std::int64_t>(*number);
  }
  wrong_type("integer");
  return std::nullopt;
}

std::optional<std::uint64_t> Field::count(std::string_view cli_name) const {
  if (!present()) return std::nullopt;
  if (const auto* number = node_->as<std::uint64_t>()) return *number;
  const auto number = integer();
  if (!number) return std::nullopt;
  const auto* fraction = node_->as<double>();
  if (*number < 0 || (fraction && *fraction < 0)) {
    error(strict_ ? "cannot parse '" + std::string(cli_name) + "', " + *stringify(*node_) +
                        " overflows uint"
                  : *stringify(*node_) + " is negative; write 0 or more");
    return std::nullopt;
  }
  return static_cast<std::uint64_t>(*number);
}

double Field::number() const {
  if (!present()) return 0;
  if (const auto* number = node_->as<double>()) return *number;
  if (const auto* number = node_->as<std::uint64_t>()) return static_cast<double>(*number);
  return static_cast<double>(integer().value_or(0));
}

std::optional<Nanoseconds> Field::duration() const {
  if (!present()) return std::nullopt;
  const auto* text = node_->as<std::string>();
  if (!text) {
    wrong_type("string");
    return std::nullopt;
  }
  const auto value = parse_duration(*text);
  if (!value) error("invalid duration " + quoted(*text));
  return value;
}

std::int64_t Field::size() const {
  const auto written = text();
  if (!present() || !is_text()) return 0;
  const auto bytes = parse_size(written);
  if (bytes) return *bytes;
  error(bytes.error().message);
  return 0;
}

std::vector<std::string> Field::texts() const {
  std::vector<std::string> result;
  for (const auto& item : items()) {
    // Null would become "" in a typed list; the schema refuses it, so report it here as well.
    if (item.node()->is_null()) item.wrong_type("string");
    auto text = item.text();
    // What is no string was said to be wrong: no further complaint is to come of it.
    if (item.node()->as<std::string>() != nullptr) result.push_back(std::move(text));
  }
  return result;
}

std::vector<std::string> Field::one_or_more_texts() const {
  if (present() && !is_list()) return {text()};
  return texts();
}

std::vector<std::string> Field::words(std::string_view cli_name) const {
  if (!present() || is_list()) return texts();
  auto result = shell_words(text());
  if (result) return *std::move(result);
  error("error decoding '" + std::string(cli_name) + "': " + result.error().message);
  return {};
}

Environment Field::pairs() const {
  Environment result;
  if (!is_list()) {
    for (const auto& member : members()) {
      const auto& value = *member.value.node();
      if (value.as<yaml::List>() || value.as<yaml::Map>()) member.value.wrong_type("string");
      result[member.key] = stringify(value);
    }
    return result;
  }
  for (const auto& item : items()) {
    // The CLI crashes on a timestamp here (rule A2.10).
    const auto written = item.text();
    const auto parts = cut(written, '=');
    auto& value = result[std::string(parts.before)];
    value = parts.found ? std::optional(std::string(parts.after)) : std::nullopt;
  }
  return result;
}

StringMap Field::strings() const {
  StringMap result;
  for (auto& [key, value] : pairs()) result[key] = value.value_or("");
  return result;
}

void Field::error(std::string message) const {
  findings_->push_back({Finding::Severity::error, path_ + ": " + std::move(message), at_});
}

void Field::warning(std::string message) const {
  findings_->push_back({Finding::Severity::warning, path_ + ": " + std::move(message), at_});
}

void Field::wrong_type(std::string_view expected) const {
  error("expected a " + std::string(expected) + ", got a " + std::string(node_->type_name()));
}

}  // namespace skep::compose
