#include <string>

#include "helm-like-templates/renderer/arguments.hpp"
#include "helm-like-templates/renderer/functions.hpp"

namespace skep::templates {
namespace {

Map& map(Args args, std::size_t i) { return *args[i].map(); }

Result<void> pay_for_entries(Env& env, std::size_t entries) {
  return env.charge(entries * 96 + 64);
}

Result<Value> dict(Env& env, Args a) {
  if (auto paid = pay_for_entries(env, a.size() / 2); !paid) return std::move(paid).error();
  Map made;
  for (std::size_t i = 0; i < a.size(); i += 2) {
    auto key = text_of(env, a[i]);
    if (!key) return std::move(key).error();
    made.entries.insert_or_assign(std::move(*key), i + 1 < a.size() ? a[i + 1] : Value(""));
  }
  return Value(std::move(made));
}

Result<Value> get(Env& /*env*/, Args a) {
  const auto& entries = map(a, 0).entries;
  const auto found = entries.find(text(a, 1));
  return found == entries.end() ? Value("") : found->second;
}

Result<Value> set(Env& env, Args a) {
  auto& target = map(a, 0);
  if (target.nil) return failure("assignment to entry in nil map: the map is not set");
  if (auto paid = pay_for_entries(env, 1); !paid) return std::move(paid).error();
  target.entries.insert_or_assign(text(a, 1), a[2]);
  return a[0];
}

Result<Value> unset(Env& /*env*/, Args a) {
  auto& entries = map(a, 0).entries;
  if (const auto found = entries.find(text(a, 1)); found != entries.end()) entries.erase(found);
  return a[0];
}

Result<Value> has_key(Env& /*env*/, Args a) {
  return Value(map(a, 0).entries.find(text(a, 1)) != map(a, 0).entries.end());
}

Result<Value> pluck(Env& /*env*/, Args a) {
  std::vector<Value> found;
  for (std::size_t i = 1; i < a.size(); ++i) {
    const auto entry = map(a, i).entries.find(text(a, 0));
    if (entry != map(a, i).entries.end()) found.push_back(entry->second);
  }
  return list_value(std::move(found));
}

Result<Value> keys(Env& env, Args a) {
  std::vector<std::string> names;
  for (std::size_t i = 0; i < a.size(); ++i) {
    if (auto paid = pay_for_entries(env, map(a, i).entries.size()); !paid)
      return std::move(paid).error();
    for (const auto& [key, value] : map(a, i).entries) names.push_back(key);
  }
  return string_list(std::move(names));
}

Result<Value> values(Env& env, Args a) {
  if (auto paid = pay_for_entries(env, map(a, 0).entries.size()); !paid)
    return std::move(paid).error();
  std::vector<Value> all;
  for (const auto& [key, value] : map(a, 0).entries) all.push_back(value);
  return list_value(std::move(all));
}

Result<Value> pick(Env& env, Args a) {
  if (auto paid = pay_for_entries(env, a.size()); !paid) return std::move(paid).error();
  Map part;
  for (std::size_t i = 1; i < a.size(); ++i) {
    const auto found = map(a, 0).entries.find(text(a, i));
    if (found != map(a, 0).entries.end()) part.entries.insert_or_assign(text(a, i), found->second);
  }
  return Value(std::move(part));
}

Result<Value> omit(Env& env, Args a) {
  if (auto paid = pay_for_entries(env, map(a, 0).entries.size()); !paid)
    return std::move(paid).error();
  Map part;
  part.entries = map(a, 0).entries;
  for (std::size_t i = 1; i < a.size(); ++i) {
    if (const auto found = part.entries.find(text(a, i)); found != part.entries.end())
      part.entries.erase(found);
  }
  return Value(std::move(part));
}

// Without `overwrite` only what is missing or empty is filled in. Where exactly one side is a map
// or list, an entry that is not empty stays: so does the library behind Sprig.
Result<void> merge_into(Env& env, Map& target, const Map& source, bool overwrite, int depth) {
  if (depth > kMaxNesting) return failure("the maps are nested too deeply to merge them");
  if (&target == &source) return {};
  for (const auto& [key, value] : source.entries) {
    if (auto paid = env.spend(1); !paid) return paid;
    const auto found = target.entries.find(key);
    const bool present = found != target.entries.end();
    if (value.is_nil()) {
      if (overwrite) {
        if (auto paid = pay_for_entries(env, 1); !paid) return paid;
        target.entries.insert_or_assign(key, value);
      }
      continue;
    }
    const bool filled = present && is_true(found->second);
    const auto* map = value.map();
    // Into a map that is there, empty or not: else the two would share one, and what is merged next
    // would change the source too.
    auto* const own = present ? found->second.map() : nullptr;
    if (map != nullptr && own != nullptr && !own->nil) {
      if (auto done = merge_into(env, *own, *map, overwrite, depth + 1); !done) return done;
      continue;
    }
    const bool keeps = filled && (!overwrite || map != nullptr);
    if (keeps) continue;
    if (auto paid = pay_for_entries(env, 1); !paid) return paid;
    target.entries.insert_or_assign(key, value);
  }
  return {};
}

Result<Value> merge(Env& env, Args a, bool overwrite) {
  for (std::size_t i = 1; i < a.size(); ++i) {
    // A nil that was given as a map is one of its own.
    if (!map(a, i).nil) a[0].map()->nil = false;
    if (auto done = merge_into(env, map(a, 0), map(a, i), overwrite, 0); !done)
      return std::move(done).error();
  }
  return a[0];
}

Result<Value> fill(Env& env, Args a) { return merge(env, a, false); }
Result<Value> overwrite(Env& env, Args a) { return merge(env, a, true); }

Result<Value> copied(Env& env, const Value& value, int depth) {
  if (depth > kMaxNesting) return failure("the value is nested too deeply to copy it");
  if (auto paid = env.spend(1); !paid) return std::move(paid).error();
  if (const auto* list = value.list()) {
    if (auto paid = env.charge(list->items.size() * 32); !paid) return std::move(paid).error();
    List copy;
    copy.type = list->type;
    copy.nil = list->nil;
    for (const auto& item : list->items) {
      auto own = copied(env, item, depth + 1);
      if (!own) return own;
      copy.items.push_back(std::move(*own));
    }
    return Value(std::move(copy));
  }
  if (const auto* from = value.map()) {
    if (auto paid = pay_for_entries(env, from->entries.size()); !paid)
      return std::move(paid).error();
    Map copy;
    copy.type = from->type;
    copy.nil = from->nil;
    for (const auto& [key, item] : from->entries) {
      auto own = copied(env, item, depth + 1);
      if (!own) return own;
      copy.entries.emplace_hint(copy.entries.end(), key, std::move(*own));
    }
    return Value(std::move(copy));
  }
  return value;
}

Result<Value> deep_copy(Env& env, Args a) {
  if (a[0].is_nil()) return failure("there is nothing to copy; use default before it");
  return copied(env, a[0], 0);
}

Result<Value> dig(Env& /*env*/, Args a) {
  if (a.size() < 3) return failure("dig needs at least three arguments");
  Value here = a.back();
  for (std::size_t i = 0; i + 2 < a.size(); ++i) {
    if (a[i].text() == nullptr)
      return failure("the keys of dig are strings, not " + std::string(type_name(a[i])));
    const auto* at = here.map();
    if (at == nullptr)
      return failure("dig finds a " + std::string(type_name(here)) + " where key " + text(a, i) +
                     " is looked for; a map is expected");
    const auto found = at->entries.find(text(a, i));
    if (found == at->entries.end()) return a[a.size() - 2];
    here = Value(found->second);
  }
  return here;
}

const Function kDictFunctions[] = {
    {"dict", "a*", dict},
    {"get", "ms", get},
    {"set", "msa", set},
    {"unset", "ms", unset},
    {"hasKey", "ms", has_key},
    {"pluck", "sm*", pluck},
    {"keys", "m*", keys},
    {"values", "m", values},
    {"pick", "ms*", pick},
    {"omit", "ms*", omit},
    {"merge", "mm*", fill},
    {"mustMerge", "mm*", fill},
    {"mergeOverwrite", "mm*", overwrite},
    {"mustMergeOverwrite", "mm*", overwrite},
    {"deepCopy", "a", deep_copy},
    {"mustDeepCopy", "a", deep_copy},
    {"dig", "a*", dig},
};

}  // namespace

std::span<const Function> dict_functions() { return kDictFunctions; }

}  // namespace skep::templates
