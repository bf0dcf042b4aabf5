#include <algorithm>
#include <boost/math/quadrature/gauss_kronrod.hpp>
#include <cmath>
#include <limits>
#include <memory>

#include "riskcurve/analysis/bands.hpp"
#include "riskcurve/dynamics/residual.hpp"
#include "riskcurve/problem/optimizer.hpp"
#include "problem/random.hpp"

namespace riskcurve {
namespace {

/// E |e|^n, n = 2 or 4, as int n x^(n-1) P(|e| > x) dx in log x; +inf where the tail is too heavy.
double moment(const NoisePart& part, int n) {
  if (!part.density) return (part.atom.pow(n) * part.atom_weight).sum();
  const auto mass = [&](double x) { return std::pow(x, n) * part.tail(x); };
  if (mass(1e6 * part.scale) > 0.5 * mass(1e3 * part.scale) && mass(1e6 * part.scale) > 0)
    return std::numeric_limits<double>::infinity();
  const double h = 0.05;
  double sum = 0;
  for (double y = -12; y < 40; y += h) sum += n * h * mass(part.scale * std::exp(y));
  return sum;
}

double fourth_moment(const NoiseLaw& noise) {
  double sum = 0;
  for (const NoisePart& part : noise.parts) {
    const double g = part.gaussian_variance;
    sum += part.weight * (moment(part, 4) + (g > 0 ? 6 * g * moment(part, 2) : 0.0) + 3 * g * g);
  }
  return sum;
}

SharedNoise of_sgd(double r, double variance, double fourth, int batch) {
  const double l2 = r + variance;
  const double square = 2 * r * r + 4 * r * variance + fourth - variance * variance;
  return {1.0 / batch, 2.0 / batch, square / (l2 * l2 * batch)};
}

SharedNoise of_sign(const ResidualLaw& law, double risk, int batch) {
  if (batch == 1) return {-1, 0, 0};
  const double b = batch;
  if (law.gaussian()) {  // l = sqrt(2P) chi_b
    const double chi = chi_mean(b);
    return {(b - 1) / (chi * chi) - 1, 0, 0};
  }
  // (b-2) E[1/|l|^2] = (b-2) int_0^inf F(s)^b ds, F = E e^(-s l^2) ~ k/sqrt(s): 2k^2 as b -> 2.
  const double inverse = law.inverse_norm(risk, batch);
  double square;
  if (batch == 2) {
    const double far = 1e10 / risk;
    square = 2 * far * std::pow(law.laplace(risk, far), 2);
  } else {
    constexpr double h = 0.1;
    square = 0;
    for (double y = -40; y < 120; y += h) {
      const double s = std::exp(y) / risk;
      square += (b - 2) * h * s * std::pow(law.laplace(risk, s), b);
    }
  }
  return {square / ((b - 1) * inverse * inverse) - 1, 0, 0};
}

/// By Stein's lemma in g ~ N(0, r): E[f g] = r P(|l| < c), E[f^3 g] = 3 r E[l^2; |l| < c],
/// E[f^2 g^2] = r E f^2 + r^2 E (f^2)'', E (f^2)'' = 2w - 2c w'(c), w = P(|l| < c).
SharedNoise of_sample_clip(const ResidualLaw& law, double risk, double c, int batch) {
  const auto w = [&](double u) { return law.within(risk, u); };
  const double r = 2 * risk, inside = w(c), d = 1e-3;
  const double slope = (w(c * (1 + d)) - w(c * (1 - d))) / (2 * d);  // c w'
  const double fg = r * inside, f2 = law.clipped_square(risk, c);
  const double f3g = 3 * r * (f2 - c * c * (1 - inside));
  const double f2g2 = r * f2 + r * r * (2 * inside - 2 * slope);
  const double f4 = boost::math::quadrature::gauss_kronrod<double, 15>::integrate(
      [&](double u) { return 4 * u * u * u * (1 - w(u)); }, 0.0, c, 5, 1e-5);
  return {(f2g2 - fg * fg - r * f2) / (fg * fg * batch), (f3g - fg * f2) / (fg * f2 * batch),
          (f4 - f2 * f2) / (f2 * f2 * batch)};
}

SharedNoise of_batch_clip(const NoiseLaw& noise, double risk, double c, int batch) {
  // Large batches are alike: everything is O(1/b), |l|/b of order 1/sqrt(b).
  const int b = std::min(batch, 256);
  const double threshold = c * std::sqrt(static_cast<double>(batch) / b);
  const int draws = std::max(2000, 65536 / b);
  Random random(1, 0, 0);
  double x1 = 0, y1 = 0, xx = 0, xy = 0, yy = 0;
  for (int i = 0; i < draws; ++i) {
    double square = 0, along = 0;
    for (int j = 0; j < b; ++j) {
      const double g = std::sqrt(2 * risk) * random.normal(), l = g - noise.sample(random);
      square += l * l;
      along += l * g;
    }
    const double norm = std::sqrt(square), s = std::min(norm / b, threshold);
    const double x = norm > 0 ? s * along / norm : 0.0, y = s * s;
    x1 += x / draws;
    y1 += y / draws;
    xx += x * x / draws;
    xy += x * y / draws;
    yy += y * y / draws;
  }
  const double scale = static_cast<double>(b) / batch;
  return {scale * ((xx - 2 * risk * y1) / (x1 * x1) - 1), scale * (xy / (x1 * y1) - 1),
          scale * (yy / (y1 * y1) - 1)};
}

/// E |z|^n, z ~ N(0,1).
double normal_moment(double n) {
  return std::pow(2, 0.5 * n) * std::tgamma(0.5 * (n + 1)) / std::sqrt(M_PI);
}

SharedNoise of_spectral(double q, double batch, double side) {
  // batch >> side: the update is ||l||^q times a function of directions alone.
  const SharedNoise many{0.5 * (1 + q) * (1 + q) - 1, q * (1 + q), 2 * q * q};
  // batch << side: the samples are orthogonal, and each is raised to q by itself.
  const auto m = normal_moment;
  const double x = m(1 + q);
  SharedNoise few = many;
  if (q >= 0)
    few = {(m(2 + 2 * q) - m(2 * q)) / (x * x) - 1, m(1 + 3 * q) / (x * m(2 * q)) - 1,
           m(4 * q) / (m(2 * q) * m(2 * q)) - 1};
  const double w = 1 / (1 + batch / side);
  return {(w * few.progress + (1 - w) * many.progress) / batch,
          (w * few.both + (1 - w) * many.both) / batch,
          (w * few.size + (1 - w) * many.size) / batch};
}

}  // namespace

std::function<SharedNoise(double t, double risk)> shared_noise(const Experiment& experiment) {
  const std::string name = experiment.optimizer.text("name");
  const NoiseLaw& noise =
      experiment.is_matrix() ? experiment.matrix().noise : experiment.vector().noise;
  if (name == "sgd") {
    const int batch = read_sgd(experiment.optimizer).batch;
    const double variance = noise.variance, fourth = fourth_moment(noise);
    return [=](double, double risk) { return of_sgd(2 * risk, variance, fourth, batch); };
  }
  const auto law = std::make_shared<ResidualLaw>(noise);
  if (name == "sign_sgd") {
    const int batch = read_sign_sgd(experiment.optimizer).batch;
    return [=](double, double risk) { return of_sign(*law, risk, batch); };
  }
  if (name == "clipped_sgd") {
    const ClippedSgd clip = read_clipped_sgd(experiment.optimizer, experiment.run.steps);
    return [=](double t, double risk) {
      return clip.clip == ClippedSgd::Clip::sample || clip.batch == 1
                 ? of_sample_clip(*law, risk, clip.threshold(t), clip.batch)
                 : of_batch_clip(noise, risk, clip.threshold(t), clip.batch);
    };
  }
  const SpectralOptimizer spectral = read_spectral(experiment.optimizer);
  if (spectral.kind == SpectralOptimizer::Kind::regularized_svd) return {};
  const MatrixProblem& problem = experiment.matrix();
  const SharedNoise fixed =
      of_spectral(spectral.exponent, spectral.batch,
                  std::min(problem.covariance_out.dimension(), problem.covariance_in.dimension()));
  return [=](double, double) { return fixed; };
}

}  // namespace riskcurve
