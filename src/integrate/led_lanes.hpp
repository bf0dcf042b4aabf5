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
void set_zero(LaneMatrix<M>& x) {
  for (auto& row : x) row.fill(Block::Zero());
}
template <int M>
void set_zero(LaneVector<M>& x) {
  x.fill(Block::Zero());
}

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

/// x after n steps of this map, that each add source[0] + source[1] i + source[2] i^2 (up to the
/// degree), i the steps after it. Value: LaneMatrix (carried from both sides) or LaneVector.
template <int M, class Value>
Value led_on(const LaneMatrix<M>& map, const Value& x, const std::array<Value, 3>& source,
             int degree, double n) {
  Powers<M> powers(map);
  // Of the last `count` steps, and of all before them, by the powers of i that are left.
  std::array<Value, 3> base = source, all;
  all[0] = x;
  for (int p = 1; p <= degree; ++p) set_zero<M>(all[p]);
  double count = 1;
  const auto follow = [&](std::array<Value, 3>& later, const std::array<Value, 3>& earlier,
                          const LaneMatrix<M>& power) {
    for (int p = 0; p <= degree; ++p) {
      Value shifted = earlier[p];
      if (p < degree) add_to<M>(shifted, earlier[p + 1], (p + 1) * count);
      if (p + 2 <= degree) add_to<M>(shifted, earlier[p + 2], count * count);
      add_to<M>(later[p], carried<M>(power, shifted));
    }
  };
  for (auto left = static_cast<long long>(n);; left /= 2) {
    const LaneMatrix<M> power = powers.map();
    if (left % 2 == 1) {
      std::array<Value, 3> longer = base;
      follow(longer, all, power);
      all = longer;
    }
    if (left <= 1) break;
    follow(base, std::array<Value, 3>(base), power);
    count *= 2;
    powers.square();
  }
  return all[0];
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
