#include "dynamics/saturated_law.hpp"

#include <algorithm>
#include <cmath>
#include <complex>
#include <vector>

#include "dynamics/toward_axis.hpp"
#include "dynamics/voigt.hpp"

namespace riskcurve {
namespace {

using Eigen::ArrayXcd;
using Eigen::ArrayXd;
using Eigen::ArrayXXd;
using Eigen::Index;
using Complex = std::complex<double>;

constexpr double kTilt = 0.01;     // Im z over Re z
constexpr double kApart = 1.015;   // between neighbouring g
constexpr double kDeepest = 1e-4;  // of |u|_F
constexpr double kNearOne = 3e-3;  // y of the series

struct Saturated {
  Complex at, slope;
};

/// A(y) = E[z^2/(1 + y z^2)] of Gaussian z, which is chi too.
Saturated gaussian_saturation(Complex y) {
  if (std::abs(y) < kNearOne)
    return {1.0 + y * (-3.0 + y * (15.0 + y * (-105.0 + 945.0 * y))),
            -3.0 + y * (30.0 + y * (-315.0 + 3780.0 * y))};
  // erfcx(c) = w(ic), c = (2y)^(-1/2), and erfcx' = 2 c erfcx - 2/sqrt(pi).
  const Complex c = 1.0 / std::sqrt(2.0 * y), root = std::sqrt(M_PI),
                erfcx = faddeeva(Complex(0, 1) * c), part = root * c * erfcx;
  const Complex slope = (root * erfcx * (1.0 + 2.0 * c * c) - 2.0 * c) * (-c / (2.0 * y));
  return {(1.0 - part) / y, (-slope - (1.0 - part) / y) / y};
}

/// V_j and what samples keep, as analytic functions of m.
class AtM {
 public:
  AtM(const Columns& columns, const FilteredGradient& u, double variance, int lags)
      : fresh_(u.fresh), power_(2 * u.memory + variance) {
    const double r = u.fresh, p = u.share;
    const ArrayXd square = columns.lambda.square();
    error_ = r * r * square * u.error;
    cross_ = 2 * r * p * square * u.cross;
    signal_ = p * p * square * u.signal;
    noise_ = p * p * square * u.noise;
    sampled_ = r * r * square * sampled_variance(columns, u.error);
    double w = p * (1 - u.momentum);
    for (int l = 0; l < std::max(lags, 1); ++l, w *= u.momentum) weights_.push_back(w);
  }
  ArrayXd unsaturated() const { return error_ + cross_ + signal_ + noise_ + sampled_; }

  void move_to(Complex m) {
    const Saturated now = gaussian_saturation(m * fresh_ * fresh_);
    fresh = {now.at, now.slope * fresh_ * fresh_};
    memory = kept_ = {0, 0};
    double sum = 0, squares = 0;
    for (const double w : weights_) {
      const double scale = w * w * power_;
      const Saturated of = gaussian_saturation(m * scale);
      sum += w;
      squares += w * w;
      memory.at += w * of.at;
      memory.slope += w * scale * of.slope;
      kept_.at += w * w * of.at;
      kept_.slope += w * w * scale * of.slope;
    }
    if (!(sum > 0)) sum = squares = 1;
    memory = {memory.at / sum, memory.slope / sum};
    kept_ = {kept_.at / squares, kept_.slope / squares};
    const Complex a = fresh.at, b = memory.at;
    value = a * a * error_ + a * b * cross_ + b * b * signal_ + kept_.at * noise_ + a * sampled_;
    slope = 2.0 * a * fresh.slope * error_ + (a * memory.slope + b * fresh.slope) * cross_ +
            2.0 * b * memory.slope * signal_ + kept_.slope * noise_ + fresh.slope * sampled_;
  }
  ArrayXcd value, slope;    ///< V_j, dV_j/dm
  Saturated fresh, memory;  ///< chi_0 = A_0, chi_1

 private:
  double fresh_, power_;
  ArrayXd error_, cross_, signal_, noise_, sampled_;
  std::vector<double> weights_;
  Saturated kept_{};
};

/// Follows x and m along z.
class Follower {
 public:
  Follower(const Columns& columns, AtM& at) : columns_(columns), at_(at) {}
  Complex x, m;

  /// From far away, then down to the real axis.
  bool settle(double square) {
    x = -columns_.rows / (square * Complex(1, 8));
    m = x * (columns_.count * columns_.lambda).sum() / (columns_.batch * columns_.batch);
    return toward_axis(kTilt, [&](double tilt) { return solve(square * Complex(1, tilt)); });
  }

