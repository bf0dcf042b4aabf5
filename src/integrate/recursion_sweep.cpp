// The adjoint of the recursion (docs/theory/chain.md#adjoint).
#include <algorithm>
#include <cmath>
#include <vector>

#include "integrate/block_lanes.hpp"
#include "integrate/meeting.hpp"
#include "integrate/recursion.hpp"
#include "power_of_two.hpp"
#include "riskcurve/problem/error.hpp"

namespace riskcurve {
namespace {

using Eigen::ArrayXd;
using Eigen::ArrayXXd;
using Eigen::Index;

/// Sums over modes that one step back leaves, from which every derivative of its maps follows:
/// B = P A S.
struct Sums {
  BlockMatrix map, map_a, map_l, map_la;           // sum of B, a B, l B, l a B
  BlockMatrix after, before, before_a, before_aa;  // sum of c P, c a P, c a^2 P
  ArrayXd drift, after_modes, before_modes;        // dR(T)/da_k, /dc_after_k, /dc_before_k
  double scatter = 0;
  double along = 0;  // 2 sum a q^T B f
};

/// A parameter of the chain that steps may be differentiated by.
using Parameter = double ChainNow::*;

/// d/dx of a step's maps: they are polynomials of x, of degree two at most, or close to it.
struct StepSlope {
  BlockMatrix fixed, drift, pull, pull_a;
  BlockVector push, read, noise_fixed, noise_drift;
};

StepSlope slope(const Blocks& blocks, const ChainNow& now, Parameter x, double h) {
  ChainNow up = now, down = now;
  up.*x += h;
  down.*x -= h;
  const BlockStep a = blocks.step(up), b = blocks.step(down);
  const auto difference = [h](const auto& p, const auto& q) { return ((p - q) / (2 * h)).eval(); };
  return {difference(a.fixed, b.fixed),
          difference(BlockMatrix(a.push * a.read.transpose()),
                     BlockMatrix(b.push * b.read.transpose())),
          difference(BlockMatrix(a.pull_fixed * a.pull_read.transpose()),
                     BlockMatrix(b.pull_fixed * b.pull_read.transpose())),
          difference(BlockMatrix(a.pull_drift * a.pull_read.transpose()),
                     BlockMatrix(b.pull_drift * b.pull_read.transpose())),
          difference(a.push, b.push),
          difference(a.read, b.read),
          difference(a.noise_fixed, b.noise_fixed),
          difference(a.noise_drift, b.noise_drift)};
}

double dot(const BlockMatrix& a, const BlockMatrix& b) {
  return a.cwiseProduct(b).sum();
}

/// sum tr P (2 A_x S A^T + Q_x).
double derivative(const Sums& sums, const BlockStep& step, const StepSlope& by) {
  const BlockVector &z0 = step.noise_fixed, &z1 = step.noise_drift;
  return 2 * (dot(by.fixed, sums.map) + dot(by.drift, sums.map_a) + dot(by.pull, sums.map_l) +
              dot(by.pull_a, sums.map_la) + by.push.dot(sums.after * step.push) +
              by.noise_fixed.dot(sums.before * z0 + sums.before_a * z1) +
              by.noise_drift.dot(sums.before_a * z0 + sums.before_aa * z1));
}

template <int M>
void total(const LaneMatrix<M>& x, BlockMatrix& sum, const Block* factor = nullptr) {
  for (int i = 0; i < M; ++i)
    for (int j = 0; j < M; ++j) sum(i, j) += factor ? (x[i][j] * *factor).sum() : x[i][j].sum();
}

/// P <- A^T P A, and the sums; of moments that noise enters, or (those between two workers) not.
template <int M>
void back_lanes(const BlockInstant& at, const ArrayXd& inverse, const ArrayXd& share, bool noisy,
                const ArrayXXd& moments, ArrayXXd& p, Sums& sums) {
  const BlockStep& step = at.step;
  const bool pulled = inverse.size() > 0, filtered = noisy && at.before.size() > 0;
  for (Index first = 0; first < moments.rows(); first += kBlock) {
    const Block a = at.drift.segment<kBlock>(first);
    Block l = Block::Zero();
    if (pulled) l = inverse.segment<kBlock>(first);
    const LaneMatrix<M> map = maps<M>(step, a, pulled ? &l : nullptr);
    const LaneMatrix<M> s = load_moments<M>(moments, first), next = load_moments<M>(p, first);
    const LaneMatrix<M> pushed = product<M>(next, map);
    store_moments<M>(symmetric_product<M>(transposed<M>(map), transposed<M>(pushed)), first, p);
    const LaneMatrix<M> b = product<M>(pushed, s);
    total<M>(b, sums.map);
    total<M>(b, sums.map_a, &a);
    const Block along = form<M>(step.push, b, step.read);
    Block drift = 2 * along;
    sums.along += 2 * (a * along).sum();
    if (pulled) {
      total<M>(b, sums.map_l, &l);
      const Block la = l * a;
      total<M>(b, sums.map_la, &la);
      drift += 2 * l * form<M>(step.pull_drift, b, step.pull_read);
    }
    LaneVector<M> z{};
    Block before, z_twice;
    if (filtered) {
      before = at.before.segment<kBlock>(first);
      z = noise_before<M>(step, a);
      z_twice = form<M>(z, next, z);
      LaneVector<M> z1;
      for (int i = 0; i < M; ++i) z1[i] = Block::Constant(step.noise_drift[i]);
      drift += 2 * before * form<M>(z1, next, z);
      sums.before_modes.segment<kBlock>(first) = z_twice;
      total<M>(next, sums.before, &before);
      const Block ba = before * a, baa = ba * a;
      total<M>(next, sums.before_a, &ba);
      total<M>(next, sums.before_aa, &baa);
    }
    sums.drift.segment<kBlock>(first) += drift;
    if (!noisy) continue;
    const Block after = at.after.segment<kBlock>(first);
    total<M>(next, sums.after, &after);
    const Block pushed_twice = form<M>(step.push, next, step.push);
    sums.after_modes.segment<kBlock>(first) = pushed_twice;
    if (share.size() == 0) continue;
    // (4 tr(P A S A^T P Q) + 2 tr(P Q P Q))/m; noises of one mode are independent.
    const LaneMatrix<M> carried = symmetric_product<M>(product<M>(pushed, s), pushed);
    Block spread =
        4 * after * form<M>(step.push, carried, step.push) + 2 * (after * pushed_twice).square();
    if (filtered) spread += 4 * before * form<M>(z, carried, z) + 2 * (before * z_twice).square();
    sums.scatter += (share.segment<kBlock>(first) * spread).sum();
  }
}

/// How the responses answer to R, to the filtered signal and to momentum.
struct ResponseSlopes {
  Response risk, filtered, momentum;
};

Response difference(const std::function<Response(double shift)>& at, double d, double unit) {
  const Response up = at(d), down = at(-d), far_up = at(2 * d), far_down = at(-2 * d);
  const auto slope = [&](auto part) -> ArrayXd {
    return (8 * (up.*part - down.*part) - (far_up.*part - far_down.*part)) / (12 * d * unit);
  };
  return {slope(&Response::drift), slope(&Response::diffusion)};
}

ResponseSlopes slopes_of(const ModeSystem& system, const Blocks& blocks, const Now& now) {
  const auto moved = [&](double Now::*what, auto&& to) {
    return [&system, &now, what, to](double shift) {
      Now at = now;
      at.*what = to(now.*what, shift);
      return system.response(at);
    };
  };
  const auto scaled = [](double x, double shift) { return x * std::exp(shift); };
  ResponseSlopes slopes;
  slopes.risk = difference(moved(&Now::risk, scaled), 2e-3, now.risk);
  if (blocks.filtered_total > 0) {
    if (now.filtered > 0)
      slopes.filtered = difference(moved(&Now::filtered, scaled), 2e-3, now.filtered);
    const double step = 2e-3 * std::min(1 - now.momentum, std::max(now.momentum, 1e-6));
    slopes.momentum = difference(
        moved(&Now::momentum, [step](double x, double shift) { return x + step * shift / 2e-3; }),
        2e-3, step / 2e-3);
  }
  return slopes;
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
      instants_.push_back(recursion_.instant(static_cast<double>(k), weights, state));
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

Sums empty_sums(int size, Index padded) {
  Sums sums;
  for (BlockMatrix* m : {&sums.map, &sums.map_a, &sums.map_l, &sums.map_la, &sums.after,
                         &sums.before, &sums.before_a, &sums.before_aa})
    *m = BlockMatrix::Zero(size, size);
  for (ArrayXd* x : {&sums.drift, &sums.after_modes, &sums.before_modes}) x->setZero(padded);
  return sums;
}

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

  const BlockVector& aim = options.averaged ? blocks.report_at : blocks.gradient_at;
  BlockState p;  // dR(T)/dS, and by the moments between two workers
  p.own = ArrayXXd::Zero(recursion.padded(), entries(m));
  if (blocks.workers > 1) p.cross = p.own;
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
    if (at.jumps) Meeting(blocks.jump(at.chain), blocks.workers).apply_back(p);
    Sums sums = empty_sums(m, recursion.padded());
    with_size(m, [&](auto size) {
      if (p.cross.size() > 0)
        back_lanes<size()>(at, recursion.inverse(), {}, false, state.cross, p.cross, sums);
      back_lanes<size()>(at, recursion.inverse(), share, true, state.own, p.own, sums);
    });
    // Through the responses to R and to the filtered signal.
    const Index modes = system.modes(), noises = system.diffusion.cols();
    const ArrayXd by_drift =
        (system.drift.matrix().transpose() * sums.drift.head(modes).matrix()).array();
    ArrayXd by_diffusion(noises);
    for (Index r = 0; r < noises; ++r)
      by_diffusion[r] = (system.diffusion.col(r) *
                         (r < blocks.before ? sums.before_modes : sums.after_modes).head(modes))
                            .sum();
    const ResponseSlopes slopes = slopes_of(system, blocks, at.now);
    add(product(slopes.risk, by_drift, by_diffusion) * recursion.weight(), blocks.gradient_at);
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
      result.momentum[k] =
          derivative(sums, at.step, by) + product(slopes.momentum, by_drift, by_diffusion);
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
  return result;
}

}  // namespace riskcurve
