#include "integrate/leaper.hpp"

#include <algorithm>
#include <cmath>

#include "integrate/block_lanes.hpp"

namespace riskcurve {

using Eigen::ArrayXd;
using Eigen::ArrayXXd;
using Eigen::Index;

namespace {

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

template <int M, class Value>
Value led_on(const LaneMatrix<M>& map, Value x, const Value& source, const Value* tilt, double n) {
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

/// What one instant does to one lane of modes.
template <int M>
struct Lane {
  LaneMatrix<M> map, noise, mean_map;

  Lane(const Recursion& recursion, const BlockInstant& at, Index first) {
    const BlockStep& step = at.step;
    Block l;
    const bool pulled = recursion.inverse().size() > 0;
    if (pulled) l = recursion.inverse().segment<kBlock>(first);
    const Block a = at.drift.segment<kBlock>(first), after = at.after.segment<kBlock>(first);
    Block before = Block::Zero();
    if (at.before.size() > 0) before = at.before.segment<kBlock>(first);
    map = maps<M>(step, a, pulled ? &l : nullptr);
    const LaneVector<M> z = noise_before<M>(step, a);
    for (int i = 0; i < M; ++i)
      for (int j = 0; j < M; ++j)
        noise[i][j] = after * (step.push[i] * step.push[j]) + before * z[i] * z[j];
    if (recursion.sees_directions()) {
      const Block mean = at.directions.mean.value.segment<kBlock>(first);
      mean_map = maps<M>(step, mean, pulled ? &l : nullptr);
    }
  }
};

template <int M>
struct LaneMoments {
  LaneMatrix<M> spread;
  LaneVector<M> mean;

  LaneMoments(const Recursion& recursion, const BlockState& state, Index first)
      : spread(load_moments<M>(state.own, first)) {
    if (state.mean.size() == 0) return;
    const Block n = recursion.multiplicity().segment<kBlock>(first);
    for (int i = 0; i < M; ++i) mean[i] = state.mean.col(i).segment<kBlock>(first);
    for (int i = 0; i < M; ++i)
      for (int j = 0; j < M; ++j) spread[i][j] -= n * mean[i] * mean[j];
  }
};

/// Instants at the first and the last of the steps, and the state that they end in but for what
/// these change.
struct Tilt {
  const BlockInstant &from, &to;
  const BlockState& end;
};

template <int M>
void leap_lanes(const Recursion& recursion, const BlockInstant& middle, const Tilt* tilt, double n,
                const BlockState& start, BlockState& end) {
  for (Index first = 0; first < start.own.rows(); first += kBlock) {
    const Lane<M> at(recursion, middle, first);
    LaneMoments<M> moments(recursion, start, first);
    LaneMatrix<M> by_map, by_mean_map, source;
    LaneVector<M> pulled, none;
    none.fill(Block::Zero());
    if (tilt) {
      const Lane<M> from(recursion, tilt->from, first), to(recursion, tilt->to, first);
      const LaneMoments<M> later(recursion, tilt->end, first);
      by_map = to.map;
      add_to<M>(by_map, from.map, -1);
      LaneMatrix<M> between = moments.spread;
      add_to<M>(between, later.spread);
      const LaneMatrix<M> half = product<M>(product<M>(by_map, between), transposed<M>(at.map));
      source = to.noise;
      add_to<M>(source, from.noise, -1);
      add_to<M>(source, half, 0.5);
      add_to<M>(source, transposed<M>(half), 0.5);
      if (start.mean.size() > 0) {
        by_mean_map = to.mean_map;
        add_to<M>(by_mean_map, from.mean_map, -1);
        LaneVector<M> twice = moments.mean;
        add_to<M>(twice, later.mean);
        pulled = none;
        add_to<M>(pulled, carried<M>(by_mean_map, twice), 0.5);
      }
    }
    LaneMatrix<M> s = led_on<M>(at.map, moments.spread, at.noise, tilt ? &source : nullptr, n);
    if (start.mean.size() > 0) {
      const LaneVector<M> mean =
          led_on<M>(at.mean_map, moments.mean, none, tilt ? &pulled : nullptr, n);
      const Block count = recursion.multiplicity().segment<kBlock>(first);
      for (int i = 0; i < M; ++i) {
        end.mean.col(i).segment<kBlock>(first) = mean[i];
        for (int j = 0; j < M; ++j) s[i][j] += count * mean[i] * mean[j];
      }
    }
    store_moments<M>(s, first, end.own);
  }
}

}  // namespace

bool Leaper::can(const Recursion& recursion) {
  return recursion.blocks().jump_period == 0 && recursion.blocks().workers == 1 &&
         (recursion.system().filtered || !recursion.system().squares);
}

double Leaper::weights_after(double k, double n, double weights) const {
  const double power = recursion_.blocks().weight_power;
  if (power == 0) return weights + n;
  return weights + n * std::pow(recursion_.gamma(k + 0.5 * (n - 1)), power);
}

BlockState Leaper::after(double k, double n, double weights, const BlockState& from) const {
  const auto lead = [&](const BlockInstant& middle, const BlockState& seen, const Tilt* tilt,
                        double count) {
    if (recursion_.system().filtered) return lead_filtered(recursion_, middle, seen, count, from);
    BlockState to = from;
    with_size(recursion_.blocks().size,
              [&](auto m) { leap_lanes<m()>(recursion_, middle, tilt, count, from, to); });
    return to;
  };
  const auto instant = [&](double steps, const BlockState& state) {
    return recursion_.instant(k + steps, weights_after(k, steps, weights), state);
  };
  const double half = 0.5 * (n - 1);
  const BlockState middle = lead(instant(half, from), from, nullptr, std::floor(0.5 * n));
  const BlockInstant there = instant(half, middle);
  const BlockState guess = lead(there, middle, nullptr, n);
  if (recursion_.system().filtered) return guess;
  const BlockInstant first = instant(0, from), last = instant(n - 1, guess);
  const Tilt tilt{first, last, guess};
  return lead(there, middle, &tilt, n);
}

double Leaper::leap(double k, double most, double& weights, BlockState& state) {
  const auto error = [&](const BlockState& a, const BlockState& b) {
    double worst = std::abs(recursion_.risk(a) / recursion_.risk(b) - 1);
    if (recursion_.blocks().report_at.size() > 0)
      worst =
          std::max(worst, std::abs(recursion_.averaged_risk(a) / recursion_.averaged_risk(b) - 1));
    return worst;
  };
  // Few bits: each is work.
  const auto round = [](double n) {
    if (!(n >= 2)) return 0.0;
    const double unit = std::exp2(std::max(1.0, std::floor(std::log2(n)) - 2));
    return unit * std::floor(n / unit);
  };
  const double order = recursion_.system().filtered ? 1 : 2;
  while (true) {
    const double n = round(std::min(length_, most)), half = 0.5 * n;
    if (n < fewest()) {
      length_ = 2 * fewest();
      return 0;
    }
    const BlockState whole = after(k, n, weights, state);
    const double weights_between = weights_after(k, half, weights);
    const BlockState second =
        after(k + half, half, weights_between, after(k, half, weights, state));
    const double wrong = error(whole, second);
    const double growth = std::pow(rtol_ / std::max(wrong, 1e-3 * rtol_), 1.0 / (order + 1));
    if (!(wrong <= rtol_)) {
      length_ = std::max(0.2, std::isfinite(wrong) ? 0.8 * growth : 0.2) * n;
      continue;
    }
    if (n >= 0.7 * length_ || growth < 1) length_ = std::clamp(0.8 * growth, 0.5, 4.0) * n;
    state = second;
    const double beyond = std::exp2(order) - 1;
    state.own += (second.own - whole.own) / beyond;
    if (state.mean.size() > 0) state.mean += (second.mean - whole.mean) / beyond;
    weights = weights_after(k + half, half, weights_between);
    return n;
  }
}

}  // namespace riskcurve
