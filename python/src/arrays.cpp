#include "arrays.hpp"

#include <pybind11/stl.h>

#include <cmath>

namespace riskcurve::python {

std::string text_of(const py::handle& value) {
  std::string text;
  try {
    text = py::isinstance<py::str>(value) ? "\"" + py::cast<std::string>(value) + "\""
                                          : py::cast<std::string>(py::repr(value));
  } catch (const py::error_already_set&) {
    text = py::cast<std::string>(py::str(py::type::of(value).attr("__name__")));
  }
  for (char& c : text)
    if (c == '\n') c = ' ';
  if (text.size() > 80) {
    text.resize(77);
    while (!text.empty() && (text.back() & 0xC0) == 0x80) text.pop_back();
    if (!text.empty() && static_cast<unsigned char>(text.back()) >= 0xC0) text.pop_back();
    text += "...";
  }
  return text;
}

py::array_t<double> doubles(const py::handle& value, const std::string& field, int most_axes,
                            const std::string& expected) {
  const auto refuse = [&] { throw InputError(field, text_of(value), expected); };
  if (py::isinstance<py::str>(value) || py::isinstance<py::dict>(value)) refuse();
  const py::array raw = py::array::ensure(value);
  if (!raw) {
    PyErr_Clear();
    refuse();
  }
  const char kind = raw.dtype().kind();
  if ((kind != 'f' && kind != 'i' && kind != 'u' && raw.size() > 0) || raw.ndim() > most_axes)
    refuse();
  auto result = py::array_t<double, py::array::forcecast>::ensure(raw);
  if (!result) {
    PyErr_Clear();
    refuse();
  }
  return result;
}

Eigen::ArrayXd array_from(const py::handle& value, const std::string& field) {
  const auto numbers = doubles(value, field, 1, "a list or array of numbers, of one axis");
  Eigen::ArrayXd result(numbers.size());
  if (numbers.ndim() == 0) {
    result[0] = *numbers.data();
  } else {
    for (py::ssize_t i = 0; i < numbers.size(); ++i) result[i] = *numbers.data(i);
  }
  return result;
}

Eigen::MatrixXd matrix_from(const py::handle& value, const std::string& field) {
  const auto numbers = doubles(value, field, 2, "an array of numbers, of one axis or two");
  const bool column = numbers.ndim() < 2;
  Eigen::MatrixXd result(column ? numbers.size() : numbers.shape(0), column ? 1 : numbers.shape(1));
  for (py::ssize_t j = 0; j < result.cols(); ++j)
    for (py::ssize_t i = 0; i < result.rows(); ++i)
      result(i, j) = numbers.ndim() == 0 ? *numbers.data()
                     : column            ? *numbers.data(i)
                                         : *numbers.data(i, j);
  return result;
}

double number_from(const py::handle& value, const std::string& field, const Range& range) {
  const bool number = PyNumber_Check(value.ptr()) && !py::isinstance<py::bool_>(value) &&
                      !py::isinstance<py::array>(value);
  double x = 0;
  if (number) x = PyFloat_AsDouble(value.ptr());
  if (!number || PyErr_Occurred()) {
    PyErr_Clear();
    throw InputError(field, text_of(value), range.expected());
  }
  check_range(field, x, range);
  return x;
}

}  // namespace riskcurve::python
