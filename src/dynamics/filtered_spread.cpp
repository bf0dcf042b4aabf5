// Between two times of a filter: what the sign of its output keeps of batches that fluctuate.
#include <algorithm>
#include <boost/math/quadrature/gauss.hpp>
#include <cmath>
#include <numbers>
#include <vector>

#include "dynamics/filtered_sign.hpp"
#include "dynamics/uniform_spline.hpp"

namespace riskcurve {
namespace {

using std::numbers::pi;

/// M(y) = sum_(l >= 1) log m(y + log w_l) of a batch.
class LaterLags {
 public:
  LaterLags(const EntryTransform& one, int batch, const LagWeights& weights)
      : low_(one.low() - std::log(weights.later) - kBelow) {
    std::vector<double> values;
    const double high = one.high() - std::log(weights.later) + kBelow;
    for (double y = low_; y < high; y += kStep) {
      const double first = one.log(y + std::log(weights.first));
      values.push_back(batch * (lag_sums(one, y, weights).log - first));
    }
    of_ = UniformSpline(values, low_, kStep);
    exponent_ = of_.prime(low_) / of_(low_);
  }
  double operator()(double y) const { return y < low_ ? below(y) : of_(y); }
  double prime(double y) const { return y < low_ ? exponent_ * below(y) : of_.prime(y); }

 private:
  static constexpr double kStep = 0.125, kBelow = 4;
  double below(double y) const { return of_(low_) * std::exp(exponent_ * (y - low_)); }
  double low_, exponent_ = 1;
  UniformSpline of_;
};

/// Over t = log(v/u): edges of panels that close in on where two times' lags cancel, the newest's
/// and the others'. They move with both cusps and never appear or vanish, so that sums are smooth.
std::vector<double> panels(double cusp, double other) {
  constexpr double away[] = {0, 0.1, 0.4, 1.1, 2.5, 5.5, 13},
                   between[] = {0.03, 0.15, 0.5, 0.85, 0.97};
  const auto [low, high] = std::minmax(cusp, other);
  std::vector<double> edges;
  for (const double d : away) {
    edges.push_back(low - d);
    if (high > low || d > 0) edges.push_back(high + d);
  }
  if (high > low)
    for (const double x : between) edges.push_back(low + x * (high - low));
  std::sort(edges.begin(), edges.end());
  return edges;
}

/// E r_n and E arcsin r_n.
struct Correlated {
  double plain = 0, arcsine = 0;
};

class TwoTimes {
 public:
  TwoTimes(const EntryTransform& one, int batch, const LagWeights& weights)
      : one_(one),
        batch_(batch),
        weights_(weights),
        delta_(-std::log(weights.beta)),
        log_first_(std::log(weights.first)),
        later_(one, batch, weights) {
    double low = one.low(), high = low;
    const auto begun = [&](double y) { return newest(y + log_first_) + later_(y) < -1; };
    while (!begun(high)) low = high, high += 2;
    while (high - low > 1e-9) (begun(0.5 * (low + high)) ? high : low) = 0.5 * (low + high);
    top_ = low;
    const double exponent = one.slope(one.low()) / one.log(one.low());
    below_ = static_cast<int>(std::ceil(std::log(1 / kLeft) / (exponent * kStep)));
  }

  /// n >= 1 steps apart, any number.
  Correlated at(double n) const {
    const double log_n = std::log(weights_.later) - (n - 1) * delta_;  // log w_n
    const double cusp = n * delta_, newest = log_first_ - log_n;
    const bool one = !(weights_.first > 0) || std::abs(newest - cusp) < 1e-9;
    const std::vector<double> edges = panels(cusp, one ? cusp : newest);
    Correlated sum;
    using Gauss = boost::math::quadrature::gauss<double, 4>;
    for (std::size_t i = 0; i + 1 < edges.size(); ++i) {
      const double middle = 0.5 * (edges[i] + edges[i + 1]), half = 0.5 * (edges[i + 1] - edges[i]);
      for (std::size_t k = 0; k < Gauss::abscissa().size(); ++k)
        for (const double way : {-1.0, 1.0}) {
          const Correlated here = along(middle + way * half * Gauss::abscissa()[k], n, log_n);
          const double weight = half * Gauss::weights()[k];
          sum.plain += weight * here.plain;
          sum.arcsine += weight * here.arcsine;
        }
    }
    return {4 / pi * sum.plain, sum.arcsine / pi};
  }

