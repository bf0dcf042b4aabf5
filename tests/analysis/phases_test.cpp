#include "riskcurve/analysis/phases.hpp"

#include <gtest/gtest.h>

#include <array>
#include <cmath>
#include <string>
#include <vector>

#include "analysis/walked_search.hpp"
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
PhasePlan small_plan(double dimension, const ArrayXd& horizon, Sides sides = Sides::in) {
  PhasePlan p = plan(dimension, horizon, sides);
  p.small = true;
  return p;
}

/// The same problem, built as a problem file would have it.
MatrixProblem problem(double dimension, double alpha, double beta, Sides sides = Sides::in) {
  MatrixProblem p;
  p.covariance_in = power_law(dimension, alpha);
  p.covariance_out = sides == Sides::both ? p.covariance_in : isotropic(dimension);
  p.noise = no_noise();
  p.initial =
      matrix_power_law_target(p.covariance_out.spectrum, p.covariance_in.spectrum, beta, sides, 1);
  return p;
}

TEST(Phases, RisksAreThoseOfTheExactOptimumOnTheWholeSpectrum) {
  for (const auto& [alpha, beta] : {std::pair(0.7, 0.2), std::pair(0.3, 0.9)}) {
    const auto points =
        phase_column(small_plan(1e6, decades(1, 3)), alpha, ArrayXd::Constant(1, beta));
    const MatrixProblem p = problem(1e6, alpha, beta);
    const SignSvd svd{1000000};
    const SignSgd sgd{1000000};
    for (const double horizon : {10.0, 1000.0}) {
      const Eigen::Index i = horizon > 10 ? 2 : 0;
      EXPECT_NEAR(
          points[0].best[1].risk[i] / best_step(compress(mode_system(p, svd)), horizon).risk, 1,
          3e-4);
      EXPECT_NEAR(
          points[0].best[0].risk[i] / best_step(compress(mode_system(p, sgd)), horizon).risk, 1,
          3e-4);
    }
  }
}

// Signals of any size: the map's walk against the optimum by the recursion.
TEST(Phases, RisksAreThoseOfTheOptimumThatSeesAnySignal) {
  for (const auto& [alpha, beta] : {std::pair(0.6, 1.0), std::pair(1.5, 0.0)}) {
    const auto points = phase_column(plan(100, decades(1, 2)), alpha, ArrayXd::Constant(1, beta));
    for (const std::size_t i : {0, 1})
      for (const Eigen::Index h : {0, 1}) {
        const Optimizer optimizer = i == 0 ? Optimizer(SignSgd{100}) : Optimizer(SignSvd{100});
        Experiment e{problem(100, alpha, beta), optimizer, constant_schedule(1), {}};
        e.signal = Signal::full;
        const Optimum best = best_step(mode_system(e), h == 0 ? 10 : 100);
        EXPECT_NEAR(points[0].best[i].risk[h] / best.risk, 1, 0.01) << alpha << " " << i << h;
      }
    EXPECT_TRUE(points[0].trust.any_signal);
  }
}

// One-sided, nodes are few: against a search on many.
TEST(Phases, OneSidedRisksAreThoseOfManyNodes) {
  for (const auto& [alpha, beta] : {std::pair(0.4, 0.9), std::pair(1.2, 0.4)}) {
    const PhasePoint point =
        phase_column(plan(1e6, decades(2, 4)), alpha, ArrayXd::Constant(1, beta))[0];
    for (const std::size_t i : {0, 1}) {
      const Optimizer optimizer =
          i == 0 ? Optimizer(SignSgd{1000000}) : Optimizer(SignSvd{1000000});
      Experiment e{problem(1e6, alpha, beta), optimizer, constant_schedule(1), {}};
      e.signal = Signal::full;
      const ModeSystem system = mode_system(e, Grids::compressed);
      WalkedSearch search(system);
      double guess = std::log(guessed_step(system, 100));
      for (Eigen::Index h = 0; h < 3; ++h) {
        const Least found = search(std::pow(10.0, 2.0 + static_cast<double>(h)), guess);
        EXPECT_NEAR(std::log(point.best[i].risk[h]), found.log_risk, 0.012)
            << alpha << " " << i << h;
        guess = found.log_step - 2;
      }
    }
  }
}

