#include <string>

#include "helm-like-templates/renderer/format.hpp"
#include "helm-like-templates/renderer/functions.hpp"

namespace skep::templates {
namespace {

enum class Basic { other, boolean, integer, natural, real, text };

Basic basic(const Value& value) {
  if (value.boolean() != nullptr) return Basic::boolean;
  if (const auto* number = value.integer())
    return number->type == Int::Type::uint8 || number->type == Int::Type::uint64 ? Basic::natural
                                                                                 : Basic::integer;
  if (value.real() != nullptr) return Basic::real;
  return value.text() != nullptr ? Basic::text : Basic::other;
}

bool both_whole(Basic a, Basic b) {
  return (a == Basic::integer || a == Basic::natural) &&
         (b == Basic::integer || b == Basic::natural);
}

Error incompatible(const Value& a, const Value& b) {
  return failure("incompatible types for comparison: " + std::string(type_name(a)) + " and " +
                 std::string(type_name(b)) + "; convert one of them with int, float64 or toString");
}

Result<bool> equal(const Value& a, const Value& b) {
  const auto kind_a = basic(a);
  const auto kind_b = basic(b);
  if (both_whole(kind_a, kind_b)) return a.integer()->value == b.integer()->value;
  if (kind_a != kind_b) {
    if (a.is_nil() || b.is_nil()) return false;
    return incompatible(a, b);
  }
  switch (kind_a) {
    case Basic::boolean:
      return *a.boolean() == *b.boolean();
    case Basic::real:
      return *a.real() == *b.real();
    case Basic::text:
      return *a.text() == *b.text();
    default:
      break;
  }
  const auto nil = [](const Value& value) {
    return value.is_nil() || (value.list() != nullptr && value.list()->nil) ||
           (value.map() != nullptr && value.map()->nil);
  };
  const bool alike = a.is_nil() || b.is_nil() || (a.list() != nullptr) == (b.list() != nullptr);
  if (alike && (nil(a) || nil(b))) return nil(a) == nil(b);
  return failure("lists and maps cannot be compared with eq; use deepEqual");
}

Result<bool> less(const Value& a, const Value& b) {
  const auto kind_a = basic(a);
  const auto kind_b = basic(b);
  if (kind_a == Basic::other || kind_b == Basic::other)
    return failure("invalid type for comparison: " +
                   std::string(type_name(kind_a == Basic::other ? a : b)));
  if (both_whole(kind_a, kind_b)) return a.integer()->value < b.integer()->value;
  if (kind_a != kind_b) return incompatible(a, b);
  if (kind_a == Basic::boolean) return failure("invalid type for comparison: bool");
  return kind_a == Basic::real ? *a.real() < *b.real() : *a.text() < *b.text();
}

Result<Value> truth(Result<bool> result, bool negated = false) {
  if (!result) return std::move(result).error();
  return Value(*result != negated);
}

Result<Value> any_equal(Env& /*env*/, Args args) {
  if (args.size() < 2) return failure("missing argument for comparison");
  for (std::size_t i = 1; i < args.size(); ++i) {
    auto same = equal(args[0], args[i]);
    if (!same) return std::move(same).error();
    if (*same) return Value(true);
  }
  return Value(false);
}

Result<bool> less_or_equal(const Value& a, const Value& b) {
  auto is_less = less(a, b);
  if (!is_less || *is_less) return is_less;
  return equal(a, b);
}

Result<std::size_t> position(const Value& value, std::size_t size) {
  const auto* number = value.integer();
  if (number == nullptr)
    return failure(value.is_nil()
                       ? "cannot index slice/array with nil"
                       : "cannot index slice/array with type " + std::string(type_name(value)));
  if (number->value < 0 || number->value > static_cast<std::int64_t>(size))
    return failure("index out of range: " + std::to_string(number->value));
  return static_cast<std::size_t>(number->value);
}

Result<Value> index(Env& /*env*/, Args args) {
  Value item = args[0];
  if (item.is_nil()) return failure("index of untyped nil: the value is not set");
  for (const auto& key : args.subspan(1)) {
    if (item.is_nil()) return failure("index of nil pointer: the value is not set");
    if (item.text() != nullptr || item.list() != nullptr) {
      const auto size = length(item);
      auto at = position(key, size);
      if (!at) return std::move(at).error();
      if (*at == size) return failure("index out of range: " + std::to_string(size));
      if (const auto* list = item.list()) {
        item = Value(list->items[*at]);
      } else {
        const auto byte = static_cast<unsigned char>((*item.text())[*at]);
        item = Value(Int{byte, Int::Type::uint8});
      }
      continue;
    }
    const auto* map = item.map();
    if (map == nullptr || map->type == Map::Type::version)
      return failure("can't index item of type " + std::string(type_name(item)));
    if (key.is_nil()) return failure("value is nil; should be of type string");
    if (key.text() == nullptr)
      return failure("value has type " + std::string(type_name(key)) + "; should be string");
    const auto found = map->entries.find(*key.text());
    if (found != map->entries.end())
      item = Value(found->second);
    else
      item = map->type == Map::Type::string ? Value("") : Value(Nil{true});
  }
  if (item.is_nil()) return Value(Nil{true});
  return item;
}

Result<Value> slice(Env& /*env*/, Args args) {
  const auto& item = args[0];
  if (item.is_nil()) return failure("slice of untyped nil: the value is not set");
  const auto* list = item.list();
  if (list == nullptr && item.text() == nullptr)
    return failure("can't slice item of type " + std::string(type_name(item)));
  const auto size = length(item);
  if (list != nullptr && size == 0) return Value();
  if (list == nullptr && args.size() > 3)
    return failure("too many slice indexes: " + std::to_string(args.size() - 1));
  std::size_t bounds[2] = {0, size};
  for (std::size_t i = 1; i < std::min<std::size_t>(args.size(), 3); ++i) {
    auto at = position(list == nullptr ? args[i] : Value(to_int64(args[i])), size);
    if (!at) return std::move(at).error();
    bounds[i - 1] = *at;
  }
  if (bounds[0] > bounds[1])
    return failure("invalid slice index: " + std::to_string(bounds[0]) + " > " +
                   std::to_string(bounds[1]));
  if (list == nullptr) return Value(item.text()->substr(bounds[0], bounds[1] - bounds[0]));
  List part;
  part.type = list->type;
  part.items.assign(list->items.begin() + static_cast<std::ptrdiff_t>(bounds[0]),
                    list->items.begin() + static_cast<std::ptrdiff_t>(bounds[1]));
  return Value(std::move(part));
}

Result<Value> len(Env& /*env*/, Args args) {
  if (args[0].is_nil()) return failure("len of nil pointer: the value is not set");
  const auto* map = args[0].map();
  if (args[0].text() == nullptr && args[0].list() == nullptr &&
      (map == nullptr || map->type == Map::Type::version))
    return failure("len of type " + std::string(type_name(args[0])));
  return Value(static_cast<std::int64_t>(length(args[0])));
}

Result<Value> required(Env& /*env*/, Args args) {
  const auto* text = args[1].text();
  if (args[1].is_nil() || (text != nullptr && text->empty())) return failure(*args[0].text());
  return args[1];
}

Result<Value> unreachable(Env& /*env*/, Args /*args*/) { return Value(); }

Value type_of(const Value& value) {
  return Value(value.is_nil() ? std::string_view("<nil>") : type_name(value));
}

const Function kCoreFunctions[] = {
    // Evaluated by the executor, which stops at the first argument that decides.
    {"and", "aa*", unreachable, true},
    {"or", "aa*", unreachable, true},
    {"not", "a", [](Env&, Args a) -> Result<Value> { return Value(!is_true(a[0])); }, true},
    {"eq", "aa*", any_equal, true},
    {"ne", "aa", [](Env&, Args a) { return truth(equal(a[0], a[1]), true); }, true},
    {"lt", "aa", [](Env&, Args a) { return truth(less(a[0], a[1])); }, true},
    {"le", "aa", [](Env&, Args a) { return truth(less_or_equal(a[0], a[1])); }, true},
    {"gt", "aa", [](Env&, Args a) { return truth(less_or_equal(a[0], a[1]), true); }, true},
    {"ge", "aa", [](Env&, Args a) { return truth(less(a[0], a[1]), true); }, true},
    {"index", "aa*", index, true},
    {"slice", "aa*", slice, true},
    {"len", "a", len, true},
    {"print", "a*", [](Env& e, Args a) { return text_value(sprint(e, a)); }, true},
    {"println", "a*", [](Env& e, Args a) { return text_value(sprintln(e, a)); }, true},
    {"printf",
     "sa*",
     [](Env& e, Args a) { return text_value(sprintf(e, *a[0].text(), a.subspan(1))); },
     true},
    {"default",
     "aa*",
     [](Env&, Args a) -> Result<Value> { return a.size() < 2 || !is_true(a[1]) ? a[0] : a[1]; }},
    {"empty", "a", [](Env&, Args a) -> Result<Value> { return Value(!is_true(a[0])); }},
    {"coalesce",
     "a*",
     [](Env&, Args a) -> Result<Value> {
       for (const auto& value : a) {
         if (is_true(value)) return value;
       }
       return Value();
     }},
    {"all",
     "a*",
     [](Env&, Args a) -> Result<Value> {
       for (const auto& value : a) {
         if (!is_true(value)) return Value(false);
       }
       return Value(true);
     }},
    {"any",
     "a*",
     [](Env&, Args a) -> Result<Value> {
       for (const auto& value : a) {
         if (is_true(value)) return Value(true);
       }
       return Value(false);
     }},
    {"ternary", "aab", [](Env&, Args a) -> Result<Value> { return *a[2].boolean() ? a[0] : a[1]; }},
    {"required", "sa", required},
    {"fail", "s", [](Env&, Args a) -> Result<Value> { return failure(*a[0].text()); }},
    {"include", "sa", [](Env& e, Args a) { return text_value(e.include(*a[0].text(), a[1])); }},
    {"tpl", "sa", [](Env& e, Args a) { return text_value(e.tpl(*a[0].text(), a[1])); }},
    {"typeOf", "a", [](Env&, Args a) -> Result<Value> { return type_of(a[0]); }},
    {"typeIs",
     "sa",
     [](Env&, Args a) -> Result<Value> { return Value(*a[0].text() == *type_of(a[1]).text()); }},
    {"typeIsLike",
     "sa",
     [](Env&, Args a) -> Result<Value> {
       const auto type = type_of(a[1]);
       return Value(*a[0].text() == *type.text() || "*" + *a[0].text() == *type.text());
     }},
    {"kindOf", "a", [](Env&, Args a) -> Result<Value> { return Value(kind_name(a[0])); }},
    {"kindIs",
     "sa",
     [](Env&, Args a) -> Result<Value> { return Value(*a[0].text() == kind_name(a[1])); }},
    {"deepEqual", "aa", [](Env& e, Args a) { return truth(deep_equal(e, a[0], a[1])); }},
};

#define SKEP_CLOCK "a template gives the same text at any time: there is no clock"
#define SKEP_RANDOM "a template gives the same text each time: there is no chance; use a secret"
#define SKEP_KEYS "keys and hashes with chance in them change each time; use a secret"
#define SKEP_OUTSIDE "a template sees its values and files only"

const Function kRefused[] = {
    {"now", "", nullptr, false, SKEP_CLOCK},
    {"ago", "", nullptr, false, SKEP_CLOCK},
    {"date", "", nullptr, false, SKEP_CLOCK},
    {"dateInZone", "", nullptr, false, SKEP_CLOCK},
    {"date_in_zone", "", nullptr, false, SKEP_CLOCK},
    {"dateModify", "", nullptr, false, SKEP_CLOCK},
    {"date_modify", "", nullptr, false, SKEP_CLOCK},
    {"mustDateModify", "", nullptr, false, SKEP_CLOCK},
    {"must_date_modify", "", nullptr, false, SKEP_CLOCK},
    {"htmlDate", "", nullptr, false, SKEP_CLOCK},
    {"htmlDateInZone", "", nullptr, false, SKEP_CLOCK},
    {"toDate", "", nullptr, false, SKEP_CLOCK},
    {"mustToDate", "", nullptr, false, SKEP_CLOCK},
    {"unixEpoch", "", nullptr, false, SKEP_CLOCK},
    {"duration", "", nullptr, false, SKEP_CLOCK},
    {"durationRound", "", nullptr, false, SKEP_CLOCK},
    {"randAlphaNum", "", nullptr, false, SKEP_RANDOM},
    {"randAlpha", "", nullptr, false, SKEP_RANDOM},
    {"randAscii", "", nullptr, false, SKEP_RANDOM},
    {"randNumeric", "", nullptr, false, SKEP_RANDOM},
    {"randBytes", "", nullptr, false, SKEP_RANDOM},
    {"randInt", "", nullptr, false, SKEP_RANDOM},
    {"shuffle", "", nullptr, false, SKEP_RANDOM},
    {"uuidv4", "", nullptr, false, SKEP_RANDOM},
    {"bcrypt", "", nullptr, false, SKEP_KEYS},
    {"htpasswd", "", nullptr, false, SKEP_KEYS},
    {"derivePassword", "", nullptr, false, SKEP_KEYS},
    {"genPrivateKey", "", nullptr, false, SKEP_KEYS},
    {"genCA", "", nullptr, false, SKEP_KEYS},
    {"genCAWithKey", "", nullptr, false, SKEP_KEYS},
    {"genSelfSignedCert", "", nullptr, false, SKEP_KEYS},
    {"genSelfSignedCertWithKey", "", nullptr, false, SKEP_KEYS},
    {"genSignedCert", "", nullptr, false, SKEP_KEYS},
    {"genSignedCertWithKey", "", nullptr, false, SKEP_KEYS},
    {"buildCustomCert", "", nullptr, false, SKEP_KEYS},
    {"encryptAES", "", nullptr, false, SKEP_KEYS},
    {"decryptAES", "", nullptr, false, SKEP_KEYS},
    {"env", "", nullptr, false, SKEP_OUTSIDE},
    {"expandenv", "", nullptr, false, SKEP_OUTSIDE},
    {"getHostByName", "", nullptr, false, SKEP_OUTSIDE},
    {"lookup", "", nullptr, false, SKEP_OUTSIDE ", not the swarm"},
    {"exec", "", nullptr, false, SKEP_OUTSIDE ", and runs nothing"},
    {"call", "", nullptr, false, "values hold no functions"},
    {"hello", "", nullptr, false, "it only greets"},
    {"toYamlPretty", "", nullptr, false, "it means the same as toYaml, which is here"},
    {"mustToToml", "", nullptr, false, "stacks are written in YAML; use toYaml or toJson"},
    {"toToml", "", nullptr, false, "stacks are written in YAML; use toYaml or toJson"},
    {"fromToml", "", nullptr, false, "values are written in YAML; use fromYaml or fromJson"},
};

#undef SKEP_CLOCK
#undef SKEP_RANDOM
#undef SKEP_KEYS
#undef SKEP_OUTSIDE

}  // namespace

std::span<const Function> core_functions() { return kCoreFunctions; }
std::span<const Function> refused_functions() { return kRefused; }

}  // namespace skep::templates
