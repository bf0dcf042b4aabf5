// The sign of a normal variable that is not centred, with its lags: against integrals of two
// variables at a time.
#include "dynamics/sign_directions.hpp"

#include <gtest/gtest.h>

#include <boost/math/quadrature/gauss_kronrod.hpp>
#include <cmath>
#include <numbers>

namespace riskcurve {
namespace {

double normal_below(double x) {
  return 0.5 * std::erfc(-x / std::numbers::sqrt2);
}

/// Cov(sign U, sign U') of means h, variances one and correlation r < 1.
double covariance_of_signs(double h, double r) {
  const auto both = [&](double x) {
    return std::exp(-0.5 * x * x) / std::sqrt(2 * std::numbers::pi) *
           normal_below((h + r * x) / std::sqrt(1 - r * r));
  };
  const double positive =
      boost::math::quadrature::gauss_kronrod<double, 61>::integrate(both, -h, 12.0, 12, 1e-13);
  const double mean = 2 * normal_below(h) - 1;
  return 4 * positive - 4 * normal_below(h) + 1 - mean * mean;
}

double rest_by_hand(double h, const LagWeights& weights) {
  const double slope = std::sqrt(2 / std::numbers::pi) * std::exp(-0.5 * h * h);
  const double mean = 2 * normal_below(h) - 1;
  double sum = 1 - mean * mean - slope * slope;
  double r = weights.correlation();
  for (int lag = 1; lag < 2000 && r > 1e-9; ++lag, r *= weights.beta)
    sum += 2 * (covariance_of_signs(h, r) - slope * slope * r);
  return sum;
}

TEST(SignDirections, RestIsTheCovarianceOfSignsOverAllLags) {
  for (const bool nesterov : {false, true})
    for (const double beta : {0.5, 0.9}) {
      const LagWeights weights(beta, nesterov ? beta * beta : beta);
      const SignOfMean sign(weights);
      for (const double h : {0.0, 0.3, 1.01, 2.5})
        EXPECT_NEAR(sign(h, false).rest, rest_by_hand(h, weights) / rest_by_hand(0, weights), 1e-7)
            << beta << " " << h;
      EXPECT_NEAR(rest_by_hand(0, weights) / sign_remainder(std::numbers::pi / 2, weights), 1,
                  1e-7);
    }
}

TEST(SignDirections, RatesAnswerAsTheirSlopesSay) {
  const SignDirections directions(Filter{0.9, false, false});
  const Eigen::ArrayXd mean = Eigen::Array4d(0, 0.02, -0.4, 1.1),
                       variance = Eigen::Array4d(0.3, 0.2, 0.5, 0.4);
  const double gain = 0.97, d = 1e-5;
  const DirectionRates at = directions(gain, 0.9, mean, variance, true);
  const auto check = [&](const DirectionRates& up, const DirectionRates& down,
                         Eigen::ArrayXd DirectionRate::*slope) {
    for (const auto part : {&DirectionRates::mean, &DirectionRates::drift, &DirectionRates::rest})
      for (Eigen::Index k = 0; k < mean.size(); ++k)
        EXPECT_NEAR(((at.*part).*slope)[k], ((up.*part).value[k] - (down.*part).value[k]) / (2 * d),
                    1e-5);
  };
  check(directions(gain, 0.9, mean + d, variance, false),
        directions(gain, 0.9, mean - d, variance, false), &DirectionRate::by_mean);
  check(directions(gain, 0.9, mean, variance + d, false),
        directions(gain, 0.9, mean, variance - d, false), &DirectionRate::by_variance);
  check(directions(gain + d, 0.9, mean, variance, false),
        directions(gain - d, 0.9, mean, variance, false), &DirectionRate::by_gain);
}

}  // namespace
}  // namespace riskcurve
