#pragma once

#include <cstdint>
#include <optional>
#include <vector>

namespace skep::templates {

/// A decimal number of any length, for the Sprig functions that compute with such (addf, divf …):
/// 0.1 and 0.2 are 0.3, and nothing is lost before the end.
class Decimal {
 public:
  /// The decimal number that a double is written as. Nothing for what is no number.
  static std::optional<Decimal> from(double number);

  void add(const Decimal& other);
  void multiply(const Decimal& other);
  void negate() { negative_ = !negative_; }
  /// With 16 places behind the point, half away from zero. Both are as from() gave them. Nothing
  /// for a division by 0.
  [[nodiscard]] std::optional<Decimal> over(const Decimal& divisor) const;
  /// The nearest double; an infinity where it is too large.
  [[nodiscard]] double to_double() const;

 private:
  [[nodiscard]] bool is_zero() const;
  void shift_to(int exponent);

  bool negative_ = false;
  std::vector<std::uint32_t> limbs_;  ///< Nine digits each, the lowest first.
  int exponent_ = 0;                  ///< Of ten.
};

}  // namespace skep::templates
