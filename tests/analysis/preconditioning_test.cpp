#include "riskcurve/analysis/preconditioning.hpp"

#include <gtest/gtest.h>
#include <unistd.h>

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <fstream>
#include <numeric>
#include <string>
#include <vector>

#include "dynamics/spectral_rates.hpp"
#include "riskcurve/input/input.hpp"
#include "riskcurve/integrate/solve.hpp"
#include "riskcurve/problem/error.hpp"

namespace riskcurve {
namespace {

using Eigen::ArrayXd;
using Eigen::ArrayXXd;
using Eigen::Index;

SpectralCoefficients coefficients(const Spectrum& out, const Spectrum& in, double batch,
                                  const SpectralFunction& f = sign_svd(),
                                  const NoiseLaw& noise = gaussian_noise(0.3)) {
  SpectralRates rates(ResolventCurve(out, in, batch), f, noise);
  return rates.at(0.5);
}

double distance(const ArrayXXd& x, double y) {
  return (x - y).abs().maxCoeff();
}

class Preconditioning : public ::testing::Test {
 protected:
  const Spectrum unit = isotropic(40).spectrum, power = power_law(30, 0.5).spectrum;
};

TEST_F(Preconditioning, ExponentsAreTheLogSlopesOfTheDrift) {
  for (const NoiseLaw& noise : {gaussian_noise(0.3), student_t_noise(1, 0.3)})
    for (const double q : {0.0, 0.5, -0.2}) {
      if (q > 0 && !std::isfinite(noise.variance)) continue;
      const SpectralCoefficients c = coefficients(unit, power, 25, schatten(q), noise);
      for (const double sigma : {0.01, 1.0, 7.0})
        for (const double lambda : {0.03, 0.5, 20.0}) {
          const double h = 1e-4;
          const auto slope = [&](double up_out, double up_in) {
            return std::log(c.drift(sigma * std::exp(up_out), lambda * std::exp(up_in)) /
                            c.drift(sigma * std::exp(-up_out), lambda * std::exp(-up_in))) /
                   (2 * h);
          };
          const Exponents e =
              preconditioning(c, ArrayXd::Constant(1, sigma), ArrayXd::Constant(1, lambda));
          EXPECT_NEAR(e.out(0, 0), slope(h, 0), 1e-7) << q << " " << sigma << " " << lambda;
          EXPECT_NEAR(e.in(0, 0), slope(0, h), 1e-7) << q << " " << sigma << " " << lambda;
        }
    }
}

TEST_F(Preconditioning, SmallBatchIsSgdLikeOnBothSides) {
  const Exponents e = preconditioning(coefficients(unit, power, 1e-8), unit.value, power.value);
  EXPECT_LT(distance(e.out, 1), 1e-6);
  EXPECT_LT(distance(e.in, 1), 1e-6);
}

TEST_F(Preconditioning, TallMatrixLargeBatchPreconditionsItsShortSideByTheSquareRoot) {
  const Spectrum tall = isotropic(1e12).spectrum;
  const Exponents e = preconditioning(coefficients(tall, power, 1e24), tall.value, power.value);
  EXPECT_LT(distance(e.in, 0.5), 1e-6);
  EXPECT_LT(distance(e.out, 1), 1e-6);  // the long side is not preconditioned at all
}

TEST_F(Preconditioning, SchattenExponentSetsTheLimitOfTheShortSide) {
  // One-sided and tall: f(G) = G (G^T G)^((q-1)/2) ~ G K_in^((q-1)/2), so a ~ lambda^((1+q)/2).
  const Spectrum tall = isotropic(1e12).spectrum;
  for (const double q : {-0.8, -0.3, 0.4, 0.9}) {
    const Exponents e =
        preconditioning(coefficients(tall, power, 1e24, schatten(q)), tall.value, power.value);
    EXPECT_LT(distance(e.in, 0.5 * (1 + q)), 1e-6) << q;
  }
}

TEST_F(Preconditioning, SgdAsASchattenNormHasExponentOne) {
  const Exponents exact =
      preconditioning(coefficients(unit, power, 25, schatten(1)), unit.value, power.value);
  EXPECT_EQ(distance(exact.in, 1), 0);
  const Exponents near =
      preconditioning(coefficients(unit, power, 25, schatten(1 - 1e-7)), unit.value, power.value);
  EXPECT_LT(distance(near.in, 1), 1e-6);
  EXPECT_LT(distance(near.out, 1), 1e-6);
}

TEST_F(Preconditioning, ZeroEigenvaluesHaveNoExponent) {
  ArrayXd values(3);
  values << 2, 1, 0;
  const Spectrum out = spectrum_of(values, "test");
  const Exponents e = preconditioning(coefficients(out, power, 25), out.value, power.value);
  EXPECT_TRUE(e.in.row(2).isNaN().all());
  EXPECT_FALSE(e.in.topRows(2).isNaN().any());
}

MatrixProblem problem(const Covariance& out, const Covariance& in) {
  MatrixProblem p;
  p.covariance_out = out;
  p.covariance_in = in;
  p.noise = gaussian_noise(0.3);
  p.initial = matrix_power_law_target(out.spectrum, in.spectrum, 0, Sides::in, 1);
  return p;
}

ArrayXd list(std::initializer_list<double> values) {
  return Eigen::Map<const ArrayXd>(values.begin(), static_cast<Index>(values.size()));
}

TEST(BatchScan, MoreModesArePreconditionedAsTheBatchGrows) {
  const ArrayXd batches = list({10, 20, 50, 100, 200, 400, 1600});
  for (const MatrixProblem& p : {problem(isotropic(100), power_law(100, 0.5)),
                                 problem(power_law(100, 0.5), power_law(100, 0.5)),
                                 problem(power_law(100, 0.5), isotropic(100))}) {
    const BatchScan scan = scan_batches(p, sign_svd(), 1, batches);
    int crossings = 0;
    for (Index b = 1; b < batches.size(); ++b) {
      EXPECT_LT(scan.exponent(scan.median, b), scan.exponent(scan.median, b - 1));
      EXPECT_GE(scan.preconditioned[b], scan.preconditioned[b - 1]);
      if (std::isnan(scan.crossover[b]) || std::isnan(scan.crossover[b - 1])) continue;
      EXPECT_LT(scan.crossover[b], scan.crossover[b - 1]);
      ++crossings;
    }
    EXPECT_GE(crossings, 2);
  }
}

TEST(BatchScan, CrossoversAreWhereTheExponentPassesThreeQuarters) {
  const MatrixProblem p = problem(isotropic(100), power_law(100, 0.5));
  const Spectrum &out = p.covariance_out.spectrum, &in = p.covariance_in.spectrum;
  const BatchScan scan = scan_batches(p, sign_svd(), 1, list({25, 100, 400}));
  const auto exponent = [&](double batch, double lambda) {
    const SpectralCoefficients c = coefficients(out, in, batch);
    return preconditioning(c, out.value, ArrayXd::Constant(1, lambda)).in(0, 0);
  };
  EXPECT_NEAR(exponent(25, scan.crossover[0]), 0.75, 1e-3);
  EXPECT_NEAR(exponent(scan.crossover_batch, scan.eigenvalue[scan.median]), 0.75, 1e-3);
  EXPECT_EQ(scan.preconditioned[0],
            static_cast<double>((in.value >= scan.crossover[0]).count()) / 100);
}

TEST(BatchScan, RunsAlongTheSideThatHasASpectrum) {
  EXPECT_TRUE(runs_along_in(problem(isotropic(10), power_law(10, 0.5))));
  EXPECT_FALSE(runs_along_in(problem(power_law(10, 0.5), isotropic(10))));
  const MatrixProblem p = problem(power_law(10, 0.5), isotropic(10));
  const BatchScan scan = scan_batches(p, sign_svd(), 1, list({5, 50}));
  EXPECT_EQ(scan.eigenvalue.size(), 10);
  // The mirror image of the same problem.
  const BatchScan mirror =
      scan_batches(problem(isotropic(10), power_law(10, 0.5)), sign_svd(), 1, list({5, 50}));
  EXPECT_LT((scan.exponent - mirror.exponent).abs().maxCoeff(), 1e-5);
}

TEST(BatchScan, BatchesWhoseNoiseIsInfiniteAreLeftBlank) {
  const MatrixProblem p = problem(power_law(30, 0.5), power_law(30, 0.5));
  const BatchScan scan = scan_batches(p, schatten(-0.45), 1, list({10, 30}));
  EXPECT_FALSE(scan.exponent.col(0).isNaN().any());
  EXPECT_TRUE(scan.exponent.col(1).isNaN().all());  // square at B = N: the limit is -1/4
  EXPECT_THROW(scan_batches(p, sign_svd(), 1, list({10, 10})), InputError);
}

TEST(Modes, DiagonalPairsEqualQuantiles) {
  const MatrixProblem p = problem(power_law(20, 0.5), power_law(40, 0.5));
  const Modes diagonal = modes_on_diagonal(p, true);
  ASSERT_EQ(diagonal.size(), 40u);
  for (Index j = 0; j < 40; ++j)
    EXPECT_EQ(diagonal[static_cast<std::size_t>(j)], std::pair(j / 2, j));
  for (const auto& [i, j] : modes_along(p, true)) EXPECT_EQ(i, 9);
}

Experiment matrix_experiment(const std::string& optimizer, const std::string& orientation) {
  return parse_experiment(
      "[problem]\ngeometry = \"matrix\"\n"
      "covariance_out = { kind = \"power_law\", dimension = 12, alpha = 0.3, orientation = \"" +
      orientation +
      "\" }\ncovariance_in = { kind = \"power_law\", dimension = 20, alpha = 0.5, orientation = "
      "\"" +
      orientation +
      "\" }\ntarget = { kind = \"isotropic\" }\nnoise = { kind = \"gaussian\", std = 0.5 }\n"
      "[optimizer]\n" +
      optimizer +
      "\n[schedule]\nkind = \"constant\"\nstep = 1e-3\n[run]\nsteps = 10\nat = [0, 10]\n");
}

TEST(ModeRates, EveryOptimizerHasItsExponent) {
  const auto both = [](const std::string& optimizer, const std::string& orientation, double e) {
    const ModeRates rates = mode_rates(matrix_experiment(optimizer, orientation), 0.7);
    EXPECT_LT(distance(rates.exponent.in, e), 1e-9) << optimizer;
    EXPECT_LT(distance(rates.exponent.out, e), 1e-9) << optimizer;
  };
  both("name = \"sgd\"\nbatch = 5", "generic", 1);
  both("name = \"sign_sgd\"\nbatch = 5", "generic", 1);
  both("name = \"sign_sgd\"\nbatch = 5", "diagonal", 0.5);
  both("name = \"schatten\"\nexponent = 1\nbatch = 5", "generic", 1);
}

TEST(ModeRates, ModesThatAreNotEigenvectorsOfTheCovariancesStandInOneRow) {
  const auto path = std::filesystem::temp_directory_path() /
                    ("riskcurve-preconditioning-" + std::to_string(getpid()) + ".csv");
  std::ofstream(path) << "1,0.6,0.2\n0.6,2,0.4\n0.2,0.4,4\n";
  const ModeRates rates = mode_rates(
      parse_experiment(
          "[problem]\ngeometry = \"matrix\"\n"
          "covariance_out = { kind = \"isotropic\", dimension = 6, orientation = \"diagonal\" }\n"
          "covariance_in = { kind = \"matrix\", path = \"" +
          path.string() +
          "\" }\ntarget = { kind = \"isotropic\" }\n"
          "[optimizer]\nname = \"sign_sgd\"\nbatch = 9\n"
          "[schedule]\nkind = \"constant\"\nstep = 1e-3\n[run]\nsteps = 10\n"),
      0.7);
  std::filesystem::remove(path);
  EXPECT_FALSE(rates.on_nodes);
  EXPECT_EQ(rates.weight.rows(), 1);
  for (Index k = 1; k < rates.weight.cols(); ++k)
    EXPECT_LE(rates.weight(0, k), rates.weight(0, k - 1));
  EXPECT_LT(distance(rates.exponent.in, 1), 1e-9);
  EXPECT_TRUE(std::isnan(rates.squared_update()));
}

TEST(ModeRates, SquaredUpdateIsTheRankForSignSvdAndTheGradientNormForSgd) {
  EXPECT_NEAR(mode_rates(matrix_experiment("name = \"sign_svd\"\nbatch = 5", "generic"), 0.7)
                  .squared_update(),
              5, 1e-8);
  const Experiment sgd = matrix_experiment("name = \"sgd\"\nbatch = 5", "generic");
  const ModeRates rates = mode_rates(sgd, 0.7);
  const double trace =
      sgd.matrix().covariance_out.spectrum.trace() * sgd.matrix().covariance_in.spectrum.trace();
  EXPECT_NEAR(rates.squared_update(), (2 * 0.7 + 0.25) / 5 * trace, 1e-12 * trace);
  EXPECT_THROW(mode_rates(sgd, 0), InputError);
}

/// On a 30 x 20 matrix.
Experiment of_large_signal(const std::string& name, const std::string& out, double noise) {
  return parse_experiment(
      "[problem]\ngeometry = \"matrix\"\ncovariance_out = " + out +
      "\ncovariance_in = { kind = \"power_law\", dimension = 20, alpha = 0.5 }\n"
      "target = { kind = \"power_law\", beta = 0.3 }\nnoise = { kind = \"gaussian\", std = " +
      std::to_string(noise) + " }\n[optimizer]\nname = \"" + name +
      "\"\nbatch = 60\n[schedule]\nkind = \"constant\"\nstep = 1e-3\n"
      "[run]\nsteps = 1\nat = [0, 1]\nsignal = \"full\"\n");
}
constexpr const char* kFlat = "{ kind = \"isotropic\", dimension = 30 }";
constexpr const char* kGraded = "{ kind = \"power_law\", dimension = 30, alpha = 0.4 }";

TEST(ModeRates, OfAnySignalAreWhatTheFirstStepDoes) {
  for (const std::string name : {"sign_svd", "sign_sgd"})
    for (const std::string out : {kFlat, kGraded}) {
      const Experiment e = of_large_signal(name, out, 0.3);
      const ModeSystem system = mode_system(e);
      const double start = e.initial_risk(), gamma = 1e-3;
      const ModeRates rates = mode_rates(e, start);
      ASSERT_TRUE(rates.any_signal);
      EXPECT_FALSE(rates.on_nodes);
      // Modes are in decreasing order of h there.
      std::vector<Index> order(static_cast<std::size_t>(system.modes()));
      std::iota(order.begin(), order.end(), Index{0});
      std::stable_sort(order.begin(), order.end(),
                       [&](Index i, Index j) { return system.weight[i] > system.weight[j]; });
      const ArrayXd h = rates.weight.row(0), s = system.initial(order), a = rates.drift.row(0),
                    c = (rates.diffusion * rates.multiplicity).row(0);
      const double after = start - gamma * (h * a * s).sum() + 0.5 * gamma * gamma * (h * c).sum();
      EXPECT_NEAR(solve(system, e.schedule, e.run.at).risk[1] / after, 1, 1e-7) << name << out;
      EXPECT_NEAR(rates.squared_update() / (name == "sign_svd" ? 20 : 600), 1, 2e-3) << name << out;
    }
}

TEST(ModeRates, OfAnySignalAreThoseOfASmallOneBesideMuchNoise) {
  const auto gap = [](double noise) {
    Experiment e = of_large_signal("sign_svd", kFlat, noise);
    const ModeRates any = mode_rates(e, 1);
    e.signal = Signal::small;
    return std::abs(any.drift.maxCoeff() / mode_rates(e, 1).drift.maxCoeff() - 1);
  };
  EXPECT_LT(gap(30), 0.02);
  EXPECT_LT(gap(30), 0.3 * gap(3));
}

TEST(ModeRates, SchattenOneIsSgdModeByMode) {
  const ModeRates one = mode_rates(matrix_experiment("name = \"sgd\"\nbatch = 5", "generic"), 0.7);
  const ModeRates two =
      mode_rates(matrix_experiment("name = \"schatten\"\nexponent = 1\nbatch = 5", "generic"), 0.7);
  EXPECT_LT((one.drift / two.drift - 1).abs().maxCoeff(), 1e-12);
  EXPECT_LT((one.diffusion / two.diffusion - 1).abs().maxCoeff(), 1e-12);
}

}  // namespace
}  // namespace riskcurve
