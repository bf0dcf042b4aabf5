#include "analysis/rest.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <vector>

namespace riskcurve {
namespace {

using Eigen::Index;

constexpr Index kFewAtRest = 256;  // modes; more are merged first

/// S -> A S A^T + Q.
struct Affine {
  BlockMatrix map, noise;
  Affine after(const Affine& first) const {
    return {map * first.map, map * first.noise * map.transpose() + noise};
  }
};

Affine power(Affine base, double n) {
  const Index m = base.map.rows();
  Affine result{BlockMatrix::Identity(m, m), BlockMatrix::Zero(m, m)};
  for (auto left = static_cast<long>(n); left > 0; left /= 2, base = base.after(base))
    if (left % 2 == 1) result = base.after(result);
  return result;
}

/// The limit of many steps, by doubling; not finite where it has none.
BlockMatrix limit(Affine step, const BlockMatrix& start) {
  for (int i = 0; i < 60 && step.noise.allFinite(); ++i) step = step.after(step);
  return step.map * start * step.map.transpose() + step.noise;
}

}  // namespace

double sustained_risk(const ModeSystem& system, double gamma, double t, double risk) {
  const Blocks& blocks = *system.blocks;
  if (system.filtered || blocks.workers > 1 || (blocks.gradient_at.array() != 0).count() > 1)
    return std::numeric_limits<double>::quiet_NaN();
  t = system.settled(t);
  const Response factors = system.steady_response(system.steady(t, gamma, risk));
  const Eigen::ArrayXd a = (system.drift.matrix() * factors.drift.matrix()).array();
  ChainNow chain = blocks.at(t, gamma);
  chain.step = std::max(1.0, t);
  chain.weights = 1e15;
  if (blocks.jump_period > 0) chain.step = 0;  // within a period
  const BlockStep step = blocks.step(chain);
  BlockMatrix meeting;
  BlockStep last = step;
  if (blocks.jump_period > 0) {
    ChainNow end = chain;
    end.step = 2 * blocks.jump_period - 1;
    last = blocks.step(end);
    meeting = blocks.jump(end);
  }
  const auto affine = [&](const BlockStep& s, Index k) {
    const double l = blocks.inverse.size() > 0 ? blocks.inverse[k] : 0;
    Affine one{s.fixed + a[k] * s.push * s.read.transpose() +
                   l * (s.pull_fixed + a[k] * s.pull_drift) * s.pull_read.transpose(),
               BlockMatrix::Zero(blocks.size, blocks.size)};
    const BlockVector z = s.noise_fixed + a[k] * s.noise_drift;
    for (Index r = 0; r < system.diffusion.cols(); ++r) {
      const BlockVector& enters = r < blocks.before ? z : s.push;
      one.noise += factors.diffusion[r] * system.diffusion(k, r) * enters * enters.transpose();
    }
    return one;
  };
  double sum = 0;
  for (Index k = 0; k < system.modes(); ++k) {
    if (!(system.weight[k] > 0)) continue;
    Affine one = affine(step, k);
    if (blocks.jump_period > 0) {
      Affine end = affine(last, k);
      end.map = meeting * end.map;
      end.noise = (meeting * end.noise * meeting.transpose()).eval();
      one = end.after(power(one, blocks.jump_period - 1));
    }
    BlockMatrix start = system.initial[k] * blocks.start[0];
    for (std::size_t p = 1; p < blocks.start.size(); ++p)
      start += blocks.more_initial(k, static_cast<Index>(p) - 1) * blocks.start[p];
    const BlockMatrix rest = limit(one, start);
    const double s = blocks.gradient_at.dot(rest * blocks.gradient_at);
    if (!std::isfinite(s)) return std::numeric_limits<double>::infinity();
    sum += 0.5 * system.weight[k] * s;
  }
  return sum;
}

NoiseMemory noise_memory(const ModeSystem& system, double t, double risk) {
  NoiseMemory memory;
  if (!system.blocks || !system.blocks->momentum || system.filtered) return memory;
  const Blocks& blocks = *system.blocks;
  t = system.settled(t);
  const Now now = system.steady(t, 1, risk);
  ChainNow chain = blocks.at(t, 1);
  chain.step = std::max(1.0, t);
  chain.weights = 1;
  const BlockStep step = blocks.step(chain);
  const Response factors = system.response(now);
  const Eigen::ArrayXd a = (system.drift.matrix() * factors.drift.matrix()).array();
  // What noise of one step moves the error by then and later, the error's own answer left out.
  const double forgets = 1 - chain.momentum;
  const auto steps = static_cast<Index>(std::min(1e6, std::ceil(30 / forgets))) + 2;
  Eigen::ArrayXd later = Eigen::ArrayXd::Zero(steps);  // of noise that enters with the gradient,
  double at_once = 0, with_gradient = 0;               // and its power over modes
  for (Index r = 0; r < system.diffusion.cols(); ++r) {
    const Eigen::ArrayXd power = system.weight * system.diffusion.col(r) * factors.diffusion[r];
    if (r < blocks.before)
      with_gradient += (power * a.square()).sum();
    else
      at_once += power.sum();
  }
  const auto moves = [&](BlockVector x, const BlockMatrix& map, Eigen::ArrayXd& move) {
    for (Index l = 0; l < steps; ++l) {
      move[l] = x[0];
      x[0] = 0;
      x = (map * x).eval();
    }
  };
  BlockMatrix map = step.fixed;
  Eigen::ArrayXd pushed = Eigen::ArrayXd::Zero(steps);
  if (blocks.before > 0) {
    map += step.push * step.read.transpose();  // in units of 1/a
    moves(step.noise_fixed + step.noise_drift, map, later);
    pushed[0] = step.push[0];
  } else {
    moves(step.push, map, pushed);
  }
  const auto correlated = [steps](const Eigen::ArrayXd& move, Index lag) {
    return (move.head(steps - lag) * move.tail(steps - lag)).sum();
  };
  const auto covariance = [&](Index lag) {
    return with_gradient * correlated(later, lag) + at_once * correlated(pushed, lag);
  };
  const double power = covariance(0);
  if (!(power > 0)) return memory;
  std::vector<double> lags, correlations;
  for (Index lag = 1; lag < steps; lag *= 2) {
    const double r = covariance(lag) / power;
    if (std::abs(r) < 0.01) break;
    lags.push_back(static_cast<double>(lag));
    correlations.push_back(r);
  }
  const auto count = static_cast<Index>(lags.size());
  memory.lag = Eigen::Map<const Eigen::ArrayXd>(lags.data(), count);
  memory.correlation = Eigen::Map<const Eigen::ArrayXd>(correlations.data(), count);
  // The square of a sum holds every lag twice.
  memory.sum =
      (with_gradient * std::pow(later.sum(), 2) + at_once * std::pow(pushed.sum(), 2)) / power;
  return memory;
}

double largest_stable_step_of_blocks(const ModeSystem& system) {
  // Updates are bounded.
  if (system.filtered || system.squares) return std::numeric_limits<double>::infinity();
  const ModeSystem merged = system.modes() > kFewAtRest ? compress(system) : ModeSystem{};
  const ModeSystem& few = system.modes() > kFewAtRest ? merged : system;
  const double scale = 1 + (std::isfinite(few.noise_variance) ? few.noise_variance : 0.0);
  const double far = 1e20 * scale * (1 + few.risk(few.initial));
  const auto grows = [&](double step) { return !(sustained_risk(few, step, 0, far) < far); };
  if (std::isnan(sustained_risk(few, 1e-12, 0, far)))
    return std::numeric_limits<double>::quiet_NaN();
  // In maps that ignore scale rates fall as the risk grows: no step size makes it grow for ever.
  const double slow = few.steady_rates(0, 0, far).drift.maxCoeff(),
               fast = few.steady_rates(0, 0, 1e-8 * far).drift.maxCoeff();
  if (slow < 0.5 * fast) return std::numeric_limits<double>::infinity();
  double high = 1e-12;
  while (!grows(high)) {
    high *= 4;
    if (high > 1e12) return std::numeric_limits<double>::infinity();
  }
  double low = high / 4;
  while (high - low > 1e-9 * high) {
    const double middle = 0.5 * (low + high);
    (grows(middle) ? high : low) = middle;
  }
  return high;
}

}  // namespace riskcurve
