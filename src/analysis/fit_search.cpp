// The search: where it starts, and how it goes down.
#include <Eigen/Dense>
#include <algorithm>
#include <atomic>
#include <cmath>
#include <numeric>
#include <unsupported/Eigen/NonLinearOptimization>

#include "analysis/fit_parts.hpp"
#include "problem/random.hpp"
#include "riskcurve/dynamics/optimizers.hpp"
#include "riskcurve/integrate/solve.hpp"
#include "run/parallel.hpp"

namespace riskcurve {
namespace {

using Eigen::ArrayXd;
using Eigen::Index;
using Eigen::MatrixXd;
using Eigen::VectorXd;

constexpr double kUnbounded = HUGE_VAL;
constexpr long kWithoutSpike = 7;     // coordinates
constexpr double kDifference = 1e-3;  // of coordinates: curves are good to 1e-6
constexpr double kDiverged = 5;       // log of the factor by which a curve that diverges is off

/// Bounded coordinates by an algebraic function of a free one: its slope falls slowly enough for a
/// search that was thrown to a bound to come back.
double freed(const FitCoordinate& c, double x) {
  if (c.low == -kUnbounded) return x;
  const double v = std::clamp(2 * (x - c.low) / (c.high - c.low) - 1, -0.999, 0.999);
  return v / std::sqrt(1 - v * v);
}
double bound(const FitCoordinate& c, double u) {
  if (c.low == -kUnbounded) return u;
  return c.low + 0.5 * (c.high - c.low) * (1 + u / std::sqrt(1 + u * u));
}

VectorXd bound(const std::vector<FitCoordinate>& coordinates, const VectorXd& u) {
  VectorXd x(u.size());
  for (Index i = 0; i < u.size(); ++i) x[i] = bound(coordinates[static_cast<std::size_t>(i)], u[i]);
  return x;
}

Index count_bins(const FitSearch& search) {
  Index count = 0;
  for (const BinnedCurve& curve : search.curves) count += std::ssize(curve.bins);
  return count;
}

double mean_over(const FitBin& bin, const ArrayXd& values) {
  double sum = 0;
  for (const Index i : bin.at) sum += values[i];
  return sum / static_cast<double>(bin.at.size());
}

/// What Eigen's Levenberg-Marquardt asks of a problem, in free coordinates.
struct FitFunctor {
  using Scalar = double;
  using InputType = VectorXd;
  using ValueType = VectorXd;
  using JacobianType = MatrixXd;
  enum { InputsAtCompileTime = Eigen::Dynamic, ValuesAtCompileTime = Eigen::Dynamic };
  const FitSearch& search;

