#include <algorithm>
#include <cmath>
#include <numbers>
#include <tuple>

#include "dynamics/adaptive_scalars.hpp"
#include "dynamics/batch_samples.hpp"
#include "dynamics/entry_transform.hpp"
#include "dynamics/lag_sums.hpp"
#include "dynamics/memo.hpp"

namespace riskcurve {
namespace {

/// Sums over the lags k < steps of w_k f, w_k^2 f and w_k w'_k f, f a function of log u_k = top -
/// delta k. Where delta is small, of quadratics between few values of f.
struct LagNodes {
  struct Node {
    double offset, slope, square, cross;
  };
  double delta, steps;
  std::vector<Node> nodes;

  LagNodes(const LagWeights& weights, double beta2, double all)
      : delta(-std::log(beta2)), steps(all) {
    const int width = std::max(1, static_cast<int>(0.05 / delta));
    double w = weights.first, v = before_first(weights);
    for (int k = 0; k < steps && k < 100000; ++k) {
      const auto block = static_cast<std::size_t>(k / (2 * width));
      while (nodes.size() < 2 * block + 3)
        nodes.push_back({delta * width * static_cast<double>(nodes.size()), 0, 0, 0});
      const double t = static_cast<double>(k % (2 * width)) / width - 1;
      const double share[] = {0.5 * t * (t - 1), 1 - t * t, 0.5 * t * (t + 1)};
      for (std::size_t i = 0; i < 3; ++i) {
        Node& node = nodes[2 * block + i];
        node.slope += share[i] * w;
        node.square += share[i] * w * w;
        node.cross += share[i] * w * v;
      }
      w = k == 0 ? weights.later : w * weights.beta;
      v *= weights.beta;
      if (w <= 1e-9 * weights.first && w <= 1e-9 * weights.later) break;
    }
  }
};

/// psi, chi/psi and -psi'/psi of the power of a batch's residuals at one risk, as functions of
/// log x: splines.
class BatchPower {
 public:
  /// scale: the power that x is in units of. x of the transform is s^(1/2), of a matrix (2
  /// s)^(1/2).
  BatchPower(const EntryTransform& entry, int batch, GradientOf entries, double scale)
      : BatchPower(of_entries(entry, batch,
                              (entries == GradientOf::matrix ? 0.5 * std::numbers::ln2 : 0) -
                                  0.5 * std::log(scale) - std::log(batch))) {}
  /// Of means of q itself, not of squares of normals of that power: psi = E e^(-x q).
  static BatchPower of_means(const EntryTransform& entry, int batch, double scale) {
    Columns table;
    for (std::size_t i = 0; i < kCount; ++i) {
      const double y = 0.5 * log_x(i) - 0.5 * std::log(scale) - std::log(batch);
      table.log_psi[i] = batch * entry.log(y);
      table.slope[i] = entry.ratio(y);
      table.noise[i] = -0.5 * batch * entry.slope(y) / std::exp(log_x(i));
    }
    return BatchPower(table);
  }

  double log_psi(double at) const {
    if (at < kLow + kStep) return start_ * std::exp(exponent_ * (at - kLow - kStep));
    if (at > last_) return log_psi_(last_) + log_psi_.prime(last_) * (at - last_);
    return log_psi_(at);
  }
  double slope(double at) const { return slope_(std::clamp(at, kLow + kStep, last_)); }
  /// Beyond the table a power of x.
  double noise(double at) const {
    const double inside = std::clamp(at, kLow + kStep, last_), y = noise_(inside);
    return at == inside ? y : y * std::exp(noise_.prime(inside) / y * (at - inside));
  }
  /// Of log psi over log x up to `at`.
  double integral(double at) const {
    if (at < kLow + kStep) return log_psi(at) / exponent_;
    const auto whole = static_cast<std::size_t>(std::max(1.0, (at - kLow) / kStep));
    const std::size_t i = std::min(whole, integrals_.size()) - 1;
    return integrals_[i] + simpson(kLow + kStep * static_cast<double>(i + 1), at);
  }
  double slope_of_log(double at) const {
    return at < kLow + kStep ? exponent_ * log_psi(at) : log_psi_.prime(std::min(at, last_));
  }

