#include <algorithm>
#include <cmath>

#include "riskcurve/report/results.hpp"

namespace riskcurve {
namespace {

double worst(const Eigen::ArrayXd& differences) {
  double largest = NAN;
  for (const double x : differences) {
    if (std::isfinite(x)) largest = std::fmax(largest, std::abs(x));
  }
  return largest;
}

}  // namespace

Comparison compare(const Eigen::ArrayXd& predicted, const Eigen::ArrayXd& mean,
                   const Eigen::ArrayXd& standard_error) {
  // What differs in the last digits only is equal.
  const Eigen::ArrayXd difference =
      ((mean - predicted).abs() > 1e-12 * mean.abs()).select(mean - predicted, 0);
  const auto spread = standard_error > 1e-12 * mean.abs();
  Comparison result;
  result.in_standard_errors = spread.select(difference / standard_error, NAN);
  result.in_percent = (predicted != 0).select(100 * difference / predicted, NAN);
  result.worst_in_standard_errors = worst(result.in_standard_errors);
  result.worst_in_percent = worst(result.in_percent);
  return result;
}

Coverage cover(const Eigen::ArrayXd& low, const Eigen::ArrayXd& high, const Eigen::ArrayXXd& risk) {
  Coverage result{Eigen::ArrayXd::Constant(low.size(), NAN), NAN};
  double sum = 0;
  int count = 0;
  for (Eigen::Index i = 0; i < low.size(); ++i) {
    if (!(high[i] > low[i]) || risk.cols() == 0) continue;
    const auto inside = risk.row(i) >= low[i] && risk.row(i) <= high[i];
    result.percent[i] = 100 * inside.cast<double>().mean();
    sum += result.percent[i];
    ++count;
  }
  if (count > 0) result.mean = sum / count;
  return result;
}

}  // namespace riskcurve