// Two-sided, nodes are few and rates rough: against the recursion on the nodes that it takes.
TEST(Phases, TwoSidedRisksAreThoseOfASolveOnFinerNodes) {
  const Eigen::Array2d horizon(10, 30);
  const PhasePoint point =
      phase_column(plan(100, horizon, Sides::both), 0.5, ArrayXd::Constant(1, 0.5))[0];
  for (const std::size_t i : {0, 1}) {
    const Optimizer optimizer = i == 0 ? Optimizer(SignSgd{100}) : Optimizer(SignSvd{100});
    Experiment e{problem(100, 0.5, 0.5, Sides::both), optimizer, constant_schedule(1), {}};
    e.signal = Signal::full;
    const ModeSystem system = mode_system(e);
    for (const Eigen::Index h : {0, 1})
      EXPECT_NEAR(point.best[i].risk[h] / best_step(system, horizon[h]).risk, 1, 0.03) << i << h;
  }
  EXPECT_TRUE(point.trust.any_signal);
}

// Where a few directions hold all of it, R swings with the step beyond its first dip: the first
// horizon's search stood in one of those swings, at 0.23.
TEST(Phases, TheFirstDipIsFoundWhereTheRiskSwingsBeyondIt) {
  const PhasePoint point = phase_column(plan(1e6, Eigen::Array2d(10, 100), Sides::both), 1.5,
                                        ArrayXd::Constant(1, 1.17))[0];
  EXPECT_LT(point.best[0].risk[0], 0.02);
  EXPECT_LT(point.best[0].risk[1], 0.05 * point.best[0].risk[0]);
}

// At small batches, to what few nodes and steps of finite size come to.
TEST(Phases, TwoSidedMapsOfSmallSignalsAreThoseOfAny) {
  PhasePlan p = plan(1e4, decades(2, 3), Sides::both);
  p.batch = 10;
  const ArrayXd beta = ArrayXd::Constant(1, 0.3);
  const PhasePoint any = phase_column(p, 0.4, beta)[0];
  p.small = true;
  const PhasePoint small = phase_column(p, 0.4, beta)[0];
  for (const std::size_t i : {0, 1}) {
    EXPECT_LT((any.best[i].risk / small.best[i].risk - 1).abs().maxCoeff(), 0.06) << i;
    EXPECT_FALSE((any.best[i].risk == small.best[i].risk).all());
  }
}

TEST(Phases, TrustNumbersAreThoseOfTheWholeSpectrum) {
  const auto point =
      phase_column(small_plan(1e6, decades(1, 3)), 0.3, ArrayXd::Constant(1, 0.4)).front();
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
  EXPECT_NEAR(point.best[0].step_rate[2] / step_rate(system, best.step, 1000, best.risk), 1, 0.05);
}

TEST(Phases, TheThreePhasesOfThePaperAppear) {
  const PhasePlan p = plan(1e6, decades(1, 6));
  const auto phase = [&](double alpha, double beta) {
    return phase_column(p, alpha, ArrayXd::Constant(1, beta))[0].phase;
  };
  EXPECT_EQ(phase(0.4, 1.2), Phase::first);
  EXPECT_EQ(phase(1.2, 0.2), Phase::second);
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
        phase_column(small_plan(1e9, decades(5, 8)), c.alpha, ArrayXd::Constant(1, c.beta))[0];
    EXPECT_NEAR(point.best[0].exponent.value, c.sgd, 0.05) << c.alpha << " " << c.beta;
    EXPECT_NEAR(point.best[1].exponent.value, c.svd, 0.05) << c.alpha << " " << c.beta;
  }
}

