// The adjoint of the recursion (docs/theory/chain.md#adjoint).
#include <algorithm>
#include <cmath>
#include <vector>

#include "integrate/block_lanes.hpp"
#include "integrate/meeting.hpp"
#include "integrate/recursion_back.hpp"
#include "power_of_two.hpp"
#include "riskcurve/problem/error.hpp"

namespace riskcurve {
namespace {

using Eigen::ArrayXd;
using Eigen::ArrayXXd;
using Eigen::Index;

/// How the responses answer to R, to the filtered signal and to momentum.
struct ResponseSlopes {
  Response risk, filtered, momentum, signal;
};

Response difference(const std::function<Response(double shift)>& at, double d, double unit) {
  const Response up = at(d), down = at(-d), far_up = at(2 * d), far_down = at(-2 * d);
  const auto slope = [&](auto part) -> ArrayXd {
    return (8 * (up.*part - down.*part) - (far_up.*part - far_down.*part)) / (12 * d * unit);
  };
  return {slope(&Response::drift), slope(&Response::diffusion)};
}

double momentum_step(double momentum) {
  return 2e-3 * std::min(1 - momentum, std::max(momentum, 1e-6));
}

ResponseSlopes slopes_of(const Recursion& recursion, const Now& now) {
  const Blocks& blocks = recursion.blocks();
  const auto& response = recursion.sees_directions() ? recursion.system().directions->response
                                                     : recursion.system().response;
  const auto moved = [&](double Now::*what, auto&& to) {
    return [&response, &now, what, to](double shift) {
      Now at = now;
      at.*what = to(now.*what, shift);
      return response(at);
    };
  };
  const auto scaled = [](double x, double shift) { return x * std::exp(shift); };
  ResponseSlopes slopes;
  slopes.risk = difference(moved(&Now::risk, scaled), 2e-3, now.risk);
  if (blocks.filtered_total > 0) {
    if (now.filtered > 0 && !recursion.sees_directions())
      slopes.filtered = difference(moved(&Now::filtered, scaled), 2e-3, now.filtered);
    const double step = momentum_step(now.momentum);
    slopes.momentum = difference(
        moved(&Now::momentum, [step](double x, double shift) { return x + step * shift / 2e-3; }),
        2e-3, step / 2e-3);
  }
  if (recursion.system().squares && now.signal > 0)
    slopes.signal = difference(moved(&Now::signal, scaled), 2e-3, now.signal);
  return slopes;
}

/// Through V and its root: p.squares is dR(T)/dV after the step, and before it at the end. excess:
/// what excess squares do to R; may be empty.
template <class Add>
void divide_back(const Recursion& recursion, const BlockInstant& at, const BackSums& sums,
                 const ArrayXd& excess, const Add& add, BlockState& p) {
  const RootOfSquares& root = *recursion.system().squares;
  // dg/dV = -g^2/(2 sqrt(V grown)); drift and noise are g and g^2 of the rest.
  ArrayXd by_gain = sums.drift * at.drift + 2 * sums.after_modes * at.after;
  if (excess.size() > 0) by_gain += excess;
  by_gain /= at.gain;
  const ArrayXd by_squares =
      p.squares - by_gain * at.gain.square() / (2 * (at.squares * at.grown).max(1e-300).sqrt());
  p.squares = root.keep * by_squares;
  const ArrayXd taken = root.take * by_squares;
  const BlockVector& v = recursion.blocks().gradient_at;
  if (root.each)
    add(2 * taken * recursion.weight() / recursion.multiplicity(), v);
  else
    add(2 * taken.sum() * recursion.filtered(), v);
  const auto power = [&](double shift) {
    Now now = at.now;
    now.risk *= std::exp(shift);
    return root.power(now);
  };
  constexpr double d = 2e-3;
  const double by_risk =
      (8 * (power(d) - power(-d)) - (power(2 * d) - power(-2 * d))) / (12 * d * at.now.risk);
  double by_power = taken.sum();
  if (at.beside.size() > 0) {  // through the share of the signal
    const double steps = at.now.time + 1, noise = root.power(at.now);
    const ArrayXd share = at.share.max(1e-12);
    const ArrayXd slope =
        (root.under(share * (1 + d), steps) - root.under(share * (1 - d), steps)) / (2 * d * share);
    const ArrayXd moves = at.gain * (at.squares / at.grown).max(0.0).sqrt();
    const ArrayXd by_share = sums.drift * at.drift / at.beside * moves * slope / noise;
    add(2 * by_share * recursion.weight() / recursion.multiplicity(), v);
    by_power -= (by_share * at.share).sum();
  }
  add(by_risk * by_power * recursion.weight(), v);
}

/// Of the rest of a map that sees directions, whose shape depends on momentum.
double rest_by_momentum(const Recursion& recursion, const BlockInstant& at, const BackSums& sums) {
  if (!recursion.sees_directions()) return 0;
  const Index modes = recursion.system().modes();
  const double h = momentum_step(at.now.momentum);
  const auto rest = [&](double shift) {
    const DirectionRates rates =
        recursion.system().directions->rates(at.factors.drift[0], at.now.momentum + shift,
                                             at.mean.head(modes), at.variance.head(modes), false);
    return (sums.rest.head(modes) * rates.rest.value).sum();
  };
  return (8 * (rest(h) - rest(-h)) - (rest(2 * h) - rest(-2 * h))) / (12 * h);
}

double product(const Response& slope, const ArrayXd& drift, const ArrayXd& diffusion) {
  return slope.drift.size() == 0
             ? 0
             : (slope.drift * drift).sum() + (slope.diffusion * diffusion).sum();
}

/// sum weight_k x^T S_k y
double mixed_form(const ArrayXXd& moments, const ArrayXd& weight, const BlockVector& x,
                  const BlockVector& y) {
  const auto m = static_cast<int>(x.size());
  double sum = 0;
  for (int i = 0; i < m; ++i)
    for (int j = 0; j < m; ++j)
      if (x[i] * y[j] != 0) sum += x[i] * y[j] * (weight * moments.col(entry(m, i, j))).sum();
  return sum;
}

/// The states of a solve, every `stride`-th kept on the way and the others recomputed on the way
/// back.
class Sweep {
 public:
  Sweep(const Recursion& recursion, double horizon)
      : recursion_(recursion),
        stride_(std::max<Index>(
            1, static_cast<Index>(std::sqrt(std::min(horizon, kMostRecursionSteps))))) {}

