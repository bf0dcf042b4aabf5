#pragma once
#include "simulate/matrix_update.hpp"
#include "simulate/update.hpp"

namespace riskcurve {

/// v <- keep v + take G^2 from zero, entry by entry, and the update G/(sqrt(v) + eps); 0 where
/// there was no gradient yet.
template <class Point>
GradientMap<Point> map_over_squares(double keep, double take, double eps) {
  return [=, v = Point()](Point& gradient) mutable {
    if (v.size() == 0) v = Point::Zero(gradient.rows(), gradient.cols());
    v = keep * v + take * gradient.cwiseAbs2();
    const auto root = v.array().sqrt() + eps;
    gradient = (root > 0).select(gradient.array() / root, 0.0).matrix().eval();
  };
}
inline Update over_squares(double keep, double take, double eps) {
  return {false, mean_gradient, [=] { return map_over_squares<Eigen::VectorXd>(keep, take, eps); }};
}
inline MatrixUpdate matrix_over_squares(double keep, double take, double eps) {
  return {false, gradient, [=] { return map_over_squares<Eigen::MatrixXd>(keep, take, eps); }};
}

}  // namespace riskcurve
