#include "riskcurve/problem/error.hpp"

#include <cmath>
#include <cstdio>
#include <cstdlib>

#include "problem/one_line.hpp"

namespace riskcurve {

std::string number_text(double x) {
  if (std::isnan(x)) return "nan";
  if (std::isinf(x)) return x > 0 ? "inf" : "-inf";
  char buffer[40];
  for (int digits = 1; digits <= 17; ++digits) {
    std::snprintf(buffer, sizeof buffer, "%.*g", digits, x);
    if (std::strtod(buffer, nullptr) == x) break;
  }
  std::string text = buffer;
  // 1e-09 -> 1e-9; 2e+06 -> 2e6; but 1e+02 is better as 100.
  const std::size_t e = text.find('e');
  if (e == std::string::npos) return text;
  const int exponent = std::atoi(text.c_str() + e + 1);
  if (exponent > 0 && exponent < 6) {
    std::snprintf(buffer, sizeof buffer, "%.0f", x);
    return buffer;
  }
  return text.substr(0, e + 1) + std::to_string(exponent);
}

InputError::InputError(const std::string& field, const std::string& value,
                       const std::string& expected)
    : std::runtime_error(one_line(field + " = " + value + ": expected " + expected)),
      field_(one_line(field)),
      value_(one_line(value)),
      expected_(one_line(expected)) {}

InputError::InputError(const std::string& line) : std::runtime_error(one_line(line)) {}

bool Range::contains(double x) const {
  if (!std::isfinite(x) || (whole && x != std::floor(x))) return false;
  return (open_low ? x > low : x >= low) && (open_high ? x < high : x <= high);
}

std::string Range::text() const {
  const bool below = std::isfinite(high), above = std::isfinite(low);
  const std::string lower = (open_low ? "> " : ">= ") + number_text(low);
  const std::string upper = (open_high ? "< " : "<= ") + number_text(high);
  if (above && below) return lower + " and " + upper;
  if (above) return lower;
  return below ? upper : "finite";
}

std::string Range::expected() const {
  const std::string what = whole ? "a whole number" : "a number";
  return std::isfinite(low) || std::isfinite(high) ? what + " " + text() : what;
}

void check_range(const std::string& field, double x, const Range& range) {
  if (!range.contains(x)) throw InputError(field, x, range.expected());
}

}  // namespace riskcurve
