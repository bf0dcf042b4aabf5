#include <algorithm>
#include <cmath>
#include <numbers>
#include <string>

#include "dynamics/pair_sum.hpp"
#include "dynamics/spectral_quadrature.hpp"
#include "dynamics/spectral_rates.hpp"
#include "riskcurve/problem/error.hpp"

namespace riskcurve {
namespace {

using Eigen::ArrayXd;
using Eigen::ArrayXXd;
using Eigen::Index;
using Eigen::MatrixXd;

/// a x/(1 + a x), shape (x, nodes)
MatrixXd held(const ArrayXd& log_a, const ArrayXd& x) {
  MatrixXd r(x.size(), log_a.size());
  for (Index k = 0; k < log_a.size(); ++k) {
    const double a = std::exp(log_a[k]);
    r.col(k) = a * x / (1 + a * x);
  }
  return r;
}

/// sqrt(x)/(1 + a x), shape (x, nodes)
MatrixXd root_free(const ArrayXd& log_a, const ArrayXd& x) {
  MatrixXd r(x.size(), log_a.size());
  for (Index k = 0; k < log_a.size(); ++k) r.col(k) = x.sqrt() / (1 + std::exp(log_a[k]) * x);
  return r;
}

/// Chebyshev interpolation in log x over the range of x, to relative accuracy `accuracy` for the
/// log of a function c(x) that is zero free for |arg x| < pi/2: c, a positive mixture of
/// x/((1+ax)(1+a'x)), is. Where that takes no fewer nodes than there are points, the nodes are the
/// points.
struct LogInterpolation {
  ArrayXd node;
  MatrixXd matrix;  // (points, nodes); empty if the nodes are the points

