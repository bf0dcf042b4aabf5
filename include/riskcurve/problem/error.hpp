#pragma once
#include <stdexcept>
#include <string>

namespace riskcurve {

/// Bad input, in one line: which field, its value, what was expected. The command exits with 2.
class InputError : public std::runtime_error {
 public:
  InputError(const std::string& field, const std::string& value, const std::string& expected)
      : std::runtime_error(field + " = " + value + ": expected " + expected) {}
  explicit InputError(const std::string& line) : std::runtime_error(line) {}
};

/// Work that could not be finished on good input. The command exits with 1.
class Failure : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

}  // namespace riskcurve
