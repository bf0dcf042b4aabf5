#pragma once
#include <string_view>

namespace riskcurve {

/// Reads `text`, all of it, as a decimal number ("inf" and "nan" among them), whatever the locale.
/// False where it is none, or too large or too small for a double.
bool parse_number(std::string_view text, double& x);
/// The same by strtod, for standard libraries without std::from_chars of a double; slower.
bool parse_number_by_strtod(std::string_view text, double& x);

/// Reads 1,5 as 1.5. False without a comma, and for what may hold thousands: 1,500,000 or 1.500,5.
bool parse_decimal_comma(std::string_view text, double& x);

/// Made of digits, signs, marks and an exponent, whether or not it is one number: "1.234,50",
/// "1'000", "1e999". No name of a column, then.
bool resembles_number(std::string_view text);

}  // namespace riskcurve
