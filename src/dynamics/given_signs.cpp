#include "dynamics/given_signs.hpp"

#include <cmath>
#include <memory>
#include <numbers>
#include <utility>

#include "dynamics/coordinate_products.hpp"
#include "dynamics/filtered_variance.hpp"
#include "dynamics/seen_gradient.hpp"

namespace riskcurve {
namespace {

using Eigen::ArrayXd;
using Eigen::Index;
using std::numbers::pi;

constexpr double kFaintMean = 1e-24;  // of the largest square

/// Between coordinates and modes.
struct Tables {
  ArrayXd scale;  // D_i
  CoordinateProducts
      sides;  // of F = D^(-1) w: g~ = F Lambda y, w^T f = F^T D f, q_ik^2 = D_i F_ik^2

  explicit Tables(const SignBasis& basis)
      : scale(basis.scale.array()), sides(basis.scale.cwiseInverse().asDiagonal() * basis.w) {}
};

CoordinateRates signs_of(const Measure& c, const ArrayXd& gradient, const ArrayXd& spread,
                         const ArrayXd& left) {
  const Index size = gradient.size();
  CoordinateRates signs{ArrayXd::Zero(size), ArrayXd::Zero(size), ArrayXd::Zero(size), 0};
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

FilteredMap given_map(
    const SignBasis& basis, const ArrayXd& rest,
    std::function<CoordinateRates(const FilteredGradient&, const CoordinateGradient&)> law) {
  FilteredMap map;
  map.sees_means = true;
  map.answer = [tables = std::make_shared<const Tables>(basis), rest, law = std::move(law)](
                   const FilteredGradient& u, const FilteredAnswer*) {
    const Tables& t = *tables;
    const FilteredGradient apart = apart_in(u);
    const ArrayXd moved = u.weight * (u.fresh * u.mean + u.share * u.held_mean);
    const auto seen_by = t.sides.of_modes(
        {{moved, u.weight * u.mean}, {signal_of(apart).max(0.0), u.weight.square() * apart.error}});
    const CoordinateRates rates =
        law(u, {seen_by.x[0], seen_by.y[0], seen_by.x[1].square() + seen_by.y[1]});
    const auto to_modes = t.sides.of_coordinates(
        {t.scale * rates.mean, {t.scale * rates.slope, t.scale * rates.rest}});
    const ArrayXd& mean = to_modes.x;
    FilteredAnswer answer;
    answer.fresh = to_modes.y[0];
    answer.held = answer.fresh_noise = answer.fresh;
    const auto seen = moved.abs() > 1e-290;
    answer.fresh_of_mean = seen.select(mean / seen.select(moved, 1.0), 0.0);
    answer.held_of_mean = answer.fresh_of_mean;
    answer.sampled = (u.weight > 0).select(rates.sampled / u.weight.max(1e-300), 0.0);
    answer.power = mean.square() + linear_power(apart, answer) + rest * to_modes.y[1];
    answer.squares = rates.squares;
    return answer;
  };
  // No covariance: the mean holds what comes again, but for what runs differ by; sums over lags
  // stand in `rest`.
  return map;
}

FilteredMap given_sign_map(const SignBasis& basis, const ArrayXd& rest,
                           std::function<GivenNoise(const FilteredGradient& u)> law) {
  return given_map(
      basis, rest, [law = std::move(law)](const FilteredGradient& u, const CoordinateGradient& g) {
        const GivenNoise noise = law(u);
        const ArrayXd left = (1 - (g.mean.square() + g.spread) / noise.power).max(1e-12);
        CoordinateRates signs = signs_of(noise.c, g.mean, g.spread, left);
        signs.rest *= noise.rest_scale;
        signs.sampled = noise.sampled;
        return signs;
      });
}

}  // namespace riskcurve
