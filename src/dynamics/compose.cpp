#include "dynamics/compose.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <string>
#include <tuple>

#include "riskcurve/problem/error.hpp"

namespace riskcurve {
namespace {

using Eigen::Index;

/// Where the moments of a block stand; -1: not there.
struct Places {
  int momentum = -1, target = -1, average = -1, slow = -1, outer = -1, size = 1;

  explicit Places(const Chain& chain) {
    if (chain.momentum) momentum = size++;
    if (chain.weight_decay || chain.l2 > 0) target = size++;
    if (chain.average || chain.schedule_free) average = size++;
    if (chain.lookahead || chain.local) slow = size++;
    if (chain.local && chain.local->outer_momentum > 0) outer = size++;
  }
};

BlockVector unit(int size, int place) {
  BlockVector e = BlockVector::Zero(size);
  if (place >= 0) e[place] = 1;
  return e;
}

/// What a chain does in one step, put together in the order in which it does it.
class Maker {
 public:
  Maker(const Chain& chain, Momentum kind, double batch, const Filter& filter)
      : chain_(chain), at_(chain), kind_(kind), batch_(batch), filter_(filter) {
    filter_.nesterov = filter_.nesterov || chain.nesterov;
  }

  const Places& places() const { return at_; }

  /// Where gradients are taken.
  BlockVector gradient_at() const {
    BlockVector v = e(0);
    if (chain_.schedule_free) {
      v[0] = 1 - chain_.schedule_free->beta;
      v[at_.average] = chain_.schedule_free->beta;
    }
    return v;
  }

  BlockStep step(const ChainNow& now, bool jumps) const {
    BlockStep s;
    s.fixed = BlockMatrix::Identity(at_.size, at_.size);
    for (BlockVector* x : {&s.push, &s.read, &s.noise_fixed, &s.noise_drift, &s.pull_fixed,
                           &s.pull_drift, &s.pull_read})
      *x = BlockVector::Zero(at_.size);
    const BlockVector v = gradient_at();
    const BlockVector theta = v + e(at_.target);
    if (kind_ == Momentum::before && (chain_.momentum || chain_.l2 > 0)) {
      filter_before(now, v, theta, s);
    } else {
      filter_after(now, v, theta, s);
    }
    if (chain_.weight_decay) s.fixed.row(0) -= now.gamma * now.weight_decay * theta.transpose();
    if (!jumps) average(now, s);
    return s;
  }

  BlockMatrix jump(const ChainNow& now) const {
    BlockMatrix j = BlockMatrix::Identity(at_.size, at_.size);
    if (chain_.lookahead) {
      const double alpha = chain_.lookahead->slow_step_size;
      j(at_.slow, at_.slow) = 1 - alpha;
      j(at_.slow, 0) = alpha;
    } else {
      const double eta = chain_.local->outer_step, mu = chain_.local->outer_momentum;
      // G = slow - fast, m <- mu m + G, slow <- slow - eta (G + mu m)
      j(at_.slow, at_.slow) -= eta * (1 + mu);
      j(at_.slow, 0) += eta * (1 + mu);
      if (at_.outer >= 0) {
        j(at_.slow, at_.outer) = -eta * mu * mu;
        j(at_.outer, at_.outer) = mu;
        j(at_.outer, at_.slow) = 1;
        j(at_.outer, 0) = -1;
      }
    }
    j.row(0) = j.row(at_.slow);
    if (chain_.average) {
      const double w = weight(now);
      j.row(at_.average) *= 1 - w;
      j.row(at_.average) += w * j.row(0);
    }
    return j;
  }

 private:
  BlockVector e(int place) const { return unit(at_.size, place); }

  /// The buffer holds updates: m <- mu m + (1 - dampening) u, of an update u = a y + noise that
  /// takes w theta in.
  void filter_after(const ChainNow& now, const BlockVector& v, const BlockVector& theta,
                    BlockStep& s) const {
    s.read = v;
    s.push = -now.gamma * e(0);
    if (chain_.momentum) {
      const double mu = now.momentum, take = now.step == 0 ? 1 : 1 - chain_.dampening;
      const int m = at_.momentum;
      s.push[0] *= chain_.nesterov ? 1 + mu * take : take;
      s.push[m] = take;
      s.fixed(m, m) = mu;
      s.fixed(0, m) = -now.gamma * (chain_.nesterov ? mu * mu : mu);
    }
    s.fixed += chain_.l2 * s.push * theta.transpose();
  }

