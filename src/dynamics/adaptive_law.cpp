#include <algorithm>
#include <array>
#include <cmath>
#include <numbers>
#include <tuple>

#include "dynamics/adaptive_scalars.hpp"
#include "dynamics/batch_power.hpp"
#include "dynamics/batch_samples.hpp"
#include "dynamics/cubic.hpp"
#include "dynamics/entry_transform.hpp"
#include "dynamics/lag_sums.hpp"
#include "dynamics/memo.hpp"

namespace riskcurve {
namespace {

/// Between nodes: 1e-6, but for squares without a mean, 1e-4 in C beside a filter, and for those of
/// a step or two, 1e-5.
double step_of_nodes(const NoiseLaw& noise, double beta2) {
  return std::isinf(noise.variance) || beta2 < 0.8 ? kNodeStep : 0.5;
}

/// H of the first steps from nothing, by how fast phi falls a step: n steps ago there were so many
/// fewer, phi over theirs is e^(n fall) larger, and both means had other corrections.
class LaterOfStart {
 public:
  static constexpr int kFalls = 7;
  using Values = std::array<double, kFalls>;

  LaterOfStart(const LagWeights& weights, double beta2, double steps, double steepest)
      : beta_(weights.beta), beta2_(beta2), steepest_(steepest) {
    const auto of = [&](double n) {  // corrections, and the share of lags that both have
      return std::sqrt(-std::expm1(n * std::log(beta2))) / weights.sum(n) *
             -std::expm1(2 * n * std::log(beta_));
    };
    double carried = 1;
    for (double n = 1; n < steps && carried > 1e-5; ++n) {
      carried *= beta_;
      shares_.push_back(of(steps - n) / of(steps));
    }
  }
  Values operator()(const BatchPower& power, double y) const {
    const double delta = -std::log(beta2_), log_x = std::log((1 - beta2_) * y);
    Values sum{}, grown, growth;
    for (int f = 0; f < kFalls; ++f) {
      growth[f] = std::exp(fall(f));
      grown[f] = 1;
    }
    double log_term = 0;
    for (std::size_t n = 0; n < shares_.size(); ++n) {
      log_term +=
          std::log(beta_) + 0.5 * delta + power.log_psi(log_x + static_cast<double>(n + 1) * delta);
      const double term = std::exp(log_term) * shares_[n];
      for (int f = 0; f < kFalls; ++f) sum[f] += term * (grown[f] *= growth[f]);
    }
    return sum;
  }
  /// Between values at falls, on lines of logarithms.
  double at(const Values& values, double fall) const {
    if (!(steepest_ > 0)) return values[0];
    const int low =
        std::min(static_cast<int>((kFalls - 1) * std::sqrt(fall / steepest_)), kFalls - 2);
    const double share = (fall - this->fall(low)) / (this->fall(low + 1) - this->fall(low));
    return values[low] * std::pow(values[low + 1] / values[low], share);
  }