  LogInterpolation(const ArrayXd& x, double accuracy) {
    const double low = std::log(x.minCoeff()), high = std::log(x.maxCoeff());
    const double centre = 0.5 * (low + high), radius = 0.5 * (high - low);
    Index n = 1;
    if (radius > 0) {
      const double rho = (std::numbers::pi / 2 + std::hypot(std::numbers::pi / 2, radius)) / radius;
      n = static_cast<Index>(std::ceil(-std::log(accuracy) / std::log(rho))) + 2;
    }
    if (n >= x.size()) {
      node = x;
      return;
    }
    const ArrayXd angle = (ArrayXd::LinSpaced(n, 0, static_cast<double>(n - 1)) + 0.5) *
                          (std::numbers::pi / static_cast<double>(n));
    const ArrayXd y = angle.cos();
    ArrayXd weight = angle.sin();
    for (Index j = 1; j < n; j += 2) weight[j] = -weight[j];
    node = (centre + radius * y).exp();
    matrix.resize(x.size(), n);
    for (Index i = 0; i < x.size(); ++i) {
      const double at = radius > 0 ? (std::log(x[i]) - centre) / radius : y[0];
      const ArrayXd distance = at - y;
      Index hit;
      if (distance.abs().minCoeff(&hit) < 1e-15) {
        matrix.row(i).setZero();
        matrix(i, hit) = 1;
      } else {
        matrix.row(i) = (weight / distance / (weight / distance).sum()).matrix().transpose();
      }
    }
  }
  MatrixXd left(const MatrixXd& f) const { return matrix.size() ? MatrixXd(matrix * f) : f; }
};

std::vector<Index> positive(const ArrayXd& x) {
  std::vector<Index> keep;
  for (Index k = 0; k < x.size(); ++k)
    if (x[k] > 0) keep.push_back(k);
  return keep;
}

ArrayXd samples(const ArrayXd& range) {
  return ArrayXd::LinSpaced(range[0] < range[1] ? 9 : 1, std::log(range[1]), std::log(range[0]))
      .exp();
}

bool is_gaussian(const NoiseLaw& noise) {
  return noise.parts.size() == 1 && !noise.parts[0].density && noise.parts[0].atom.size() == 1 &&
         noise.parts[0].atom[0] == 0;
}

}  // namespace

ArrayXXd SpectralCoefficients::drift(const ArrayXd& sigma, const ArrayXd& lambda) const {
  if (log_a.size() == 0) return (sigma.matrix() * lambda.matrix().transpose()).array();
  const MatrixXd left = held(log_a, sigma) * drift_weight.matrix().asDiagonal();
  const MatrixXd a = left * held(log_b, lambda).transpose();
  return a;
}

ArrayXXd SpectralCoefficients::diffusion(const ArrayXd& sigma, const ArrayXd& lambda) const {
  if (log_a.size() == 0) return sgd_noise * (sigma.matrix() * lambda.matrix().transpose()).array();
  ArrayXXd c = ArrayXXd::Zero(sigma.size(), lambda.size());
  const std::vector<Index> rows = positive(sigma), columns = positive(lambda);
  if (rows.empty() || columns.empty()) return c;
  const ArrayXd x = sigma(rows), y = lambda(columns);
  const LogInterpolation out(x, interpolation), in(y, interpolation);
  const ArrayXXd table =
      pair_sum(pair_weight, root_free(log_a, out.node), root_free(log_b, in.node));
  if (out.matrix.size() == 0 && in.matrix.size() == 0)
    c(rows, columns) = table;
  else if ((table > 0).all())
    c(rows, columns) =
        in.left(out.left(table.log().matrix()).transpose()).transpose().array().exp();
  else  // a weight of varying sign: no zero-free strip
    c(rows, columns) = pair_sum(pair_weight, root_free(log_a, x), root_free(log_b, y));
  return c;
}

double SpectralCoefficients::drift(double sigma, double lambda) const {
  return drift(ArrayXd::Constant(1, sigma), ArrayXd::Constant(1, lambda))(0, 0);
}

double SpectralCoefficients::diffusion(double sigma, double lambda) const {
  return diffusion(ArrayXd::Constant(1, sigma), ArrayXd::Constant(1, lambda))(0, 0);
}

SpectralRates::SpectralRates(ResolventCurve curve, SpectralFunction f, NoiseLaw noise,
                             double tolerance)
    : curve_(std::move(curve)), f_(std::move(f)), noise_(std::move(noise)), tolerance_(tolerance) {
  if (!(tolerance >= 1e-13 && tolerance <= 1e-2))
    throw InputError("tolerance", tolerance, "within [1e-13, 1e-2]");
  if (f_.identity && !std::isfinite(noise_.variance))
    throw InputError("noise.variance", "inf", "a finite variance, as the update is linear in it");
  // The trapezoidal rule in log tau errs by about 4 exp(-pi^2/step), relative.
  step_ = std::numbers::pi * std::numbers::pi / std::log(200 / tolerance);
  depth_ = tolerance;
}

bool SpectralRates::scales() const {
  return is_gaussian(noise_) && std::isfinite(f_.degree);
}

const SpectralCoefficients& SpectralRates::at(double risk) {
  if (!(risk > 0 && std::isfinite(risk))) throw InputError("risk", risk, "a finite number > 0");
  const double variance = 2 * risk + noise_.variance;
  if (f_.identity) {
    current_ = {};
    current_.sgd_noise = variance / curve_.batch();
  } else if (!scales()) {
    current_ = compute(ResidualTransform(noise_, risk));
  } else {
    if (unit_.log_a.size() == 0) unit_ = compute(ResidualTransform(no_noise(), 0.5));
    current_ = unit_;
    current_.drift_weight *= std::pow(variance, 0.5 * (f_.degree - 1));
    current_.pair_weight *= std::pow(variance, f_.degree);
  }
  return current_;
}

void SpectralRates::new_grid(const ResidualTransform& residual) {
  const ResolventCurve::Range range = curve_.range(residual, depth_);
  // With a shift, f is smooth in tau^2 below it.
  const double low =
      f_.shift > 0 ? std::max(range.low, std::log(f_.shift) + 0.5 * std::log(depth_)) : range.low;
  const double high =
      f_.shift > 0 ? std::max(range.high, std::log(f_.shift) - 0.5 * std::log(depth_)) : range.high;
  const Index n = std::max<Index>(8, static_cast<Index>(std::ceil((high - low) / step_)) + 1);
  log_tau_ = low + step_ * ArrayXd::LinSpaced(n, 0, static_cast<double>(n - 1));
  const ArrayXd log_t =
      f_.shift > 0 ? ArrayXd(0.5 * ((2 * log_tau_).exp() + f_.shift * f_.shift).log()) : log_tau_;
  points_ = curve_.at(log_t, residual);
  if (f_.shift > 0) {
    const ArrayXd slope = (2 * (log_tau_ - log_t)).exp();  // dlog t/dlog tau
    points_.dp *= slope;
    points_.dlog_t = slope;
  } else {
    log_tau_ = points_.log_t;
  }
}

SpectralCoefficients SpectralRates::compute(const ResidualTransform& residual) {
  const ArrayXd sigma = samples(curve_.out_range()), lambda = samples(curve_.in_range());
  SpectralCoefficients best;
  // A grid of another risk first, its p kept; then grids of this law, finer and longer.
  bool fresh = points_.size() == 0 || f_.shift > 0;
  if (fresh) new_grid(residual);
  for (int attempt = 0;; ++attempt) {
    const ResolventPoints points = fresh ? points_ : curve_.moved(points_, residual);
    const bool moved_tau = !fresh;
    const SpectralQuadrature quadrature(curve_, f_, points, moved_tau ? points.log_t : log_tau_,
                                        moved_tau ? points.dlog_t : ArrayXd::Ones(points.size()),
                                        step_);
    const Index n = quadrature.size();
    const Index cut = std::min<Index>(static_cast<Index>(std::ceil(1 / step_)), (n - 4) / 2);
    auto full = quadrature.sums(0, n - 1, 1);
    const auto half = quadrature.sums(0, n - 1, 2);
    const auto brief = quadrature.sums(cut, n - 1 - cut, 1);
    SpectralCoefficients& c = full.coefficients;

    SpectralCoefficients moduli = c;
    moduli.drift_weight = c.drift_weight.abs();
    const ArrayXXd a = c.drift(sigma, lambda), scale = moduli.drift(sigma, lambda);
    const ArrayXXd d = c.diffusion(sigma, lambda);
    const auto difference = [&](const SpectralCoefficients& other, bool drift) {
      return drift ? ((other.drift(sigma, lambda) - a) / scale).abs().maxCoeff()
                   : (other.diffusion(sigma, lambda) / d - 1).abs().maxCoeff();
    };
    // Halving the step squares the error of an exponentially convergent rule; the tails add theirs.
    const auto estimate = [&](bool drift) {
      return std::pow(difference(half.coefficients, drift), 2) +
             difference(brief.coefficients, drift) + 1e-14;
    };
    c.drift_error = estimate(true);
    c.diffusion_error = estimate(false);
    c.interpolation = std::max(1e-13, 1e-2 * tolerance_);
    const bool finite = full.finite_low && full.finite_high;
    const double error = std::max(c.drift_error, c.diffusion_error);
    if (attempt == 0 || (finite && error < std::max(best.drift_error, best.diffusion_error)))
      best = c;
    const bool last = attempt == 3 || (!finite && attempt == 1);
    if ((finite && error <= tolerance_) || last) {
      if (!full.finite_low)
        throw InputError("optimizer.exponent", f_.low_power,
                         "larger: singular values of the gradient reach 0 and E f^2 is infinite");
      if (!full.finite_high)
        throw InputError("optimizer.exponent", f_.high_power,
                         "smaller: the noise has tails so heavy that E f^2 is infinite");
      return best;
    }
    if (fresh) {
      step_ *= 0.75;
      depth_ = std::max(1e-15, 1e-2 * depth_);
    }
    fresh = true;
    new_grid(residual);
  }
}

}  // namespace riskcurve
