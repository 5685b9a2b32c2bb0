#include <algorithm>
#include <cmath>
#include <limits>
#include <string>

#include "helm-like-templates/renderer/decimal.hpp"
#include "helm-like-templates/renderer/format.hpp"
#include "helm-like-templates/renderer/functions.hpp"
#include "helm-like-templates/renderer/literal.hpp"

namespace skep::templates {
namespace {

// Go's integers wrap around.
std::uint64_t bits(std::int64_t number) { return static_cast<std::uint64_t>(number); }
Value wide(std::uint64_t number) {
  return Value(Int{static_cast<std::int64_t>(number), Int::Type::int64});
}
Value wide(std::int64_t number) { return Value(Int{number, Int::Type::int64}); }

Result<Value> add(Env& /*env*/, Args a) {
  std::uint64_t sum = 0;
  for (const auto& value : a) sum += bits(to_int64(value));
  return wide(sum);
}

Result<Value> mul(Env& /*env*/, Args a) {
  std::uint64_t product = 1;
  for (const auto& value : a) product *= bits(to_int64(value));
  return wide(product);
}

Result<Value> div(Env& /*env*/, Args a, bool remainder) {
  const auto dividend = to_int64(a[0]);
  const auto divisor = to_int64(a[1]);
  if (divisor == 0) return failure("integer divide by zero");
  if (divisor == -1) return wide(remainder ? 0 : 0 - bits(dividend));
  return wide(remainder ? dividend % divisor : dividend / divisor);
}

Result<Value> extreme(Env& /*env*/, Args a, bool largest) {
  auto best = to_int64(a[0]);
  for (const auto& value : a) {
    const auto number = to_int64(value);
    best = largest ? std::max(best, number) : std::min(best, number);
  }
  return wide(best);
}

Result<Value> extreme_real(Env& /*env*/, Args a, bool largest) {
  auto best = to_float64(a[0]);
  for (const auto& value : a) {
    const auto number = to_float64(value);
    if (std::isnan(number) || std::isnan(best))
      best = std::numeric_limits<double>::quiet_NaN();
    else
      best = largest ? std::max(best, number) : std::min(best, number);
  }
  return Value(best);
}

enum class Operation { add, sub, mul, div };

template <Operation operation>
Result<Value> real(Env& env, Args a) {
  auto result = Decimal::from(to_float64(a[0]));
  for (const auto& value : a.subspan(1)) {
    auto next = Decimal::from(to_float64(value));
    if (!result || !next) break;
    if (auto paid = env.spend(a.size() / 8); !paid) return std::move(paid).error();
    switch (operation) {
      case Operation::sub:
        next->negate();
        [[fallthrough]];
      case Operation::add:
        result->add(*next);
        break;
      case Operation::mul:
        result->multiply(*next);
        break;
      case Operation::div:
        result = result->over(*next);
        if (!result) return failure("decimal division by 0");
        break;
    }
  }
  if (!result) return failure("there is no decimal number for an infinity");
  return Value(result->to_double());
}

Result<Value> addf(Env& env, Args a) {
  if (a.empty()) return Value(0.0);
  return real<Operation::add>(env, a);
}

Result<Value> add1f(Env& env, Args a) {
  const Value terms[] = {a[0], Value(1)};
  return real<Operation::add>(env, terms);
}

Result<Value> rounded(Env& /*env*/, Args a) {
  const double on = a.size() > 2 ? *a[2].real() : 0.5;
  const double power = std::pow(10, static_cast<double>(a[1].integer()->value));
  const double digit = power * to_float64(a[0]);
  double whole = 0;
  const double fraction = std::modf(digit, &whole);
  return Value((fraction >= on ? std::ceil(digit) : std::floor(digit)) / power);
}

Result<List> steps(Env& env, std::int64_t start, std::int64_t stop, std::int64_t step) {
  List list;
  list.type = List::Type::int_;
  const bool down = stop < start;
  if (down ? step >= 0 : step <= 0) return list;
  const auto distance = down ? bits(start) - bits(stop) : bits(stop) - bits(start);
  const auto width = down ? 0 - bits(step) : bits(step);
  const auto count = distance / width + (distance % width == 0 ? 0 : 1);
  if (auto paid = env.spend(std::min<std::uint64_t>(count, 1U << 30U)); !paid)
    return std::move(paid).error();
  if (auto paid = env.charge(std::min<std::uint64_t>(count, 1U << 30U) * 48); !paid)
    return std::move(paid).error();
  for (std::uint64_t i = 0; i < count; ++i)
    list.items.emplace_back(static_cast<std::int64_t>(bits(start) + i * bits(step)));
  return list;
}

Result<Value> steps_value(Result<List> list) {
  if (!list) return std::move(list).error();
  return Value(std::move(*list));
}

Result<Value> until(Env& env, Args a) {
  const auto count = a[0].integer()->value;
  return steps_value(steps(env, 0, count, count < 0 ? -1 : 1));
}

Result<Value> until_step(Env& env, Args a) {
  return steps_value(
      steps(env, a[0].integer()->value, a[1].integer()->value, a[2].integer()->value));
}

Result<Value> seq(Env& env, Args a) {
  if (a.empty() || a.size() > 3) return Value("");
  const auto number = [&](std::size_t i) { return a[i].integer()->value; };
  const auto start = a.size() == 1 ? 1 : number(0);
  const auto end = number(a.size() - 1);
  const auto toward = end < start ? -1 : 1;
  const auto step = a.size() == 3 ? number(1) : toward;
  if (a.size() == 3 && end < start && step > 0) return Value("");
  const auto stop = static_cast<std::int64_t>(bits(end) + bits(toward));
  auto list = steps(env, start, stop, step);
  if (!list) return std::move(list).error();
  std::string text;
  for (const auto& item : list->items) {
    if (!text.empty()) text += ' ';
    text += std::to_string(item.integer()->value);
  }
  return Value(std::move(text));
}

Result<Value> to_decimal(Env& env, Args a) {
  auto text = text_of(env, a[0]);
  if (!text) return std::move(text).error();
  return wide(parse_int(*text, 8).value_or(0));
}

const Function kMathFunctions[] = {
    {"add", "a*", add},
    {"add1", "a", [](Env&, Args a) -> Result<Value> { return wide(bits(to_int64(a[0])) + 1); }},
    {"sub",
     "aa",
     [](Env&, Args a) -> Result<Value> {
       return wide(bits(to_int64(a[0])) - bits(to_int64(a[1])));
     }},
    {"mul", "aa*", mul},
    {"div", "aa", [](Env& e, Args a) { return div(e, a, false); }},
    {"mod", "aa", [](Env& e, Args a) { return div(e, a, true); }},
    {"max", "aa*", [](Env& e, Args a) { return extreme(e, a, true); }},
    {"biggest", "aa*", [](Env& e, Args a) { return extreme(e, a, true); }},
    {"min", "aa*", [](Env& e, Args a) { return extreme(e, a, false); }},
    {"maxf", "aa*", [](Env& e, Args a) { return extreme_real(e, a, true); }},
    {"minf", "aa*", [](Env& e, Args a) { return extreme_real(e, a, false); }},
    {"addf", "a*", addf},
    {"add1f", "a", add1f},
    {"subf", "aa*", real<Operation::sub>},
    {"mulf", "aa*", real<Operation::mul>},
    {"divf", "aa*", real<Operation::div>},
    {"floor",
     "a",
     [](Env&, Args a) -> Result<Value> { return Value(std::floor(to_float64(a[0]))); }},
    {"ceil", "a", [](Env&, Args a) -> Result<Value> { return Value(std::ceil(to_float64(a[0]))); }},
    {"round", "aif*", rounded},
    {"until", "i", until},
    {"untilStep", "iii", until_step},
    {"seq", "i*", seq},
    {"int", "a", [](Env&, Args a) -> Result<Value> { return Value(to_int64(a[0])); }},
    {"int64", "a", [](Env&, Args a) -> Result<Value> { return wide(to_int64(a[0])); }},
    {"float64", "a", [](Env&, Args a) -> Result<Value> { return Value(to_float64(a[0])); }},
    {"atoi", "s", [](Env&, Args a) -> Result<Value> { return Value(clamped_int(*a[0].text())); }},
    {"toDecimal", "a", to_decimal},
};

}  // namespace

std::span<const Function> math_functions() { return kMathFunctions; }

}  // namespace skep::templates
