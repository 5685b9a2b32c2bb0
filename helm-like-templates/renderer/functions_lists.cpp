#include <algorithm>
#include <string>

#include "helm-like-templates/renderer/functions.hpp"

namespace skep::templates {
namespace {

// The elements of a list argument. Errors: it is none.
Result<const List*> list_of(const Value& value, std::string_view doing) {
  const auto* list = value.list();
  if (list == nullptr)
    return failure("cannot " + std::string(doing) + " a " +
                   (value.is_nil() ? "nil" : std::string(type_name(value))) +
                   "; a list is expected");
  return list;
}

Value nil_list() {
  List list;
  list.nil = true;
  return Value(std::move(list));
}

Result<void> pay_for_items(Env& env, std::size_t items) { return env.charge(items * 24 + 32); }

// Makes a function of a list that gives a value.
template <Result<Value> (*apply)(Env&, const List&)>
Result<Value> over_list(Env& env, Args a) {
  auto list = list_of(a[0], "take this of");
  if (!list) return std::move(list).error();
  if (auto paid = pay_for_items(env, (*list)->items.size()); !paid) return std::move(paid).error();
  return apply(env, **list);
}

Result<Value> first(Env& /*env*/, const List& list) {
  return list.items.empty() ? Value() : list.items.front();
}
Result<Value> last(Env& /*env*/, const List& list) {
  return list.items.empty() ? Value() : list.items.back();
}
Result<Value> rest(Env& /*env*/, const List& list) {
  if (list.items.empty()) return nil_list();
  return list_value({list.items.begin() + 1, list.items.end()});
}
Result<Value> initial(Env& /*env*/, const List& list) {
  if (list.items.empty()) return nil_list();
  return list_value({list.items.begin(), list.items.end() - 1});
}
Result<Value> reverse(Env& /*env*/, const List& list) {
  return list_value({list.items.rbegin(), list.items.rend()});
}
Result<Value> compact(Env& /*env*/, const List& list) {
  std::vector<Value> kept;
  std::copy_if(list.items.begin(), list.items.end(), std::back_inserter(kept), is_true);
  return list_value(std::move(kept));
}

Result<bool> holds(Env& env, const std::vector<Value>& items, const Value& value) {
  for (const auto& item : items) {
    auto same = deep_equal(env, value, item);
    if (!same || *same) return same;
  }
  return false;
}

Result<Value> uniq(Env& env, const List& list) {
  std::vector<Value> kept;
  for (const auto& item : list.items) {
    auto known = holds(env, kept, item);
    if (!known) return std::move(known).error();
    if (!*known) kept.push_back(item);
  }
  return list_value(std::move(kept));
}

Result<Value> push(Env& env, Args a, bool front) {
  auto list = list_of(a[0], front ? "prepend to" : "append to");
  if (!list) return std::move(list).error();
  if (auto paid = pay_for_items(env, (*list)->items.size() + 1); !paid)
    return std::move(paid).error();
  auto items = (*list)->items;
  items.insert(front ? items.begin() : items.end(), a[1]);
  return list_value(std::move(items));
}

Result<Value> without(Env& env, Args a) {
  auto list = list_of(a[0], "leave elements out of");
  if (!list) return std::move(list).error();
  const std::vector<Value> omitted(a.begin() + 1, a.end());
  std::vector<Value> kept;
  for (const auto& item : (*list)->items) {
    auto known = holds(env, omitted, item);
    if (!known) return std::move(known).error();
    if (!*known) kept.push_back(item);
  }
  return list_value(std::move(kept));
}

Result<Value> has(Env& env, Args a) {
  if (a[1].is_nil()) return Value(false);
  auto list = list_of(a[1], "look into");
  if (!list) return std::move(list).error();
  auto known = holds(env, (*list)->items, a[0]);
  if (!known) return std::move(known).error();
  return Value(*known);
}

Result<Value> concat(Env& env, Args a) {
  std::vector<Value> items;
  for (const auto& value : a) {
    auto list = list_of(value, "concat");
    if (!list) return std::move(list).error();
    if (auto paid = pay_for_items(env, (*list)->items.size()); !paid)
      return std::move(paid).error();
    items.insert(items.end(), (*list)->items.begin(), (*list)->items.end());
  }
  return items.empty() ? nil_list() : list_value(std::move(items));
}

Result<Value> chunk(Env& env, Args a) {
  auto list = list_of(a[1], "chunk");
  if (!list) return std::move(list).error();
  if (auto paid = pay_for_items(env, (*list)->items.size() * 2); !paid)
    return std::move(paid).error();
  const auto& items = (*list)->items;
  const auto size = a[0].integer()->value;
  if (size < 1) return failure("the size of a chunk is less than 1");
  List chunks;
  chunks.type = List::Type::list;
  for (std::size_t at = 0; at < items.size();) {
    const auto count = std::min(items.size() - at, static_cast<std::size_t>(size));
    const auto from = items.begin() + static_cast<std::ptrdiff_t>(at);
    chunks.items.push_back(list_value({from, from + static_cast<std::ptrdiff_t>(count)}));
    at += count;
  }
  return Value(std::move(chunks));
}

Result<Value> sorted(Env& env, Args a) {
  auto texts = texts_of(env, a[0]);
  if (!texts) return std::move(texts).error();
  if (auto paid = env.spend(texts->size()); !paid) return std::move(paid).error();
  if (a[0].is_nil()) texts->emplace_back("<nil>");
  std::sort(texts->begin(), texts->end());
  return string_list(std::move(*texts));
}

Result<Value> list(Env& /*env*/, Args a) { return list_value({a.begin(), a.end()}); }

Result<Value> appended(Env& env, Args a) { return push(env, a, false); }
Result<Value> prepended(Env& env, Args a) { return push(env, a, true); }
Result<Value> slice_of_list(Env& env, Args a) {
  auto list = list_of(a[0], "slice");
  if (!list) return std::move(list).error();
  return find_function("slice")->call(env, a);
}

const Function kListFunctions[] = {
    {"list", "a*", list},
    {"tuple", "a*", list},
    {"first", "a", over_list<first>},
    {"mustFirst", "a", over_list<first>},
    {"last", "a", over_list<last>},
    {"mustLast", "a", over_list<last>},
    {"rest", "a", over_list<rest>},
    {"mustRest", "a", over_list<rest>},
    {"initial", "a", over_list<initial>},
    {"mustInitial", "a", over_list<initial>},
    {"reverse", "a", over_list<reverse>},
    {"mustReverse", "a", over_list<reverse>},
    {"compact", "a", over_list<compact>},
    {"mustCompact", "a", over_list<compact>},
    {"uniq", "a", over_list<uniq>},
    {"mustUniq", "a", over_list<uniq>},
    {"append", "aa", appended},
    {"mustAppend", "aa", appended},
    {"push", "aa", appended},
    {"mustPush", "aa", appended},
    {"prepend", "aa", prepended},
    {"mustPrepend", "aa", prepended},
    {"without", "aa*", without},
    {"mustWithout", "aa*", without},
    {"has", "aa", has},
    {"mustHas", "aa", has},
    {"concat", "a*", concat},
    {"chunk", "ia", chunk},
    {"mustChunk", "ia", chunk},
    {"mustSlice", "aa*", slice_of_list},
    {"sortAlpha", "a", sorted},
};

}  // namespace

std::span<const Function> list_functions() { return kListFunctions; }

}  // namespace skep::templates