 private:
  double newest(double y) const { return batch_ * one_.log(y); }

  /// The integrals over the size of (u, v), v/u = e^t.
  Correlated along(double t, double n, double log_n) const {
    const double u = -std::max(t, 0.0), v = u + t;  // logarithms, the larger 0
    const auto log_of = [](double a, double b) {    // log |e^a + e^b|, and of the difference
      const double high = std::max(a, b), x = std::exp(-std::abs(a - b));
      return std::pair(high + std::log1p(x), high + std::log(std::max(1 - x, 1e-300)));
    };
    const double fall = n * delta_;
    // u w_l + v w_(l+n) and u w_l - v w_(l+n): of the newest lag in common, and over w_l of the
    // others.
    const auto newest_two = log_of(u + log_first_, v + log_n), later_two = log_of(u, v - fall);
    const double first_root = 0.5 * log_of(2 * (u + log_first_), 2 * (v + log_n)).first,
                 later_root = 0.5 * log_of(2 * u, 2 * (v - fall)).first;
    const double first_share = std::exp(u + v + log_first_ + log_n - 2 * first_root),
                 later_share = std::exp(u + v - fall - 2 * later_root);
    const auto value = [&](double p) -> Correlated {
      const double alone =
          newest(p + v + log_first_) + later_(p + v) - later_(p + v - fall + delta_);
      const auto phi = [&](double first, double later) {
        return std::exp(alone + newest(p + first) + later_(p + later));
      };
      const double moved = batch_ * one_.slope(p + first_root) * first_share +
                           later_.prime(p + later_root) * later_share;
      return {-0.5 * phi(first_root, later_root) * moved,
              phi(newest_two.second, later_two.second) - phi(newest_two.first, later_two.first)};
    };
    Correlated sum;
    double peak = 0;
    const auto add = [&](double p) {
      const Correlated here = value(p);
      sum.plain += kStep * here.plain;
      sum.arcsine += kStep * here.arcsine;
      peak = std::max(peak, here.arcsine);
      return here;
    };
    for (double p = top_; p < top_ + 60; p += kStep)
      if (add(p).arcsine < kVanished * peak) break;
    Correlated last, before;
    for (int i = 1; i <= below_; ++i) before = last, last = add(top_ - kStep * i);
    // From here down both fall by one factor a step.
    const double ratio = before.plain > 0 ? std::min(last.plain / before.plain, 0.95) : 0;
    sum.plain += kStep * last.plain * ratio / (1 - ratio);
    sum.arcsine += kStep * last.arcsine * ratio / (1 - ratio);
    return sum;
  }

  static constexpr double kStep = 0.4, kLeft = 1e-3, kVanished = 1e-7;
  const EntryTransform& one_;
  double batch_;
  LagWeights weights_;
  double delta_, log_first_;
  LaterLags later_;
  double top_ = 0;
  int below_ = 0;
};

}  // namespace

SignSpread sign_spread(const EntryTransform& one, int batch, const LagWeights& weights) {
  SignSpread spread{1, pi / 2 - 1};
  if (!(weights.later > 0)) return spread;
  const TwoTimes times(one, batch, weights);
  double plain = 1;
  const auto add = [&](double weight, const Correlated& at) {
    plain += 2 * weight * at.plain;
    spread.remainder += 2 * weight * (at.arcsine - at.plain);
  };
  // Lags one by one, then their sum as an integral (Euler and Maclaurin), in log n.
  constexpr int few = 6;
  constexpr double reach = 30;
  std::vector<Correlated> first;
  for (int n = 1; n <= few + 1; ++n) first.push_back(times.at(n));
  for (std::size_t n = 1; n < few; ++n) add(1, first[n - 1]);
  add(0.5, first[few - 1]);
  add(1.0 / 24, first[few - 2]);
  add(-1.0 / 24, first[few]);
  using Gauss = boost::math::quadrature::gauss<double, 12>;
  const double from = std::log(few), to = std::log(few + reach / -std::log(weights.beta));
  const double middle = 0.5 * (from + to), half = 0.5 * (to - from);
  for (std::size_t k = 0; k < Gauss::abscissa().size(); ++k)
    for (const double way : {-1.0, 1.0}) {
      const double n = std::exp(middle + way * half * Gauss::abscissa()[k]);
      add(half * Gauss::weights()[k] * n, times.at(n));
    }
  spread.felt = plain * weights.squares();
  return spread;
}

}  // namespace riskcurve
