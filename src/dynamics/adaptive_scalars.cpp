#include "dynamics/adaptive_scalars.hpp"

#include <algorithm>
#include <boost/math/interpolators/cardinal_cubic_b_spline.hpp>
#include <cmath>
#include <numbers>

#include "dynamics/batch_samples.hpp"
#include "dynamics/entry_transform.hpp"

namespace riskcurve {
namespace {

using std::numbers::pi;

/// Sums over lags k at s: log phi = sum log psi(s u_k), sum w X, sum w^2 Y and sum w w' Y, w' =
/// w_(k+n)/beta^n, with psi = E (1 + 2 x q)^(-1/2) and what it turns into under a signal (X) and
/// for the noise (Y); T = sum 2 s u/(1 + 2 s u).
struct SumsOverLags {
  double log_phi = 0, slope = 0, square = 0, cross = 0, share = 0;
};

/// w_(k + n) = later_weight beta^n for all n >= 1, at k = 0.
double before_first(const LagWeights& weights) {
  return weights.beta > 0 ? weights.later / weights.beta : 0;
}

/// q = 1: psi = (1 + 2x)^(-1/2), X = Y = 1/(1 + 2x). Explicit while 2 s u_k > 0.05, then Taylor's
/// series, its powers of u summed over all later lags.
SumsOverLags steady_sums(double s, const LagWeights& weights, double beta2) {
  SumsOverLags sums;
  double z = 2 * s * (1 - beta2), w = weights.first, v = before_first(weights), product = 1;
  bool first = true;
  while (z > 0.05) {
    const double over = 1 / (1 + z);
    product *= over;
    if (product < 1e-100) sums.log_phi += 0.5 * std::log(product), product = 1;
    sums.slope += w * over;
    sums.square += w * w * over;
    sums.cross += w * v * over;
    sums.share += z * over;
    z *= beta2;
    w = first ? weights.later : w * weights.beta;
    v *= weights.beta;
    first = false;
  }
  sums.log_phi += 0.5 * std::log(product);
  // The weights from here on: the first of them may still be w_0.
  const double b = weights.beta;
  const double rest = first ? weights.later : w * b;  // the one after
  double power = 1, decay2 = 1;                       // (-z)^m and beta2^m
  for (int m = 0; m < 12; ++m) {
    if (m > 0) {
      sums.log_phi += 0.5 * power / (m * (1 - decay2));
      sums.share -= power / (1 - decay2);
    }
    sums.slope += power * (w + rest * decay2 / (1 - b * decay2));
    sums.square += power * (w * w + rest * rest * decay2 / (1 - b * b * decay2));
    sums.cross += power * (w * v + rest * (v * b) * decay2 / (1 - b * b * decay2));
    power *= -z;
    decay2 *= beta2;
  }
  return sums;
}

/// Nodes and weights of ds/sqrt(pi s) over s > 0, s = exp(eta - e^(-eta)).
struct RootNode {
  double s, weight;
};
RootNode root_node(int i) {
  constexpr double h = 0.35;
  const double eta = -3.6 + h * i, s = std::exp(eta - std::exp(-eta));
  return {s, h * (1 + std::exp(-eta)) * std::sqrt(s / pi)};
}

/// H(y) = sum_(n >= 1) (beta/sqrt(beta2))^n prod_(l <= n) psi((1 - beta2) beta2^(-l) y).
template <class LogPsi>
double later_lags(double y, double beta, double beta2, const LogPsi& log_psi) {
  if (beta == 0) return 0;
  double sum = 0, log_term = 0, x = (1 - beta2) * y;
  const double step = std::log(beta) - 0.5 * std::log(beta2);
  for (int n = 1; n < 100000; ++n) {
    x /= beta2;
    log_term += step + log_psi(x);
    const double term = std::exp(log_term);
    sum += term;
    if (x > 1 && term < 1e-13 * sum) break;
    if (term < 1e-30) break;
  }
  return sum;
}

}  // namespace

SteadyScalars::SteadyScalars(const LagWeights& weights, double beta2)
    : weights_(weights), beta2_(beta2), gain_(0) {
  for (int i = 0; i < 200; ++i) {
    const auto [s, weight] = root_node(i);
    const SumsOverLags sums = steady_sums(s, weights, beta2);
    const double phi = std::exp(sums.log_phi);
    const double later =
        later_lags(s, weights.beta, beta2, [](double x) { return -0.5 * std::log1p(2 * x); });
    nodes_.push_back({s, weight, phi * sums.slope, sums.share, later});
    gain_ += weight * phi * sums.slope;
    if (sums.log_phi < -40) break;
  }
  noise_ = noise_between(1);
}

double SteadyScalars::gain_after(double steps) const {
  double filter = weights_.first, sum = 0;
  if (steps > 1)
    filter += weights_.later * (1 - std::pow(weights_.beta, steps - 1)) / (1 - weights_.beta);
  const double squares = 1 - std::pow(beta2_, steps);
  for (const Node& node : nodes_) {
    double z = 2 * node.s * (1 - beta2_) / squares, w = weights_.first, log_phi = 0, slope = 0;
    for (double k = 0; k < steps; ++k, z *= beta2_) {
      log_phi -= 0.5 * std::log1p(z);
      slope += w / (1 + z);
      w = k == 0 ? weights_.later : w * weights_.beta;
    }
    sum += node.weight * std::exp(log_phi) * slope / filter;
  }
  return sum / gain_;
}

double SteadyScalars::gain_under(double kappa) const {
  double sum = 0;
  for (const Node& node : nodes_)
    sum += node.weight * node.slope * std::pow(1 + kappa * node.share, -1.5);
  return sum / gain_;
}

double SteadyScalars::noise_between(double rho) const {
  if (rho == 0) return 0;
  // D = (1 + 2 s u)(1 + 2 y u) - 4 rho^2 s y u^2 = (1 + 2 r u e_+)(1 + 2 r u e_-), r = s + y.
  double sum = 0;
  for (std::size_t i = 0; i < nodes_.size(); ++i)
    for (std::size_t j = 0; j <= i; ++j) {
      const double s = nodes_[i].s, y = nodes_[j].s, r = s + y, p = s * y / (r * r);
      const double root = std::sqrt((s - y) * (s - y) / (r * r) + 4 * p * rho * rho);
      const double high = 0.5 * (1 + root), low = p * (1 - rho * rho) / high;
      const SumsOverLags a = steady_sums(r * high, weights_, beta2_);
      double phi = a.log_phi, square = high * a.square, cross = high * a.cross;
      if (low > 0) {
        const SumsOverLags b = steady_sums(r * low, weights_, beta2_);
        phi += b.log_phi;
        square -= low * b.square;
        cross -= low * b.cross;
      }
      // Both orders of (s, y) but for what the lags see, the later of the two times.
      const double later = nodes_[j].later + nodes_[i].later;
      const double both = i == j ? 1 : 2;
      sum += nodes_[i].weight * nodes_[j].weight * std::exp(phi) * rho / (high - low) *
             (both * square + (i == j ? 1 : 2) * cross * later);
    }
  return sum;
}

namespace {

/// psi, chi/psi and -psi'/psi of the power of a batch's residuals at one risk, as functions of
/// log x: splines.
class BatchPower {
 public:
  /// scale: the power that x is in units of. x of the transform is s^(1/2), of a matrix (2
  /// s)^(1/2).
  BatchPower(const EntryTransform& entry, int batch, GradientOf entries, double scale) {
    const double shift = entries == GradientOf::matrix ? 0.5 * std::numbers::ln2 : 0;
    const double b = batch;
    std::vector<double> log_psi, slope, noise;
    for (double at = kLow; at < kHigh; at += kStep) {
      const double x = std::exp(at);
      // E over a normal n > 0, log n = v.
      double psi = 0, chi = 0, minus = 0;
      constexpr double h = 0.12;
      for (double v = -26; v < 2.3; v += h) {
        const double n = std::exp(v),
                     density = 2 * h * n * std::exp(-0.5 * n * n) / std::sqrt(2 * pi);
        const double y = v + 0.5 * (at - std::log(scale)) - std::log(b) + shift;
        const double power = std::exp(b * entry.log(y));
        psi += density * power;
        chi += density * n * n * power * entry.ratio(y);
        minus -= density * power * 0.5 * b * entry.slope(y) / x;
      }
      log_psi.push_back(std::log(psi));
      slope.push_back(std::log(std::max(chi / psi, 1e-300)));
      noise.push_back(std::log(std::max(minus / psi, 1e-300)));
    }
    log_psi_ = {log_psi.begin(), log_psi.end(), kLow, kStep};
    slope_ = {slope.begin(), slope.end(), kLow, kStep};
    noise_ = {noise.begin(), noise.end(), kLow, kStep};
    start_ = log_psi_(kLow + kStep);
    exponent_ = std::max(1e-3, log_psi_.prime(kLow + kStep) / start_);
    last_ = kLow + kStep * static_cast<double>(log_psi.size() - 2);
  }

