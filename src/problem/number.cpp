#include "problem/number.hpp"

#include <locale.h>  // newlocale; <clocale> need not declare it

#include <charconv>
#include <cmath>
#include <cstdlib>
#include <string>

#if __has_include(<xlocale.h>)
#include <xlocale.h>
#endif

namespace riskcurve {
namespace {

bool is_digit(char c) {
  return c >= '0' && c <= '9';
}

}  // namespace

bool parse_number(std::string_view text, double& x) {
#ifdef __cpp_lib_to_chars
  if (text.size() > 1 && text[0] == '+' && text[1] != '-') text.remove_prefix(1);
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), x);
  return error == std::errc() && end == text.data() + text.size();
#else
  return parse_number_by_strtod(text, x);
#endif
}

bool parse_number_by_strtod(std::string_view text, double& x) {
  static const locale_t c = newlocale(LC_ALL_MASK, "C", nullptr);
  // Strtod skips blanks before a number and takes hexadecimal ones.
  if (text.empty() || text.find_first_of(" \t\n\v\f\rxXpP(") != text.npos) return false;
  const std::string copy(text);  // ends in a zero
  char* end = nullptr;
  x = strtod_l(copy.c_str(), &end, c);
  if (end != copy.c_str() + copy.size()) return false;
  const std::size_t exponent = text.find_first_of("eE");
  const bool digits = text.substr(0, exponent).find_first_of("123456789") != text.npos;
  const bool named = text.find_first_of("iInN") != text.npos;
  return named || (std::isfinite(x) && (x != 0 || !digits));
}

bool parse_decimal_comma(std::string_view text, double& x) {
  const std::size_t comma = text.find(',');
  if (comma == text.npos || comma + 1 == text.size() || !is_digit(text[comma + 1]) ||
      text.find(',', comma + 1) != text.npos || text.find('.') != text.npos)
    return false;
  std::string copy(text);
  copy[comma] = '.';
  return parse_number(copy, x);
}

bool resembles_number(std::string_view text) {
  bool digits = false;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const bool exponent = digits && (text[i] == 'e' || text[i] == 'E');
    const bool sign =
        (text[i] == '+' || text[i] == '-') && (i == 0 || text[i - 1] == 'e' || text[i - 1] == 'E');
    digits = digits || is_digit(text[i]);
    if (!is_digit(text[i]) && !exponent && !sign &&
        std::string_view(".,'").find(text[i]) == text.npos)
      return false;
  }
  return digits;
}

}  // namespace riskcurve
