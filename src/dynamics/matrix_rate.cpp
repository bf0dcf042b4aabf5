#include "dynamics/matrix_rate.hpp"

#include <Eigen/Core>
#include <algorithm>
#include <cmath>
#include <vector>

namespace riskcurve {
namespace {

using Eigen::Map;
using Eigen::VectorXd;

// One lattice for everything: s^2 and the argument of laplace are powers of e^kLatticeStep, and so
// is t in
//     (1 + x)^(-1/2) = int e^(-tx) e^(-t) t^(-1/2) dt/sqrt(pi),
//     (1 + x)^(-3/2) = int e^(-tx) e^(-t) 2 t^(1/2) dt/sqrt(pi).
// The trapezoid rule errs by e^(-pi^2/kLatticeStep).
constexpr double kLatticeStep = 0.25;
constexpr int kLow = -332, kHigh = 15;  // of log t/kLatticeStep; beyond: below 1e-18

class Transforms {
 public:
  explicit Transforms(const std::function<double(double)>& laplace)
      : laplace_(laplace), half_(kHigh - kLow + 1), three_halves_(kHigh - kLow + 1) {
    for (int i = kLow; i <= kHigh; ++i) {
      const double t = std::exp(kLatticeStep * i);
      half_[i - kLow] = kLatticeStep * std::sqrt(t / M_PI) * std::exp(-t);
      three_halves_[i - kLow] = 2 * t * half_[i - kLow];
    }
  }

  /// log of the integrand in log s at s = e^(kLatticeStep n/2), constants aside.
  double log_integrand(int n, int batch) {
    extend(n + kLow, n + kHigh);
    if (n + kHigh < first_) return -800;           // laplace is 1: h = q
    const int begin = std::max(n + kLow, first_);  // below first_, laplace is 1
    const int ones = begin - (n + kLow), rest = static_cast<int>(half_.size()) - ones;
    const Map<const VectorXd> values(values_.data() + (begin - first_), rest);
    const double h = half_.head(ones).sum() + half_.tail(rest).dot(values);
    const double q = three_halves_.head(ones).sum() + three_halves_.tail(rest).dot(values);
    return 0.5 * kLatticeStep * n + std::log(q) + std::log(std::max(h - q, 1e-300)) +
           (batch - 2) * std::log(h);
  }

 private:
  void extend(int low, int high) {
    if (values_.empty()) first_ = high + 1;
    for (int n = first_ + static_cast<int>(values_.size()); n <= high; ++n)
      values_.push_back(at(n));
    if (complete_ || low >= first_) return;
    std::vector<double> below;  // from first_ - 1 downwards
    for (int n = first_ - 1; n >= low - 64 && !complete_; --n) {
      below.push_back(at(n));
      complete_ = below.back() > 1 - 1e-14;
    }
    values_.insert(values_.begin(), below.rbegin(), below.rend());
    first_ -= static_cast<int>(below.size());
  }
  double at(int n) const { return laplace_(std::exp(kLatticeStep * n)); }

  const std::function<double(double)>& laplace_;
  VectorXd half_, three_halves_;
  std::vector<double> values_;  // of laplace at e^(kLatticeStep n), n from first_
  int first_ = 0;
  bool complete_ = false;
};

}  // namespace

double matrix_rate(const std::function<double(double)>& laplace, double log_start, int batch) {
  Transforms transforms(laplace);
  const auto value = [&](int n) { return transforms.log_integrand(n, batch); };
  // The peak is where (1 - laplace) batch is about 1: near there by bisection, then uphill.
  const auto beyond = [&](int n) { return laplace(std::exp(kLatticeStep * n)) < 1 - 1.0 / batch; };
  int top = static_cast<int>(std::lround(2 * log_start / kLatticeStep)), step = 1;
  while (beyond(top - step)) step *= 2;
  for (; step > 0; step /= 2)
    if (beyond(top - step)) top -= step;
  double peak = value(top);
  for (const int way : {1, -1})
    for (double next = value(top + way); next > peak; next = value(top + way)) {
      peak = next;
      top += way;
    }
  double sum = 1;
  for (const int way : {1, -1})
    for (int n = top + way;; n += way) {
      const double log_ratio = value(n) - peak;
      sum += std::exp(log_ratio);
      if (!(log_ratio > -40)) break;
    }
  const double b = batch;
  return 2 / M_PI * b * (b - 1) * 0.5 * kLatticeStep * std::exp(peak) * sum;
}

}  // namespace riskcurve
