#pragma once
#include "integrate/block_lanes.hpp"
#include "integrate/recursion.hpp"

namespace riskcurve {

// Many steps that are all alike, of lanes of modes.

template <int M>
void add_to(LaneMatrix<M>& x, const LaneMatrix<M>& y, double factor = 1) {
  for (int i = 0; i < M; ++i)
    for (int j = 0; j < M; ++j) x[i][j] += factor * y[i][j];
}
template <int M>
LaneMatrix<M> carried(const LaneMatrix<M>& map, const LaneMatrix<M>& s) {
  return symmetric_product<M>(product<M>(map, s), map);
}
template <int M>
LaneVector<M> carried(const LaneMatrix<M>& map, const LaneVector<M>& x) {
  LaneVector<M> y;
  for (int i = 0; i < M; ++i) {
    y[i] = map[i][0] * x[0];
    for (int j = 1; j < M; ++j) y[i] += map[i][j] * x[j];
  }
  return y;
}
template <int M>
void add_to(LaneVector<M>& x, const LaneVector<M>& y, double factor = 1) {
  for (int i = 0; i < M; ++i) x[i] += factor * y[i];
}

template <int M>
void scale(LaneMatrix<M>& x, double factor) {
  for (int i = 0; i < M; ++i)
    for (int j = 0; j < M; ++j) x[i][j] *= factor;
}
template <int M>
void scale(LaneVector<M>& x, double factor) {
  for (int i = 0; i < M; ++i) x[i] *= factor;
}

/// Sums over `count` steps of what each of them adds, carried on by the later ones: of sources that
/// are the same (plain), and that count the steps after them (counted).
template <int M, class Value>
struct Sums {
  Value plain, counted;
  double count;

  /// Of these steps after `before`, which map leads over.
  void follow(const Sums& before, const LaneMatrix<M>& map) {
    const Value on = carried<M>(map, before.plain);
    add_to<M>(plain, on);
    add_to<M>(counted, carried<M>(map, before.counted));
    add_to<M>(counted, on, count);
    count += before.count;
  }
  /// sum_j delta_j of the steps j, delta from -1/2 to 1/2.
  Value tilted() const {
    Value sum = plain;
    add_to<M>(sum, plain, 0.5 * (count - 1) / count - 1);
    add_to<M>(sum, counted, -1 / count);
    return sum;
  }
};

/// What `n` steps make of moments or means: the powers of one map, and what the steps add.
template <int M>
class Powers {
 public:
  explicit Powers(const LaneMatrix<M>& map) : change_(map) {
    for (int i = 0; i < M; ++i) change_[i][i] -= 1;  // nothing is lost where it is small
  }
  LaneMatrix<M> map() const {
    LaneMatrix<M> whole = change_;
    for (int i = 0; i < M; ++i) whole[i][i] += 1;
    return whole;
  }
  void square() {
    const LaneMatrix<M> twice = product<M>(change_, change_);
    for (int i = 0; i < M; ++i)
      for (int j = 0; j < M; ++j) change_[i][j] = 2 * change_[i][j] + twice[i][j];
  }

 private:
  LaneMatrix<M> change_;
};

/// x after n steps of this map that each add `source`, and `tilt` times the share of the way, from
/// -1/2 to 1/2, where that is given. Value: LaneMatrix (carried from both sides) or LaneVector.
template <int M, class Value>
Value led_on(const LaneMatrix<M>& map, Value x, const Value& source, double n,
             const Value* tilt = nullptr) {
  Powers<M> powers(map);
  const Value zero = [] {
    Value none;
    if constexpr (std::is_same_v<Value, LaneVector<M>>)
      none.fill(Block::Zero());
    else
      for (auto& row : none) row.fill(Block::Zero());
    return none;
  }();
  Sums<M, Value> base{source, zero, 1}, tilted{tilt ? *tilt : zero, zero, 1}, all{zero, zero, 0};
  for (auto left = static_cast<long long>(n);; left /= 2) {
    const LaneMatrix<M> power = powers.map();
    if (left % 2 == 1) {
      x = carried<M>(power, x);
      add_to<M>(x, base.plain);
      if (tilt) {
        Sums<M, Value> longer = tilted;
        longer.follow(all, power);
        all = longer;
      }
    }
    if (left <= 1) break;
    add_to<M>(base.plain, carried<M>(power, Value(base.plain)));
    if (tilt) tilted.follow(Sums<M, Value>(tilted), power);
    powers.square();
  }
  if (tilt) add_to<M>(x, all.tilted());
  return x;
}

/// Moments of lanes of modes: what runs differ by, and the mean of one direction.
template <int M>
struct LaneMoments {
  LaneMatrix<M> spread;
  LaneVector<M> mean;

  LaneMoments(const Recursion& recursion, const BlockState& state, Eigen::Index first)
      : spread(load_moments<M>(state.own, first)) {
    if (state.mean.size() == 0) return;
    const Block n = recursion.multiplicity().segment<kBlock>(first);
    for (int i = 0; i < M; ++i) mean[i] = state.mean.col(i).segment<kBlock>(first);
    for (int i = 0; i < M; ++i)
      for (int j = 0; j < M; ++j) spread[i][j] -= n * mean[i] * mean[j];
  }
  void store(const Recursion& recursion, Eigen::Index first, BlockState& state) const {
    LaneMatrix<M> all = spread;
    if (state.mean.size() > 0) {
      const Block n = recursion.multiplicity().segment<kBlock>(first);
      for (int i = 0; i < M; ++i) {
        state.mean.col(i).segment<kBlock>(first) = mean[i];
        for (int j = 0; j < M; ++j) all[i][j] += n * mean[i] * mean[j];
      }
    }
    store_moments<M>(all, first, state.own);
  }
};

}  // namespace riskcurve