  /// The buffer holds gradients over h: M <- mu M + (1 - mu)(y + zeta), and the map, of slope a,
  /// takes p M + r (y + zeta).
  void filter_before(const ChainNow& now, const BlockVector& v, const BlockVector& theta,
                     BlockStep& s) const {
    const double mu = now.momentum;
    double p = filter_.share_of(mu), r = 1 - p;
    if (filter_.at_step) std::tie(p, r) = filter_.at_step(now.step);
    s.push = -now.gamma * e(0);
    s.read = r * v;
    if (chain_.momentum) {
      const int m = at_.momentum;
      s.read[m] = p;
      s.fixed.row(m) = (1 - mu) * v.transpose();
      s.fixed(m, m) += mu;
      s.noise_fixed = (1 - mu) * e(m);
      s.noise_drift = r * s.push;
    }
    if (chain_.l2 > 0) {
      const double samples = batch_ * (1 + mu) / (1 - mu);
      const double w = chain_.l2 * samples / (samples - 1);
      s.pull_fixed = w * s.noise_fixed;
      s.pull_drift = w * r * s.push;
      s.pull_read = theta;
    }
  }

  double weight(const ChainNow& now) const {
    if (chain_.schedule_free) {
      const double c = std::pow(now.gamma, chain_.schedule_free->weight_lr_power) / now.weights;
      return now.weights > 0 ? c : 1;
    }
    if (std::holds_alternative<EmaAverage>(*chain_.average)) return 1 - now.average_decay;
    const double start = std::get<UniformAverage>(*chain_.average).start;
    return now.step < start ? 1 : 1 / (now.step + 1 - start);
  }

  /// A <- A + w (Delta - A), of the Delta that this step leaves.
  void average(const ChainNow& now, BlockStep& s) const {
    if (at_.average < 0) return;
    const double w = weight(now);
    const int a = at_.average;
    s.fixed.row(a) = (1 - w) * s.fixed.row(a) + w * s.fixed.row(0);
    for (BlockVector* x : {&s.push, &s.noise_fixed, &s.noise_drift, &s.pull_fixed, &s.pull_drift})
      (*x)[a] = w * (*x)[0];
  }

  Chain chain_;
  Places at_;
  Momentum kind_;
  double batch_;
  Filter filter_;
};

}  // namespace

Blocks blocks_of(const Chain& chain, Momentum momentum, double batch, const Filter& filter) {
  const Maker maker(chain, momentum, batch, filter);
  const Places& at = maker.places();
  if (at.size > kLargestBlock)
    throw InputError("optimizer",
                     fmt::format("{} moments a mode (the error, momentum, theta*, average, slow "
                                 "copy, outer momentum)",
                                 at.size),
                     fmt::format("at most {}: leave one of them out", kLargestBlock));
  Blocks blocks;
  blocks.size = at.size;
  blocks.gradient_at = maker.gradient_at();
  if (at.average >= 0) blocks.report_at = unit(at.size, at.average);
  BlockVector start = unit(at.size, 0);
  for (const int copy : {at.average, at.slow})
    if (copy >= 0) start[copy] = 1;
  if (at.target >= 0) start[at.target] = -1;
  blocks.start.emplace_back(start * start.transpose());
  blocks.momentum = chain.momentum;
  if (chain.momentum && momentum == Momentum::after) {
    const Schedule& mu = *chain.momentum;
    double largest = std::max(mu(0), mu(1e12));
    for (const double k : mu.breaks) largest = std::max({largest, mu(k), mu(k * (1 - 1e-15))});
    blocks.amplification = (1 - chain.dampening) / (1 - largest);
  }
  blocks.weight_decay = chain.weight_decay;
  if (chain.average)
    if (const auto* ema = std::get_if<EmaAverage>(&*chain.average))
      blocks.average_decay = ema->decay;
  if (chain.schedule_free) blocks.weight_power = chain.schedule_free->weight_lr_power;
  if (chain.lookahead) blocks.jump_period = chain.lookahead->sync_period;
  if (chain.local) {
    blocks.jump_period = chain.local->steps;
    blocks.workers = chain.local->workers;
  }
  if (blocks.jump_period > 0)
    blocks.jump = [maker](const ChainNow& now) { return maker.jump(now); };
  blocks.step = [maker, period = blocks.jump_period](const ChainNow& now) {
    return maker.step(now, period > 0 && std::fmod(now.step + 1, period) == 0);
  };
  return blocks;
}

Blocks bare_blocks() {
  return blocks_of(Chain{}, Momentum::after, 1);
}

}  // namespace riskcurve