  /// Newton for both; false where it does not come to a root with Im x > 0.
  bool solve(Complex z) {
    const double rows = columns_.rows, squared = columns_.batch * columns_.batch;
    Complex at_x = x, at_m = m;
    for (int i = 0; i < 60; ++i) {
      at_.move_to(at_m);
      const ArrayXcd whole = 1.0 + at_.value * at_x, n = columns_.count.cast<Complex>(),
                     light = n * columns_.lambda;
      const Complex seen = (light / whole).sum() / squared;
      const Complex f1 = at_m - at_x * seen, f2 = -rows / at_x + (n * at_.value / whole).sum() - z;
      const Complex f1_x = -seen + at_x / squared * (light * at_.value / whole.square()).sum(),
                    f1_m = 1.0 + at_x * at_x / squared * (light * at_.slope / whole.square()).sum(),
                    f2_x = rows / (at_x * at_x) - (n * (at_.value / whole).square()).sum(),
                    f2_m = (n * at_.slope / whole.square()).sum();
      const Complex det = f1_x * f2_m - f1_m * f2_x;
      Complex move_x = (f1 * f2_m - f1_m * f2) / det, move_m = (f1_x * f2 - f1 * f2_x) / det;
      const double far = std::max(std::abs(move_x / at_x), std::abs(move_m / at_m));
      if (!std::isfinite(far)) return false;
      const double part = far > 0.5 ? 0.5 / far : 1;
      at_x -= part * move_x;
      at_m -= part * move_m;
      if (far < 1e-9) {
        if (!(at_x.imag() > 0)) return false;
        x = at_x;
        m = at_m;
        at_.move_to(m);
        return true;
      }
    }
    return false;
  }

 private:
  const Columns& columns_;
  AtM& at_;
};

/// 1 below the threshold and 0 above, over the width of a node.
ArrayXd below_threshold(const ArrayXd& g, double threshold) {
  if (!(threshold > 0)) return ArrayXd::Zero(g.size());
  return (0.5 + (threshold / g).log() / std::log(kApart)).max(0.0).min(1.0);
}

}  // namespace

SaturatedLaw::SaturatedLaw(const Columns& columns, const FilteredGradient& gradient,
                           double variance, int lags, const ArrayXd& held)
    : each_(columns.count * held) {
  AtM at(columns, gradient, variance, lags);
  Follower follower(columns, at);
  const double all = std::sqrt(columns.rows * (columns.count * at.unsaturated()).sum());
  const Index modes = columns.lambda.size();
  std::vector<double> g;
  std::vector<ArrayXXd> nodes;  // shape (modes, 3)
  bool follows = false;
  // Of singular values that are 0, Im z smears something over all others.
  const ArrayXd none = kTilt / (1 + kTilt * kTilt) * (1 - held);
  for (double here = 1.05 * all; here > kDeepest * all; here /= kApart) {
    const double square = here * here;
    const Complex z = square * Complex(1, kTilt);
    if (!follows || !follower.solve(z)) follows = follower.settle(square);
    if (!follows) continue;
    const ArrayXcd whole = 1.0 + at.value * follower.x;
    const ArrayXcd part = follower.x / whole;
    ArrayXXd node(modes, 3);
    node.col(0) = (square * -(1.0 / (z * whole)).imag() - none).max(0.0);
    node.col(1) = here * (at.fresh.at * part).imag();
    node.col(2) = here * (at.memory.at * part).imag();
    g.push_back(here);
    nodes.push_back(std::move(node));
  }
  const auto count = static_cast<Index>(g.size());
  g_ = Eigen::Map<const ArrayXd>(g.data(), count);
  for (ArrayXXd* table : {&density_, &fresh_, &memory_}) table->resize(modes, count);
  for (Index i = 0; i < count; ++i) {
    const ArrayXXd& node = nodes[static_cast<std::size_t>(i)];
    density_.col(i) = node.col(0);
    fresh_.col(i) = node.col(1);
    memory_.col(i) = node.col(2);
  }
}

double SaturatedLaw::above(double number) const {
  if (!(number > 0)) return INFINITY;
  const ArrayXd mass = density_.rowwise().sum();
  double counted = 0;
  for (Index i = 0; i < g_.size(); ++i) {
    const double here = (mass > 0).select(each_ * density_.col(i) / mass.max(1e-300), 0.0).sum();
    // Within the node, which reaches half a ratio up and down.
    if (here > 0 && counted + here >= number)
      return g_[i] * std::pow(kApart, 0.5 - (number - counted) / here);
    counted += here;
  }
  return 0;
}

SaturatedLaw::Kept SaturatedLaw::below(double threshold) const {
  const ArrayXd f = below_threshold(g_, threshold);
  const auto share = [&](const ArrayXXd& table) -> ArrayXd {
    const ArrayXd all = table.rowwise().sum(), kept = (table.matrix() * f.matrix()).array();
    // What the grid does not hold is small.
    return (all > 0).select(kept / all, 1.0).max(0.0).min(1.0);
  };
  return {share(fresh_), share(memory_), share(density_)};
}

}  // namespace riskcurve
