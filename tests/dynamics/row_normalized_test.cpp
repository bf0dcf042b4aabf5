// Rows of a gradient over their norms (docs/theory/signal.md#rows).
#include <gtest/gtest.h>

#include <Eigen/Dense>
#include <cmath>
#include <random>

#include "riskcurve/dynamics/optimizers.hpp"
#include "riskcurve/integrate/solve.hpp"
#include "riskcurve/problem/error.hpp"

namespace riskcurve {
namespace {

using Eigen::ArrayXd;
using Eigen::Index;
using Eigen::MatrixXd;

MatrixProblem problem_of(Index out, Index in, double alpha, double std) {
  PowerLawCovariance law;
  law.dimension = static_cast<double>(in);
  law.alpha = alpha;
  return make_problem(isotropic(static_cast<double>(out)), make_covariance(law), IsotropicTarget{1},
                      gaussian_noise(std));
}

/// What the map is told at the start.
FilteredGradient start_of(const ModeSystem& system) {
  FilteredGradient u;
  u.weight = system.weight;
  u.multiplicity = system.multiplicity;
  u.risk = u.memory = system.risk(system.initial);
  u.error = system.initial / system.multiplicity;
  u.mean = u.error.sqrt();
  return u;
}

TEST(RowNormalized, SquaresOfARowSumToOne) {
  for (const double alpha : {0.0, 0.5, 1.5})
    for (const int batch : {1, 30, 3000}) {
      const MatrixProblem problem = problem_of(20, 30, alpha, 0.5);
      const ModeSystem system = any_signal_system(problem, RowNormalizedSgd{batch});
      const FilteredAnswer answer = system.filtered->answer(start_of(system), nullptr);
      EXPECT_NEAR((answer.power * system.multiplicity).sum(), 20, 1e-6) << alpha << " " << batch;
    }
}

// Slopes and squares of G/|G| at a batch far above the side, where G is Gaussian around K Delta:
// rows drawn, 5 standard errors.
TEST(RowNormalized, MovesAsDrawnRowsDo) {
  const Index in = 12;
  const MatrixProblem problem = problem_of(1, in, 0.8, 0.5);
  const int batch = 400;
  const ModeSystem system = any_signal_system(problem, RowNormalizedSgd{batch});
  const FilteredGradient u = start_of(system);
  const FilteredAnswer answer = system.filtered->answer(u, nullptr);
  const ArrayXd mean = u.weight * u.mean,
                deviation =
                    (u.weight * (2 * u.risk + 0.25 + 2 * u.weight * u.error) / batch).sqrt();
  std::mt19937_64 random(5);
  std::normal_distribution<double> normal;
  const int draws = 40000;
  ArrayXd sum = ArrayXd::Zero(in), square = sum;
  for (int i = 0; i < draws; ++i) {
    ArrayXd g = mean + deviation * ArrayXd::NullaryExpr(in, [&] { return normal(random); });
    g /= std::sqrt(g.square().sum());
    sum += g;
    square += g.square();
  }
  sum /= draws;
  square /= draws;
  const ArrayXd error = ((square - sum.square()) / draws).sqrt();
  const ArrayXd predicted = u.weight * answer.fresh_of_mean * u.mean;
  for (Index k = 0; k < in; ++k) {
    EXPECT_NEAR(predicted[k], sum[k], 5 * error[k] + 3e-3 * sum[k]) << k;
    EXPECT_NEAR(answer.power[k], square[k], 0.02 * square[k]) << k;
  }
}

TEST(RowNormalized, OfRowsOfOneNumberIsSignSgd) {
  const MatrixProblem problem = problem_of(40, 1, 0.5, 0.5);
  Experiment rows{problem, RowNormalizedSgd{8}, constant_schedule(0.02), {}},
      signs{problem, SignSgd{8}, constant_schedule(0.02), {}};
  rows.signal = signs.signal = Signal::full;
  const ArrayXd at{{10.0, 100.0}};
  const ArrayXd a = solve(mode_system(rows), rows.schedule, at).risk,
                b = solve(mode_system(signs), signs.schedule, at).risk;
  EXPECT_NEAR(a[0] / b[0], 1, 1e-3);
  EXPECT_NEAR(a[1] / b[1], 1, 1e-3);
}

TEST(RowNormalized, NeedsRowsThatAreCoordinates) {
  MatrixProblem problem = make_problem(power_law(30, 0.5), isotropic(20), IsotropicTarget{1});
  EXPECT_THROW(any_signal_system(problem, RowNormalizedSgd{8}), InputError);
  problem.covariance_out.orientation = Orientation::diagonal;
  EXPECT_NO_THROW(any_signal_system(problem, RowNormalizedSgd{8}));
  Experiment e{problem, RowNormalizedSgd{8}, constant_schedule(0.01), {}};
  e.chain.momentum = constant_schedule(0.9);
  EXPECT_THROW(mode_system(e), InputError);
}

}  // namespace
}  // namespace riskcurve
