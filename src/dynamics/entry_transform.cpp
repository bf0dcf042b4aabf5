#include "dynamics/entry_transform.hpp"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <numeric>
#include <utility>
#include <vector>

namespace riskcurve {
namespace {

constexpr double kEntryStep = 0.05;  // of log x

/// By Simpson's rule.
template <class F>
double integral_of(const F& f, double from, double to) {
  return (to - from) / 6 * (f(from) + 4 * f(0.5 * (from + to)) + f(to));
}

/// A function of whole n, kept as it is asked for.
template <class F>
class Kept {
 public:
  explicit Kept(F f) : f_(std::move(f)) {}
  double operator()(long n) {
    std::vector<double>& values = n < 0 ? below_ : above_;
    const auto i = static_cast<std::size_t>(n < 0 ? -1 - n : n);
    for (auto k = values.size(); k <= i; ++k) {
      const auto at = static_cast<double>(k);
      values.push_back(f_(n < 0 ? -1 - at : at));
    }
    return values[i];
  }

 private:
  F f_;
  std::vector<double> below_, above_;
};

}  // namespace

EntryTransform::EntryTransform(double start, const Function& m, const Function& numerator) {
  // From where m is one to where it has fallen far enough for any batch of one.
  low_ = start;
  while (1 - m(low_) > 1e-7) low_ -= 1;
  double high = low_;
  while (m(high) > 1e-9 && high - low_ < 60) high += 1;
  std::vector<double> logs, tops;
  for (double y = low_ - 4 * kEntryStep; y < high + 4 * kEntryStep; y += kEntryStep) {
    logs.push_back(std::log(m(y)));
    if (numerator) tops.push_back(std::log(std::max(numerator(y), 1e-300)));
  }
  high_ = high;
  log_ = {logs, low_ - 4 * kEntryStep, kEntryStep};
  if (numerator) top_ = UniformSpline(tops, low_ - 4 * kEntryStep, kEntryStep);
  start_ = log_(low_);
  exponent_ = std::max(1e-3, log_.prime(low_) / start_);
  // Up to the first whole step at or above high, where both go on by rule.
  integral_ = {start_ / exponent_};
  weighted_ = {1};
  for (double y = low_; y < high_;
       y = low_ + kEntryStep * static_cast<double>(integral_.size() - 1)) {
    const double next = y + kEntryStep;
    integral_.push_back(integral_.back() +
                        integral_of([this](double at) { return log(at); }, y, next));
    weighted_.push_back(
        std::exp(-kEntryStep) * weighted_.back() +
        integral_of([&](double at) { return std::exp(at - next) * ratio(at); }, y, next));
  }
}

double EntryTransform::log(double y) const {
  if (y < low_) return start_ * std::exp(exponent_ * (y - low_));
  return y < high_ ? log_(y) : log_(high_) - (y - high_);
}
double EntryTransform::slope(double y) const {
  return y < low_ ? exponent_ * log(y) : log_.prime(std::min(y, high_));
}
double EntryTransform::ratio(double y) const {
  if (y < low_) return 1;
  y = std::min(y, high_);
  return top_ ? std::exp((*top_)(y)-log_(y)) * (1 + top_->prime(y)) : 1 + log_.prime(y);
}

double EntryTransform::integral(double y) const {
  if (y < low_) return log(y) / exponent_;
  const auto i = std::min(static_cast<std::size_t>((y - low_) / kEntryStep), integral_.size() - 1);
  const double from = low_ + kEntryStep * static_cast<double>(i);
  if (i + 1 < integral_.size())
    return integral_[i] + integral_of([&](double at) { return log(at); }, from, y);
  const double left = y - from;  // there log m falls by one a unit
  return integral_[i] + left * (log(from) - 0.5 * left);
}

double EntryTransform::weighted_integral(double y) const {
  if (y < low_) return 1;
  const auto i = std::min(static_cast<std::size_t>((y - low_) / kEntryStep), weighted_.size() - 1);
  const double from = low_ + kEntryStep * static_cast<double>(i);
  const double before = std::exp(from - y) * weighted_[i];
  if (i + 1 < weighted_.size())
    return before + integral_of([&](double at) { return std::exp(at - y) * ratio(at); }, from, y);
  return before - std::expm1(from - y) * ratio(from);
}

EntryTransform entry_transform(const ResidualLaw& law, double risk, GradientOf entries) {
  const double start = -0.5 * std::log(2 * risk);
  const auto laplace = [&](double log_u) { return law.laplace(risk, std::exp(log_u)); };
  if (entries == GradientOf::vector)
    return EntryTransform(start, [&](double y) { return laplace(2 * y); });
  // (1 + x^2 l^2)^(-1/2), (..)^(-3/2) as integrals of e^(-t x^2 l^2) over t = e^v, whose step is a
  // whole number of those of log x^2: all x share one grid.
  constexpr long stride = 3, first = -160, last = 14;
  constexpr double h = 2 * kEntryStep * stride;
  Kept at([&](double n) { return laplace(2 * (start + n * kEntryStep)); });
  const auto mean = [&](double power) {
    std::vector<double> weight;
    for (long k = first; k <= last; ++k) {
      const double v = h * static_cast<double>(k);
      weight.push_back(std::exp(power * v - std::exp(v)));
    }
    return [&, weight, all = std::accumulate(weight.begin(), weight.end(), 0.0)](double y) {
      long n = std::lround((y - start) / kEntryStep) + first * stride;
      double sum = 0;
      for (const double w : weight) sum += w * at(std::exchange(n, n + stride));
      return sum / all;  // 1 at x = 0, which powers of it show
    };
  };
  return EntryTransform(start, mean(0.5), mean(1.5));
}

}  // namespace riskcurve
