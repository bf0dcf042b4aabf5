#include "riskcurve/dynamics/residual.hpp"

#include <algorithm>
#include <boost/math/special_functions/gamma.hpp>
#include <cmath>
#include <map>
#include <memory>
#include <mutex>
#include <vector>

#include "dynamics/batch_clip.hpp"
#include "dynamics/expectation.hpp"
#include "dynamics/log_chebyshev.hpp"
#include "dynamics/matrix_rate.hpp"

namespace riskcurve {
namespace {

/// E exp(-u e^2) of one part.
double part_laplace(const NoisePart& part, double u) {
  if (u == 0) return 1;
  const double width = 1 / std::sqrt(2 * u);
  return expect(part, 9.2 * width, 0.0, {{0.0, width}},
                [u](double x) { return std::exp(-u * x * x); });
}

}  // namespace

struct ResidualLaw::Parts {
  explicit Parts(const NoiseLaw& of) : noise(of) {
    for (const NoisePart& part : noise.parts)
      laplace.emplace_back([part](double u) { return part_laplace(part, u); });
  }
  NoiseLaw noise;
  std::vector<LogChebyshev> laplace;  // of |e|, one a part
  std::mutex lock;                    // of batch_clip
  std::map<int, std::unique_ptr<const BatchClipLaw>> batch_clip;

