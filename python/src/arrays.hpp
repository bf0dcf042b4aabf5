#pragma once
#include <pybind11/numpy.h>
#include <pybind11/pybind11.h>

#include <string>
#include <utility>
#include <vector>

#include "riskcurve/eigen.hpp"
#include "riskcurve/problem/error.hpp"

namespace riskcurve::python {

namespace py = pybind11;

/// A NumPy array that owns what was moved into it: no numbers are copied.
template <class Array>
py::array numpy(Array array) {
  auto* const held = new Array(std::move(array));
  const py::capsule owner(held, [](void* p) { delete static_cast<Array*>(p); });
  constexpr py::ssize_t one = sizeof(double);
  if constexpr (Array::IsVectorAtCompileTime) {
    return py::array_t<double>({held->size()}, {one}, held->data(), owner);
  } else {
    return py::array_t<double>({held->rows(), held->cols()}, {one, one * held->rows()},
                               held->data(), owner);
  }
}

/// The numbers of something else, which lives as long as `owner` does; not to be written to unless
/// `writable`.
template <class Array>
py::array view(const Array& array, const py::handle& owner, bool writable = false) {
  constexpr py::ssize_t one = sizeof(double);
  py::array result;
  if constexpr (Array::IsVectorAtCompileTime) {
    result = py::array_t<double>({array.size()}, {one}, array.data(), owner);
  } else {
    result = py::array_t<double>({array.rows(), array.cols()}, {one, one * array.rows()},
                                 array.data(), owner);
  }
  if (!writable) result.attr("setflags")(py::arg("write") = false);
  return result;
}

/// What Python shows of a value, in one line, as errors quote it.
std::string text_of(const py::handle& value);

/// Numbers of any type and memory order, as doubles. Throws InputError about `field`.
py::array_t<double> doubles(const py::handle& value, const std::string& field, int most_axes,
                            const std::string& expected);
Eigen::ArrayXd array_from(const py::handle& value, const std::string& field);
Eigen::MatrixXd matrix_from(const py::handle& value, const std::string& field);
double number_from(const py::handle& value, const std::string& field, const Range& range);

/// f(), an InputError of which says the table its key is in: "risk" becomes "target.risk".
template <class F>
auto about(const std::string& table, F&& f) {
  try {
    return f();
  } catch (const InputError& error) {
    if (error.field().empty() || error.field().rfind(table, 0) == 0) throw;
    throw InputError(table + error.field(), error.value(), error.expected());
  }
}

inline py::list texts(const std::vector<std::string>& lines) {
  return py::cast(lines);
}

}  // namespace riskcurve::python
