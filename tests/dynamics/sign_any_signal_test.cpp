// SignSGD with signals of any size (docs/theory/signal.md#signs), against what is drawn, sum rules
// and the small ones.
#include <gtest/gtest.h>

#include <Eigen/Dense>
#include <cmath>
#include <numbers>
#include <random>

#include "dynamics/alike.hpp"
#include "dynamics/coherent_law.hpp"
#include "dynamics/given_signs.hpp"
#include "dynamics/resolved_sign.hpp"
#include "riskcurve/dynamics/optimizers.hpp"
#include "riskcurve/dynamics/residual.hpp"
#include "riskcurve/integrate/solve.hpp"
#include "riskcurve/problem/error.hpp"

namespace riskcurve {
namespace {

using Eigen::ArrayXd;
using Eigen::Index;
using std::numbers::pi;

Directions three_kinds() {
  return {ArrayXd{{1, 2, 40}}, ArrayXd{{1.5, -0.6, 0.1}}, ArrayXd{{0.8, 0.5, 0.03}}};
}

TEST(ResolvedSign, SquaresOfAllDirectionsSumToOne) {
  const Directions g = three_kinds();
  EXPECT_NEAR((g.count * normalised(g).square).sum(), 1, 1e-7);
  const Directions one{ArrayXd{{1}}, ArrayXd{{0.4}}, ArrayXd{{2}}};
  const Normalised of = normalised(one);
  EXPECT_NEAR(of.square[0], 1, 1e-7);
  // E sign of a normal variable.
  EXPECT_NEAR(of.by_mean[0] * 0.4, std::erf(0.4 / 2), 1e-7);
  EXPECT_NEAR(of.by_spread[0], std::sqrt(2 / (pi * 2)) * std::exp(-0.04), 1e-7);
}

TEST(ResolvedSign, MeetsDrawnDirections) {
  const Directions g = three_kinds();
  const Normalised of = normalised(g);
  std::mt19937_64 random(4);
  std::normal_distribution<double> normal;
  constexpr int draws = 400000;
  Eigen::Array3d mean = Eigen::Array3d::Zero(), square = mean;
  for (int i = 0; i < draws; ++i) {
    double norm = 0;
    Eigen::Array3d first;
    for (Index k = 0; k < 3; ++k)
      for (int l = 0; l < static_cast<int>(g.count[k]); ++l) {
        const double x = g.mean[k] + std::sqrt(g.variance[k]) * normal(random);
        if (l == 0) first[k] = x;
        norm += x * x;
      }
    mean += first / std::sqrt(norm);
    square += first.square() / norm;
  }
  for (Index k = 0; k < 3; ++k) {  // deviations of one draw are below 0.6
    EXPECT_NEAR(mean[k] / draws, g.mean[k] * of.by_mean[k], 5 * 0.6 / std::sqrt(draws)) << k;
    EXPECT_NEAR(square[k] / draws, of.square[k], 5 * 0.6 / std::sqrt(draws)) << k;
  }
}

TEST(ResolvedSign, RestsOfManyDirectionsAreTheArcsineOfTheirMean) {
  const Index n = 50;
  const ArrayXd count = ArrayXd::Constant(n, 200), none = ArrayXd::Zero(n);
  const RowsSeen g(Directions{count, none, ArrayXd::Ones(n)});
  for (const double w : {0.2, 0.7})
    EXPECT_NEAR(rest_of_signs(g, g, ArrayXd::Constant(n, w)), 2 / pi * (std::asin(w) - w), 2e-4)
        << w;
  // Noise alone: no memory, and the same gradient twice is all of its rest.
  EXPECT_NEAR(rest_of_signs(g, g, none), 0, 1e-6);
  EXPECT_NEAR(rest_of_signs(g, g, ArrayXd::Ones(n)), 1 - 2 / pi, 1e-3);
  // One direction: w is a sign, and its noise averages out.
  const RowsSeen one(Directions{ArrayXd{{1}}, ArrayXd{{0}}, ArrayXd{{1}}});
  EXPECT_NEAR(rest_of_signs(one, one, ArrayXd{{0}}), 0, 0.02);
  EXPECT_NEAR(rest_of_signs(one, one, ArrayXd{{1}}), 1 - 2 / pi, 1e-9);
}

TEST(CoherentLaw, HasTheMeanThatTheDriftHas) {
  for (const NoiseLaw& noise :
       {gaussian_noise(0.5), laplace_noise(0.4), student_t_noise(1, 0.2), no_noise()})
    for (const int batch : {1, 16, 100}) {
      const CoherentLaw::At at = CoherentLaw(noise, batch).at(0.3);
      EXPECT_NEAR(at.c.weight.sum(), 1, 1e-9);
      const double phi = std::sqrt(2 / pi) * (at.c.point * at.c.weight).sum();
      // 2048 draws, each of deviation up to 1.2 of its mean.
      EXPECT_NEAR(phi / ResidualLaw(noise).phi(0.3, batch), 1, 0.1) << noise.kind << batch;
    }
  const CoherentLaw::At at = CoherentLaw(gaussian_noise(0.5), 16).at(0.3);
  EXPECT_NEAR(std::sqrt(2 / pi) * (at.c.point * at.c.weight).sum(),
              ResidualLaw(gaussian_noise(0.5)).phi(0.3, 16), 1e-9);
}

VectorProblem vector_problem(Orientation orientation, double signal, double dimension = 400,
                             double alpha = 0.25) {
  PowerLawCovariance law;
  law.dimension = dimension;
  law.alpha = alpha;
  law.orientation = orientation;
  return make_problem(make_covariance(law), PowerLawTarget{0.2, signal}, gaussian_noise(1));
}

TEST(SignAnySignal, MeetsSmallSignalsAsTheirSquare) {
  for (const Orientation orientation : {Orientation::generic, Orientation::diagonal}) {
    const auto gap = [&](double signal) {
      const VectorProblem problem = vector_problem(orientation, signal, 40);
      const ModeSystem small = mode_system(problem, SignSgd{32}),
                       full = any_signal_system(problem, SignSgd{32});
      const ArrayXd a = small.rates(small.start()).drift;
      FilteredGradient u;
      u.weight = full.weight;
      u.multiplicity = full.multiplicity;
      u.risk = u.memory = problem.initial_risk();
      u.error = full.initial / full.multiplicity;
      u.mean = u.error.sqrt();
      const FilteredAnswer answer = full.filtered->answer(u, nullptr);
      return (answer.fresh_of_mean * full.weight / a - 1).abs().maxCoeff();
    };
    const double at_4 = gap(4e-3), at_1 = gap(1e-3), at_16 = gap(16e-3);
    EXPECT_NEAR((at_16 - at_4) / (at_4 - at_1), 4, 0.4) << at_16 << " " << at_4 << " " << at_1;
  }
}

TEST(SignAnySignal, WhereItIsSmallCurvesAreTheSame) {
  Experiment experiment;
  experiment.problem = vector_problem(Orientation::generic, 0.05);
  experiment.optimizer = SignSgd{4};
  experiment.schedule = constant_schedule(2e-3);
  const ArrayXd at = ArrayXd::LinSpaced(4, 0, 300);
  experiment.signal = Signal::small;
  const ModeSystem small = mode_system(experiment);
  experiment.signal = Signal::full;
  const ModeSystem full = mode_system(experiment);
  SolveOptions stepping;
  stepping.method = Method::recursion;
  const ArrayXd a = solve(small, experiment.schedule, at, stepping).risk,
                b = solve(full, experiment.schedule, at).risk;
  for (Index i = 0; i < at.size(); ++i) EXPECT_NEAR(b[i] / a[i], 1, 0.004) << at[i];
}

TEST(SignAnySignal, MergedEigenvaluesLeaveTheCurve) {
  // 800 eigenvalues in 58 bins, against all of them.
  const VectorProblem all = vector_problem(Orientation::generic, 1, 800, 0.75),
                      few = merged_alike(all, 4);
  EXPECT_LT(few.covariance.spectrum.size(), 70);
  EXPECT_NEAR(few.initial_risk(), all.initial_risk(), 1e-12);
  EXPECT_NEAR(few.covariance.spectrum.trace(), all.covariance.spectrum.trace(), 1e-12);
  const VectorProblem more = merged_alike(all, 8);
  const auto end = [](const VectorProblem& problem) {
    Experiment experiment;
    experiment.problem = problem;
    experiment.optimizer = SignSgd{16};
    experiment.schedule = constant_schedule(2e-3);
    experiment.signal = Signal::full;
    const ModeSystem system = mode_system(experiment);
    return solve(system, experiment.schedule, ArrayXd::Constant(1, 200)).risk[0];
  };
  EXPECT_NEAR(end(few) / end(more), 1, 3e-3);
}

TEST(SignAnySignal, MirroredPairsOfAlikeSidesAreOneModeOfTheSameCurve) {
  const ArrayXd index = ArrayXd::LinSpaced(9, 1, 9), one = ArrayXd::Ones(9);
  MatrixProblem problem;
  problem.covariance_in = problem.covariance_out =
      from_spectrum({index.pow(-1.2), one, index, index});
  problem.noise = gaussian_noise(0.3);
  const Spectrum& side = problem.covariance_in.spectrum;
  problem.initial = matrix_power_law_target(side, side, 0.4, Sides::both, 1);
  const SignSgd optimizer{32};
  const ModeSystem few = any_signal_system(problem, optimizer, Grids::compressed),
                   all = any_signal_system(problem, optimizer, Grids::listed);
  EXPECT_EQ(few.modes(), 45);
  EXPECT_EQ(all.modes(), 81);
  const ArrayXd at{{1.0, 10.0, 60.0}};
  const Schedule schedule = constant_schedule(0.01);
  const ArrayXd a = solve(few, schedule, at).risk, b = solve(all, schedule, at).risk;
  EXPECT_LT((a / b - 1).abs().maxCoeff(), 1e-9);
}

TEST(SignAnySignal, IsTakenWhereMeanDriftIsLost) {
  EXPECT_FALSE(signal_matters(vector_problem(Orientation::generic, 1), SignSgd{1}));
  EXPECT_TRUE(signal_matters(vector_problem(Orientation::generic, 1, 400, 0.75), SignSgd{64}));
  Experiment experiment;
  experiment.problem = vector_problem(Orientation::generic, 1, 400, 0.75);
  experiment.optimizer = SignSgd{64};
  EXPECT_TRUE(mode_system(experiment).filtered);
  experiment.signal = Signal::small;
  EXPECT_FALSE(mode_system(experiment).filtered);
}

TEST(SignAnySignal, GivenCoordinatesOfAMatrixAreRefused) {
  Ar1Covariance law;
  law.dimension = 10;
  law.correlation = 0.5;
  const MatrixProblem problem =
      make_problem(make_covariance(law), isotropic(10), IsotropicTarget{1}, gaussian_noise(1));
  EXPECT_THROW(any_signal_system(problem, SignSgd{8}), InputError);
}

/// In coordinates, errors along and across the largest direction.
VectorProblem given_problem(const Eigen::MatrixXd& k, double signal, double std) {
  VectorProblem problem;
  problem.covariance = from_matrix(k);
  const Index d = k.rows();
  Eigen::VectorXd error(d);
  for (Index i = 0; i < d; ++i) error[i] = signal * (0.6 + std::sin(1.7 * static_cast<double>(i)));
  problem.initial_error = error;
  problem.initial = (problem.covariance.eigenvectors->transpose() * error).array().square();
  problem.noise = gaussian_noise(std);
  return problem;
}

Eigen::MatrixXd correlated(Index d) {
  Eigen::MatrixXd k(d, d);
  for (Index i = 0; i < d; ++i)
    for (Index j = 0; j < d; ++j)
      k(i, j) =
          std::pow(0.8, std::abs(static_cast<double>(i - j))) *
          std::sqrt((0.5 + 0.1 * static_cast<double>(i)) * (0.5 + 0.1 * static_cast<double>(j)));
  return k;
}

// The mean update of drawn batches, direction by direction: 5 standard errors.
TEST(SignAnySignal, MeansInGivenCoordinatesAreThoseOfDrawnBatches) {
  const Index d = 12;
  const int batch = 32, draws = 20000;
  const Eigen::MatrixXd k = correlated(d);
  const VectorProblem problem = given_problem(k, 0.5, 0.7);
  const ModeSystem system = any_signal_system(problem, SignSgd{batch});
  FilteredGradient u;
  u.weight = system.weight;
  u.multiplicity = system.multiplicity;
  u.risk = u.memory = system.risk(system.initial);
  u.error = system.initial;
  u.mean = u.error.sqrt();
  u.cross = u.signal = u.noise = u.held_mean = ArrayXd::Zero(d);
  const FilteredAnswer answer = system.filtered->answer(u, nullptr);
  const ArrayXd predicted = u.weight * answer.fresh_of_mean * u.mean;

  SignBasis basis = sign_basis(problem);
  turn_to_errors(basis);
  const Eigen::MatrixXd root = k.llt().matrixL();
  std::mt19937_64 random(7);
  std::normal_distribution<double> normal;
  ArrayXd sum = ArrayXd::Zero(d), square = sum;
  for (int i = 0; i < draws; ++i) {
    const Eigen::MatrixXd x =
        root * Eigen::MatrixXd::NullaryExpr(d, batch, [&] { return normal(random); });
    const Eigen::VectorXd residual =
        x.transpose() * *problem.initial_error +
        0.7 * Eigen::VectorXd::NullaryExpr(batch, [&] { return normal(random); });
    const Eigen::VectorXd sign = (x * residual).array().sign();
    const ArrayXd f = (basis.w.transpose() * sign).array();
    sum += f;
    square += f.square();
  }
  sum /= draws;
  square /= draws;
  const ArrayXd error = ((square - sum.square()) / draws).sqrt();
  for (Index m = 0; m < d; ++m) {
    EXPECT_NEAR(predicted[m], sum[m], 5 * error[m] + 0.01 * std::abs(sum[m])) << m;
    EXPECT_NEAR(answer.power[m], square[m], 0.4 * square[m]) << m;  // of faint modes
  }
  EXPECT_NEAR((answer.power * u.weight).sum(), (square * u.weight).sum(),
              0.05 * (square * u.weight).sum());
}

// Coordinates that are not correlated are the diagonal orientation's.
TEST(SignAnySignal, UncorrelatedGivenCoordinatesAreDiagonalOnes) {
  const Index d = 9;
  const ArrayXd value = ArrayXd::LinSpaced(d, 2, 0.4);
  const VectorProblem given = given_problem(value.matrix().asDiagonal(), 0.4, 0.5);
  VectorProblem diagonal = given;
  diagonal.covariance = from_eigenvalues(value, Orientation::diagonal);
  diagonal.initial = given.initial_error->array().square();
  const ArrayXd at{{5.0, 40.0, 200.0}};
  const auto curve = [&](const VectorProblem& problem) {
    return solve(any_signal_system(problem, SignSgd{32}), constant_schedule(2e-3), at).risk.eval();
  };
  const ArrayXd a = curve(given), b = curve(diagonal);
  for (Index i = 0; i < at.size(); ++i) EXPECT_NEAR(a[i] / b[i], 1, 0.01) << at[i];
}

// A faint signal: the curve of small ones, bare, of Signum and of Lion.
TEST(SignAnySignal, WhereItIsSmallGivenCurvesAreTheSame) {
  const VectorProblem problem = given_problem(correlated(12), 0.002, 1);
  for (const Optimizer& optimizer : {Optimizer(SignSgd{2}), Optimizer(Lion{2})})
    for (const double momentum : {0.0, 0.8}) {
      if (momentum > 0 && std::holds_alternative<Lion>(optimizer)) continue;
      Experiment e{problem, optimizer, constant_schedule(1e-5), {}};
      if (momentum > 0) e.chain.momentum = constant_schedule(momentum);
      const ArrayXd at{{10.0, 100.0, 1000.0}};
      e.signal = Signal::full;
      const ArrayXd full = solve(mode_system(e), e.schedule, at).risk;
      e.signal = Signal::small;
      const ArrayXd small = solve(mode_system(e), e.schedule, at).risk;
      for (Index i = 0; i < at.size(); ++i)
        EXPECT_NEAR(full[i] / small[i], 1, 0.01) << name_of(optimizer) << momentum << " " << at[i];
    }
}

/// Signum or Lion on a power law in a generic basis.
Experiment generic(const Optimizer& optimizer, double noise, double step) {
  Experiment e;
  e.problem = make_problem(power_law(400, 0.4), PowerLawTarget{.beta = 0.2, .risk = 1},
                           gaussian_noise(noise));
  e.optimizer = optimizer;
  if (std::holds_alternative<SignSgd>(optimizer)) e.chain.momentum = constant_schedule(0.9);
  e.schedule = constant_schedule(step);
  e.signal = Signal::full;
  return e;
}

TEST(SignAnySignal, WhereItIsSmallGenericCurvesOfFiltersAreTheSame) {
  for (const Optimizer& optimizer : {Optimizer(SignSgd{4}), Optimizer(Lion{4})}) {
    Experiment e = generic(optimizer, 40, 1e-4);
    const ArrayXd at{{10.0, 100.0, 1000.0}};
    ASSERT_TRUE(mode_system(e).filtered);
    const ArrayXd full = solve(mode_system(e), e.schedule, at).risk;
    e.signal = Signal::small;
    const ArrayXd small = solve(mode_system(e), e.schedule, at).risk;
    for (Index i = 0; i < at.size(); ++i)
      EXPECT_NEAR(full[i] / small[i], 1, 0.01) << name_of(optimizer) << " " << at[i];
  }
}

TEST(SignAnySignal, LeapsOverRestsThatLastKeepTheRisk) {
  for (const Optimizer& optimizer : {Optimizer(SignSgd{64}), Optimizer(Lion{4})}) {
    const Experiment e = generic(optimizer, 0.3, 1e-3);
    const ModeSystem system = mode_system(e);
    const ArrayXd few{{300.0, 1000.0, 3000.0}}, many{{300.0, 1000.0, 3000.0, 9000.0}};
    const RiskCurve plain = solve(system, e.schedule, few), leaps = solve(system, e.schedule, many);
    EXPECT_LT(leaps.accepted, 1500) << name_of(optimizer);
    for (Index i = 0; i < few.size(); ++i)
      EXPECT_NEAR(leaps.risk[i] / plain.risk[i], 1, 2e-3) << name_of(optimizer) << " " << few[i];
  }
}

// Step by step up to here, many at once where the run is long: also while a memory longer than a
// leap still fills, and swings.
TEST(SignAnySignal, LeapsInGivenCoordinatesKeepTheRisk) {
  const VectorProblem problem = given_problem(correlated(12), 0.5, 0.7);
  for (const Optimizer& optimizer :
       {Optimizer(Lion{8}), Optimizer(Adam{64}), Optimizer(AdaGrad{64}), Optimizer(SignSgd{64})}) {
    Experiment e{problem, optimizer, constant_schedule(2e-3), {}};
    e.signal = Signal::full;
    if (std::holds_alternative<AdaGrad>(optimizer)) e.schedule = constant_schedule(0.02);
    const ModeSystem system = mode_system(e);
    const ArrayXd few{{150.0, 300.0, 600.0, 1200.0}}, many{{150.0, 300.0, 600.0, 1200.0, 20000.0}};
    const RiskCurve plain = solve(system, e.schedule, few), leaps = solve(system, e.schedule, many);
    ASSERT_EQ(leaps.status, RiskCurve::Status::ok) << leaps.message;
    EXPECT_LT(leaps.accepted, 1500) << name_of(optimizer);
    for (Index i = 0; i < few.size(); ++i)
      EXPECT_NEAR(leaps.risk[i] / plain.risk[i], 1, 5e-4) << name_of(optimizer) << " " << few[i];
  }
}

}  // namespace
}  // namespace riskcurve
