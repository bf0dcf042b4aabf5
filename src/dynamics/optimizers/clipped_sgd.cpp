#include <algorithm>
#include <boost/math/quadrature/gauss_kronrod.hpp>
#include <cmath>
#include <memory>

#include "dynamics/gradient_modes.hpp"
#include "dynamics/log_chebyshev.hpp"
#include "dynamics/memo.hpp"
#include "power_of_two.hpp"
#include "problem/random.hpp"
#include "riskcurve/dynamics/optimizers.hpp"
#include "riskcurve/dynamics/residual.hpp"

namespace riskcurve {
namespace {

/// mu, nu and the share clipped as functions of (t, R), the last where it is asked for. A constant
/// threshold is tabulated in R.
struct ClipResponse {
  ResidualLaw residual;
  ClippedSgd optimizer;
  LogChebyshev mu, nu;
  mutable Memo<double, ResidualLaw::BatchClip> known;

  ClipResponse(const ResidualLaw& law, const ClippedSgd& clipped)
      : residual(law),
        optimizer(clipped),
        mu([this](double risk) { return constant(risk).mu; }),
        nu([this](double risk) { return constant(risk).nu; }) {}
  ClipResponse(const ClipResponse&) = delete;  // its tables point at it

  ResidualLaw::BatchClip evaluate(double c, double risk) const {
    if (optimizer.clip == ClippedSgd::Clip::batch)
      return residual.batch_clip(risk, c, optimizer.batch);
    const double inside = residual.within(risk, c);
    return {inside, residual.clipped_square(risk, c), 1 - inside};
  }
  /// Both tables ask for it at the same risks.
  ResidualLaw::BatchClip constant(double risk) const {
    return *known(risk, [&] { return evaluate(optimizer.threshold(0), risk); });
  }
  ResidualLaw::BatchClip at(const Now& now) const {
    if (optimizer.threshold.kind == "constant") return {mu(now.risk), nu(now.risk), NAN};
    return evaluate(optimizer.threshold(now.time), now.risk);
  }
};

/// By Stein's lemma in g ~ N(0, r): E[f g] = r P(|l| < c), E[f^3 g] = 3 r E[l^2; |l| < c],
/// E[f^2 g^2] = r E f^2 + r^2 E (f^2)'', E (f^2)'' = 2w - 2c w'(c), w = P(|l| < c).
SharedNoise of_sample_clip(const ResidualLaw& law, double risk, double c, int batch) {
  const auto w = [&](double u) { return law.within(risk, u); };
  const double unit = power_of_two(2 * risk), r = 2 * risk / unit, inside = w(c), d = 1e-3;
  const double slope = (w(c * (1 + d)) - w(c * (1 - d))) / (2 * d);  // c w'
  const double fg = r * inside, f2 = law.clipped_square(risk, c) / unit;
  const double f3g = 3 * r * (f2 - c * (c / unit) * (1 - inside));
  const double f2g2 = r * f2 + r * r * (2 * inside - 2 * slope);
  const double f4 = boost::math::quadrature::gauss_kronrod<double, 15>::integrate(
      [&](double u) { return 4 * u * (u / unit) * (u / unit) * (1 - w(u)); }, 0.0, c, 5, 1e-5);
  return {(f2g2 - fg * fg - r * f2) / (fg * fg * batch), (f3g - fg * f2) / (fg * f2 * batch),
          (f4 - f2 * f2) / (f2 * f2 * batch)};
}

SharedNoise of_batch_clip(const NoiseLaw& noise, double risk, double c, int batch) {
  // Large batches are alike: everything is O(1/b), |l|/b of order 1/sqrt(b).
  const int b = std::min(batch, 256);
  const double threshold = c * std::sqrt(static_cast<double>(batch) / b);
  const int draws = std::max(2000, 65536 / b);
  Random random(1, 0, 0);
  const double unit = power_of_two(2 * risk);
  double x1 = 0, y1 = 0, xx = 0, xy = 0, yy = 0;
  for (int i = 0; i < draws; ++i) {
    double square = 0, along = 0;
    for (int j = 0; j < b; ++j) {
      const double g = std::sqrt(2 * risk) * random.normal(), l = g - noise.sample(random);
      square += l * l;
      along += l * g;
    }
    const double norm = std::sqrt(square), s = std::min(norm / b, threshold);
    const double x = norm > 0 ? s * (along / unit) / norm : 0.0, y = s * (s / unit);
    x1 += x / draws;
    y1 += y / draws;
    xx += x * x / draws;
    xy += x * y / draws;
    yy += y * y / draws;
  }
  const double scale = static_cast<double>(b) / batch;
  return {scale * ((xx - 2 * risk / unit * y1) / (x1 * x1) - 1), scale * (xy / (x1 * y1) - 1),
          scale * (yy / (y1 * y1) - 1)};
}

}  // namespace

ModeSystem mode_system(const VectorProblem& problem, const ClippedSgd& optimizer) {
  ModeSystem system = gradient_modes(problem, optimizer.batch);
  system.optimizer = ClippedSgd::name;
  system.breaks = optimizer.threshold.breaks;
  const ResidualLaw law(problem.noise);
  const auto clip = std::make_shared<const ClipResponse>(law, optimizer);
  system.response = [clip](const Now& now) {
    const ResidualLaw::BatchClip at = clip->at(now);
    return Response{Eigen::ArrayXd::Constant(1, at.mu), Eigen::ArrayXd::Constant(1, at.nu)};
  };
  system.observable["descent_reduction"] = [clip](const ModeSystem&, const Now& now,
                                                  const Eigen::ArrayXd&) {
    return now.risk > 0 ? clip->at(now).mu : NAN;
  };
  system.observable["clipped_variance"] = [clip](const ModeSystem&, const Now& now,
                                                 const Eigen::ArrayXd&) {
    return now.risk > 0 ? clip->at(now).nu : NAN;
  };
  system.observable["clipped_share"] = [clip](const ModeSystem&, const Now& now,
                                              const Eigen::ArrayXd&) {
    return now.risk > 0 ? clip->evaluate(clip->optimizer.threshold(now.time), now.risk).share : NAN;
  };
  system.observable["effective_step"] = [clip](const ModeSystem&, const Now& now,
                                               const Eigen::ArrayXd&) {
    return now.risk > 0 ? now.gamma * clip->at(now).mu : NAN;
  };
  system.shared_noise = [law, noise = problem.noise, optimizer](const Now& now) {
    const double c = optimizer.threshold(now.time);
    return optimizer.clip == ClippedSgd::Clip::sample || optimizer.batch == 1
               ? of_sample_clip(law, now.risk, c, optimizer.batch)
               : of_batch_clip(noise, now.risk, c, optimizer.batch);
  };
  return system;
}

}  // namespace riskcurve