  /// Of sum log psi(s u_k).
  double log_phi(double s, const LagNodes& lags) const {
    const double delta = lags.delta, top = top_of(s, lags);
    if (delta > 0.12 || lags.steps <= 32) {
      double sum = 0, at = top, k = 0;
      for (; at > -14 && k < lags.steps; at -= delta, ++k) sum += log_psi(at);
      const double rate = slope_of_log(at) / log_psi(at) * delta;
      return sum + log_psi(at) * std::expm1(-rate * (lags.steps - k)) / std::expm1(-rate);
    }
    const auto from = [&](double at) {  // Euler and Maclaurin
      return integral(at) / delta + 0.5 * log_psi(at) + delta / 12 * slope_of_log(at);
    };
    return from(top) - (std::isinf(lags.steps) ? 0 : from(top - lags.steps * delta));
  }
  /// Where phi is 1/e: 1 of squares that are alike, far less where single ones rule their sum.
  double reach(const LagNodes& lags) const {
    double low = -60, high = 60;
    while (high - low > 0.1) {
      const double middle = 0.5 * (low + high);
      (log_phi(std::exp(middle), lags) > -1 ? low : high) = middle;
    }
    return std::exp(low);
  }

  /// Of one time and of the slope: not `cross`.
  SumsOverLags sums(double s, const LagNodes& lags) const {
    SumsOverLags sums;
    sums.log_phi = log_phi(s, lags);
    const double top = top_of(s, lags);
    for (const LagNodes::Node& node : lags.nodes) {
      sums.slope += node.slope * slope(top - node.offset);
      sums.square += node.square * noise(top - node.offset);
    }
    return sums;
  }
  /// Of sum w_k w'_k Y(s u_k).
  double cross(double s, const LagNodes& lags) const {
    const double top = top_of(s, lags);
    double sum = 0;
    for (const LagNodes::Node& node : lags.nodes) sum += node.cross * noise(top - node.offset);
    return sum;
  }

 private:
  static constexpr double kLow = -16, kHigh = 26, kStep = 0.05;
  static constexpr std::size_t kCount = static_cast<std::size_t>((kHigh - kLow) / kStep) + 1;
  static double log_x(std::size_t i) { return kLow + kStep * static_cast<double>(i); }
  struct Columns {
    std::vector<double> log_psi = std::vector<double>(kCount), slope = log_psi, noise = log_psi;
  };
  explicit BatchPower(const Columns& table)
      : log_psi_(table.log_psi, kLow, kStep),
        slope_(table.slope, kLow, kStep),
        noise_(table.noise, kLow, kStep) {
    start_ = log_psi_(kLow + kStep);
    exponent_ = std::max(1e-3, log_psi_.prime(kLow + kStep) / start_);
    last_ = log_x(kCount - 2);
    integrals_.push_back(start_ / exponent_);
    for (std::size_t i = 1; i + 2 < kCount; ++i)
      integrals_.push_back(integrals_.back() + simpson(log_x(i), log_x(i + 1)));
  }

