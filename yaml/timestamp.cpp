#include "yaml/timestamp.hpp"

#include <array>
#include <cstdio>
#include <string>

#include "core/ascii.hpp"

namespace skep::yaml {
namespace {

/// Reads from the front of a text and remembers whether all went well.
class Cursor {
 public:
  explicit Cursor(std::string_view text) : rest_(text) {}

  /// One or two digits, as Go's short layouts "1", "2", "15", "4" and "5" take them.
  int number(int low, int high) {
    if (rest_.empty() || !is_digit(rest_[0])) return fail();
    int value = take_digit();
    if (!rest_.empty() && is_digit(rest_[0])) value = value * 10 + take_digit();
    return value < low || value > high ? fail() : value;
  }
  int exactly_two(int high) {
    if (rest_.size() < 2 || !is_digit(rest_[0]) || !is_digit(rest_[1])) return fail();
    int value = take_digit();
    value = value * 10 + take_digit();
    return value > high ? fail() : value;
  }
  bool accept(char c) {
    if (rest_.empty() || rest_[0] != c) return false;
    rest_.remove_prefix(1);
    return true;
  }
  void expect(char c) {
    if (!accept(c)) fail();
  }
  /// ".25" or ",25", cut to nanoseconds, without trailing zeros; "" where there is none.
  std::string fraction() {
    if (rest_.size() < 2 || (rest_[0] != '.' && rest_[0] != ',') || !is_digit(rest_[1])) return "";
    rest_.remove_prefix(1);
    std::string digits;
    while (!rest_.empty() && is_digit(rest_[0])) {
      if (digits.size() < 9) digits += rest_[0];
      rest_.remove_prefix(1);
    }
    while (!digits.empty() && digits.back() == '0') digits.pop_back();
    return digits.empty() ? "" : "." + digits;
  }
  [[nodiscard]] bool at_end() const { return rest_.empty(); }
  [[nodiscard]] bool ok() const { return ok_; }
  int fail() {
    ok_ = false;
    return 0;
  }

 private:
  int take_digit() {
    const int digit = rest_[0] - '0';
    rest_.remove_prefix(1);
    return digit;
  }
  std::string_view rest_;
  bool ok_ = true;
};

int days_in(int year, int month) {
  constexpr std::array<int, 12> kDays = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
  const bool leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
  return kDays.at(static_cast<std::size_t>(month - 1)) + (month == 2 && leap ? 1 : 0);
}

}  // namespace

std::optional<Timestamp> timestamp_from(std::string_view text) {
  if (text.size() < 8 || text[4] != '-') return std::nullopt;
  int year = 0;
  for (std::size_t i = 0; i < 4; ++i) {
    if (!is_digit(text[i])) return std::nullopt;
    year = year * 10 + (text[i] - '0');
  }
  Cursor cursor(text.substr(5));
  const int month = cursor.number(1, 12);
  cursor.expect('-');
  const int day = cursor.number(1, 31);
  if (!cursor.ok() || day > days_in(year, month)) return std::nullopt;

  int hour = 0;
  int minute = 0;
  int second = 0;
  std::string fraction;
  std::string zone = "+0000 UTC";
  if (!cursor.at_end()) {
    const bool with_zone = cursor.accept('T') || cursor.accept('t');
    if (!with_zone) cursor.expect(' ');
    hour = cursor.number(0, 23);
    cursor.expect(':');
    minute = cursor.number(0, 59);
    cursor.expect(':');
    second = cursor.number(0, 59);
    fraction = cursor.fraction();
    if (with_zone && cursor.ok() && !cursor.accept('Z')) {
      const bool minus = cursor.accept('-');
      if (!minus) cursor.expect('+');
      const int zone_hours = cursor.exactly_two(24);
      cursor.expect(':');
      const int zone_minutes = cursor.exactly_two(60);
      // Go prints an offset twice when it knows no name for it, and takes +00:00 for UTC.
      if (zone_hours != 0 || zone_minutes != 0) {
        const int hours = zone_hours + zone_minutes / 60;
        std::array<char, 16> buffer{};  // Room for what the compiler thinks possible.
        std::snprintf(buffer.data(),
                      buffer.size(),
                      "%c%02d%02d",
                      minus ? '-' : '+',
                      hours,
                      zone_minutes % 60);
        zone = std::string(buffer.data()) + " " + buffer.data();
      }
    }
  }
  if (!cursor.ok() || !cursor.at_end()) return std::nullopt;
  std::array<char, 40> buffer{};
  std::snprintf(buffer.data(),
                buffer.size(),
                "%04d-%02d-%02d %02d:%02d:%02d",
                year,
                month,
                day,
                hour,
                minute,
                second);
  return Timestamp{std::string(buffer.data()) + fraction + " " + zone, std::string(text)};
}

}  // namespace skep::yaml
