#include "integrate/recursion.hpp"

#include <fmt/format.h>

#include <cmath>
#include <limits>

#include "integrate/block_lanes.hpp"
#include "integrate/meeting.hpp"
#include "riskcurve/problem/error.hpp"

namespace riskcurve {

using Eigen::ArrayXd;
using Eigen::ArrayXXd;
using Eigen::Index;

namespace {

constexpr double kNoSignal = 1e-5;  // of the noise: does nothing beside the root

}  // namespace

Recursion::Recursion(const ModeSystem& system, const Schedule& schedule)
    : system_(system),
      schedule_(schedule),
      blocks_(system.blocks ? *system.blocks : bare_blocks()),
      padded_((system.modes() + kBlock - 1) / kBlock * kBlock),
      weight_(pad(system.weight)),
      multiplicity_(ArrayXd::Ones(padded_)) {
  if ((sees_directions() || system.squares || system.filtered) && system.multiplicity.size() > 0)
    multiplicity_.head(system.modes()) = (system.multiplicity > 0).select(system.multiplicity, 1.0);
  if (blocks_.inverse.size() > 0) inverse_ = pad(blocks_.inverse);
  if (system.squares) {
    floor_ = ArrayXd::Constant(padded_, system.squares->floor);
    if (system.squares->each)
      floor_ = (weight_ > 0).select(floor_ / weight_.max(1e-300).sqrt(), 0.0);
  }
  if (blocks_.filtered_total > 0)
    filtered_ = pad(system.drift.col(0) * system.weight / blocks_.filtered_total);
}

ArrayXd Recursion::pad(const ArrayXd& values) const {
  ArrayXd padded = ArrayXd::Zero(padded_);
  padded.head(values.size()) = values;
  return padded;
}

BlockState Recursion::start() const {
  const int m = blocks_.size;
  BlockState state;
  state.own = ArrayXXd::Zero(padded_, entries(m));
  for (std::size_t p = 0; p < blocks_.start.size(); ++p) {
    const ArrayXd measure =
        pad(p == 0 ? ArrayXd(system_.initial)
                   : ArrayXd(blocks_.more_initial.col(static_cast<Index>(p) - 1)));
    for (int i = 0; i < m; ++i)
      for (int j = i; j < m; ++j) state.own.col(entry(m, i, j)) += blocks_.start[p](i, j) * measure;
  }
  if (blocks_.workers > 1) state.cross = state.own;
  if (sees_means()) state.mean = means_of(state, multiplicity_, m);
  if (system_.squares) state.squares.setZero(padded_);
  if (system_.squares && system_.squares->tilts) state.errors.squares = pad(system_.initial);
  if (system_.filtered) state.past.noise.setZero(system_.modes());
  return state;
}

double Recursion::form(const BlockState& state, const ArrayXd& weight, const BlockVector& x) const {
  const int m = blocks_.size;
  double sum = 0;
  for (int i = 0; i < m; ++i)
    for (int j = i; j < m; ++j) {
      const double factor = (i == j ? 0.5 : 1.0) * x[i] * x[j];
      if (factor != 0) sum += factor * (weight * state.own.col(entry(m, i, j))).sum();
    }
  return sum;
}

double Recursion::averaged_risk(const BlockState& state) const {
  return blocks_.report_at.size() > 0 ? form(state, weight_, blocks_.report_at) : NAN;
}

ArrayXd Recursion::squares(const BlockState& state) const {
  const int m = blocks_.size;
  ArrayXd s = ArrayXd::Zero(system_.modes());
  for (int i = 0; i < m; ++i)
    for (int j = 0; j < m; ++j)
      if (const double both = blocks_.gradient_at[i] * blocks_.gradient_at[j]; both != 0)
        s += both * state.own.col(entry(m, i, j)).head(system_.modes());
  return s.max(0.0);
}

double Recursion::gamma(double k) const {
  const double gamma = schedule_(k);
  if (!std::isfinite(gamma) || gamma < 0)
    throw InputError("step size at step " + number_text(k), gamma, "a finite number >= 0");
  return gamma;
}

BlockInstant Recursion::instant(double k, double weights, const BlockState& state,
                                bool slopes) const {
  BlockInstant at;
  const double gamma = this->gamma(k);
  at.chain = blocks_.at(k, gamma);
  at.chain.weights =
      weights + (blocks_.weight_power == 0 ? 1 : std::pow(gamma, blocks_.weight_power));
  at.step = blocks_.step(at.chain);
  at.jumps = blocks_.jumps_after(k);
  at.now.time = k;
  at.now.gamma = gamma;
  at.now.momentum = at.chain.momentum;
  at.now.risk = std::max(risk(state), kVanishedRisk);
  if (blocks_.filtered_total > 0) at.now.filtered = 2 * form(state, filtered_, at.step.read);
  if (system_.squares) at.now.signal = 2 * form(state, filtered_, blocks_.gradient_at);
  if (system_.filtered) {
    answer_filtered(state, at);
    return at;
  }
  at.factors = sees_directions() ? system_.directions->response(at.now) : system_.response(at.now);
  const Index modes = system_.modes(), noises = system_.diffusion.cols();
  const auto combine = [&](const ArrayXXd& columns, const ArrayXd& factors, Index first,
                           Index count) {
    ArrayXd sum = ArrayXd::Zero(padded_);
    for (Index q = first; q < first + count; ++q) sum.head(modes) += factors[q] * columns.col(q);
    return sum;
  };
  if (!sees_directions())
    at.drift = combine(system_.drift, at.factors.drift, 0, system_.drift.cols());
  at.after =
      combine(system_.diffusion, at.factors.diffusion, blocks_.before, noises - blocks_.before);
  if (blocks_.before > 0)
    at.before = combine(system_.diffusion, at.factors.diffusion, 0, blocks_.before);
  if (sees_directions()) see_directions(state, slopes, at);
  if (system_.squares) divide_by_root(state, at);
  return at;
}

void Recursion::divide_by_root(const BlockState& state, BlockInstant& at) const {
  const RootOfSquares& root = *system_.squares;
  const double noise = root.power(at.now);
  if (root.each) {
    const ArrayXd signal = pad(squares(state)) * weight_ / multiplicity_;
    at.squares = root.keep * state.squares + root.take * (noise + signal);
    if (root.under && signal.maxCoeff() > kNoSignal * noise) at.share = signal / noise;
  } else {
    at.squares = root.keep * state.squares + root.take * (noise + at.now.signal);
  }
  at.grown = root.corrected ? -std::expm1((at.now.time + 1) * std::log(root.keep)) : 1;
  at.gain = 1 / ((at.squares / at.grown).max(1e-300).sqrt() + floor_);
  at.drift *= at.gain;
  at.after *= at.gain.square();
  if (at.share.size() > 0) {
    Index seen = padded_;
    while (!(at.share[seen - 1] > kNoSignal)) --seen;
    const ArrayXd moves = 1 - floor_.head(seen) * at.gain.head(seen);  // of the divisor, with V
    at.beside = ArrayXd::Ones(padded_);
    at.beside.head(seen) += moves * (root.under(at.share.head(seen), at.now.time + 1) - 1);
    at.drift *= at.beside;
  }
  if (state.errors.share.size() > 0) share_drift(state.errors, at);
}

namespace {

template <int M>
void advance_lanes(const BlockInstant& at, const ArrayXd& c_after, const ArrayXd& inverse,
                   BlockState& state) {
  const BlockStep& step = at.step;
  for (Index first = 0; first < state.own.rows(); first += kBlock) {
    const Block a = at.drift.segment<kBlock>(first);
    Block l;
    if (inverse.size() > 0) l = inverse.segment<kBlock>(first);
    const LaneMatrix<M> map = maps<M>(step, a, inverse.size() > 0 ? &l : nullptr);
    LaneMatrix<M> s = load_moments<M>(state.own, first);
    s = symmetric_product<M>(product<M>(map, s), map);
    const Block after = c_after.segment<kBlock>(first);
    for (int i = 0; i < M; ++i)
      for (int j = i; j < M; ++j)
        if (step.push[i] != 0 && step.push[j] != 0)
          s[i][j] += after * (step.push[i] * step.push[j]);
    if (at.before.size() > 0) {
      const Block before = at.before.segment<kBlock>(first);
      const LaneVector<M> z = noise_before<M>(step, a);
      for (int i = 0; i < M; ++i)
        for (int j = i; j < M; ++j) s[i][j] += before * z[i] * z[j];
    }
    store_moments<M>(s, first, state.own);
    if (state.cross.size() == 0) continue;
    LaneMatrix<M> x = load_moments<M>(state.cross, first);
    x = symmetric_product<M>(product<M>(map, x), map);
    store_moments<M>(x, first, state.cross);
  }
}

}  // namespace

void Recursion::advance(const BlockInstant& instant, BlockState& state) const {
  if (system_.filtered)
    advance_filtered(*this, instant, state);
  else if (sees_directions())
    advance_directions(*this, instant, state);
  else
    with_size(blocks_.size, [&](auto m) {
      if (instant.excess.size() == 0)
        advance_lanes<m()>(instant, instant.after, inverse_, state);
      else
        advance_lanes<m()>(instant, instant.after + instant.excess * pad(squares(state)), inverse_,
                           state);
    });
  if (system_.squares && !system_.filtered) state.squares = instant.squares;
  if (system_.squares && system_.squares->tilts) tilt_errors(*this, instant, state);
  if (!instant.jumps) return;
  const BlockMatrix jump = blocks_.jump(instant.chain);
  Meeting(jump, blocks_.workers).apply(state);
  if (state.mean.size() > 0) state.mean = (state.mean.matrix() * jump.transpose()).array().eval();
  for (FilteredLag& lag : state.past.lags)
    for (ArrayXXd* of : {&lag.covariance, &lag.response})
      if (of->size() > 0) *of = (of->matrix() * jump.transpose()).array().eval();
}

}  // namespace riskcurve
