// What roots that last do to errors (docs/theory/adaptive.md#a-root-that-lasts).
#include "dynamics/lasting_root.hpp"

#include <algorithm>
#include <cmath>
#include <numbers>
#include <vector>

#include "dynamics/batch_power.hpp"
#include "dynamics/cubic.hpp"

namespace riskcurve {
namespace {

using Eigen::ArrayXd;
using Eigen::Index;
using Eigen::MatrixXd;

constexpr int kTilts = 10;
constexpr double kMostTilt = 0.92;  // of u/(1 + u)

double place_of(double u) {
  return u / (1 + u);
}

/// u/(1 + u) at the nodes of Chebyshev's polynomials on [0, kMostTilt], ends included.
ArrayXd places() {
  ArrayXd at(kTilts);
  for (int i = 0; i < kTilts; ++i)
    at[i] = 0.5 * kMostTilt * (1 - std::cos(std::numbers::pi * i / (kTilts - 1)));
  return at;
}

/// What values at the nodes count for at a place; constant beyond the last.
Eigen::RowVectorXd between_tilts(const ArrayXd& at, double place) {
  Eigen::RowVectorXd weights = Eigen::RowVectorXd::Zero(kTilts);
  for (int i = 0; i < kTilts; ++i)
    if (std::abs(place - at[i]) < 1e-12 || (i + 1 == kTilts && place > at[i])) {
      weights[i] = 1;
      return weights;
    }
  for (int i = 0; i < kTilts; ++i)
    weights[i] = (i % 2 == 0 ? 1 : -1) * (i == 0 || i + 1 == kTilts ? 0.5 : 1) / (place - at[i]);
  return weights / weights.sum();
}

constexpr double kFirstDoubling = 1;  // power of 2 of the steps before which no root has lasted

/// -log E e^(-x v) = u and the slope of what is divided by, on a grid of log x.
class TiltedSums {
 public:
  TiltedSums(const BatchPower& power, const LagNodes& lags) {
    std::vector<double> u, slope;
    for (double at = kLow; at < kHigh; at += kStep) {
      const SumsOverLags sums = power.sums(std::exp(at), lags);
      u.push_back(std::log(-sums.log_phi));
      slope.push_back(std::log(sums.slope));
    }
    log_u_ = UniformSpline(u, kLow, kStep);
    slope_ = UniformSpline(slope, kLow, kStep);
  }
  double u(double log_x) const { return std::exp(log_u_(inside(log_x))); }
  double slope(double log_x) const { return std::exp(slope_(inside(log_x))); }
  double log_x_of(double u) const {
    double low = kLow, high = kHigh - kStep;
    while (high - low > 1e-6) {
      const double middle = 0.5 * (low + high);
      (this->u(middle) < u ? low : high) = middle;
    }
    return low;
  }

 private:
  static constexpr double kLow = -24, kHigh = 48, kStep = 0.4;
  static double inside(double log_x) { return std::clamp(log_x, kLow, kHigh - 2 * kStep); }
  UniformSpline log_u_, slope_;
};

TiltTable tilts_of(const BatchPower& power, const LagWeights& weights, double beta2, double steps) {
  const TiltedSums sums(power, LagNodes(weights, beta2, steps));
  const ArrayXd at = places();
  TiltTable tilts{MatrixXd(kTilts, kTilts), ArrayXd(kTilts)};
  for (int i = 0; i < kTilts; ++i) {
    const double u = at[i] / (1 - at[i]), log_x = i == 0 ? -HUGE_VAL : sums.log_x_of(u),
                 x = i == 0 ? 0 : std::exp(log_x);
    tilts.shift[i] = i == 0 ? 0 : -steps * power.log_psi(log_x + std::log1p(-beta2));
    const double reach = std::exp(sums.log_x_of(u + 1)) - x;
    Eigen::RowVectorXd row = Eigen::RowVectorXd::Zero(kTilts);
    for (int j = 0; j < 200; ++j) {
      const RootNode node = root_node(j);
      const double log_r = std::log(x + reach * node.s), tilt = sums.u(log_r);
      row += node.weight * std::sqrt(reach) * std::exp(u - tilt) * sums.slope(log_r) *
             between_tilts(at, place_of(tilt));
      if (tilt - u > 20) break;
    }
    tilts.drift.row(i) = row;
  }
  tilts.drift /= tilts.drift.row(0).sum();
  return tilts;
}

}  // namespace

std::shared_ptr<const TiltTable> LastingRoot::at(int power_of_16, int power_of_2) const {
  return (*tables_)({power_of_16, power_of_2}, [&] {
    const double risk = std::ldexp(kRiskOfNodes, 4 * power_of_16);
    return tilts_of(shared_ ? law_->power_of_means(risk) : law_->power(risk), law_->weights(),
                    law_->beta2(), std::ldexp(1.0, power_of_2));
  });
}

RootTilts LastingRoot::operator()(const Now& now, double steps) const {
  const double place = law_->place(now.risk) / 4, whole = std::floor(place), age = now.time + 1;
  // Of the steps that v holds, the last power of 2.
  const double last = std::ceil(std::log2(8 / (1 - law_->beta2()))),
               doubled = std::clamp(std::log2(age), kFirstDoubling, last),
               before = std::min(std::floor(doubled), last - 1);
  MatrixXd drift = MatrixXd::Zero(kTilts, kTilts);
  ArrayXd shift = ArrayXd::Zero(kTilts);
  for (const int i : {0, 1})
    for (const int j : {0, 1}) {
      const double weight = (i == 0 ? 1 - (place - whole) : place - whole) *
                            (j == 0 ? 1 - (doubled - before) : doubled - before);
      const auto tilts = at(static_cast<int>(whole) + i, static_cast<int>(before) + j);
      drift += weight * tilts->drift;
      shift += weight * tilts->shift;
    }
  shift *= steps / std::min(age, std::exp2(last));
  const ArrayXd nodes = places();
  MatrixXd moved(kTilts, kTilts);
  for (int i = 0; i < kTilts; ++i)
    moved.row(i) =
        between_tilts(nodes, place_of(std::max(0.0, nodes[i] / (1 - nodes[i]) - shift[i])));
  return {drift, moved};
}

}  // namespace riskcurve
