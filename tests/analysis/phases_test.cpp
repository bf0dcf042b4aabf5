#include "riskcurve/analysis/phases.hpp"

#include <gtest/gtest.h>

#include <cmath>

#include "dynamics/signal.hpp"
#include "riskcurve/analysis/optimum.hpp"
#include "riskcurve/dynamics/mode_system.hpp"
#include "riskcurve/dynamics/optimizers.hpp"
#include "riskcurve/problem/error.hpp"

namespace riskcurve {
namespace {

using Eigen::ArrayXd;

ArrayXd decades(double first, double last) {
  const auto count = static_cast<Eigen::Index>(std::round(last - first)) + 1;
  return (std::log(10.0) * ArrayXd::LinSpaced(count, first, last)).exp();
}

PhasePlan plan(double dimension, const ArrayXd& horizon, Sides sides = Sides::in) {
  PhasePlan p;
  p.dimension = dimension;
  p.batch = static_cast<int>(std::min(dimension, 1e9));
  p.horizon = horizon;
  p.sides = sides;
  return p;
}

/// The same problem, built as a problem file would have it.
MatrixProblem problem(double dimension, double alpha, double beta) {
  MatrixProblem p;
  p.covariance_in = power_law(dimension, alpha);
  p.covariance_out = isotropic(dimension);
  p.noise = no_noise();
  p.initial = matrix_power_law_target(p.covariance_out.spectrum, p.covariance_in.spectrum, beta,
                                      Sides::in, 1);
  return p;
}

TEST(Phases, RisksAreThoseOfTheExactOptimumOnTheWholeSpectrum) {
  for (const auto& [alpha, beta] : {std::pair(0.7, 0.2), std::pair(0.3, 0.9)}) {
    const auto points = phase_column(plan(1e6, decades(1, 3)), alpha, ArrayXd::Constant(1, beta));
    const MatrixProblem p = problem(1e6, alpha, beta);
    const SignSvd svd{1000000};
    const SignSgd sgd{1000000};
    for (const double horizon : {10.0, 1000.0}) {
      const Eigen::Index i = horizon > 10 ? 2 : 0;
      EXPECT_NEAR(points[0].sign_svd[i] / best_step(compress(mode_system(p, svd)), horizon).risk, 1,
                  3e-4);
      EXPECT_NEAR(points[0].sign_sgd[i] / best_step(compress(mode_system(p, sgd)), horizon).risk, 1,
                  3e-4);
    }
  }
}

TEST(Phases, TrustNumbersAreThoseOfTheWholeSpectrum) {
  const auto point = phase_column(plan(1e6, decades(1, 3)), 0.3, ArrayXd::Constant(1, 0.4)).front();
  const MatrixProblem p = problem(1e6, 0.3, 0.4);
  const double trace = ArrayXd::LinSpaced(1000000, 1, 1e6).pow(-0.6).sum();  // the norm is 1
  EXPECT_NEAR(point.trust.intrinsic_dimension / trace, 1, 1e-8);
  EXPECT_NEAR(point.trust.rank / risk_rank(p), 1, 1e-6);
  EXPECT_NEAR(point.trust.signal / signal_ratio(p, 1e6, 1), 1, 0.01);
  SignSgd sgd;
  sgd.batch = 1000000;
  const ModeSystem system = mode_system(p, sgd);
  EXPECT_NEAR(point.trust.participation / participation(system), 1, 1e-3);
  const Optimum best = best_step(compress(system), 1000);
  EXPECT_NEAR(point.sign_sgd_step_rate[2] / step_rate(system, best.step, 1000, best.risk), 1, 0.05);
}

TEST(Phases, TheThreePhasesOfThePaperAppear) {
  const PhasePlan p = plan(1e6, decades(1, 6));
  const auto phase = [&](double alpha, double beta) {
    return phase_column(p, alpha, ArrayXd::Constant(1, beta))[0].phase;
  };
  EXPECT_EQ(phase(0.4, 1.2), Phase::sign_sgd);
  EXPECT_EQ(phase(1.2, 0.2), Phase::sign_svd);
  EXPECT_EQ(phase(0.7, 0.5), Phase::trade_off);
}

struct PhaseCase {
  double alpha, beta, sgd, svd;
};

// At N = 10^9 and T = 10^5 .. 10^8 the fits are within 0.05 of the limits derived by hand; 0.1 in
// the notch of the largest exponents, and of the double sums of the two-sided case, whose
// logarithms take 1/log T off the exponent of SignSGD.
TEST(Phases, OneSidedExponentsApproachTheDerivedOnes) {
  for (const PhaseCase c : {PhaseCase{0.7, 0.2, 0.8 / 1.4, 0.8}, PhaseCase{1.2, 0.2, 0.75, 1.5},
                            PhaseCase{1.2, 1.2, 3.8 / 2.4, 2}, PhaseCase{0.7, 0.8, 2 / 1.4, 1.4}}) {
    EXPECT_NEAR(sign_sgd_exponent(c.alpha, c.beta, Sides::in), c.sgd, 1e-12);
    EXPECT_NEAR(sign_svd_exponent(c.alpha, c.beta, Sides::in), c.svd, 1e-12);
    const auto point =
        phase_column(plan(1e9, decades(5, 8)), c.alpha, ArrayXd::Constant(1, c.beta))[0];
    EXPECT_NEAR(point.sign_sgd_exponent.value, c.sgd, 0.05) << c.alpha << " " << c.beta;
    EXPECT_NEAR(point.sign_svd_exponent.value, c.svd, 0.05) << c.alpha << " " << c.beta;
  }
}

TEST(Phases, TwoSidedExponentsApproachTheDerivedOnes) {
  for (const PhaseCase c :
       {PhaseCase{1.2, 0.4, 2.2 / 2.4, 2.2 / 2.4}, PhaseCase{1.5, 0.3, 2.6 / 3, 2.6 / 3}}) {
    EXPECT_NEAR(sign_sgd_exponent(c.alpha, c.beta, Sides::both), c.sgd, 1e-12);
    EXPECT_NEAR(sign_svd_exponent(c.alpha, c.beta, Sides::both), c.svd, 1e-12);
    const auto point = phase_column(plan(1e6, decades(3, 6), Sides::both), c.alpha,
                                    ArrayXd::Constant(1, c.beta))[0];
    EXPECT_NEAR(point.sign_sgd_exponent.value, c.sgd, 0.1) << c.alpha << " " << c.beta;
    EXPECT_NEAR(point.sign_svd_exponent.value, c.svd, 0.05) << c.alpha << " " << c.beta;
  }
}

TEST(Phases, AnOptimalScheduleIsNeverWorse) {
  PhasePlan p = plan(1e4, decades(1, 2));
  const ArrayXd beta = ArrayXd::Constant(1, 0.5);
  const auto constant = phase_column(p, 0.8, beta)[0];
  p.schedules = true;
  const auto scheduled = phase_column(p, 0.8, beta)[0];
  EXPECT_TRUE((scheduled.sign_sgd < constant.sign_sgd).all());
  EXPECT_TRUE((scheduled.sign_svd < constant.sign_svd).all());
}

TEST(Phases, RefuseWhatTheyCannotMap) {
  const ArrayXd beta = ArrayXd::Constant(1, 0.5);
  EXPECT_THROW(phase_column(plan(0.5, decades(1, 3)), 0.5, beta), InputError);
  EXPECT_THROW(phase_column(plan(100, decades(1, 1)), 0.5, beta), InputError);
  EXPECT_THROW(phase_column(plan(100, -decades(1, 3)), 0.5, beta), InputError);
  EXPECT_THROW(phase_column(plan(100, decades(1, 3)), -1, beta), InputError);
  EXPECT_THROW(phase_column(plan(100, decades(1, 3)), 0.5, ArrayXd::Constant(1, NAN)), InputError);
}

}  // namespace
}  // namespace riskcurve