  double log_psi(double at) const {
    if (at < kLow + kStep) return start_ * std::exp(exponent_ * (at - kLow - kStep));
    if (at > last_) return log_psi_(last_) + log_psi_.prime(last_) * (at - last_);
    return log_psi_(at);
  }
  double slope(double at) const { return std::exp(slope_(std::clamp(at, kLow + kStep, last_))); }
  double noise(double at) const {
    const double inside = std::clamp(at, kLow + kStep, last_);
    return std::exp(noise_(inside) + noise_.prime(inside) * (at - inside));
  }
  /// log psi and its integral over log x up to `at`.
  double integral(double at) const {
    if (at < kLow + kStep) return log_psi(at) / exponent_;
    double sum = start_ / exponent_;
    const int n = std::max(1, static_cast<int>(std::ceil((at - kLow - kStep) / kStep)));
    const double h = (at - kLow - kStep) / n, from = kLow + kStep;
    for (int i = 0; i < n; ++i)
      sum +=
          h / 6 *
          (log_psi(from + i * h) + 4 * log_psi(from + (i + 0.5) * h) + log_psi(from + (i + 1) * h));
    return sum;
  }
  double slope_of_log(double at) const {
    return at < kLow + kStep ? exponent_ * log_psi(at) : log_psi_.prime(std::min(at, last_));
  }

