#include "dynamics/given_signs.hpp"

#include <cmath>
#include <memory>
#include <numbers>
#include <utility>

#include "dynamics/filtered_variance.hpp"
#include "dynamics/seen_gradient.hpp"

namespace riskcurve {
namespace {

using Eigen::ArrayXd;
using Eigen::Index;
using Eigen::MatrixXd;
using std::numbers::pi;

constexpr double kFaintMean = 1e-24;  // of the largest square

/// Between coordinates and modes, shape (coordinates, modes).
struct Tables {
  MatrixXd to_mode;    // w
  MatrixXd from_mode;  // D^(-1) w: g~ = from_mode Lambda y
  MatrixXd share;      // q_ik^2
  ArrayXd inverse;     // 1/D_i

  explicit Tables(const SignBasis& basis) : to_mode(basis.w) {
    inverse = basis.scale.cwiseInverse().array();
    from_mode = inverse.matrix().asDiagonal() * to_mode;
    share = to_mode.cwiseProduct(from_mode);
  }
};

/// Of every coordinate: E sign, its slope by g~, and eta.
struct Signs {
  ArrayXd mean, slope, rest;
};

Signs signs_of(const Measure& c, const ArrayXd& gradient, const ArrayXd& spread,
               const ArrayXd& left) {
  const Index size = gradient.size();
  Signs signs{ArrayXd::Zero(size), ArrayXd::Zero(size), ArrayXd::Zero(size)};
  for (Index j = 0; j < c.point.size(); ++j)
    for (Index i = 0; i < size; ++i) {
      const double at = c.point[j], w = c.weight[j];
      const double unit = at / std::sqrt(2 * (left[i] + at * at * spread[i]));
      const double x = unit * gradient[i], bell = std::exp(-x * x), mean = std::erf(x);
      signs.mean[i] += w * mean;
      signs.slope[i] += w * 2 / std::sqrt(pi) * unit * bell;
      signs.rest[i] += w * (1 - mean * mean - 2 / pi * bell * bell) / (1 - 2 / pi);
    }
  return signs;
}

}  // namespace

void turn_to_errors(SignBasis& basis) {
  for (Index k = 0; k < basis.error.size(); ++k)
    if (basis.error[k] < 0) {
      basis.w.col(k) *= -1;
      basis.error[k] *= -1;
    }
}

ArrayXd with_faint_means(const ArrayXd& initial) {
  return initial.max(kFaintMean * initial.maxCoeff());
}

FilteredMap given_sign_map(const SignBasis& basis,
                           std::function<GivenNoise(const FilteredGradient& u)> law) {
  FilteredMap map;
  map.sees_means = true;
  map.answer = [tables = std::make_shared<const Tables>(basis), law = std::move(law)](
                   const FilteredGradient& u, const FilteredAnswer*) {
    const Tables& t = *tables;
    const GivenNoise noise = law(u);
    // What runs differ by.
    FilteredGradient apart = u;
    apart.error = (u.error - u.mean.square()).max(0.0);
    apart.cross = u.cross - u.mean * u.held_mean;
    apart.signal = (u.signal - u.held_mean.square()).max(0.0);
    const ArrayXd moved = u.weight * (u.fresh * u.mean + u.share * u.held_mean);
    const ArrayXd gradient = (t.from_mode * moved.matrix()).array();
    const ArrayXd spread = t.inverse * (t.share * signal_of(apart).max(0.0).matrix()).array();
    const ArrayXd left = (1 - (gradient.square() + spread) / noise.power).max(1e-12);
    const Signs signs = signs_of(noise.c, gradient, spread, left);
    FilteredAnswer answer;
    const ArrayXd mean = (t.to_mode.transpose() * signs.mean.matrix()).array();
    answer.fresh = (t.share.transpose() * signs.slope.matrix()).array();
    answer.held = answer.fresh_noise = answer.fresh;
    const auto seen = moved.abs() > 1e-290;
    answer.fresh_of_mean = seen.select(mean / seen.select(moved, 1.0), 0.0);
    answer.held_of_mean = answer.fresh_of_mean;
    answer.sampled = (u.weight > 0).select(noise.sampled / u.weight.max(1e-300), 0.0);
    answer.power =
        mean.square() + linear_power(apart, answer) +
        noise.rest_scale * noise.rest * (t.share.transpose() * signs.rest.matrix()).array();
    return answer;
  };
  // No covariance: the mean holds what comes again, but for what runs differ by; sums over lags
  // stand in `rest`.
  return map;
}

}  // namespace riskcurve
