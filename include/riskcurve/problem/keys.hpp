#pragma once
#include <limits>
#include <memory>
#include <string>
#include <type_traits>
#include <utility>
#include <variant>

#include "riskcurve/eigen.hpp"
#include "riskcurve/problem/error.hpp"

namespace riskcurve {

// A table of a problem file is a struct that lists its keys once:
//
//   struct Schatten {
//     static constexpr const char* name = "schatten";
//     int batch = 1;
//     double exponent = kRequired;
//     template <class Self, class Keys>
//     static void keys(Self& self, Keys&& key) {
//       key("batch", self.batch, kBatch);
//       key("exponent", self.exponent, Range{-1, 1, true, false});
//     }
//   };
//
// From that list it is read (input/), written, checked and compared. A choice of kinds is a
// std::variant of such structs, and that variant is their registry.

/// The start of a number that has no default.
inline constexpr double kRequired = std::numeric_limits<double>::quiet_NaN();
inline constexpr Range kBatch = Range::wholes(1, 1e9);

/// A member of an enum under the text that problem files give it.
template <class Enum>
struct Choice {
  const char* text;
  Enum value;
};

/// The name of a file; empty: none. In a problem file relative to its folder.
struct File {
  std::string path = {};
  bool operator==(const File&) const = default;
};

/// A matrix held in the value itself, row by row in a file; nullptr: none.
struct Entries {
  std::shared_ptr<const Eigen::MatrixXd> matrix = nullptr;
  explicit operator bool() const { return matrix != nullptr; }
  const Eigen::MatrixXd& operator*() const { return *matrix; }
  bool operator==(const Entries& other) const {
    if (matrix == other.matrix) return true;
    return matrix && other.matrix && matrix->rows() == other.matrix->rows() &&
           matrix->cols() == other.matrix->cols() &&
           (matrix->array() == other.matrix->array()).all();
  }
};

/// Whether two arrays are of one shape and equal, entry by entry.
template <class Array>
bool same(const Array& a, const Array& b) {
  return a.rows() == b.rows() && a.cols() == b.cols() && (a.array() == b.array()).all();
}

/// The keys' own ranges, of a table built in C++: throws InputError about `prefix` + key.
class CheckKeys {
 public:
  explicit CheckKeys(std::string prefix = "") : prefix_(std::move(prefix)) {}
  template <class T>
  void operator()(const char* key, const T& x, const Range& range) const {
    if constexpr (std::is_arithmetic_v<T>) {
      check_range(prefix_ + key, static_cast<double>(x), range);
    } else if constexpr (requires { x.has_value(); }) {
      if (x) (*this)(key, *x, range);
    } else if constexpr (requires { x(0.0); }) {  // a schedule
      check_range(prefix_ + key, x(0.0), range);
    } else {
      for (std::size_t i = 0; i < x.size(); ++i)
        check_range(prefix_ + key + "[" + std::to_string(i) + "]", x[i], range);
    }
  }
  template <class... Rest>
  void operator()(const char*, const Rest&...) const {}

 private:
  std::string prefix_;
};

/// Throws InputError unless every number of the table is in the range of its key.
template <class Table>
void check_keys(const Table& table, const std::string& prefix = "") {
  Table::keys(table, CheckKeys(prefix));
}

}  // namespace riskcurve
