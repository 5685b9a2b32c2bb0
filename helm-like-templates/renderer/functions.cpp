#include "helm-like-templates/renderer/functions.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <map>
#include <string>
#include <vector>

#include "helm-like-templates/renderer/format.hpp"
#include "helm-like-templates/renderer/literal.hpp"

namespace skep::templates {
namespace {

using Table = std::map<std::string_view, const Function*>;

const Table& table() {
  static const Table functions = [] {
    Table all;
    for (const auto group : {core_functions(),
                             string_functions(),
                             word_functions(),
                             list_functions(),
                             dict_functions(),
                             math_functions(),
                             encoding_functions(),
                             regex_functions(),
                             version_functions(),
                             path_functions(),
                             refused_functions()}) {
      for (const auto& function : group) all.emplace(function.name, &function);
    }
    return all;
  }();
  return functions;
}

// Levenshtein's distance.
std::size_t distance(std::string_view a, std::string_view b) {
  std::vector<std::size_t> row(b.size() + 1);
  for (std::size_t j = 0; j <= b.size(); ++j) row[j] = j;
  for (std::size_t i = 1; i <= a.size(); ++i) {
    auto diagonal = std::exchange(row[0], i);
    for (std::size_t j = 1; j <= b.size(); ++j) {
      const auto above = row[j];
      row[j] = std::min({row[j - 1] + 1, above + 1, diagonal + (a[i - 1] == b[j - 1] ? 0 : 1)});
      diagonal = above;
    }
  }
  return row[b.size()];
}

}  // namespace

Error failure(std::string message) { return {ErrorKind::invalid_input, std::move(message)}; }

Result<void> Env::spend(std::size_t steps) {
  steps_ += std::min(steps, limits_.steps + 1);
  if (steps_ > limits_.steps)
    return failure("the template takes more than " + std::to_string(limits_.steps) + " steps");
  return {};
}

Result<void> Env::charge(std::size_t bytes) {
  if (bytes > room())
    return failure("the template builds more than " + std::to_string(limits_.memory) +
                   " bytes of values");
  memory_ += bytes;
  return {};
}

const Function* find_function(std::string_view name) {
  const auto found = table().find(name);
  return found == table().end() ? nullptr : found->second;
}

std::string_view similar_function(std::string_view name) {
  std::string_view best;
  std::size_t closest = 3;
  if (name.size() > 40) return best;
  for (const auto& [known, function] : table()) {
    if (function->call == nullptr) continue;
    const auto apart = distance(name, known);
    if (apart < closest && apart < name.size()) {
      best = known;
      closest = apart;
    }
  }
  return best;
}

Result<bool> deep_equal(Env& env, const Value& a, const Value& b, int depth) {
  if (depth > kMaxNesting) return failure("the values are nested too deeply to compare them");
  if (auto paid = env.spend(1); !paid) return std::move(paid).error();
  if (type_name(a) != type_name(b) || a.is_nil() != b.is_nil()) return false;
  if (a.is_nil()) return true;
  if (const auto* truth = a.boolean()) return *truth == *b.boolean();
  if (const auto* number = a.integer()) return number->value == b.integer()->value;
  if (const auto* number = a.real()) return *number == *b.real();
  if (const auto* text = a.text()) return *text == *b.text();
  if (const auto* list = a.list()) {
    const auto* other = b.list();
    if (list->nil != other->nil || list->items.size() != other->items.size()) return false;
    for (std::size_t i = 0; i < list->items.size(); ++i) {
      auto same = deep_equal(env, list->items[i], other->items[i], depth + 1);
      if (!same || !*same) return same;
    }
    return true;
  }
  const auto* map = a.map();
  const auto* other = b.map();
  if (map == other) return true;
  if (map->nil != other->nil || map->entries.size() != other->entries.size()) return false;
  for (const auto& [key, item] : map->entries) {
    const auto found = other->entries.find(key);
    if (found == other->entries.end()) return false;
    auto same = deep_equal(env, item, found->second, depth + 1);
    if (!same || !*same) return same;
  }
  return true;
}

std::int64_t to_int64(const Value& value) {
  if (const auto* number = value.integer()) return number->value;
  if (const auto* truth = value.boolean()) return *truth ? 1 : 0;
  if (const auto* number = value.real()) {
    // What does not fit becomes the smallest number, as on amd64.
    if (!(std::abs(*number) < 9.2233720368547758e18))
      return std::numeric_limits<std::int64_t>::min();
    return static_cast<std::int64_t>(*number);
  }
  const auto* text = value.text();
  if (text == nullptr) return 0;
  // "8.00" counts as 8.
  std::string_view digits = *text;
  auto end = digits.size();
  while (end > 0 && digits[end - 1] == '0') --end;
  if (end > 0 && end < digits.size() && digits[end - 1] == '.') digits = digits.substr(0, end - 1);
  return parse_int(digits, 0).value_or(0);
}

double to_float64(const Value& value) {
  if (const auto* number = value.integer()) return static_cast<double>(number->value);
  if (const auto* truth = value.boolean()) return *truth ? 1 : 0;
  if (const auto* number = value.real()) return *number;
  const auto* text = value.text();
  return text == nullptr ? 0 : parse_float(*text).value_or(0);
}

Result<std::string> text_of(Env& env, const Value& value) {
  if (value.is_nil()) return std::string("<nil>");
  return show(env, value);
}

Result<std::vector<std::string>> texts_of(Env& env, const Value& value) {
  std::vector<std::string> texts;
  const auto* list = value.list();
  if (list == nullptr) {
    if (value.is_nil()) return texts;
    auto text = text_of(env, value);
    if (!text) return std::move(text).error();
    texts.push_back(std::move(*text));
    return texts;
  }
  for (const auto& item : list->items) {
    if (item.is_nil()) continue;
    auto text = text_of(env, item);
    if (!text) return std::move(text).error();
    if (auto paid = env.charge(text->size()); !paid) return std::move(paid).error();
    texts.push_back(std::move(*text));
  }
  return texts;
}

Value string_list(std::vector<std::string> texts) {
  List list;
  list.type = List::Type::string;
  list.items.reserve(texts.size());
  for (auto& text : texts) list.items.emplace_back(std::move(text));
  return Value(std::move(list));
}

Value list_value(std::vector<Value> items) {
  List list;
  list.items = std::move(items);
  return Value(std::move(list));
}

Result<Value> text_value(Result<std::string> text, std::string_view before) {
  if (!text) return std::move(text).error();
  return Value(before.empty() ? std::move(*text) : std::string(before) + *text);
}

}  // namespace skep::templates
