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

/// sum_l f_l over lags at once: log m at x w_l, and w_l Q there, over the lags l < steps.
struct LagSums {
  double log, slope;
};

/// Euler and Maclaurin over all lags from the one at y on, of weight 1.
LagSums lags_from(const EntryTransform& transform, double y, double delta) {
  const double q = transform.ratio(y), d = 1e-3;
  const double growth =
      q + (transform.ratio(y + d) - transform.ratio(y - d)) / (2 * d);  // of e^y Q, over e^y
  return {transform.integral(y) / delta + 0.5 * transform.log(y) + delta / 12 * transform.slope(y),
          transform.weighted_integral(y) / delta + 0.5 * q + delta / 12 * growth};
}

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

void add(SignNoise& sum, double weight, const SignNoise& x) {
  sum.seen += weight * x.seen;
  sum.felt += weight * x.felt;
  sum.remainder += weight * x.remainder;
  sum.shared.progress_variance += weight * x.shared.progress_variance;
  sum.shared.covariance += weight * x.shared.covariance;
  sum.shared.size_variance += weight * x.shared.size_variance;
}

}  // namespace

double cubic_weight(double x, int i) {
  double weight = 1;
  for (int j = 0; j < 4; ++j)
    if (j != i) weight *= (x - j) / (i - j);
  return weight;
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
  const LagWeights weights(momentum, filter.share_of(momentum));
  // Up to 1.2 times a power of two, so that what is sampled is smooth in the momentum but for
  // there.
  const double memory = 1.2 * std::exp2(std::ceil(-std::log2(1.2 * (1 - momentum))));
  constexpr double memories = 1000, samples = 1e6;
  const int b = std::min(batch, kMostDrawn);
  const auto steps = static_cast<std::size_t>(
      std::max(60 * memory, std::min(memories * memory + 1000, samples / b)));
  const auto warm = static_cast<std::size_t>(16 * memory) + 2;
  const auto drawn = draws->first(steps + warm);
  std::vector<BatchSample> batches(steps + warm);
  std::vector<double> inverse(steps + warm), later(steps + warm);
  const double beta2 = momentum * momentum;
  double past = 0;  // sum_(l >= 1) of (w_l/w_1)^2 q_l
  for (std::size_t k = 0; k < batches.size(); ++k) {
    batches[k] = (*drawn)[k].at(risk);
    const double q = batches[k].square;
    const double w0 = weights.first, w1 = weights.later;
    inverse[k] = 1 / std::sqrt(w0 * w0 * q + w1 * w1 * past);
    // r_l of the lags l >= 1 is w_1 beta^(l-1) of this, over both roots.
    later[k] = w1 * (w0 * q + momentum * w1 * past);
    past = beta2 * past + q;
  }
  // Backwards: D of each batch, but for those that not all who remember them are there of.
  double rest = 0;
  BatchMoves moves;
  for (std::size_t k = batches.size(); k-- > warm;) {
    const double d = weights.first * inverse[k] + weights.later * rest;
    rest = momentum * rest + inverse[k];
    if (k + warm < batches.size()) moves.add(batches[k], d);
  }
  // Lags one by one at first, then at growing distances.
  const auto excess = [](double r) { return std::asin(std::min(r, 1.0)) - std::min(r, 1.0); };
  double remainder = excess(1), plain = excess(1), before = 0, plain_before = 0;
  std::size_t lag_before = 0;
  const double stride_growth = 0.08;
  for (std::size_t lag = 1; lag + 1 < warm;
       lag += 1 + static_cast<std::size_t>(stride_growth * static_cast<double>(lag))) {
    const double decayed = std::pow(momentum, static_cast<double>(lag - 1));
    const std::size_t stride = 1 + static_cast<std::size_t>(0.1 * memory);
    double sum = 0;
    std::size_t n = 0;
    for (std::size_t k = warm; k + warm < batches.size(); k += stride, ++n)
      sum += excess(decayed * later[k] * inverse[k] * inverse[k + lag]);
    sum /= static_cast<double>(n);
    const double plain_now = excess(weights.correlation() * decayed);
    const auto width = static_cast<double>(lag - lag_before);
    // The trapezoid over the lags after the last up to this one.
    if (lag == 1) {
      remainder += 2 * sum;
      plain += 2 * plain_now;
    } else {
      remainder += (width - 1) * before + (width + 1) * sum;
      plain += (width - 1) * plain_before + (width + 1) * plain_now;
    }
    before = sum;
    plain_before = plain_now;
    lag_before = lag;
  }
  // Of more samples q fluctuates as much less, where it has a mean.
  const double less = std::isinf(law.noise_variance()) ? 1 : static_cast<double>(b) / batch;
  return {1, 1 + (moves.size() * weights.squares() - 1) * less, 1 + (remainder / plain - 1) * less,
          moves.shared(risk, b, batch)};
}