TEST(Phases, TwoSidedExponentsApproachTheDerivedOnes) {
  for (const PhaseCase c :
       {PhaseCase{1.2, 0.4, 2.2 / 2.4, 2.2 / 2.4}, PhaseCase{1.5, 0.3, 2.6 / 3, 2.6 / 3}}) {
    EXPECT_NEAR(sign_sgd_exponent(c.alpha, c.beta, Sides::both), c.sgd, 1e-12);
    EXPECT_NEAR(sign_svd_exponent(c.alpha, c.beta, Sides::both), c.svd, 1e-12);
    const auto point = phase_column(small_plan(1e6, decades(3, 6), Sides::both), c.alpha,
                                    ArrayXd::Constant(1, c.beta))[0];
    EXPECT_NEAR(point.best[0].exponent.value, c.sgd, 0.1) << c.alpha << " " << c.beta;
    EXPECT_NEAR(point.best[1].exponent.value, c.svd, 0.05) << c.alpha << " " << c.beta;
  }
}

TEST(Phases, AnOptimalScheduleIsNeverWorse) {
  PhasePlan p = small_plan(1e4, decades(1, 2));
  const ArrayXd beta = ArrayXd::Constant(1, 0.5);
  const auto constant = phase_column(p, 0.8, beta)[0];
  p.schedules = true;
  const auto scheduled = phase_column(p, 0.8, beta)[0];
  for (const std::size_t i : {0, 1})
    EXPECT_TRUE((scheduled.best[i].risk < constant.best[i].risk).all());
}

// Of the second target of a column, whose rates were filled with another. With a memory R(T) may
// have several dips over the step: the map takes the lower of two.
TEST(Phases, RisksOfAnyPairAreThoseOfTheOptimumOfEach) {
  struct Compared {
    std::array<Optimizer, 2> pair;
    Sides sides;
    std::array<double, 2> momentum = {0, 0};
  };
  for (const Compared& c :
       {Compared{{Sgd{}, Adam{}}, Sides::in}, Compared{{Sgd{}, Adam{}}, Sides::both},
        Compared{{Sgd{}, SignSgd{}}, Sides::in, {0.9, 0.95}},
        Compared{{Lion{}, Sgd{}}, Sides::both, {0, 0.9}}, Compared{{Lion{}, RmsProp{}}, Sides::in},
        Compared{{Lion{}, AdaGrad{}}, Sides::both},
        Compared{{Schatten{1, 0.5}, SignSgd{}}, Sides::both},
        Compared{{RegularizedSvd{1, 0.01}, SignSvd{}}, Sides::in}}) {
    PhasePlan p = small_plan(60, decades(1, 2), c.sides);
    p.batch = 8;
    p.optimizers = c.pair;
    p.momentum = c.momentum;
    const auto points = phase_column(p, 0.4, Eigen::Array2d(0.1, 0.8));
    Experiment experiment{problem(60, 0.4, 0.8, c.sides), {}, constant_schedule(1), {}};
    experiment.signal = Signal::small;
    for (const std::size_t i : {0, 1}) {
      experiment.optimizer = with_batch(c.pair[i], p.batch);
      experiment.chain = {};
      if (c.momentum[i] > 0) experiment.chain.momentum = constant_schedule(c.momentum[i]);
      const ModeSystem system = compress(mode_system(experiment));
      for (const Eigen::Index h : {0, 1}) {
        const Optimum best = best_step(system, p.horizon[h]);
        ASSERT_TRUE(best.found) << best.message;
        const double ratio = points[1].best[i].risk[h] / best.risk;
        EXPECT_LT(ratio, 1 + 1e-3) << name_of(c.pair[i]) << " T = " << p.horizon[h];
        EXPECT_GT(ratio, system.blocks ? 0.5 : 1 - 1e-3) << name_of(c.pair[i]);
      }
    }
  }
}

