#pragma once
#include <Eigen/Core>
#include <functional>

namespace riskcurve {

/// Calls record(f(t)) for t = at[first], .., at[last - 1], increasing times in [a, b] where f is
/// analytic, f[0] > 0, and always of the same shape. Where the times are many, f is taken at a few
/// Chebyshev points and interpolated, log f[0] and the other rows to 1e-13 of their size; where
/// that does not resolve it, and where the times are few, f is taken at each of them.
void at_times(const std::function<Eigen::ArrayXd(double t)>& f, double a, double b,
              const Eigen::ArrayXd& at, Eigen::Index first, Eigen::Index last,
              const std::function<void(const Eigen::ArrayXd&)>& record);

}  // namespace riskcurve
