#include "dynamics/gradient_modes.hpp"

#include <fmt/format.h>

#include <cmath>
#include <limits>

#include "power_of_two.hpp"
#include "riskcurve/problem/error.hpp"

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

/// sum of squares of the shares of R that rows have, sums over nodes.
double share_squares(const Eigen::ArrayXd& of_nodes, const Spectrum& spectrum) {
  const Eigen::ArrayXd shares = of_nodes / of_nodes.sum();
  return (shares.square() / spectrum.multiplicity.max(1.0)).sum();
}

}  // namespace

void check_variance(const NoiseLaw& noise, const char* expected) {
  if (!std::isfinite(noise.variance))
    throw InputError("problem.noise", noise.kind + " (infinite variance)", expected);
}

void add_gradient_response(ModeSystem& system, const NoiseLaw& noise, int batch) {
  const double variance = noise.variance, fourth = fourth_moment(noise);
  system.response = [variance](const Now& now) {
    return Response{Eigen::ArrayXd::Ones(1), Eigen::ArrayXd::Constant(1, 2 * now.risk + variance)};
  };
  system.shared_noise = [variance, fourth, batch](const Now& now) {
    const double unit = power_of_two(2 * now.risk + variance);
    const double r = 2 * now.risk / unit, v = variance / unit, l2 = r + v;
    const double square = 2 * r * r + 4 * r * v + fourth / unit / unit - v * v;
    return SharedNoise{1.0 / batch, 2.0 / batch, square / (l2 * l2 * batch)};
  };
}

void warn_of_memory(ModeSystem& system, const NoiseLaw& noise, double steps) {
  constexpr double most = 50;
  if (std::isinf(noise.variance) && steps > most)
    system.warnings.push_back(
        fmt::format("the label noise has no variance, and a mean over {:.3g} steps of it does not "
                    "settle, above {:g}: runs scatter widely around their mean, the curve",
                    steps, most));
}

void warn_of_few_rows(ModeSystem& system, const MatrixProblem& problem) {
  const Spectrum &out = problem.covariance_out.spectrum, &in = problem.covariance_in.spectrum;
  if (!(problem.initial_risk() > 0)) return;
  const auto of_side = [](const Covariance& side, const Eigen::ArrayXd& of_nodes) {
    return side.orientation == Orientation::diagonal ? share_squares(of_nodes, side.spectrum)
                                                     : 1 / side.spectrum.dimension();
  };
  const double excess =
      2 * (of_side(problem.covariance_out, out.value * problem.initial.over_columns(in.value)) +
           of_side(problem.covariance_in, in.value * problem.initial.over_rows(out.value)));
  constexpr double most = 0.08;
  if (excess > most)
    system.warnings.push_back(fmt::format(
        "residuals share rows and columns with the gradient's entries, whose squares are {:.2g} "
        "larger for it, above {:g}: the matrix is small, and runs lie above the curve by about as "
        "much",
        excess, most));
}

}  // namespace riskcurve
