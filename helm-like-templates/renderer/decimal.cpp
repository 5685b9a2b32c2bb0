#include "helm-like-templates/renderer/decimal.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <string>

#include "helm-like-templates/renderer/literal.hpp"

namespace skep::templates {
namespace {

using Limbs = std::vector<std::uint32_t>;
__extension__ using Wide = unsigned __int128;

constexpr std::uint32_t kBase = 1'000'000'000;
constexpr int kPlaces = 16;

void trim(Limbs& limbs) {
  while (!limbs.empty() && limbs.back() == 0) limbs.pop_back();
}

void multiply_by(Limbs& limbs, std::uint32_t factor) {
  std::uint64_t carry = 0;
  for (auto& limb : limbs) {
    carry += static_cast<std::uint64_t>(limb) * factor;
    limb = static_cast<std::uint32_t>(carry % kBase);
    carry /= kBase;
  }
  if (carry != 0) limbs.push_back(static_cast<std::uint32_t>(carry));
}

int compare(const Limbs& a, const Limbs& b) {
  if (a.size() != b.size()) return a.size() < b.size() ? -1 : 1;
  for (auto i = a.size(); i-- > 0;) {
    if (a[i] != b[i]) return a[i] < b[i] ? -1 : 1;
  }
  return 0;
}

Limbs sum(const Limbs& a, const Limbs& b) {
  Limbs result;
  std::uint32_t carry = 0;
  for (std::size_t i = 0; i < std::max(a.size(), b.size()) || carry != 0; ++i) {
    carry += (i < a.size() ? a[i] : 0) + (i < b.size() ? b[i] : 0);
    result.push_back(carry % kBase);
    carry /= kBase;
  }
  return result;
}

/// a is not smaller than b.
Limbs difference(Limbs a, const Limbs& b) {
  std::int64_t borrow = 0;
  for (std::size_t i = 0; i < a.size(); ++i) {
    auto rest = static_cast<std::int64_t>(a[i]) - borrow - (i < b.size() ? b[i] : 0);
    borrow = rest < 0 ? 1 : 0;
    if (rest < 0) rest += kBase;
    a[i] = static_cast<std::uint32_t>(rest);
  }
  trim(a);
  return a;
}

Wide value_of(const Limbs& limbs) {
  Wide value = 0;
  for (auto i = limbs.size(); i-- > 0;) value = value * kBase + limbs[i];
  return value;
}

Limbs limbs_of(Wide value) {
  Limbs limbs;
  for (; value != 0; value /= kBase) limbs.push_back(static_cast<std::uint32_t>(value % kBase));
  return limbs;
}

}  // namespace

std::optional<Decimal> Decimal::from(double number) {
  if (!std::isfinite(number)) return std::nullopt;
  Decimal decimal;
  decimal.negative_ = number < 0;
  const auto text = format_float(std::fabs(number), 'e', -1);  // "1.25e-07"
  const auto mark = text.find('e');
  Wide digits = 0;
  for (const char c : text.substr(0, mark)) {
    if (c == '.') continue;
    digits = digits * 10 + static_cast<Wide>(c - '0');
  }
  const auto point = text.find('.');
  const auto places = point < mark ? static_cast<int>(mark - point - 1) : 0;
  decimal.exponent_ = std::stoi(text.substr(mark + 1)) - places;
  decimal.limbs_ = limbs_of(digits);
  return decimal;
}

bool Decimal::is_zero() const { return limbs_.empty(); }

void Decimal::shift_to(int exponent) {
  for (; exponent_ > exponent && exponent_ - exponent >= 9; exponent_ -= 9)
    limbs_.insert(limbs_.begin(), 0);
  for (; exponent_ > exponent; --exponent_) multiply_by(limbs_, 10);
  trim(limbs_);
}

void Decimal::add(const Decimal& other) {
  if (other.is_zero()) return;
  if (is_zero()) {
    *this = other;
    return;
  }
  auto right = other;
  const auto exponent = std::min(exponent_, right.exponent_);
  shift_to(exponent);
  right.shift_to(exponent);
  if (negative_ == right.negative_) {
    limbs_ = sum(limbs_, right.limbs_);
  } else if (compare(limbs_, right.limbs_) >= 0) {
    limbs_ = difference(std::move(limbs_), right.limbs_);
  } else {
    limbs_ = difference(std::move(right.limbs_), limbs_);
    negative_ = right.negative_;
  }
}

void Decimal::multiply(const Decimal& other) {
  Limbs result(limbs_.size() + other.limbs_.size(), 0);
  for (std::size_t i = 0; i < limbs_.size(); ++i) {
    std::uint64_t carry = 0;
    for (std::size_t k = 0; k < other.limbs_.size() || carry != 0; ++k) {
      carry += result[i + k];
      if (k < other.limbs_.size()) carry += static_cast<std::uint64_t>(limbs_[i]) * other.limbs_[k];
      result[i + k] = static_cast<std::uint32_t>(carry % kBase);
      carry /= kBase;
    }
  }
  trim(result);
  limbs_ = std::move(result);
  negative_ = negative_ != other.negative_;
  exponent_ += other.exponent_;
}

std::optional<Decimal> Decimal::over(const Decimal& divisor) const {
  if (divisor.is_zero()) return std::nullopt;
  Decimal quotient;
  quotient.negative_ = negative_ != divisor.negative_;
  quotient.exponent_ = -kPlaces;
  auto below = value_of(divisor.limbs_);
  const auto shift = exponent_ - divisor.exponent_ + kPlaces;
  if (shift < -kPlaces - 1) return quotient;  // Less than half of the last place.
  for (int i = shift; i < 0; ++i) below *= 10;
  auto above = *this;
  if (shift > 0) above.shift_to(above.exponent_ - shift);
  Wide rest = 0;
  quotient.limbs_ = Limbs(above.limbs_.size(), 0);
  for (auto i = above.limbs_.size(); i-- > 0;) {
    // A dividend of several limbs has a divisor of at most 17 digits, so nothing overflows; with
    // a longer divisor it has two.
    rest = rest * kBase + above.limbs_[i];
    quotient.limbs_[i] = static_cast<std::uint32_t>(rest / below);
    rest %= below;
  }
  trim(quotient.limbs_);
  if (rest * 2 >= below) quotient.limbs_ = sum(quotient.limbs_, {1});
  return quotient;
}

double Decimal::to_double() const {
  if (is_zero()) return 0;
  std::string digits;
  for (auto i = limbs_.size(); i-- > 0;) {
    auto part = std::to_string(limbs_[i]);
    digits += std::string(i + 1 == limbs_.size() ? 0 : 9 - part.size(), '0') + part;
  }
  const auto size = exponent_ + static_cast<int>(digits.size());
  if (size < -400) return 0;
  if (size > 400) return std::numeric_limits<double>::infinity() * (negative_ ? -1 : 1);
  const auto near = parse_float((negative_ ? "-" : "") + digits + "e" + std::to_string(exponent_));
  return near.value_or(std::numeric_limits<double>::infinity() * (negative_ ? -1 : 1));
}

}  // namespace skep::templates