FilteredNoise::AtMomentum::AtMomentum(const Setting& setting, double momentum)
    : setting_(setting),
      momentum_(momentum),
      seen_([setting, momentum](double x) { return setting.seen(x * x * x * x, momentum); }) {
  if (setting.law.gaussian()) {
    // By the noise too: batches are drawn with it.
    using Key = std::tuple<std::string, double, int, GradientOf, double, double>;
    static Memo<Key, std::pair<double, SignNoise>> units;
    const auto unit =
        units({setting.noise.kind, setting.noise.variance, setting.batch, setting.entries, momentum,
               setting.filter.share_of(momentum)},
              [&] {
                return std::pair(setting.seen(0.5, momentum) / (1 + setting.law.noise_variance()),
                                 setting.spread(0.5, momentum));
              });
    std::tie(unit_, unit_spread_) = *unit;
  } else {
    nodes_ = std::make_unique<Node[]>(kHighest - kLowest + 1);
    scale_ = typical_square(setting.noise, 0);
  }
}

const FilteredNoise::AtMomentum::Node& FilteredNoise::AtMomentum::node_at(int power_of_16) const {
  Node& node = nodes_[static_cast<std::size_t>(power_of_16 - kLowest)];
  std::call_once(node.filled, [&] {
    const double risk = std::ldexp(1.0, 4 * power_of_16);
    node.spread = setting_.spread(risk, momentum_);
    node.starts = setting_.starts(risk, momentum_);
  });
  return node;
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

SignNoise FilteredNoise::AtMomentum::operator()(double risk, double steps) const {
  if (setting_.law.gaussian()) {
    SignNoise sign = unit_spread_;
    sign.seen = unit_ * (2 * risk + setting_.law.noise_variance());
    sign.felt *= sign.seen;
    return sign;
  }
  if (std::isnan(risk)) return {NAN, NAN, NAN, {}};  // of a run that has left the numbers
  // Slow but for seen: between powers of 16 of R, from where noise rules to where it is nothing.
  const double seen_risk =
      scale_ > 0 ? std::clamp(risk, 1e-5 * scale_, 1e5 * scale_) : std::max(risk, kVanishedRisk);
  const double x = 0.25 * std::log2(seen_risk);
  // Beyond, where nothing changes, of one node.
  const bool one = seen_risk != risk;
  const auto first = static_cast<int>(std::floor(x)) - 1;
  SignNoise sign{};
  // Of the first steps between t = 1, 2, 4, ..
  const double when = std::log2(steps), step = std::floor(when);
  Eigen::Array2d started = Eigen::Array2d::Zero();
  for (int i = 0; i < 4; ++i) {
    if (one && i != 1) continue;
    const Node& node = node_at(first + i);
    const double weight = one ? 1 : cubic_weight(x - first, i);
    add(sign, weight, node.spread);
    if (!(step + 1 < static_cast<double>(node.starts.size()))) continue;
    const auto j = static_cast<std::size_t>(step);
    started += weight * (node.starts[j] + (when - step) * (node.starts[j + 1] - node.starts[j]));
  }
  started = started.exp();
  sign.seen = seen_(std::sqrt(std::sqrt(risk)));
  sign.felt *= sign.seen * started[0];
  sign.seen *= started[0] / started[1];
  return sign;
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
  const double x = -std::log1p(-momentum) / kMomentaApart, first = std::max(0.0, std::floor(x) - 1);
  SignNoise sign{};
  for (int i = 0; i < 4; ++i)
    add(sign, cubic_weight(x - first, i),
        of(-std::expm1(-kMomentaApart * (first + i)))(risk, steps));
  return sign;
}

double between_wholes(double x, const std::function<double(double)>& f) {
  const double first = std::max(0.0, std::floor(x) - 1);
  double sum = 0;
  for (int i = 0; i < 4; ++i) sum += cubic_weight(x - first, i) * f(first + i);
  return sum;
}

double between_momenta(double momentum, const std::function<double(double momentum)>& f) {
  return between_wholes(-std::log1p(-momentum) / kMomentaApart,
                        [&](double whole) { return f(-std::expm1(-kMomentaApart * whole)); });
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