  SumsOverLags sums(double s, const LagWeights& weights, double beta2) const {
    SumsOverLags sums;
    const double delta = -std::log(beta2), top = std::log(s) + std::log1p(-beta2);
    if (delta > 0.02) {
      double at = top;
      for (; at > -14; at -= delta) sums.log_phi += log_psi(at);
      sums.log_phi += log_psi(at) / -std::expm1(-slope_of_log(at) / log_psi(at) * delta);
    } else {  // Euler and Maclaurin
      sums.log_phi = integral(top) / delta + 0.5 * log_psi(top) + delta / 12 * slope_of_log(top);
    }
    double w = weights.first, v = before_first(weights), at = top;
    for (int k = 0; k < 100000; ++k, at -= delta) {
      const double x = slope(at), y = noise(at);
      sums.slope += w * x;
      sums.square += w * w * y;
      sums.cross += w * v * y;
      w = k == 0 ? weights.later : w * weights.beta;
      v *= weights.beta;
      if (w <= 1e-9 * weights.first && w <= 1e-9 * weights.later) break;
    }
    return sums;
  }

 private:
  static constexpr double kLow = -16, kHigh = 26, kStep = 0.1;
  using Spline = boost::math::interpolators::cardinal_cubic_b_spline<double>;
  double start_ = 0, exponent_ = 1, last_ = 0;
  Spline log_psi_, slope_, noise_;
};

}  // namespace

struct AdaptiveLaw::Spreads {
  std::mutex lock;
  std::map<int, Spread> at;
};

AdaptiveLaw::AdaptiveLaw(const NoiseLaw& noise, int batch, GradientOf entries,
                         const LagWeights& weights, double beta2)
    : noise_(noise),
      law_(noise),
      batch_(batch),
      entries_(entries),
      weights_(weights),
      beta2_(beta2) {
  if (law_.gaussian()) {
    // R at which 2P/b = 1, whatever the noise: all is in units of it.
    const double risk = 0.5 * batch;
    AdaptiveLaw without(*this);
    without.noise_ = no_noise();
    without.law_ = ResidualLaw(without.noise_);
    unit_ = without.at(risk);
    const Spread spread = without.spread(risk);
    unit_.linear = unit_.gain * unit_.gain * spread.ratio;
    unit_shared_ = spread.shared;
    return;
  }
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
  spreads_ = std::make_shared<Spreads>();
  scale_ = typical_square(noise, 0);
}

const AdaptiveLaw::Spread& AdaptiveLaw::spread_at(int power_of_16) const {
  const std::lock_guard<std::mutex> hold(spreads_->lock);
  const auto found = spreads_->at.find(power_of_16);
  if (found != spreads_->at.end()) return found->second;
  return spreads_->at[power_of_16] = spread(std::ldexp(1.0, 4 * power_of_16));
}

AdaptiveNoise AdaptiveLaw::operator()(double risk) const {
  const double variance = law_.noise_variance();
  const double mean = (2 * risk + variance) / batch_;
  if (!gain_) return {mean, unit_, unit_shared_};
  // What is sampled varies slowly: on the line between powers of 16 of R, from where noise rules to
  // where it is nothing.
  const double x = 0.25 * std::log2(scale_ > 0 ? std::clamp(risk, 1e-5 * scale_, 1e5 * scale_)
                                               : std::max(risk, kVanishedRisk));
  const auto whole = static_cast<int>(std::floor(x));
  const Spread &low = spread_at(whole), &high = spread_at(whole + 1);
  const auto between = [&](double a, double b) { return a + (x - whole) * (b - a); };
  const double spread = between(low.ratio, high.ratio);
  const SharedNoise shared{between(low.shared.progress_variance, high.shared.progress_variance),
                           between(low.shared.covariance, high.shared.covariance),
                           between(low.shared.size_variance, high.shared.size_variance)};
  const double root = std::sqrt(std::sqrt(risk)), gain = (*gain_)(root), noise = (*ratio_)(root);
  if (std::isinf(variance))
    return {1 / (gain * gain), {1, noise, std::min(noise, gain * gain * spread)}, shared};
  const double unit = gain * std::sqrt(mean);
  return {mean, {unit, noise, std::min(noise, unit * unit * spread)}, shared};
}

AdaptiveScalars AdaptiveLaw::at(double risk) const {
  const double scale = typical_square(noise_, risk) / batch_;
  const BatchPower power(entry_transform(law_, risk, entries_), batch_, entries_, scale);
  AdaptiveScalars scalars{0, 0, 0};
  struct Node {
    double s, weight, later;
  };
  std::vector<Node> nodes;
  for (int i = 0; i < 200; ++i) {
    const auto [s, weight] = root_node(i);
    const SumsOverLags sums = power.sums(s, weights_, beta2_);
    scalars.gain += weight * std::exp(sums.log_phi) * sums.slope;
    nodes.push_back({s, weight, later_lags(s, weights_.beta, beta2_, [&](double x) {
                       return power.log_psi(std::log(x));
                     })});
    if (sums.log_phi < -35) break;
  }
  for (std::size_t i = 0; i < nodes.size(); ++i)
    for (std::size_t j = 0; j <= i; ++j) {
      const SumsOverLags sums = power.sums(nodes[i].s + nodes[j].s, weights_, beta2_);
      const double both = i == j ? 1 : 2;
      scalars.noise += both * nodes[i].weight * nodes[j].weight * std::exp(sums.log_phi) *
                       (sums.square + sums.cross * (nodes[i].later + nodes[j].later));
    }
  scalars.gain /= std::sqrt(scale);
  return scalars;
}

AdaptiveLaw::Spread AdaptiveLaw::spread(double risk) const {
  // C_0/A^2; where the power is infinite, over N. D of a batch: what its gradients move all updates
  // by that remember them. Between coordinates of small correlation the noise is E q D^2, the slope
  // E q D/E q; 1/sqrt(v) as its mean over normal gradients is taken as that of its mean, up to a
  // constant.
  const double memory = 1 / (1 - std::max(beta2_, weights_.beta));
  const int b = std::min(batch_, 64);
  const auto steps = static_cast<std::size_t>(std::clamp(400 * memory, 2e4, 3e5));
  const auto warm = static_cast<std::size_t>(12 * memory) + 2;
  Random random(1, 0, 3);
  std::vector<BatchSample> batches(steps + 2 * warm);
  std::vector<double> inverse(batches.size());
  double v = 0;
  for (std::size_t k = 0; k < batches.size(); ++k) {
    batches[k] = sample_batch(random, noise_, risk, b);
    v = k == 0 ? batches[k].square : beta2_ * v + (1 - beta2_) * batches[k].square;
    inverse[k] = 1 / std::sqrt(v);
  }
  double rest = 0;
  BatchMoves moves;
  for (std::size_t k = batches.size(); k-- > warm;) {
    const double d = weights_.first * inverse[k] + weights_.later * rest;
    rest = weights_.beta * rest + inverse[k];
    if (k + warm < batches.size()) moves.add(batches[k], d);
  }
  const double felt = moves.size() / (moves.slope() * moves.slope());
  const SharedNoise shared = moves.shared(risk, b, batch_);
  if (std::isinf(law_.noise_variance())) return {felt / b, shared};
  return {1 + (felt / moves.mean_square() - 1) * b / batch_, shared};
}

}  // namespace riskcurve