  /// E over a normal n > 0, log n = v: the transform is asked at v + (log x)/2 + shift, on one
  /// grid.
  static Columns of_entries(const EntryTransform& entry, double b, double shift) {
    using Eigen::ArrayXd, Eigen::Index;
    constexpr Index stride = 4;  // v advances by so many steps of it, log x/2 by one
    constexpr double h = 0.5 * kStep, v0 = -26, v1 = 2.3;
    constexpr auto nodes = static_cast<Index>((v1 - v0) / (stride * h)) + 1;
    const ArrayXd n = (v0 + stride * h * ArrayXd::LinSpaced(nodes, 0, nodes - 1)).exp();
    const ArrayXd density =
        2 * stride * h / std::sqrt(2 * std::numbers::pi) * n * (-0.5 * n.square()).exp();
    const ArrayXd with_square = density * n.square();
    // What one log x asks for stands in one column, by remainders of the stride.
    const Index rows = nodes + static_cast<Index>(kCount) / stride + 1;
    Eigen::ArrayXXd less(rows, stride), ratio(rows, stride), minus(rows, stride);
    for (Index i = 0; i < rows * stride; ++i) {
      const Index row = i / stride, column = i % stride;
      const double y = v0 + 0.5 * kLow + h * static_cast<double>(i) + shift;
      less(row, column) = std::expm1(b * entry.log(y));
      ratio(row, column) = (1 + less(row, column)) * entry.ratio(y);
      minus(row, column) = -(1 + less(row, column)) * 0.5 * b * entry.slope(y);
    }
    Columns table;
    for (std::size_t i = 0; i < kCount; ++i) {
      const Index from = static_cast<Index>(i);
      const auto mean = [&](const ArrayXd& weight, const Eigen::ArrayXXd& values) {
        return (weight * values.col(from % stride).segment(from / stride, nodes)).sum();
      };
      const double less_than_one = mean(density, less), psi = 1 + less_than_one;
      table.log_psi[i] = std::log1p(less_than_one);
      table.slope[i] = mean(with_square, ratio) / psi;
      table.noise[i] = mean(density, minus) / psi / std::exp(log_x(i));
    }
    return table;
  }

