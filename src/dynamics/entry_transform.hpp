#pragma once
#include <functional>
#include <optional>
#include <vector>

#include "dynamics/uniform_spline.hpp"
#include "riskcurve/dynamics/residual.hpp"

namespace riskcurve {

/// What gradients are made of: entries of vectors, sums of residuals times normals; or of matrices,
/// times products of two.
enum class GradientOf { vector, matrix };

/// An entry of the gradient, given the residuals a sum over samples of normals times x_i, through
/// m(x) = E e^(-x^2 l^2) of a vector, E (1 + x^2 l^2)^(-1/2) of a matrix, and what a signal
/// makes of it: log m and the ratio Q = N/m, as functions of y = log x; splines.
class EntryTransform {
 public:
  using Function = std::function<double(double y)>;
  /// m, and with D = d/dy: N = (1 + D) numerator, m itself where that is none, asked for at whole
  /// steps from `start` on, a log x at which m has begun to fall.
  EntryTransform(double start, const Function& m, const Function& numerator = {});

  double low() const { return low_; }
  double high() const { return high_; }
  double log(double y) const;
  double slope(double y) const;  ///< d log m/dy
  double ratio(double y) const;
  /// int_-inf^y log m dy
  double integral(double y) const;
  /// int_-inf^y e^(y' - y) Q dy'
  double weighted_integral(double y) const;

 private:
  double low_ = 0, high_ = 0, start_ = 0, exponent_ = 2;
  UniformSpline log_;
  std::optional<UniformSpline> top_;
  std::vector<double> integral_, weighted_;  ///< of both below, at whole steps from low on
};

/// At risk R.
EntryTransform entry_transform(const ResidualLaw& law, double risk, GradientOf entries);

}  // namespace riskcurve
