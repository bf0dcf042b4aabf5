#pragma once
#include <Eigen/Core>

namespace riskcurve {

/// A positive measure on points of the line.
struct Measure {
  Eigen::ArrayXd point, weight;
};

/// The Gauss rule of a point measure: at most n nodes inside its hull, positive weights, the same
/// moments up to degree 2n-1. (Lanczos on diag(point), started from sqrt(weight).) Fewer points
/// than n come back as they are; an empty or weightless measure comes back empty.
Measure gauss_rule(const Eigen::ArrayXd& point, const Eigen::ArrayXd& weight, int n);

}  // namespace riskcurve
