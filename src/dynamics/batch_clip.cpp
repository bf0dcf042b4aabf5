#include "dynamics/batch_clip.hpp"

#include <algorithm>
#include <boost/math/special_functions/gamma.hpp>
#include <cmath>
#include <map>
#include <vector>

#include "dynamics/expectation.hpp"

namespace riskcurve {
namespace {

constexpr int kNodes = 8;           // Gauss nodes a bin
constexpr double kBins = 2;         // bins an octave of y, while convolving
constexpr double kFinalBins = 12;   // at the end: the norm may sit on either side of the threshold
constexpr double kSmallest = 1e-6;  // bins end at kSmallest * scale^2; below is one bin
constexpr double kTail = 1e-14;     // probability past the last node, put onto it

/// Not in long double, which takes several times as long.
constexpr boost::math::policies::policy<boost::math::policies::promote_double<false>> kInDouble;

/// Collects points into bins of log y and replaces each bin by its Gauss rule.
Measure condense(const std::vector<std::pair<double, double>>& points, double floor,
                 double bins_per_octave) {
  std::map<int, std::pair<std::vector<double>, std::vector<double>>> bins;
  for (const auto& [y, w] : points) {
    const int bin = y > floor ? 1 + static_cast<int>(bins_per_octave * std::log2(y / floor)) : 0;
    bins[bin].first.push_back(y);
    bins[bin].second.push_back(w);
  }
  std::vector<double> point, weight;
  for (const auto& [bin, content] : bins) {
    const auto size = static_cast<Eigen::Index>(content.first.size());
    const Measure rule =
        gauss_rule(Eigen::Map<const Eigen::ArrayXd>(content.first.data(), size),
                   Eigen::Map<const Eigen::ArrayXd>(content.second.data(), size), kNodes);
    for (Eigen::Index i = 0; i < rule.point.size(); ++i)
      if (rule.weight[i] > 1e-30) {
        point.push_back(std::max(0.0, rule.point[i]));
        weight.push_back(rule.weight[i]);
      }
  }
  return {Eigen::Map<Eigen::ArrayXd>(point.data(), static_cast<Eigen::Index>(point.size())),
          Eigen::Map<Eigen::ArrayXd>(weight.data(), static_cast<Eigen::Index>(weight.size()))};
}

Measure convolve(const Measure& a, const Measure& b, double floor, double bins_per_octave) {
  std::vector<std::pair<double, double>> points;
  points.reserve(static_cast<std::size_t>(a.point.size() * b.point.size()));
  for (Eigen::Index i = 0; i < a.point.size(); ++i)
    for (Eigen::Index j = 0; j < b.point.size(); ++j)
      points.emplace_back(a.point[i] + b.point[j], a.weight[i] * b.weight[j]);
  return condense(points, floor, bins_per_octave);
}

/// Points of e^2 for one part; a Gaussian part beyond the shared variance becomes a density.
void add_part(NoisePart part, double shared, std::vector<std::pair<double, double>>& points) {
  const double excess = part.gaussian_variance - shared;
  if (!part.density && excess > 0) {
    const double std = std::sqrt(excess);
    part.density = [std](double x) {
      return std::sqrt(2 / M_PI) / std * std::exp(-0.5 * x * x / (std * std));
    };
    part.tail = [std](double x) { return std::erfc(x / (std * std::sqrt(2.0))); };
    part.scale = std;
  }
  if (!part.density) {
    for (Eigen::Index i = 0; i < part.atom.size(); ++i)
      points.emplace_back(part.atom[i] * part.atom[i], part.weight * part.atom_weight[i]);
    return;
  }
  double upper = part.scale;
  while (part.tail(upper) > kTail && upper < 1e60 * part.scale) upper *= 2;
  const Panels panels = graded_panels(upper, {{0.0, 0.25 * part.scale}}, part.breaks);
  const auto& [node, weight] = gauss_legendre();
  for (std::size_t p = 0; p + 1 < panels.edge.size(); ++p) {
    const double half = 0.5 * (panels.edge[p + 1] - panels.edge[p]);
    for (int q = 0; q < Panels::kOrder; ++q) {
      const double x = panels.edge[p] + half * (1 + node[q]);
      const double mass = part.weight * half * weight[q] * part.density(x);
      if (mass > 0) points.emplace_back(x * x, mass);
    }
  }
  points.emplace_back(upper * upper, part.weight * part.tail(upper));
}

/// std::lgamma writes its sign into a global: a race between threads.
double log_gamma(double x) {
  int sign;
  return ::lgamma_r(x, &sign);
}

}  // namespace

BatchClipLaw::BatchClipLaw(const NoiseLaw& noise, int batch) : batch_(batch) {
  shared_variance_ = noise.parts.front().gaussian_variance;
  double scale = 0;
  for (const NoisePart& part : noise.parts) {
    shared_variance_ = std::min(shared_variance_, part.gaussian_variance);
    scale = std::max(
        scale, part.density ? part.scale
                            : std::max(std::sqrt(part.gaussian_variance), part.atom.maxCoeff()));
  }
  const double floor = scale > 0 ? kSmallest * scale * scale : 1.0;
  std::vector<std::pair<double, double>> points;
  for (const NoisePart& part : noise.parts) add_part(part, shared_variance_, points);

  // b-fold sum by doubling.
  Measure power = condense(points, floor, batch == 1 ? kFinalBins : kBins);
  bool started = false;
  for (int left = batch; left > 0; left /= 2) {
    const bool last = left == 1;
    if (left % 2 == 1) {
      norm_square_ =
          started ? convolve(norm_square_, power, floor, last ? kFinalBins : kBins) : power;
      started = true;
    }
    if (!last) power = convolve(power, power, floor, left == 2 && !started ? kFinalBins : kBins);
  }
}

std::array<double, 3> BatchClipLaw::evaluate(double risk, double c) const {
  const double sigma = std::sqrt(2 * risk + shared_variance_), b = batch_;
  const double tau = c * b / sigma;
  double mu = 0, nu = 0, share = 0;
  for (Eigen::Index q = 0; q < norm_square_.point.size(); ++q) {
    const NoncentralChi chi = noncentral_chi(b, norm_square_.point[q] / (sigma * sigma), tau);
    mu += norm_square_.weight[q] * (chi.below + (1 - 1 / b) * tau * chi.inverse_above);
    nu += norm_square_.weight[q] * (chi.square_below + tau * tau * (1 - chi.below));
    share += norm_square_.weight[q] * (1 - chi.below);
  }
  return {mu, sigma * sigma * nu / b, share};
}

NoncentralChi noncentral_chi(double k, double lambda, double tau) {
  const double x = 0.5 * tau * tau, mean = lambda > 2e-18 ? 0.5 * lambda : 0.0;
  if (lambda > 1e8) {  // relative spread below 1e-4: a point
    const double at = std::sqrt(lambda + k);
    return at <= tau ? NoncentralChi{1, 0, at * at} : NoncentralChi{0, 1 / at, 0};
  }
  // More than twelve deviations from the threshold, one side is certain; then E[1/X] is the tail of
  // Kummer's function 1F1(1/2; k/2; -lambda/2), whose asymptotic series is at hand.
  const double centre = std::sqrt(lambda), slack = 12 + std::sqrt(k);
  if (centre < tau - slack) return {1, 0, k + lambda};
  if (centre > tau + slack && lambda > 400 * k) {
    double term = 1, series = 1;
    for (int n = 0; n < 5; ++n)
      series += term *= (n + 0.5) * (n + 1.5 - 0.5 * k) / ((n + 1) * mean);
    return {0, series / centre, 0};
  }
  // X^2 is chi-squared with k + 2j degrees, j Poisson(lambda/2): sum over j within 10 deviations,
  // downwards, where the recurrence of the incomplete gamma function adds positive terms.
  const double reach = 10 * std::sqrt(mean) + 12;
  const double first = std::max(0.0, std::floor(mean - reach)), last = std::ceil(mean + reach);
  // Far from x = a the answer is certain, and Boost's finite sums overflow there.
  const auto gamma_p = [](double order, double at) {
    const double deviations = (at - order) / std::sqrt(order + at);
    return deviations > 12    ? 1.0
           : deviations < -12 ? 0.0
                              : boost::math::gamma_p(order, at, kInDouble);
  };
  const auto jump = [x](double a) {  // x^a e^-x / Gamma(a + 1) = P(a, x) - P(a + 1, x)
    return x > 0 ? std::exp(a * std::log(x) - x - log_gamma(a + 1)) : 0.0;
  };
  double a = 0.5 * k + last, half = 0.5 * (k - 1) + last;
  double p_next = gamma_p(a + 1, x), p = gamma_p(a, x), step = jump(a);
  double p_half = gamma_p(half, x), step_half = jump(half);
  // Gamma(half)/Gamma(half + 1/2)/sqrt(2), which Boost cannot form far out.
  double inverse = half < 1e4
                       ? boost::math::tgamma_delta_ratio(half, 0.5, kInDouble) / std::sqrt(2.0)
                       : (1 + 1 / (8 * half) + 1 / (128 * half * half)) / std::sqrt(2 * half);
  double poisson = mean > 0 ? std::exp(last * std::log(mean) - mean - log_gamma(last + 1))
                            : (last == 0 ? 1.0 : 0.0);
  const double per_x = x > 0 ? 1 / x : 0.0, per_mean = 1 / mean;
  NoncentralChi sum{0, 0, 0};
  for (double j = last; j >= first; --j) {
    if (mean == 0) poisson = j == 0 ? 1.0 : 0.0;
    sum.below += poisson * p;
    sum.inverse_above += poisson * inverse * (1 - p_half);
    sum.square_below += poisson * 2 * a * p_next;
    // Down by one: P(a - 1) = P(a) + x^(a-1) e^-x / Gamma(a).
    p_next = p;
    step *= a * per_x;
    p += step;
    step_half *= half * per_x;
    p_half = std::min(1.0, p_half + step_half);
    p = std::min(1.0, p);
    inverse *= (a - 1) / (half - 1);
    if (mean > 0) poisson *= j * per_mean;
    a -= 1;
    half -= 1;
  }
  return sum;
}

}  // namespace riskcurve