 private:
  double fall(int f) const { return steepest_ * f * f / ((kFalls - 1) * (kFalls - 1)); }
  double beta_, beta2_, steepest_;
  std::vector<double> shares_;
};

/// A and C of means over the last `steps` gradients, of weights that sum to what all do; from
/// nothing: steps before had fewer.
AdaptiveScalars scalars_of(const BatchPower& power, const LagWeights& weights, double beta2,
                           double steps, double step_of_nodes, bool from_nothing = false) {
  const double squares = -std::expm1(steps * std::log(beta2)), filter = weights.sum(steps);
  AdaptiveScalars scalars{0, 0, 0};
  struct Node {
    double s, weight;
    LaterOfStart::Values later;
  };
  const LagNodes lags(weights, beta2, steps);
  const double reach = power.reach(lags);
  std::vector<Node> nodes;
  for (int i = 0; i < 200; ++i) {
    const RootNode node = root_node(i, step_of_nodes);
    const double s = node.s * reach, weight = node.weight * std::sqrt(reach * squares) / filter;
    const double weight_of_sum = std::sqrt(std::numbers::pi * s * squares) / filter;
    const SumsOverLags sums = power.sums(s, lags);
    const double phi = std::exp(sums.log_phi);
    scalars.gain += weight * phi * sums.slope;
    // Of one time the double integral is over s + y alone, whose measure is pi d(s + y).
    scalars.noise += weight * weight_of_sum * phi * sums.square;
    nodes.push_back({s, weight, {}});
    if (sums.log_phi < -35) break;
  }
  if (!(weights.beta > 0) || steps < 2) return scalars;
  const double oldest = std::log1p(-beta2) + (steps - 1) * std::log(beta2);
  const auto fall_at = [&](double s) {
    return from_nothing ? -power.log_psi(std::log(s) + oldest) : 0;
  };
  const LaterOfStart of_start(weights, beta2, from_nothing ? steps : 1,
                              fall_at(2 * nodes.back().s));
  for (Node& node : nodes) {
    if (from_nothing)
      node.later = of_start(power, node.s);
    else
      node.later[0] = later_lags(node.s, weights.beta, beta2, steps,
                                 [&](double, double log_x) { return power.log_psi(log_x); });
  }
  for (double& later : nodes.front().later)
    later += later_below(later, nodes.front().s, weights.beta, beta2, steps, step_of_nodes);
  const auto later = [&](const Node& node, double fall) {
    return from_nothing ? of_start.at(node.later, fall) : node.later[0];
  };
  for (std::size_t i = 0; i < nodes.size(); ++i)
    for (std::size_t j = 0; j <= i; ++j) {
      const double r = nodes[i].s + nodes[j].s, both = i == j ? 1 : 2, fall = fall_at(r);
      scalars.noise += both * nodes[i].weight * nodes[j].weight * std::exp(power.log_phi(r, lags)) *
                       power.cross(r, lags) * (later(nodes[i], fall) + later(nodes[j], fall));
    }
  return scalars;
}

}  // namespace

struct AdaptiveLaw::Spreads {
  Spreads(const NoiseLaw& noise, int batch) : draws(noise, batch, 3) {}
  std::mutex lock;
  BatchDraws draws;
  std::map<int, double> linear;
  std::map<int, SharedNoise> shared;
  std::map<int, Starts> starts;
};

AdaptiveLaw::AdaptiveLaw(const NoiseLaw& noise, int batch, GradientOf entries,
                         const LagWeights& weights, double beta2)
    : noise_(noise),
      law_(noise),
      batch_(batch),
      entries_(entries),
      weights_(weights),
      beta2_(beta2),
      spreads_(std::make_shared<Spreads>(noise, std::min(batch, kMostDrawn))),
      scale_(0) {
  if (law_.gaussian()) {
    static Memo<std::tuple<int, GradientOf, double, double, double, double>, Unit> units;
    unit_ = units({batch, entries, weights.beta, weights.first, weights.later, beta2},
                  [this] { return gaussian_unit(); });
    return;
  }
  scale_ = typical_square(noise, 0);
  // Of one integration both: the second asks where the first did.
  const auto done = std::make_shared<Done>();
  const auto of = [self = *this, done](double AdaptiveScalars::*part) {
    return [self, done, part](double x) {
      const std::lock_guard<std::mutex> hold(done->lock);
      const auto found = done->at.find(x);
      if (found != done->at.end()) return found->second.*part;
      return (done->at[x] = self.at(kRiskOfNodes * x * x * x * x)).*part;
    };
  };
  gain_ = std::make_shared<const Table>(of(&AdaptiveScalars::gain));
  ratio_ = std::make_shared<const Table>(of(&AdaptiveScalars::noise));
}

namespace {

/// The value at a key, made once, under a lock.
template <class Value, class Make>
const Value& once(std::mutex& lock, std::map<int, Value>& values, int key, const Make& make) {
  const std::lock_guard<std::mutex> hold(lock);
  const auto found = values.find(key);
  return found != values.end() ? found->second : values.emplace(key, make()).first->second;
}

}  // namespace

double AdaptiveLaw::linear_at(int power_of_4) const {
  return once(spreads_->lock, spreads_->linear, power_of_4,
              [&] { return linear(std::ldexp(kRiskOfNodes, 2 * power_of_4)); });
}

const SharedNoise& AdaptiveLaw::shared_at(int power_of_16) const {
  return once(spreads_->lock, spreads_->shared, power_of_16,
              [&] { return sampled(std::ldexp(kRiskOfNodes, 4 * power_of_16)); });
}

const AdaptiveLaw::Starts& AdaptiveLaw::starts_at(int power_of_4) const {
  return once(spreads_->lock, spreads_->starts, power_of_4,
              [&] { return starts(std::ldexp(kRiskOfNodes, 2 * power_of_4)); });
}

double AdaptiveLaw::place(double risk) const {
  return std::log2(
      (scale_ > 0 ? std::clamp(risk, 1e-5 * scale_, 1e5 * scale_) : std::max(risk, kVanishedRisk)) /
      kRiskOfNodes);
}

template <class F>
auto AdaptiveLaw::between_powers_of_4(double risk, const F& f) const {
  const double x = place(risk) / 2;
  const int node = static_cast<int>(std::floor(x)) - 1;
  if (x != 0.5 * std::log2(risk / kRiskOfNodes))
    return f(node + 1);  // beyond, where nothing changes
  return cubic_from(node, x, f);
}

AdaptiveLaw::Unit AdaptiveLaw::gaussian_unit() const {
  const double risk = 0.5 * batch_;  // 2P/b = 1 without noise
  AdaptiveLaw without(*this);
  without.noise_ = no_noise();
  without.law_ = ResidualLaw(without.noise_);
  Unit unit{without.at(risk), without.starts(risk)};
  unit.scalars.linear = unit.scalars.gain * unit.scalars.gain * without.linear(risk);
  return unit;
}

namespace {

/// On lines of log2 of the steps.
Eigen::Array3d after(const std::vector<Eigen::Array3d>& starts, double steps) {
  const double last = static_cast<double>(starts.size()) - 1,
               at = std::min(std::log2(std::max(steps, 1.0)), last),
               before = std::min(std::floor(at), last - 1), later = at - before;
  const auto i = static_cast<std::size_t>(before);
  return (1 - later) * starts[i] + later * starts[i + 1];
}

}  // namespace

AdaptiveNoise AdaptiveLaw::operator()(double risk, double steps) const {
  const double variance = law_.noise_variance(), mean = (2 * risk + variance) / batch_;
  AdaptiveNoise now{mean, {}, 1};
  if (unit_) {
    now.scalars = unit_->scalars;
  } else {
    const double ratio = between_powers_of_4(risk, [this](int power) { return linear_at(power); });
    const double root = std::sqrt(std::sqrt(risk / kRiskOfNodes)), gain = (*gain_)(root);
    const bool infinite = std::isinf(variance);
    now.power = infinite ? 1 / (gain * gain) : mean;
    const double unit = gain * std::sqrt(infinite ? 1 : mean), noise = (*ratio_)(root);
    now.scalars = {infinite ? 1 : unit, noise, std::min(noise, unit * unit * ratio)};
  }
  if (steps >= start_memory()) return now;
  const auto at_step = [&](const Starts& starts) { return after(starts, steps); };
  const Eigen::Array3d started =
      (unit_ ? at_step(unit_->starts) : between_powers_of_4(risk, [&](int power) {
        return at_step(starts_at(power));
      })).exp();
  // C_0/C from that of a sign on.
  const double share = now.scalars.linear / now.scalars.noise;
  now.started = started[0];
  now.passed = started[2];
  now.scalars.noise *= started[1];
  now.scalars.linear =
      now.scalars.noise * (share + (2 / std::numbers::pi - share) / std::max(steps, 1.0));
  return now;
}

BatchPower AdaptiveLaw::power(double risk) const {
  return {entry_transform(law_, risk, entries_), batch_, entries_, typical(risk)};
}
BatchPower AdaptiveLaw::power_of_means(double risk) const {
  return BatchPower::of_means(entry_transform(law_, risk, GradientOf::vector), batch_,
                              typical(risk));
}

AdaptiveScalars AdaptiveLaw::at(double risk) const {
  AdaptiveScalars scalars =
      scalars_of(power(risk), weights_, beta2_, HUGE_VAL, step_of_nodes(noise_, beta2_));
  scalars.gain /= std::sqrt(typical(risk));
  return scalars;
}

AdaptiveLaw::Starts AdaptiveLaw::starts(double risk) const {
  // With a variance the noise that is linear passes the filter as it is, first steps and all.
  const bool infinite = std::isinf(noise_.variance);
  const BatchPower power = this->power(risk);
  const AdaptiveScalars steady =
      scalars_of(power, weights_, beta2_, HUGE_VAL, step_of_nodes(noise_, beta2_));
  Starts starts;
  for (double steps = 1; steps < start_memory(); steps *= 2) {
    const AdaptiveScalars now =
        scalars_of(power, weights_, beta2_, steps, step_of_nodes(noise_, beta2_), infinite);
    starts.emplace_back(std::log(now.gain / steady.gain), std::log(now.noise / steady.noise), 0);
  }
  starts.emplace_back(0, 0, 0);
  if (!infinite || !(weights_.beta > 0)) return starts;
  double steps = 1;
  for (Eigen::Array3d& start : starts) {
    double moved = 0, weight = weights_.first;
    for (double n = 0; weight > 1e-4 * weights_.first || n < 2; ++n) {
      moved += weight / weights_.sum(steps + n) * std::exp(after(starts, steps + n)[0] - start[0]);
      weight = n == 0 ? weights_.later : weight * weights_.beta;
    }
    start[2] = -2 * std::log(moved);
    steps *= 2;
  }
  return starts;
}

/// Given q, 1/sqrt(v) as its mean over normal gradients is that of the mean of v over them, up to a
/// constant. Then A and C are what they are of q in place of its normals' squares, and what a batch
/// of small correlation between coordinates does is in both alike: C_0/A^2 = C/A^2.
double AdaptiveLaw::linear(double risk) const {
  const double scale = typical(risk), variance = law_.noise_variance();
  const BatchPower power = power_of_means(risk);
  const AdaptiveScalars scalars =
      scalars_of(power, weights_, beta2_, HUGE_VAL, step_of_nodes(noise_, beta2_));
  const double felt = scalars.noise * scale / (scalars.gain * scalars.gain);
  return std::isinf(variance) ? felt : felt * batch_ / (2 * risk + variance);
}

SharedNoise AdaptiveLaw::sampled(double risk) const {
  return sampled_shared(spreads_->draws, risk, batch_,
                        {weights_.first, weights_.later, weights_.beta},
                        {1 - beta2_, (1 - beta2_) * beta2_, beta2_});
}

SharedNoise AdaptiveLaw::shared(double risk) const {
  if (unit_) {
    static Memo<std::tuple<int, double, double, double, double>, SharedNoise> units;
    return *units({batch_, weights_.beta, weights_.first, weights_.later, beta2_},
                  [this] { return sampled(0.5 * batch_); });
  }
  const double x = place(risk) / 4, whole = std::floor(x);
  const SharedNoise &a = shared_at(static_cast<int>(whole)),
                    &b = shared_at(static_cast<int>(whole) + 1);
  const auto between = [&](double low, double high) { return low + (x - whole) * (high - low); };
  return {between(a.progress_variance, b.progress_variance), between(a.covariance, b.covariance),
          between(a.size_variance, b.size_variance)};
}

}  // namespace riskcurve
