#pragma once
#include <limits>
#include <stdexcept>
#include <string>

namespace riskcurve {

/// The shortest decimal text that reads back to the same double: "0.1", "1e-9", "inf".
std::string number_text(double x);

/// Bad input, in one line: which field, its value, what was expected. The command exits with 2.
class InputError : public std::runtime_error {
 public:
  InputError(const std::string& field, const std::string& value, const std::string& expected);
  InputError(const std::string& field, double value, const std::string& expected)
      : InputError(field, number_text(value), expected) {}
  /// A line of another form; then the parts are empty.
  explicit InputError(const std::string& line);

  const std::string& field() const { return field_; }        ///< dotted name: "problem.noise.std"
  const std::string& value() const { return value_; }        ///< as it was written
  const std::string& expected() const { return expected_; }  ///< "a number > 0"

 private:
  std::string field_, value_, expected_;
};

/// Work that could not be finished on good input. The command exits with 1.
class Failure : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

/// What a number must satisfy; `text` is what the error says.
struct Range {
  double low = -std::numeric_limits<double>::infinity();
  double high = std::numeric_limits<double>::infinity();
  bool open_low = false, open_high = false;
  bool whole = false;  ///< no fractions
  static constexpr Range any() { return {}; }
  static constexpr Range positive() {  ///< > 0, finite
    return {0, std::numeric_limits<double>::infinity(), true};
  }
  static constexpr Range non_negative() { return {0}; }  ///< >= 0, finite
  static constexpr Range within(double low, double high) { return {low, high}; }
  static constexpr Range wholes(double low, double high) { return {low, high, false, false, true}; }
  bool contains(double x) const;  ///< false for nan and inf
  std::string text() const;       ///< ">= 0 and <= 1"
  /// "a number > 0", "a whole number >= 1": what InputError expected.
  std::string expected() const;
};

/// Throws InputError about `field` unless `x` is in the range.
void check_range(const std::string& field, double x, const Range& range);

}  // namespace riskcurve