  int inputs() const { return static_cast<int>(search.coordinates.size()); }
  int values() const { return static_cast<int>(count_bins(search)) + inputs(); }
  int operator()(const VectorXd& u, VectorXd& f) const {
    f = residuals(search, bound(search.coordinates, u));
    return 0;
  }
  /// Forward differences: half the curves, and enough to go down by.
  int df(const VectorXd& u, MatrixXd& j) const {
    const auto at = [&](const VectorXd& near) {
      return residuals(search, bound(search.coordinates, near));
    };
    const VectorXd here = at(u);
    std::atomic<bool> stop = false;
    parallel_for(u.size(), search.threads, stop, [&](long i) {
      VectorXd near = u;
      near[i] += kDifference;
      j.col(i) = (at(near) - here) / kDifference;
    });
    return 0;
  }
};

/// min |A x - b| over x >= 0 for three columns: the best of the eight sets of columns that may be
/// positive.
Eigen::Vector3d non_negative_least_squares(const Eigen::MatrixX3d& a, const VectorXd& b) {
  const Eigen::Matrix3d gram = a.transpose() * a;
  const Eigen::Vector3d right = a.transpose() * b;
  Eigen::Vector3d best = Eigen::Vector3d::Zero();
  double least = 0;  // of |A x|^2 - 2 x^T A^T b
  for (unsigned set = 1; set < 8; ++set) {
    std::vector<Index> chosen;
    for (Index i = 0; i < 3; ++i)
      if (set >> i & 1u) chosen.push_back(i);
    const VectorXd part = MatrixXd(gram(chosen, chosen))
                              .completeOrthogonalDecomposition()
                              .solve(VectorXd(right(chosen)));
    if (!(part.array() >= 0).all()) continue;
    Eigen::Vector3d x = Eigen::Vector3d::Zero();
    x(chosen) = part;
    const double value = x.dot(gram * x) - 2 * x.dot(right);
    if (value < least) {
      least = value;
      best = x;
    }
  }
  return best;
}

/// The clock of a curve, int gamma dt to its last row.
double longest_clock(const FitSearch& search) {
  double longest = 0;
  for (const BinnedCurve& curve : search.curves) {
    double clock = 0, last = 0;
    for (const double k : curve.step) {
      clock += (k - last) * curve.trained.schedule(0.5 * (k + last));
      last = k;
    }
    longest = std::max(longest, clock);
  }
  return longest;
}

/// The fastest mode's rate per unit of step, at one scale.
double fastest_rate(const FitSearch& search, FitValues values, double scale, double power) {
  values.scale = scale;
  values.risk = 1e-6 * power;
  values.floor = power;
  const ModeSystem system =
      mode_system(experiment_of(values, FitModel::least_squares, search.curves.front().trained));
  return system.steady_rates(0, 1, values.risk).drift.maxCoeff();
}

struct RandomStart {
  VectorXd x;
  double cost = HUGE_VAL;
};

/// The power of the labels' noise that rates are taken beside, for losses of this level.
double power_beside(FitModel model, double level) {
  return model == FitModel::logs ? kDominant * level : level;
}

/// The linear numbers that suit A, alpha, beta, d best.
RandomStart projected(const FitSearch& search, FitValues values, double level) {
  const double power = power_beside(search.model, level);
  const Index bins = count_bins(search);
  Eigen::MatrixX3d a(bins, 3);
  VectorXd b(bins);
  Index row = 0;
  for (const BinnedCurve& curve : search.curves) {
    const LinearCurves linear = linear_curves(values, curve, power);
    for (const FitBin& bin : curve.bins) {
      const double weight = 1 / (bin.loss * bin.error);
      a.row(row) << weight, weight * mean_over(bin, linear.drift),
          weight * mean_over(bin, linear.noise);
      b[row++] = 1 / bin.error;
    }
  }
  const Eigen::Vector3d linear = non_negative_least_squares(a, b);
  RandomStart start;
  start.cost = (a * linear - b).squaredNorm();
  if (!std::isfinite(start.cost)) start.cost = HUGE_VAL;
  values.floor = std::max(linear[0], 0.01 * level);
  values.risk = std::max(linear[1], 0.01 * level);
  const double noise = std::max(linear[2], 1e-3 * level);
  values.noise = search.model == FitModel::logs ? noise : noise / level;
  start.x.resize(std::ssize(search.coordinates));
  for (Index i = 0; i < start.x.size(); ++i) {
    const FitCoordinate& c = search.coordinates[static_cast<std::size_t>(i)];
    const double value = values.*c.member;
    start.x[i] = c.logarithm ? std::log(value) : value;
    if (c.low > -kUnbounded) start.x[i] = std::clamp(start.x[i], c.low, c.high);
  }
  return start;
}

}  // namespace

std::vector<FitCoordinate> coordinates(FitModel model, const FitPriors& priors, bool spike) {
  const double open = kUnbounded;
  std::vector<FitCoordinate> result{{"unit", &FitValues::scale, true, -open, open, {0, 0}},
                                    {"alpha", &FitValues::alpha, false, 0.25, 1.6, priors.alpha},
                                    {"beta", &FitValues::beta, false, -0.5, 1.2, priors.beta},
                                    {"dimension", &FitValues::dimension, true, std::log(10.0),
                                     std::log(1e7), priors.log_dimension},
                                    {"risk", &FitValues::risk, true, -open, open, {0, 0}},
                                    {"floor", &FitValues::floor, true, -open, open, {0, 0}},
                                    {"noise", &FitValues::noise, true, -open, open,
                                     model == FitModel::logs ? Prior{0, 0} : priors.log_noise}};
  if (spike) {
    result.push_back({"spike_share", &FitValues::spike_share, true, std::log(1e-4), std::log(0.9),
                      priors.log_spike_share});
    result.push_back(
        {"spike_rate", &FitValues::spike_rate, true, 0, std::log(1e3), priors.log_spike_rate});
  }
  return result;
}

FitValues values_at(const std::vector<FitCoordinate>& coordinates, const VectorXd& x,
                    FitValues start) {
  for (Index i = 0; i < x.size(); ++i) {
    const FitCoordinate& c = coordinates[static_cast<std::size_t>(i)];
    start.*c.member = c.logarithm ? std::exp(std::clamp(x[i], -200.0, 200.0)) : x[i];
  }
  return start;
}

MatrixXd fit_differences(const VectorXd& x, Index rows, double by, int threads,
                         const std::function<VectorXd(const VectorXd& x)>& f) {
  MatrixXd result(rows, x.size());
  std::atomic<bool> stop = false;
  parallel_for(x.size(), threads, stop, [&](long i) {
    VectorXd up = x, down = x;
    up[i] += by;
    down[i] -= by;
    result.col(i) = (f(up) - f(down)) / (2 * by);
  });
  return result;
}

VectorXd residuals(const FitSearch& search, const VectorXd& x) {
  const FitValues values = values_at(search.coordinates, x);
  const Index bins = count_bins(search);
  VectorXd result(bins + x.size());
  Index row = 0;
  for (const BinnedCurve& curve : search.curves) {
    const ArrayXd loss = fitted_loss(values, search.model, curve);
    for (const FitBin& bin : curve.bins) {
      const double ratio = std::log(mean_over(bin, loss) / bin.loss) - bin.low;
      result[row++] =
          (std::isfinite(ratio) ? std::clamp(ratio, -kDiverged, kDiverged) : kDiverged) / bin.error;
    }
  }
  for (Index i = 0; i < x.size(); ++i) {
    const Prior& prior = search.coordinates[static_cast<std::size_t>(i)].prior;
    result[row++] = prior.deviation > 0 ? (x[i] - prior.mean) / prior.deviation : 0;
  }
  return result;
}

MatrixXd jacobian(const FitSearch& search, const VectorXd& x) {
  return fit_differences(x, count_bins(search) + x.size(), kDifference, search.threads,
                         [&](const VectorXd& at) { return residuals(search, at); });
}

MatrixXd log_slopes(const FitSearch& search, const VectorXd& x, const BinnedCurve& curve) {
  return fit_differences(
      x, curve.step.size(), kDifference, search.threads, [&](const VectorXd& at) {
        return VectorXd(
            fitted_loss(values_at(search.coordinates, at), search.model, curve).log().matrix());
      });
}

FitMinimum descend(const FitSearch& search, const VectorXd& start) {
  FitFunctor functor{search};
  VectorXd u(start.size());
  for (Index i = 0; i < u.size(); ++i)
    u[i] = freed(search.coordinates[static_cast<std::size_t>(i)], start[i]);
  Eigen::LevenbergMarquardt<FitFunctor> descent(functor);
  descent.parameters.maxfev = 150;
  descent.parameters.factor = 1;  // of the first step
  descent.parameters.ftol = 1e-7;
  descent.parameters.xtol = 1e-7;
  descent.minimize(u);
  FitMinimum found;
  found.x = bound(search.coordinates, u);
  found.values = values_at(search.coordinates, found.x);
  const VectorXd all = residuals(search, found.x);
  found.cost = all.squaredNorm();
  found.chi_square = all.head(count_bins(search)).squaredNorm();
  if (!std::isfinite(found.cost)) found.cost = found.chi_square = HUGE_VAL;
  return found;
}

std::vector<VectorXd> starting_points(const FitSearch& search, int starts, std::uint64_t seed,
                                      int kept) {
  double level = HUGE_VAL;
  for (const BinnedCurve& curve : search.curves)
    for (const FitBin& bin : curve.bins) level = std::min(level, bin.loss);
  const double power = power_beside(search.model, level);
  const double clock = longest_clock(search);
  std::vector<RandomStart> found(static_cast<std::size_t>(starts));
  std::atomic<bool> stop = false;
  parallel_for(starts, search.threads, stop, [&](long i) {
    Random random(seed, static_cast<std::uint64_t>(i), 0);
    const auto between = [&](double low, double high) {
      return low + (high - low) * random.uniform();
    };
    FitValues values;
    for (const FitCoordinate& c : search.coordinates)  // alpha and beta, wherever they may lie
      if (!c.logarithm) values.*c.member = between(c.low, c.high);
    values.dimension = std::exp(between(std::log(30), std::log(1e6)));
    if (std::ssize(search.coordinates) > kWithoutSpike) {
      values.spike_share = std::exp(between(std::log(3e-3), std::log(0.6)));
      values.spike_rate = std::exp(between(std::log(1.5), std::log(50)));
    }
    // Rates are a power of the scale.
    const double once = fastest_rate(search, values, 1, power),
                 four = fastest_rate(search, values, 4, power);
    const double decays = std::exp(between(std::log(1.0), std::log(1e5)));
    values.scale = std::pow(decays / (clock * once), std::log(4) / std::log(four / once));
    found[static_cast<std::size_t>(i)] = projected(search, values, level);
  });
  std::stable_sort(found.begin(), found.end(),
                   [](const RandomStart& a, const RandomStart& b) { return a.cost < b.cost; });
  std::vector<VectorXd> points;
  for (std::size_t i = 0; i < found.size() && std::ssize(points) < kept; ++i)
    if (found[i].cost < HUGE_VAL) points.push_back(found[i].x);
  return points;
}

}  // namespace riskcurve
