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

}  // namespace riskcurve