  const BatchClipLaw& batch_clip_of(int batch) {
    const std::lock_guard<std::mutex> hold(lock);
    std::unique_ptr<const BatchClipLaw>& law = batch_clip[batch];
    if (!law) law = std::make_unique<BatchClipLaw>(noise, batch);
    return *law;
  }
};

namespace {

bool same(const NoiseLaw& a, const NoiseLaw& b) {
  return a == b && a.variance == b.variance &&
         std::equal(a.parts.begin(), a.parts.end(), b.parts.begin(), b.parts.end(),
                    [](const NoisePart& x, const NoisePart& y) {
                      return x.weight == y.weight && x.scale == y.scale &&
                             x.gaussian_variance == y.gaussian_variance &&
                             x.atom.size() == y.atom.size() && (x.atom == y.atom).all();
                    });
}

}  // namespace

ResidualLaw::ResidualLaw(const NoiseLaw& noise) : variance_(noise.variance) {
  // A system asks several times for one law: they share its tables.
  static std::mutex lock;
  static std::shared_ptr<Parts> last;
  const std::lock_guard<std::mutex> hold(lock);
  if (!last || !same(last->noise, noise)) last = std::make_shared<Parts>(noise);
  parts_ = last;
}

bool ResidualLaw::gaussian() const {
  const auto& parts = parts_->noise.parts;
  return parts.size() == 1 && !parts[0].density && parts[0].atom.size() == 1 &&
         parts[0].atom[0] == 0;
}

double ResidualLaw::laplace(double risk, double s) const {
  if (s == 0) return 1;
  double sum = 0;
  for (std::size_t i = 0; i < parts_->laplace.size(); ++i) {
    const NoisePart& part = parts_->noise.parts[i];
    const double spread = 1 + 2 * s * (2 * risk + part.gaussian_variance);
    const bool centred = !part.density && part.atom.size() == 1 && part.atom[0] == 0;
    sum += part.weight * (centred ? 1.0 : parts_->laplace[i](s / spread)) / std::sqrt(spread);
  }
  return sum;
}

double ResidualLaw::inverse_norm(double risk, int batch) const {
  // (2/sqrt(pi)) int_0^inf E[e^{-x^2 l^2}]^b dx with x = e^y: the trapezoid rule converges
  // exponentially, as the integrand is analytic in |Im y| < pi/4 and decays at both ends.
  constexpr double h = 0.14;
  const auto log_integrand = [&](double y) {
    return y + batch * std::log(laplace(risk, std::exp(2 * y)));
  };
  double top = -0.5 * std::log(2 * risk + 1e-300);
  double peak = log_integrand(top);
  for (const double way : {h, -h})
    for (double next = log_integrand(top + way); next > peak; next = log_integrand(top + way)) {
      peak = next;
      top += way;
    }
  double sum = std::exp(peak);
  for (const double way : {h, -h})
    for (int i = 1;; ++i) {
      const double value = log_integrand(top + i * way);
      sum += std::exp(value);
      if (!(value > peak - 42)) break;
    }
  return 2 / std::sqrt(M_PI) * h * sum;
}

double ResidualLaw::phi(double risk, int batch) const {
  if (gaussian()) {
    const double twice_population = 2 * risk + parts_->noise.parts[0].gaussian_variance;
    return std::sqrt(2 / M_PI) * chi_mean(batch) / std::sqrt(twice_population);
  }
  if (batch >= 2) return std::sqrt(2 / M_PI) * (batch - 1) * inverse_norm(risk, batch);
  double sum = 0;
  for (std::size_t i = 0; i < parts_->laplace.size(); ++i) {
    const NoisePart& part = parts_->noise.parts[i];
    const double variance = 2 * risk + part.gaussian_variance;
    sum += part.weight * parts_->laplace[i](0.5 / variance) / std::sqrt(variance);
  }
  return 2 / M_PI * sum;
}

double ResidualLaw::matrix_phi(double risk, int batch) const {
  if (batch == 1) return std::sqrt(2 / M_PI) * phi(risk, 1);
  double variance = 2 * risk;
  if (gaussian()) variance += parts_->noise.parts[0].gaussian_variance;
  return matrix_rate([&](double s) { return laplace(risk, s); }, -0.5 * std::log(variance + 1e-300),
                     batch);
}

namespace {

double normal_density(double x) {
  return std::exp(-0.5 * x * x) / std::sqrt(2 * M_PI);
}

/// P(|m + sigma z| <= c) and E[min((m + sigma z)^2, c^2)], m >= 0.
double inside(double m, double sigma, double c) {
  if (sigma == 0) return m <= c ? 1.0 : 0.0;
  const double r = 1 / (sigma * std::sqrt(2.0));
  return m > c ? 0.5 * (std::erfc((m - c) * r) - std::erfc((m + c) * r))
               : 0.5 * (std::erf((c - m) * r) + std::erf((c + m) * r));
}
double square_inside(double m, double sigma, double c) {
  if (sigma == 0) return std::min(m * m, c * c);
  const double low = (-c - m) / sigma, high = (c - m) / sigma;
  const double p = inside(m, sigma, c);
  const double below = (m * m + sigma * sigma) * p +
                       2 * m * sigma * (normal_density(low) - normal_density(high)) +
                       sigma * sigma * (low * normal_density(low) - high * normal_density(high));
  return std::min(c * c, std::max(0.0, below) + c * c * (1 - p));
}

template <class F>
double over_parts(const NoiseLaw& noise, double risk, double c, double beyond, F f) {
  double sum = 0;
  for (const NoisePart& part : noise.parts) {
    const double sigma = std::sqrt(2 * risk + part.gaussian_variance);
    sum +=
        part.weight * expect(part, c + 40 * sigma, beyond, {{c, sigma}, {0.0, std::max(c, sigma)}},
                             [&](double m) { return f(m, sigma); });
  }
  return sum;
}

}  // namespace

double ResidualLaw::within(double risk, double c) const {
  return over_parts(parts_->noise, risk, c, 0.0,
                    [c](double m, double sigma) { return inside(m, sigma, c); });
}

double ResidualLaw::clipped_square(double risk, double c) const {
  return over_parts(parts_->noise, risk, c, c * c,
                    [c](double m, double sigma) { return square_inside(m, sigma, c); });
}

ResidualLaw::BatchClip ResidualLaw::batch_clip(double risk, double c, int batch) const {
  if (batch == 1) {
    const double inside = within(risk, c);
    return {inside, clipped_square(risk, c), 1 - inside};
  }
  const auto [mu, nu, share] = parts_->batch_clip_of(batch).evaluate(risk, c);
  return {mu, nu, share};
}

double chi_mean(double b) {
  return std::sqrt(2.0) * boost::math::tgamma_delta_ratio(0.5 * (b + 1), -0.5);
}

}  // namespace riskcurve
