#pragma once
#include <algorithm>
#include <stdexcept>
#include <string>

namespace riskcurve {

/// Bad input, in one line: which field, its value, what was expected. The command exits with 2.
class InputError : public std::runtime_error {
 public:
  InputError(const std::string& field, const std::string& value, const std::string& expected)
      : InputError(field + " = " + value + ": expected " + expected) {}
  explicit InputError(const std::string& line) : std::runtime_error(one_line(line)) {}

 private:
  /// Keys, names of files and cells are quoted as they come: control characters become blanks.
  static std::string one_line(std::string text) {
    const auto control = [](char c) { return static_cast<unsigned char>(c) < 32 || c == 127; };
    std::replace_if(text.begin(), text.end(), control, ' ');
    return text;
  }
};

/// Work that could not be finished on good input. The command exits with 1.
class Failure : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

}  // namespace riskcurve
