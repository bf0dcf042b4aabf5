#include "integrate/leaper.hpp"

#include <algorithm>
#include <cmath>
#include <vector>

namespace riskcurve {

using Eigen::ArrayXd;
using Eigen::ArrayXXd;
using Eigen::Index;

namespace {

template <int M>
LaneStep<M> lane_step(const Recursion& recursion, const BlockInstant& at, Index first) {
  const BlockStep& step = at.step;
  Block l;
  const bool pulled = recursion.inverse().size() > 0;
  if (pulled) l = recursion.inverse().segment<kBlock>(first);
  const Block a = at.drift.segment<kBlock>(first), after = at.after.segment<kBlock>(first);
  Block before = Block::Zero();
  if (at.before.size() > 0) before = at.before.segment<kBlock>(first);
  LaneStep<M> what;
  what.map = maps<M>(step, a, pulled ? &l : nullptr);
  const LaneVector<M> z = noise_before<M>(step, a);
  for (int i = 0; i < M; ++i)
    for (int j = 0; j < M; ++j)
      what.noise[i][j] = after * (step.push[i] * step.push[j]) + before * z[i] * z[j];
  if (recursion.sees_directions()) {
    const Block mean = at.directions.mean.value.segment<kBlock>(first);
    what.mean_map = maps<M>(step, mean, pulled ? &l : nullptr);
    set_zero<M>(what.given);
  }
  return what;
}

// Leaps in a row that are not looked at again once one was wrong by so little of what is asked.
constexpr int kTrusted = 3;
constexpr double kNothing = 1e-4;

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

double Leaper::until_break(double k) const {
  double end = horizon_;
  const auto seen = [&](const std::vector<double>& breaks) {
    for (const double at : breaks)
      if (std::ceil(at) > k) end = std::min(end, std::ceil(at));
  };
  const Blocks& blocks = recursion_.blocks();
  seen(recursion_.schedule().breaks);
  seen(recursion_.system().breaks);
  for (const auto* of : {&blocks.momentum, &blocks.weight_decay})
    if (*of) seen((*of)->breaks);
  return end - k;
}

double Leaper::weights_after(double k, double n, double weights) const {
  const double power = recursion_.blocks().weight_power;
  if (power == 0) return weights + n;
  return weights + n * std::pow(recursion_.gamma(k + 0.5 * (n - 1)), power);
}

std::unique_ptr<Look> Leaper::look(double k, double steps, double weights, BlockState before,
                                   const Look* near) const {
  BlockInstant at = recursion_.instant(k + steps, weights_after(k, steps, weights), before);
  return std::make_unique<Look>(recursion_, std::move(at), std::move(before), near);
}

BlockState Leaper::led(const Way& way, double steps, const BlockState& from, bool with_lags) const {
  if (recursion_.system().filtered) return lead_filtered(recursion_, way, steps, from, with_lags);
  BlockState to = from;
  with_size(recursion_.blocks().size, [&](auto m) {
    lead_lanes<m()>(recursion_, way, steps, from, to, [&](const Look& look, Index k) {
      return lane_step<m()>(recursion_, look.at, k);
    });
  });
  return to;
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
  std::unique_ptr<Look> first;
  if (kept_at_ == k) first = std::move(kept_);
  kept_at_ = -1;
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
    if (!first) first = look(k, 0, weights, state);
    auto middle = look(k, half, weights, led({n, *first}, half, state));
    BlockState whole = led({n, *middle, first.get()}, n, state);
    if (trusted_ > 0 && n <= rest_ && error(whole, state) <= rtol_) {
      --trusted_;
      state = std::move(whole);
      weights = weights_after(k, n, weights);
      return n;
    }
    // Schedules may jump where the leap ends.
    const double end = n < until_break(k) && goes_on(k, n + 1) ? n : n - 1;
    auto last = look(k, end, weights, whole);
    const Way through{n, *middle, first.get(), last.get(), end};
    const auto again = look(k, half, weights, led(through, half, state, false), middle.get());
    BlockState better = led({n, *again, first.get(), last.get(), end}, n, state, false);
    better.past.lags = last->past.lags;
    const double wrong = error(whole, better);
    const double growth = std::cbrt(rtol_ / std::max(wrong, 1e-3 * rtol_));
    if (!(wrong <= rtol_)) {
      length_ = std::max(0.2, std::isfinite(wrong) ? 0.8 * growth : 0.2) * n;
      continue;
    }
    if (n >= 0.5 * length_ || growth < 1) length_ = std::clamp(0.8 * growth, 0.5, 4.0) * n;
    state = std::move(better);
    rest_ = n;
    trusted_ = wrong <= kNothing * rtol_ ? kTrusted : 0;
    weights = weights_after(k, n, weights);
    if (end == n) {
      kept_ = std::move(last);
      kept_at_ = k + n;
    }
    return n;
  }
  length_ = std::max(length_, 2 * fewest());
  return 0;
}

}  // namespace riskcurve