  /// Of every step of the solve, in turn.
  void keep(Index k, double weights, const BlockState& state) {
    if (k % stride_ == 0) kept_.push_back({state, weights});
    steps_ = k + 1;
  }
  Index steps() const { return steps_; }
  /// The state and the instant of step k; asked for in falling order.
  std::pair<const BlockState&, const BlockInstant&> at(Index k) {
    const Index from = k / stride_ * stride_;
    if (from != from_) fill(from);
    const auto i = static_cast<std::size_t>(k - from);
    return {states_[i], instants_[i]};
  }

 private:
  struct Kept {
    BlockState state;
    double weights;
  };

  void fill(Index from) {
    from_ = from;
    states_.clear();
    instants_.clear();
    const Kept& kept = kept_[static_cast<std::size_t>(from / stride_)];
    BlockState state = kept.state;
    double weights = kept.weights;
    for (Index k = from; k < std::min(from + stride_, steps_); ++k) {
      instants_.push_back(recursion_.instant(static_cast<double>(k), weights, state, true));
      weights = instants_.back().chain.weights;
      states_.push_back(state);
      recursion_.advance(instants_.back(), state);
    }
  }

  const Recursion& recursion_;
  Index stride_, steps_ = 0, from_ = -1;
  std::vector<Kept> kept_;
  std::vector<BlockState> states_;
  std::vector<BlockInstant> instants_;
};

}  // namespace

Sensitivity sensitivity_of_recursion(const ModeSystem& system, const Schedule& step, double horizon,
                                     const SolveOptions& options) {
  Sensitivity result;
  SolveOptions solving = options;
  solving.keep_modes = false;
  const Recursion recursion(system, step);
  const Blocks& blocks = recursion.blocks();
  const int m = blocks.size;
  Sweep sweep(recursion, horizon);
  BlockState last = recursion.start();
  result.curve = march(
      recursion, ArrayXd::Constant(1, std::round(horizon)), solving, last,
      [&](long k, double weights, const BlockState& state) { sweep.keep(k, weights, state); });
  if (result.curve.status != RiskCurve::Status::ok) return result;
  const Index steps = sweep.steps();
  result.risk = options.averaged ? recursion.averaged_risk(last) : recursion.risk(last);
  const double unit = result.unit = power_of_two(result.risk);

  for (ArrayXd* values : {&result.time, &result.step, &result.weight, &result.gradient,
                          &result.curvature, &result.progress, &result.injected, &result.risk_at})
    values->setZero(steps);
  if (blocks.momentum) result.momentum.setZero(steps);
  if (blocks.weight_decay) result.weight_decay.setZero(steps);
  ArrayXd share;
  if (system.multiplicity.size() > 0) {
    share = recursion.pad((system.multiplicity > 0).select(1 / system.multiplicity, 0.0));
    result.scatter.setZero(steps);
  }
  result.weight.setOnes();

  BlockState p;  // dR(T)/dS, and by the moments between two workers
  p.own = ArrayXXd::Zero(recursion.padded(), entries(m));
  if (blocks.workers > 1) p.cross = p.own;
  if (recursion.sees_directions()) p.mean = ArrayXXd::Zero(recursion.padded(), m);
  if (system.squares) p.squares.setZero(recursion.padded());
  const auto add = [&](const ArrayXd& weight, const BlockVector& x) {  // weight x x^T/2
    for (int i = 0; i < m; ++i)
      for (int j = i; j < m; ++j) p.own.col(entry(m, i, j)) += 0.5 * x[i] * x[j] * weight;
  };
  add(recursion.weight(), options.averaged ? blocks.report_at : blocks.gradient_at);

  double weights_slope = 0;  // dR(T)/d of the sum of gamma^weight_power
  for (Index k = steps - 1; k >= 0; --k) {
    const auto here = sweep.at(k);
    const BlockState& state = here.first;
    const BlockInstant& at = here.second;
    if (at.jumps) {
      const BlockMatrix jump = blocks.jump(at.chain);
      Meeting(jump, blocks.workers).apply_back(p);
      if (p.mean.size() > 0) p.mean = (p.mean.matrix() * jump).array().eval();
    }
    const BackSums sums = step_back(recursion, at, state, share, p);
    // Through the responses to R and to the filtered signal.
    const Index modes = system.modes(), noises = system.diffusion.cols();
    const bool seen = recursion.sees_directions();
    ArrayXd by_rate = sums.drift, by_after = sums.after_modes, by_before = sums.before_modes;
    if (seen) by_after *= at.directions.rest.value;
    if (system.squares) {
      by_rate *= at.gain;
      if (at.beside.size() > 0) by_rate *= at.beside;
      by_after *= at.gain.square();
    }
    ArrayXd more;  // of dR by excess squares, in parts of them
    if (const ArrayXd& mean = state.errors.share; mean.size() > 0) {  // shares as they are
      by_rate *= mean;
      if (by_before.size() > 0) by_before /= mean.square();
      if (at.excess.size() > 0) {
        add(2 * sums.after_modes * at.excess, blocks.gradient_at);
        more = sums.after_modes * at.excess * recursion.pad(recursion.squares(state));
        by_rate += more * at.gain * mean / at.drift.max(1e-300);
      }
    }
    const ArrayXd by_drift =
        seen ? ArrayXd::Constant(1, sums.gain)
             : ArrayXd(system.drift.matrix().transpose() * by_rate.head(modes).matrix());
    ArrayXd by_diffusion(noises);
    for (Index r = 0; r < noises; ++r)
      by_diffusion[r] =
          (system.diffusion.col(r) * (r < blocks.before ? by_before : by_after).head(modes)).sum();
    const ResponseSlopes slopes = slopes_of(recursion, at.now);
    add(product(slopes.risk, by_drift, by_diffusion) * recursion.weight(), blocks.gradient_at);
    if (system.squares) {
      const double by_signal = product(slopes.signal, by_drift, by_diffusion);
      add(2 * by_signal * recursion.filtered(), blocks.gradient_at);
      divide_back(recursion, at, sums, more, add, p);
    }
    const double by_filtered = product(slopes.filtered, by_drift, by_diffusion);
    if (by_filtered != 0) add(2 * by_filtered * recursion.filtered(), at.step.read);

    const auto with_respect_to = [&](Parameter x, double h) {
      return derivative(sums, at.step, slope(blocks, at.chain, x, h));
    };
    const double gamma = at.chain.gamma, h = 1e-3 * std::max(gamma, 1e-12);
    const StepSlope by_gamma = slope(blocks, at.chain, &ChainNow::gamma, h);
    result.time[k] = static_cast<double>(k);
    result.step[k] = gamma;
    result.risk_at[k] = at.now.risk;
    result.gradient[k] = derivative(sums, at.step, by_gamma);
    if (more.size() > 0) result.gradient[k] += more.sum() / gamma;
    if (blocks.weight_power != 0) {
      weights_slope += with_respect_to(&ChainNow::weights, 1e-3 * at.chain.weights);
      result.gradient[k] +=
          weights_slope * blocks.weight_power * std::pow(gamma, blocks.weight_power - 1);
    }
    const double injected = (sums.after_modes * at.after).sum() +
                            (at.before.size() > 0 ? (sums.before_modes * at.before).sum() : 0.0);
    const double squares = gamma > 0 ? gamma * gamma : 1;
    result.injected[k] = injected / squares;
    result.curvature[k] = 2 * injected / squares;
    result.progress[k] = gamma > 0 ? -0.5 * sums.along / gamma : 0;
    if (share.size() > 0) result.scatter[k] = sums.scatter / squares / unit / unit;
    if (blocks.momentum) {
      const double mu = at.chain.momentum;
      const StepSlope by = slope(blocks, at.chain, &ChainNow::momentum, 1e-3 * (1 - mu));
      result.momentum[k] = derivative(sums, at.step, by) +
                           product(slopes.momentum, by_drift, by_diffusion) +
                           rest_by_momentum(recursion, at, sums);
      if (by_filtered != 0)
        result.momentum[k] +=
            2 * by_filtered * mixed_form(state.own, recursion.filtered(), by.read, at.step.read);
    }
    if (blocks.weight_decay)
      result.weight_decay[k] =
          with_respect_to(&ChainNow::weight_decay, 1e-3 * std::max(at.chain.weight_decay, 1e-3));
    if (blocks.average_decay)
      result.average_decay += with_respect_to(&ChainNow::average_decay, 1e-4);
    if (options.progress && k % 1024 == 0 &&
        !options.progress(1 - 0.5 * static_cast<double>(k) / horizon)) {
      result.curve.status = RiskCurve::Status::interrupted;
      result.curve.message = "interrupted";
      return result;
    }
  }
  result.initial.setZero(system.modes());
  for (const ArrayXXd* slopes : {&p.own, &p.cross})
    if (slopes->size() > 0)
      for (int i = 0; i < m; ++i)
        for (int j = 0; j < m; ++j)
          result.initial +=
              blocks.start[0](i, j) * slopes->col(entry(m, i, j)).head(system.modes());
  if (recursion.sees_directions()) {
    const BlockState start = recursion.start();
    for (int i = 0; i < m; ++i)
      result.initial +=
          (system.initial > 0)
              .select(0.5 * p.mean.col(i).head(system.modes()) *
                          start.mean.col(i).head(system.modes()) / system.initial.max(1e-300),
                      0.0);
  }
  return result;
}

}  // namespace riskcurve