  static double top_of(double s, const LagNodes& lags) {
    return std::log(s) + std::log(-std::expm1(-lags.delta));
  }
  double simpson(double a, double b) const {
    return (b - a) / 6 * (log_psi(a) + 4 * log_psi(0.5 * (a + b)) + log_psi(b));
  }
  double start_ = 0, exponent_ = 1, last_ = 0;
  std::vector<double> integrals_;  // from the bottom to kLow + kStep, and every kStep on
  UniformSpline log_psi_, slope_, noise_;
};

}  // namespace

namespace {

/// Between nodes: 1e-6, but for squares without a mean, 1e-4 in C beside a filter, and for those of
/// a step or two, 1e-5.
double step_of_nodes(const NoiseLaw& noise, double beta2) {
  return std::isinf(noise.variance) || beta2 < 0.8 ? kNodeStep : 0.5;
}

/// A and C of means over the last `steps` gradients, of weights that sum to what all do.
AdaptiveScalars scalars_of(const BatchPower& power, const LagWeights& weights, double beta2,
                           double steps, double step_of_nodes) {
  const double squares = -std::expm1(steps * std::log(beta2)), filter = weights.sum(steps);
  AdaptiveScalars scalars{0, 0, 0};
  struct Node {
    double s, weight, later;
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
    double later = later_lags(s, weights.beta, beta2, steps,
                              [&](double, double log_x) { return power.log_psi(log_x); });
    if (i == 0) later += later_below(later, s, weights.beta, beta2, steps, step_of_nodes);
    nodes.push_back({s, weight, later});
    if (sums.log_phi < -35) break;
  }
  if (!(weights.beta > 0)) return scalars;
  for (std::size_t i = 0; i < nodes.size(); ++i)
    for (std::size_t j = 0; j <= i; ++j) {
      const double r = nodes[i].s + nodes[j].s, both = i == j ? 1 : 2;
      scalars.noise += both * nodes[i].weight * nodes[j].weight * std::exp(power.log_phi(r, lags)) *
                       power.cross(r, lags) * (nodes[i].later + nodes[j].later);
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
      return (done->at[x] = self.at(x * x * x * x)).*part;
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
              [&] { return linear(std::ldexp(1.0, 2 * power_of_4)); });
}

const SharedNoise& AdaptiveLaw::shared_at(int power_of_16) const {
  return once(spreads_->lock, spreads_->shared, power_of_16,
              [&] { return sampled(std::ldexp(1.0, 4 * power_of_16)); });
}

const AdaptiveLaw::Starts& AdaptiveLaw::starts_at(int power_of_4) const {
  return once(spreads_->lock, spreads_->starts, power_of_4,
              [&] { return starts(std::ldexp(1.0, 2 * power_of_4)); });
}

double AdaptiveLaw::place(double risk) const {
  return std::log2(scale_ > 0 ? std::clamp(risk, 1e-5 * scale_, 1e5 * scale_)
                              : std::max(risk, kVanishedRisk));
}

template <class F>
auto AdaptiveLaw::between_powers_of_4(double risk, const F& f) const {
  const double x = place(risk) / 2;
  const int node = static_cast<int>(std::floor(x)) - 1;
  if (x != 0.5 * std::log2(risk)) return f(node + 1);  // beyond, where nothing changes
  auto sum = f(node);
  sum *= cubic_weight(x - node, 0);
  for (int j = 1; j < 4; ++j) sum += cubic_weight(x - node, j) * f(node + j);
  return sum;
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

AdaptiveNoise AdaptiveLaw::operator()(double risk, double steps) const {
  const double variance = law_.noise_variance(), mean = (2 * risk + variance) / batch_;
  AdaptiveNoise now{mean, {}, 1};
  if (unit_) {
    now.scalars = unit_->scalars;
  } else {
    const double ratio = between_powers_of_4(risk, [this](int power) { return linear_at(power); });
    const double root = std::sqrt(std::sqrt(risk)), gain = (*gain_)(root);
    const bool infinite = std::isinf(variance);
    now.power = infinite ? 1 / (gain * gain) : mean;
    const double unit = gain * std::sqrt(infinite ? 1 : mean), noise = (*ratio_)(root);
    now.scalars = {infinite ? 1 : unit, noise, std::min(noise, unit * unit * ratio)};
  }
  const double first = std::log2(std::max(steps, 1.0)), last = std::log2(start_memory());
  if (first >= last) return now;
  const auto i = static_cast<std::size_t>(first);
  const auto at_step = [&](const Starts& starts) -> Eigen::Array2d {
    const double later = first - std::floor(first);
    return (1 - later) * starts[i] + later * starts[i + 1];
  };
  const Eigen::Array2d started =
      (unit_ ? at_step(unit_->starts) : between_powers_of_4(risk, [&](int power) {
        return at_step(starts_at(power));
      })).exp();
  // C_0/C from that of a sign on.
  const double share = now.scalars.linear / now.scalars.noise;
  now.started = started[0];
  now.scalars.noise *= started[1];
  now.scalars.linear =
      now.scalars.noise * (share + (2 / std::numbers::pi - share) / std::max(steps, 1.0));
  return now;
}

AdaptiveScalars AdaptiveLaw::at(double risk) const {
  const double scale = typical(risk);
  const BatchPower power(entry_transform(law_, risk, entries_), batch_, entries_, scale);
  AdaptiveScalars scalars =
      scalars_of(power, weights_, beta2_, HUGE_VAL, step_of_nodes(noise_, beta2_));
  scalars.gain /= std::sqrt(scale);
  return scalars;
}

AdaptiveLaw::Starts AdaptiveLaw::starts(double risk) const {
  const double scale = typical(risk);
  const BatchPower power(entry_transform(law_, risk, entries_), batch_, entries_, scale);
  const AdaptiveScalars steady =
      scalars_of(power, weights_, beta2_, HUGE_VAL, step_of_nodes(noise_, beta2_));
  Starts starts;
  for (double steps = 1; steps < start_memory(); steps *= 2) {
    const AdaptiveScalars now =
        scalars_of(power, weights_, beta2_, steps, step_of_nodes(noise_, beta2_));
    starts.emplace_back(std::log(now.gain / steady.gain), std::log(now.noise / steady.noise));
  }
  starts.emplace_back(0, 0);
  return starts;
}

/// Given q, 1/sqrt(v) as its mean over normal gradients is that of the mean of v over them, up to a
/// constant. Then A and C are what they are of q in place of its normals' squares, and what a batch
/// of small correlation between coordinates does is in both alike: C_0/A^2 = C/A^2.
double AdaptiveLaw::linear(double risk) const {
  const double scale = typical(risk), variance = law_.noise_variance();
  const auto power =
      BatchPower::of_means(entry_transform(law_, risk, GradientOf::vector), batch_, scale);
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
