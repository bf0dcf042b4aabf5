#include "integrate/leaper.hpp"

#include <algorithm>
#include <cmath>
#include <optional>

#include "integrate/led_lanes.hpp"

namespace riskcurve {

using Eigen::ArrayXd;
using Eigen::ArrayXXd;
using Eigen::Index;

namespace {

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

// Leaps in a row that are not halved once one was wrong by so little of what is asked.
constexpr int kTrusted = 3;
constexpr double kNothing = 1e-4;

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
    moments.spread = led_on<M>(at.map, moments.spread, at.noise, n, tilt ? &source : nullptr);
    if (start.mean.size() > 0)
      moments.mean = led_on<M>(at.mean_map, moments.mean, none, n, tilt ? &pulled : nullptr);
    moments.store(recursion, first, end);
  }
}

/// Whether `of` goes from step k over n of them as straight as five of them say, at others too:
/// what jumps between steps that are looked at would go unseen.
template <class Of>
bool goes_on_from(const Of& of, double k, double n) {
  constexpr int kParts = 4, kOthers = 8;
  constexpr double kGolden = 0.6180339887498949;
  const auto place = [n](int part) { return std::floor((n - 1) * part / kParts); };
  double value[kParts + 1], change = 0;
  for (int part = 0; part <= kParts; ++part) {
    value[part] = of(k + place(part));
    if (part > 0) change = std::max(change, std::abs(value[part] - value[part - 1]));
  }
  for (int other = 1; other <= kOthers; ++other) {
    const double at = std::floor((n - 1) * std::fmod(other * kGolden, 1.0));
    int part = 0;
    while (part + 1 < kParts && at >= place(part + 1)) ++part;
    const double share = (at - place(part)) / (place(part + 1) - place(part)),
                 straight = value[part] + share * (value[part + 1] - value[part]);
    if (!(std::abs(of(k + at) - straight) <= 0.25 * change + 1e-9 * std::abs(value[0])))
      return false;
  }
  return true;
}

/// sum_k h_k |S_ii - S'_ii| over that of S'.
double apart(const Recursion& recursion, const BlockState& a, const BlockState& b, int i) {
  const auto moment = [&](const BlockState& state) -> ArrayXd {
    return recursion.system().weight *
           state.own.col(entry(recursion.blocks().size, i, i)).head(recursion.system().modes());
  };
  const ArrayXd of_b = moment(b);
  const double all = of_b.sum();
  return all > 0 ? (moment(a) - of_b).abs().sum() / all : 0;
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

BlockInstant Leaper::instant(double k, double steps, double weights,
                             const BlockState& state) const {
  return recursion_.instant(k + steps, weights_after(k, steps, weights), state);
}

BlockState Leaper::after(double k, double n, double weights, const BlockState& from,
                         const BlockInstant& at) const {
  if (recursion_.system().filtered) return filtered_after(k, n, weights, from, at);
  const auto lead = [&](const BlockInstant& middle, const Tilt* tilt, double count) {
    BlockState to = from;
    with_size(recursion_.blocks().size,
              [&](auto m) { leap_lanes<m()>(recursion_, middle, tilt, count, from, to); });
    return to;
  };
  const double half = 0.5 * (n - 1);
  const BlockState middle = lead(instant(k, half, weights, from), nullptr, std::floor(0.5 * n));
  const BlockInstant there = instant(k, half, weights, middle);
  const BlockState guess = lead(there, nullptr, n);
  const BlockInstant last = instant(k, n - 1, weights, guess);
  const Tilt tilt{at, last, guess};
  return lead(there, &tilt, n);
}

BlockState Leaper::filtered_after(double k, double n, double weights, const BlockState& from,
                                  const BlockInstant& at) const {
  const double half = std::floor(0.5 * n);
  const BlockState middle = lead_filtered(recursion_, at, from, half, from);
  return lead_filtered(recursion_, instant(k, half, weights, middle), middle, n, from, &at);
}

bool Leaper::goes_on(double k, double n) const {
  const Blocks& blocks = recursion_.blocks();
  for (const auto* of : {&blocks.momentum, &blocks.weight_decay})
    if (*of && !goes_on_from(**of, k, n)) return false;
  return goes_on_from([this](double at) { return recursion_.gamma(at); }, k, n);
}

double Leaper::leap(double k, double most, double& weights, BlockState& state) {
  const bool filtered = static_cast<bool>(recursion_.system().filtered);
  const auto error = [&](const BlockState& a, const BlockState& b) {
    double worst = std::abs(recursion_.risk(a) / recursion_.risk(b) - 1);
    // Where rates hang on single modes and swing with the momentum, these too.
    for (int i = 0; filtered && i < recursion_.blocks().size; ++i)
      worst = std::max(worst, apart(recursion_, a, b, i));
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
  std::optional<BlockInstant> first;
  while (most >= fewest()) {
    double n = std::min(length_, most);
    // A look at the map is more work than bits: as few leaps as there are, all of a length.
    n = filtered ? 2 * std::ceil(0.5 * most / std::ceil(most / n)) : round(n);
    if (n > most) n -= 2;
    if (n < fewest()) break;
    if (!goes_on(k, n)) {
      length_ = 0.5 * n;
      continue;
    }
    const double half = 0.5 * n;
    if (!first) first = instant(k, 0, weights, state);
    BlockState whole = after(k, n, weights, state, *first);
    if (trusted_ > 0 && n <= rest_ && error(whole, state) <= rtol_) {
      --trusted_;
      state = std::move(whole);
      weights = weights_after(k, n, weights);
      return n;
    }
    const double weights_between = weights_after(k, half, weights);
    const BlockState between = after(k, half, weights, state, *first),
                     second = after(k + half, half, weights_between, between,
                                    instant(k + half, 0, weights_between, between));
    const double wrong = error(whole, second);
    const double growth = std::cbrt(rtol_ / std::max(wrong, 1e-3 * rtol_));
    if (!(wrong <= rtol_)) {
      length_ = std::max(0.2, std::isfinite(wrong) ? 0.8 * growth : 0.2) * n;
      continue;
    }
    if (n >= 0.5 * length_ || growth < 1) length_ = std::clamp(0.8 * growth, 0.5, 4.0) * n;
    state = second;
    rest_ = n;
    trusted_ = wrong <= kNothing * rtol_ ? kTrusted : 0;
    state.own += (second.own - whole.own) / 3;
    if (state.mean.size() > 0) state.mean += (second.mean - whole.mean) / 3;
    weights = weights_after(k + half, half, weights_between);
    return n;
  }
  length_ = std::max(length_, 2 * fewest());
  return 0;
}

}  // namespace riskcurve