TEST(Phases, TheOtherWayRoundThePairGivesTheSameNumbers) {
  const ArrayXd beta = ArrayXd::Constant(1, 0.5);
  PhasePlan p = plan(1e4, decades(1, 3));
  p.optimizers = {Sgd{}, SignSvd{}};
  const PhasePoint forward = phase_column(p, 0.3, beta)[0];
  std::swap(p.optimizers[0], p.optimizers[1]);
  const PhasePoint backward = phase_column(p, 0.3, beta)[0];
  for (const std::size_t i : {0, 1})
    EXPECT_TRUE((forward.best[i].risk == backward.best[1 - i].risk).all());
  EXPECT_EQ(forward.phase, Phase::first);
  EXPECT_EQ(backward.phase, Phase::second);
  EXPECT_EQ(forward.trust.signal, backward.trust.signal);
}

// SGD without label noise learns a spectrum that ends exponentially fast.
TEST(Phases, WhereARiskVanishesThereIsNoExponent) {
  PhasePlan p = plan(50, decades(2, 6));
  p.optimizers = {Sgd{}, SignSgd{}};
  const PhasePoint point = phase_column(p, 0.2, ArrayXd::Constant(1, 0.5))[0];
  EXPECT_EQ(point.best[0].risk[4], 0);
  EXPECT_TRUE(std::isnan(point.best[0].exponent.value));
  EXPECT_TRUE((point.best[1].risk > 0).all());
  EXPECT_EQ(point.phase, Phase::first);
}

TEST(Phases, TheBorderIsThatOfTheTwoDerivedExponents) {
  const Eigen::Array2d alpha(0.6, 0.9), beta(0, 1.5);
  const PhaseBorder border = phase_border({SignSvd{}, SignSgd{}}, alpha, beta, Sides::in);
  ASSERT_GT(border.alpha.size(), 0);
  for (Eigen::Index i = 0; i < border.alpha.size(); ++i) {
    const double a = border.alpha[i];
    EXPECT_NEAR(border.beta[i], 0.5 + a * (2 * a - 1), 0.01);
  }
  EXPECT_EQ(phase_border({SignSgd{}, Adam{}}, alpha, beta, Sides::in).alpha.size(), 0);
}

TEST(Phases, WarningsAreThoseOfBothModeSystems) {
  PhasePlan p = plan(20, decades(1, 2));
  EXPECT_TRUE(phase_warnings(p, 0.5).empty());
  p.optimizers = {SignSgd{}, Adam{}};
  const std::vector<std::string> of_adam =
      mode_system(Experiment{problem(20, 0.5, 0), Adam{p.batch}, constant_schedule(1), {}})
          .warnings;
  EXPECT_FALSE(of_adam.empty());
  EXPECT_EQ(phase_warnings(p, 0.5), of_adam);
}

TEST(Phases, RefuseWhatTheyCannotMap) {
  const ArrayXd beta = ArrayXd::Constant(1, 0.5);
  EXPECT_THROW(phase_column(plan(0.5, decades(1, 3)), 0.5, beta), InputError);
  EXPECT_THROW(phase_column(plan(100, decades(1, 1)), 0.5, beta), InputError);
  EXPECT_THROW(phase_column(plan(100, -decades(1, 3)), 0.5, beta), InputError);
  EXPECT_THROW(phase_column(plan(100, decades(1, 3)), -1, beta), InputError);
  EXPECT_THROW(phase_column(plan(100, decades(1, 3)), 0.5, ArrayXd::Constant(1, NAN)), InputError);
  PhasePlan p = plan(100, decades(1, 3));
  p.optimizers[1] = ClippedSgd{1, constant_schedule(1)};  // not of a matrix
  EXPECT_THROW(phase_column(p, 0.5, beta), InputError);
}

}  // namespace
}  // namespace riskcurve
