#include "integrate/propagator.hpp"

#include <gtest/gtest.h>

#include <boost/math/quadrature/gauss_kronrod.hpp>
#include <cmath>

namespace riskcurve {
namespace {

/// int_0^1 e^(-z(1-v)) v^m dv
double moment(double z, int m) {
  const auto f = [&](double x) {  // from the end, where it is concentrated
    return std::exp(-z * x) * std::pow(1 - x, m);
  };
  const double split = std::min(1.0, 40 / (1 + z));
  using Rule = boost::math::quadrature::gauss_kronrod<double, 31>;
  return Rule::integrate(f, 0, split, 12, 1e-14) +
         (split < 1 ? Rule::integrate(f, split, 1, 12, 1e-14) : 0);
}

TEST(ScalarPropagator, HasTheMomentsOfSlowAndFastModesSideBySide) {
  Block z = Block::Zero();
  for (int k = 1; k < kBlock; ++k) z[k] = std::pow(10.0, -6 + 0.7 * k);
  const ScalarPropagator mixed(z);
  for (int k = 0; k < kBlock; ++k) {
    const ScalarPropagator alone(Block::Constant(z[k]));
    EXPECT_NEAR(mixed.decay[k], std::exp(-z[k]), 1e-15);
    for (int m = 0; m < kStepNodes; ++m) {
      EXPECT_NEAR(mixed.moment(k, m) / moment(z[k], m), 1, 1e-12) << z[k] << ' ' << m;
      EXPECT_NEAR(alone.moment(3, m) / mixed.moment(k, m), 1, 1e-14) << z[k] << ' ' << m;
    }
  }
}

TEST(ScalarPropagator, GainsOfAPolynomialOfOnesOwnOrShared) {
  // dy/dv = -z y + p(v) from 0, by the closed form of p = v^2: M_2, at u by the same over [0, u].
  const ScalarPropagator over(Block::Constant(1.7));
  const StepNodes square{{0.0, 0.0, 1.0, 0.0, 0.0}};
  EXPECT_NEAR(over.gain(square)[0], moment(1.7, 2), 1e-14);
  BlockNodes own = BlockNodes::Zero();
  own.col(2).setConstant(3);
  EXPECT_NEAR(over.gain(own, Block::Constant(0.5))[5], 3 * 0.125 * moment(1.7, 2), 1e-14);
}

TEST(ScalarClock, WithoutDriftIsTime) {
  const StepNodes gamma{{0.1, 0.2, 0.3, 0.2, 0.1}};
  const ScalarClock still = scalar_clock(gamma, StepNodes::Zero(), 4);
  EXPECT_EQ(still.total, 0);
  EXPECT_TRUE((still.fraction == step_basis().node).all());
  EXPECT_TRUE((still.per == 4 * gamma).all());
  const ScalarClock moving = scalar_clock(gamma, StepNodes::Constant(2), 4);
  // int gamma a dt of the polynomial through the nodes: by its Clenshaw-Curtis weights.
  EXPECT_NEAR(moving.total, 8 * (0.2 / 30 + 0.4 * 8 / 30 + 0.3 * 12 / 30), 1e-14);
  EXPECT_TRUE((moving.per == moving.total / 2).all());
}

}  // namespace
}  // namespace riskcurve
