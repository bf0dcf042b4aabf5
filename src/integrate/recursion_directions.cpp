// Blocks whose map sees single directions: mean and variance of each
// (docs/theory/chain.md#single-directions).
#include <algorithm>
#include <cmath>

#include "integrate/block_lanes.hpp"
#include "integrate/direction_modes.hpp"
#include "integrate/recursion.hpp"

namespace riskcurve {

using Eigen::ArrayXd;
using Eigen::ArrayXXd;
using Eigen::Index;

ArrayXXd means_of(const BlockState& state, const ArrayXd& multiplicity, int size) {
  ArrayXXd mean = ArrayXXd::Zero(state.own.rows(), size);
  for (Index k = 0; k < mean.rows(); ++k) {
    int largest = 0;
    for (int i = 1; i < size; ++i)
      if (state.own(k, entry(size, i, i)) > state.own(k, entry(size, largest, largest)))
        largest = i;
    const double square = state.own(k, entry(size, largest, largest));
    if (!(square > 0)) continue;
    for (int i = 0; i < size; ++i)
      mean(k, i) = state.own(k, entry(size, i, largest)) / std::sqrt(square * multiplicity[k]);
  }
  return mean;
}

void Recursion::see_directions(const BlockState& state, bool slopes, BlockInstant& at) const {
  const double fresh = at.step.read[0];
  at.mean.setZero(padded_);
  at.variance.setZero(padded_);
  with_size(blocks_.size, [&](auto m) {
    for (Index k = 0; k < padded_; ++k) {
      const auto f = reading<m()>(*this, at.step, k);
      const auto x = mean_of<m()>(state, k);
      const auto c = spread_of<m()>(state, k, multiplicity_[k], x);
      at.mean[k] = f.dot(x);
      at.variance[k] = (f.dot(c * f) + fresh * fresh * at.before[k]) / multiplicity_[k];
    }
  });
  const Index modes = system_.modes();
  at.directions = system_.directions->rates(at.factors.drift[0], at.now.momentum,
                                            at.mean.head(modes), at.variance.head(modes), slopes);
  for (DirectionRate* rate : {&at.directions.mean, &at.directions.drift, &at.directions.rest})
    for (ArrayXd* values : {&rate->value, &rate->by_mean, &rate->by_variance, &rate->by_gain})
      if (values->size() > 0) *values = pad(*values);
  at.drift = at.directions.drift.value;
  at.after_at_zero = at.after;
  at.after *= at.directions.rest.value;
}

namespace {

template <int M>
void advance_modes(const Recursion& recursion, const BlockInstant& at, BlockState& state) {
  for (Index k = 0; k < state.own.rows(); ++k) {
    const double n = recursion.multiplicity()[k];
    const auto x = mean_of<M>(state, k);
    const auto c = spread_of<M>(state, k, n, x);
    const auto q = push_of<M>(at.step), z = before_of<M>(at.step, at.drift[k]);
    const auto around = map_of<M>(recursion, at.step, at.drift[k], k);
    const Vector<M> moved = map_of<M>(recursion, at.step, at.directions.mean.value[k], k) * x;
    const Square<M> s = around * c * around.transpose() + at.after[k] * q * q.transpose() +
                        at.before[k] * z * z.transpose() + n * moved * moved.transpose();
    for (int i = 0; i < M; ++i) {
      state.mean(k, i) = moved[i];
      for (int j = i; j < M; ++j) state.own(k, entry(M, i, j)) = s(i, j);
    }
  }
}

}  // namespace

void advance_directions(const Recursion& recursion, const BlockInstant& at, BlockState& state) {
  with_size(recursion.blocks().size, [&](auto m) { advance_modes<m()>(recursion, at, state); });
}

}  // namespace riskcurve
