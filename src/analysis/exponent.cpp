#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>
#include <vector>

#include "riskcurve/analysis/fits.hpp"
#include "riskcurve/problem/error.hpp"

namespace riskcurve {
namespace {

using Eigen::ArrayXd;
using Eigen::Index;

struct Line {
  double slope, intercept, standard_error;
};

Line line_through(const ArrayXd& x, const ArrayXd& y) {
  const double n = static_cast<double>(x.size());
  const ArrayXd dx = x - x.mean(), dy = y - y.mean();
  const double slope = (dx * dy).sum() / dx.square().sum();
  const double rest = (dy - slope * dx).square().sum();
  return {slope, y.mean() - slope * x.mean(),
          n > 2 ? std::sqrt(rest / (n - 2) / dx.square().sum())
                : std::numeric_limits<double>::quiet_NaN()};
}

}  // namespace

Exponent fit_exponent(const ArrayXd& x, const ArrayXd& y) {
  std::vector<Index> order;
  for (Index i = 0; i < x.size(); ++i)
    if (std::isfinite(x[i]) && std::isfinite(y[i]) && x[i] > 0 && y[i] > 0) order.push_back(i);
  std::sort(order.begin(), order.end(), [&](Index i, Index j) { return x[i] < x[j]; });
  if (order.size() < 2 || x[order.front()] == x[order.back()])
    throw InputError("points of a power law", fmt::format("{}", order.size()),
                     "two or more different ones, finite and > 0");
  const ArrayXd u = x(order).log(), v = y(order).log();
  const Line line = line_through(u, v);
  Exponent fit{line.slope, line.standard_error, std::exp(line.intercept)};
  const Index half = (u.size() + 1) / 2;
  if (half >= 2 && u[0] < u[half - 1] && u[u.size() - half] < u[u.size() - 1])
    fit.error = std::max(fit.error, 0.5 * std::abs(line_through(u.head(half), v.head(half)).slope -
                                                   line_through(u.tail(half), v.tail(half)).slope));
  return fit;
}

}  // namespace riskcurve
