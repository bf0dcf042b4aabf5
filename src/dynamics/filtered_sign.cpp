#include "dynamics/filtered_sign.hpp"

#include <algorithm>
#include <cmath>
#include <numbers>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

#include "dynamics/batch_samples.hpp"
#include "dynamics/entry_transform.hpp"
#include "dynamics/memo.hpp"

namespace riskcurve {
namespace {

using std::numbers::pi;

/// Euler and Maclaurin over all lags from the one at y on, of weight 1.
LagSums lags_from(const EntryTransform& transform, double y, double delta) {
  const double q = transform.ratio(y), d = 1e-3;
  const double growth =
      q + (transform.ratio(y + d) - transform.ratio(y - d)) / (2 * d);  // of e^y Q, over e^y
  return {transform.integral(y) / delta + 0.5 * transform.log(y) + delta / 12 * transform.slope(y),
          transform.weighted_integral(y) / delta + 0.5 * q + delta / 12 * growth};
}

SharedNoise as_shared(const Eigen::Array3d& x) {
  return {x[0], x[1], x[2]};
}
Eigen::Array3d as_array(const SignNoise& x) {
  return {x.seen, x.felt, x.remainder};
}

}  // namespace

LagSums lag_sums(const EntryTransform& transform, double y, const LagWeights& weights,
                 double steps) {
  const double y0 = y + std::log(weights.first), later = steps - 1;
  LagSums sums{transform.log(y0), weights.first * transform.ratio(y0)};
  if (!(weights.later > 0) || !(later > 0)) return sums;
  const double y1 = y + std::log(weights.later), delta = -std::log(weights.beta);
  constexpr double few = 32;
  if (delta > 0.02 || later <= few) {
    double at = y1, weight = weights.later, l = 0;
    for (; at > transform.low() && l < later; at -= delta, weight *= weights.beta, ++l) {
      sums.log += transform.log(at);
      sums.slope += weight * transform.ratio(at);
    }
    const double decay = transform.slope(at) / transform.log(at) * delta, left = later - l;
    sums.log += transform.log(at) * std::expm1(-decay * left) / std::expm1(-decay);
    sums.slope += weight * std::expm1(-delta * left) / std::expm1(-delta);
    return sums;
  }
  const LagSums from = lags_from(transform, y1, delta);
  LagSums beyond{0, 0};
  if (std::isfinite(later)) beyond = lags_from(transform, y1 - delta * later, delta);
  sums.log += from.log - beyond.log;
  sums.slope += weights.later * (from.slope - std::exp(-delta * later) * beyond.slope);
  return sums;
}

LagWeights::LagWeights(double momentum, double share)
    : beta(momentum), first(1 - share), later(share * (1 - momentum)) {}

double LagWeights::squares(double steps) const {
  const double all = later > 0 ? later * later / (1 - beta * beta) : 0;
  return first * first + all * (1 - std::pow(beta, 2 * (steps - 1)));
}

double LagWeights::sum(double steps) const {
  return first + later * (1 - std::pow(beta, steps - 1)) / (1 - beta);
}

double LagWeights::correlation() const {
  return (first * later + later * later * beta / (1 - beta * beta)) / squares();
}

FilteredNoise::FilteredNoise(const NoiseLaw& noise, int batch, GradientOf entries,
                             const Filter& filter)
    : setting_{noise,  ResidualLaw(noise),
               batch,  entries,
               filter, std::make_shared<BatchDraws>(noise, std::min(batch, kMostDrawn), 0)},
      filter_(filter) {}

double FilteredNoise::Setting::seen(const EntryTransform& transform, double momentum,
                                    double steps) const {
  const LagWeights weights(momentum, filter.share_of(momentum));
  // slope = factor b int exp(b sum log m(x w_l)) sum w_l Q(x w_l) dx, in y = log x.
  const auto integrand = [&](double y) {
    const LagSums sums = lag_sums(transform, y, weights, steps);
    return std::exp(y + batch * sums.log) * sums.slope;
  };
  constexpr double h = 0.1;
  double top = transform.low(), peak = 0;
  for (double y = transform.low(); y < transform.high() + 20; y += 1)
    if (const double value = integrand(y); value > peak) peak = value, top = y;
  double sum = integrand(top);
  for (const double way : {h, -h})
    for (int i = 1; i < 2000; ++i) {
      const double value = integrand(top + i * way);
      sum += value;
      if (!(value > 1e-14 * peak)) break;
    }
  const double factor = entries == GradientOf::vector ? 2 * std::numbers::sqrt2 / pi : 2 / pi;
  const double slope = factor * batch * h * sum / weights.sum(steps);
  return 2 / pi / (slope * slope * weights.squares(steps));
}

SignNoise FilteredNoise::Setting::spread(double risk, double momentum) const {
  const LagWeights of = weights(momentum);
  const SignSpread spread = sign_spread(entry_transform(law, risk, GradientOf::vector), batch, of);
  return {1, spread.felt, spread.remainder / (pi / 2 * sign_remainder(pi / 2, of))};
}

Eigen::Array3d FilteredNoise::Setting::shared(double risk, double momentum) const {
  const LagWeights of = weights(momentum);
  const double square = momentum * momentum;
  const SharedNoise x = sampled_shared(*draws, risk, batch, {of.first, of.later, momentum},
                                       {of.first * of.first, of.later * of.later, square});
  return {x.progress_variance, x.covariance, x.size_variance};
}

FilteredNoise::AtMomentum::AtMomentum(const Setting& setting, double momentum)
    : setting_(setting), momentum_(momentum), seen_([setting, momentum](double x) {
        return setting.seen(kRiskOfNodes * x * x * x * x, momentum);
      }) {
  if (setting.law.gaussian()) {
    // By the noise too: batches are drawn with it.
    using Key = std::tuple<std::string, double, int, GradientOf, double, double>;
    static Memo<Key, Unit> units;
    const auto unit =
        units({setting.noise.kind, setting.noise.variance, setting.batch, setting.entries, momentum,
               setting.filter.share_of(momentum)},
              [&] {
                return Unit{setting.seen(0.5, momentum) / (1 + setting.law.noise_variance()),
                            setting.spread(0.5, momentum)};
              });
    unit_ = *unit;
  } else {
    nodes_ = std::make_unique<Node[]>(kHighest - kLowest + 1);
    scale_ = typical_square(setting.noise, 0);
  }
}

const FilteredNoise::AtMomentum::Node& FilteredNoise::AtMomentum::spread_at(int power_of_4) const {
  Node& node = node_at(power_of_4);
  std::call_once(node.filled, [&] {
    const double risk = std::ldexp(kRiskOfNodes, 2 * power_of_4);
    node.spread = setting_.spread(risk, momentum_);
    node.starts = setting_.starts(risk, momentum_);
  });
  return node;
}

const Eigen::Array3d& FilteredNoise::AtMomentum::shared_at(int power_of_4) const {
  Node& node = node_at(power_of_4);
  std::call_once(node.drawn, [&] {
    node.shared = setting_.shared(std::ldexp(kRiskOfNodes, 2 * power_of_4), momentum_);
  });
  return node.shared;
}

std::vector<Eigen::Array2d> FilteredNoise::Setting::starts(double risk, double momentum) const {
  const LagWeights weights(momentum, filter.share_of(momentum));
  const EntryTransform transform = entry_transform(law, risk, entries);
  const double all = seen(transform, momentum), last = std::log2(kStart / (1 - momentum));
  std::vector<Eigen::Array2d> starts;
  for (double i = 0; i < last; ++i)
    starts.emplace_back(std::log(seen(transform, momentum, std::exp2(i)) / all), 0);
  starts.emplace_back(0, 0);
  // What the filter holds of noise that had N_k over what it would of N_t all along.
  const auto before = [&](double steps) {
    const double at = std::log2(steps), whole = std::floor(at);
    const auto i = static_cast<std::size_t>(whole);
    return std::exp(starts[i][0] + (at - whole) * (starts[i + 1][0] - starts[i][0]));
  };
  for (std::size_t i = 0; i + 1 < starts.size(); ++i) {
    const double steps = std::exp2(static_cast<double>(i));
    double held = weights.first * weights.first * before(steps), w = weights.later;
    for (double k = steps - 1; k >= 1; --k, w *= weights.beta) held += w * w * before(k);
    starts[i][1] = std::log(held / (before(steps) * weights.squares(steps)));
  }
  return starts;
}

template <class F>
auto FilteredNoise::AtMomentum::between(double risk, int powers, const F& f) const {
  const double seen =
      scale_ > 0 ? std::clamp(risk, 1e-5 * scale_, 1e5 * scale_) : std::max(risk, kVanishedRisk);
  const double x = 0.5 * std::log2(seen / kRiskOfNodes) / powers;
  const int first = static_cast<int>(std::floor(x)) - 1;
  const auto at = [&](int node) { return f(powers * node); };
  if (seen != risk) return at(first + 1);
  return cubic_from(first, x, at);
}

SignNoise FilteredNoise::AtMomentum::operator()(double risk, double steps) const {
  if (setting_.law.gaussian()) {
    SignNoise sign = unit_.spread;
    sign.seen = unit_.seen * (2 * risk + setting_.law.noise_variance());
    sign.felt *= sign.seen;
    return sign;
  }
  if (std::isnan(risk)) return {NAN, NAN, NAN};  // of a run that has left the numbers
  const Eigen::Array3d spread = between(risk, 1, [&](int node) -> Eigen::Array3d {
                                  return as_array(spread_at(node).spread).log();
                                }).exp();
  // Of the first steps between t = 1, 2, 4, ..
  const double when = std::log2(steps), step = std::floor(when);
  const Eigen::Array2d started = between(risk, 1, [&](int node) -> Eigen::Array2d {
                                   const std::vector<Eigen::Array2d>& starts =
                                       spread_at(node).starts;
                                   if (!(step + 1 < static_cast<double>(starts.size())))
                                     return Eigen::Array2d::Zero();
                                   const auto j = static_cast<std::size_t>(step);
                                   return starts[j] + (when - step) * (starts[j + 1] - starts[j]);
                                 }).exp();
  const double seen = seen_(std::sqrt(std::sqrt(risk / kRiskOfNodes)));
  return {seen * started[0] / started[1], spread[1] * seen * started[0], spread[2]};
}

Eigen::Array3d FilteredNoise::AtMomentum::shared(double risk) const {
  if (setting_.law.gaussian()) {
    using Key = std::tuple<std::string, double, int, double, double>;
    static Memo<Key, Eigen::Array3d> units;
    return *units({setting_.noise.kind, setting_.noise.variance, setting_.batch, momentum_,
                   setting_.filter.share_of(momentum_)},
                  [&] { return setting_.shared(0.5, momentum_); });
  }
  return between(risk, 2, [&](int node) { return shared_at(node); });
}

const FilteredNoise::AtMomentum& FilteredNoise::of(double momentum) const {
  if (!filter_.varying && momentum == filter_.momentum) {
    std::call_once(tables_->filled, [&] {
      tables_->first = std::make_unique<const AtMomentum>(setting_, momentum);
    });
    return *tables_->first;
  }
  const std::lock_guard<std::mutex> hold(tables_->lock);
  auto& table = tables_->of[momentum];
  if (!table) table = std::make_unique<const AtMomentum>(setting_, momentum);
  return *table;
}

SignNoise FilteredNoise::operator()(double risk, double momentum, double steps) const {
  if (!filter_.varying) return of(momentum)(risk, steps);
  const Eigen::Array3d sign =
      between_momenta(momentum, [&](double m) { return as_array(of(m)(risk, steps)); });
  return {sign[0], sign[1], sign[2]};
}

SharedNoise FilteredNoise::shared(double risk, double momentum) const {
  if (!filter_.varying) return as_shared(of(momentum).shared(risk));
  return as_shared(between_momenta(momentum, [&](double m) { return of(m).shared(risk); }));
}

double signal_scale(const FilteredGradient& u, const SignNoise& noise) {
  const double held = u.noise.size() > 0 ? (u.weight * u.noise).maxCoeff() : 0,
               all = u.fresh * u.fresh * noise.felt + u.share * u.share * held;
  return std::sqrt(noise.felt / noise.seen / all);
}

double sign_remainder(double theta, const LagWeights& weights) {
  const double rho = std::sin(theta);
  double sum = theta - rho;
  const double r1 = weights.correlation();
  // Later lags one by one while they are large, then the rest of the series in geometric sums.
  double x = rho * r1;
  const auto excess = [](double y) { return std::asin(y) - y; };
  while (std::abs(x) > 0.05) {
    sum += 2 * excess(x);
    x *= weights.beta;
  }
  const double b3 = std::pow(weights.beta, 3), b5 = std::pow(weights.beta, 5);
  sum += 2 * (x * x * x / 6 / (1 - b3) + 3 * std::pow(x, 5) / 40 / (1 - b5) +
              15 * std::pow(x, 7) / 336 / (1 - b5 * weights.beta * weights.beta));
  return 2 / pi * sum;
}

}  // namespace riskcurve
