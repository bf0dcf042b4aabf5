// Signals of any size (docs/theory/signal.md), against what is drawn, sum rules and the small ones.
#include <gtest/gtest.h>

#include <Eigen/Dense>
#include <cmath>
#include <random>

#include "dynamics/filtered_spectral.hpp"
#include "dynamics/local_law.hpp"
#include "riskcurve/dynamics/optimizers.hpp"
#include "riskcurve/integrate/solve.hpp"
#include "riskcurve/problem/error.hpp"

namespace riskcurve {
namespace {

using Eigen::ArrayXd;
using Eigen::Index;
using Eigen::MatrixXd;

ArrayXd power_law_of(Index size, double exponent) {
  return ArrayXd::LinSpaced(size, 1, static_cast<double>(size)).pow(-exponent);
}

/// Of the bare gradient, in units of 2P.
std::shared_ptr<FilteredResolvent> resolvent_of(const Columns& columns, const NoiseLaw& noise,
                                                const ArrayXd& error) {
  const double risk =
      std::max(0.5 * columns.rows * (columns.count * columns.lambda * error).sum(), 1e-12);
  const double power = 2 * risk + noise.variance;
  FilteredGradient u;
  u.risk = u.memory = risk / power;
  u.momentum = 1e-12;
  u.error = error / power;
  u.cross = u.signal = u.noise = ArrayXd::Zero(error.size());
  return filtered_resolvent(columns, noise, risk, risk, u, nullptr);
}

TEST(AnySignal, ColumnsOfThePolarFactorSumToItsRank) {
  for (const double batch : {20.0, 50.0, 400.0})
    for (const Index in : {30, 50, 80})
      for (const NoiseLaw& noise : {gaussian_noise(0.5), laplace_noise(0.4)}) {
        const Columns columns{50, batch, power_law_of(in, 0.7), ArrayXd::Ones(in)};
        const ArrayXd error = ArrayXd::Constant(in, 0.02);
        const auto resolvent = resolvent_of(columns, noise, error);
        const double rank = std::min({50.0, batch, static_cast<double>(in)});
        EXPECT_NEAR(resolvent->power.sum(), rank, 4e-3 * rank) << batch << " " << in;
      }
}

// However many rows: its direction alone is large, and f(u) = u/|u|.
TEST(AnySignal, AColumnAboveAllOthersMovesByItsSign) {
  for (const double rows : {1e2, 1e4, 1e6, 1e9}) {
    const Columns columns{rows, 10 * rows, Eigen::Array2d(1, 1e-12), Eigen::Array2d(1, 0.9 * rows)};
    const ArrayXd error = Eigen::Array2d(1 / rows, 0);
    const auto resolvent = resolvent_of(columns, gaussian_noise(1), error);
    const double variance = 1 / rows / 2 + 0.2 / rows;  // of 2P = 2, sampled with its own part
    EXPECT_NEAR(resolvent->slopes.fresh[0] * std::sqrt(rows * variance), 1, 0.03) << rows;
  }
}

MatrixProblem one_sided(double signal, double std, Index in = 60, double batch_side = 60) {
  Covariance out = make_covariance(IsotropicCovariance{batch_side});
  PowerLawCovariance law;
  law.dimension = static_cast<double>(in);
  law.alpha = 0.4;
  return make_problem(std::move(out), make_covariance(law), IsotropicTarget{signal},
                      gaussian_noise(std));
}

TEST(AnySignal, MeetsSmallSignalsAsTheirSquare) {
  // Slopes at the start, against those of the resolvent that knows no signal.
  const auto gap = [](double signal) {
    const MatrixProblem problem = one_sided(signal, 1);
    const ModeSystem small = mode_system(problem, SignSvd{90}, Grids::whole),
                     full = mode_system(problem, SignSvd{90}, Filter{}, Grids::whole);
    const ArrayXd a = small.rates(small.start()).drift, b = full.rates(full.start()).drift;
    return (b / a - 1).abs().maxCoeff();
  };
  const double at_16 = gap(16e-3), at_4 = gap(4e-3), at_1 = gap(1e-3);
  EXPECT_LT(at_1, 1e-3);
  // The risk is the square of the signal; less the error of both quadratures.
  EXPECT_NEAR((at_16 - at_4) / (at_4 - at_1), 4, 0.8) << at_16 << " " << at_4 << " " << at_1;
}

TEST(AnySignal, FewColumnsSaturateAsDrawnSamplesDo) {
  const ArrayXd share{{0.9, 0.4, 0.2, 0.1}}, one = ArrayXd::Ones(4);  // 2R = 1.6
  const double std = 0.3;
  const Saturation saturation(gaussian_noise(std), 0.8, share / 1.69, one);
  std::mt19937_64 random(5);
  std::normal_distribution<double> normal;
  constexpr int kDraws = 400000;
  for (const double y : {0.1, 1.0, 10.0}) {
    const double m = y / (1.6 + std * std);
    Eigen::Array4d noise = Eigen::Array4d::Zero(), drift = noise, noise2 = noise, drift2 = noise;
    for (int i = 0; i < kDraws; ++i) {
      Eigen::Array4d v, g;
      for (int j = 0; j < 4; ++j) v[j] = normal(random), g[j] = normal(random);
      const double z = (share.sqrt() * v * g).sum() - std * normal(random);
      const double part = z / (1 + m * z * z);
      const Eigen::Array4d a = part * z * v.square(), b = part * v * g;
      noise += a, noise2 += a.square(), drift += b, drift2 += b.square();
    }
    for (int j = 0; j < 4; ++j) {
      const auto of = saturation.fresh(std::log(y), share[j] > 0.02 * 1.69 ? j : -1);
      const auto error = [](double sum, double squares) {
        return std::sqrt((squares / kDraws - std::pow(sum / kDraws, 2)) / kDraws);
      };
      EXPECT_NEAR(of.noise.at * (1.69 + 2 * share[j]), noise[j] / kDraws,
                  4 * error(noise[j], noise2[j]) + 1e-3 * noise[j] / kDraws);
      EXPECT_NEAR(of.drift.at * std::sqrt(share[j]), drift[j] / kDraws,
                  4 * error(drift[j], drift2[j]) + 1e-3 * std::abs(drift[j]) / kDraws);
    }
  }
}

double five_steps(double g) {
  return Muon{}.map(g);
}

TEST(LocalLaw, SlopesAndSquaresAreThoseOfDrawnMatrices) {
  constexpr Index kRows = 50;
  constexpr int kDraws = 60;
  std::mt19937_64 random(3);
  std::normal_distribution<double> normal;
  for (const double exponent : {0.5, 1.0, 1.8})
    for (const Index in : {25, 50, 100}) {
      const ArrayXd variance = power_law_of(in, exponent);
      const AgainstPolar of =
          LocalLaw(kRows, ArrayXd::Ones(in), variance).against_polar(five_steps, true);
      ArrayXd slope = ArrayXd::Zero(in), polar = slope, square = slope, all = slope;
      for (int draw = 0; draw < kDraws; ++draw) {
        MatrixXd u(kRows, in);
        for (double& x : u.reshaped()) x = normal(random);
        u *= variance.sqrt().matrix().asDiagonal();
        const Eigen::BDCSVD<MatrixXd> svd(u, Eigen::ComputeThinU | Eigen::ComputeThinV);
        Eigen::VectorXd f = svd.singularValues() / u.norm();
        for (double& g : f) g = five_steps(g);
        const MatrixXd mapped = svd.matrixU() * f.asDiagonal() * svd.matrixV().transpose(),
                       sign = svd.matrixU() * svd.matrixV().transpose();
        slope += mapped.cwiseProduct(u).colwise().sum().transpose().array();
        polar += sign.cwiseProduct(u).colwise().sum().transpose().array();
        square += mapped.colwise().squaredNorm().transpose().array();
        all += sign.colwise().squaredNorm().transpose().array();
      }
      // Fluctuations of leading singular values across ripples: 1/N.
      EXPECT_LT((of.slope / (slope / polar) - 1).abs().maxCoeff(), 0.045) << exponent << " " << in;
      EXPECT_LT((of.power / (square / all) - 1).abs().maxCoeff(), 0.09) << exponent << " " << in;
      EXPECT_LT((of.slope / (slope / polar) - 1).abs().mean(), 0.015) << exponent << " " << in;
    }
}

TEST(RestCovariance, OfTheSameGradientIsTheVarianceOfTheRest) {
  for (const double exponent : {0.0, 0.5, 1.8}) {
    const Columns columns{80, 1e6, power_law_of(60, exponent), ArrayXd::Ones(60)};
    const auto resolvent = resolvent_of(columns, gaussian_noise(1), ArrayXd::Zero(60));
    const ArrayXd variance = columns.lambda / columns.batch;
    const ArrayXd rest =
        resolvent->power / columns.rows - resolvent->slopes.fresh.square() * variance;
    const ArrayXd kernel = rest_covariance(columns, *resolvent, *resolvent, ArrayXd::Ones(60));
    EXPECT_LT(((kernel - rest) * columns.rows).abs().maxCoeff(), 1e-2)
        << exponent << " " << (kernel * columns.rows).transpose() << "\n"
        << (rest * columns.rows).transpose();
  }
}

Experiment experiment_of(double risk, int batch) {
  Experiment e{one_sided(risk, 0.5), SignSvd{batch}, constant_schedule(2e-3), run_for(50)};
  return e;
}

TEST(AnySignal, WarnsWhereManySamplesAreSeenAtOnceOfFlatData) {
  const auto warned = [](double alpha, int batch, double momentum) {
    PowerLawCovariance law;
    law.dimension = 60;
    law.alpha = alpha;
    Experiment e{make_problem(make_covariance(IsotropicCovariance{80}), make_covariance(law),
                              IsotropicTarget{1}, gaussian_noise(0.3)),
                 SignSvd{batch}, constant_schedule(2e-3), run_for(50)};
    if (momentum > 0) e.chain.momentum = constant_schedule(momentum);
    e.signal = Signal::full;
    const ModeSystem system = mode_system(e);
    return std::any_of(system.warnings.begin(), system.warnings.end(), [](const std::string& line) {
      return line.find("one by one") != std::string::npos;
    });
  };
  EXPECT_FALSE(warned(0.1, 240, 0.9));  // 17.4
  EXPECT_TRUE(warned(0.1, 240, 0.95));  // 25
  EXPECT_FALSE(warned(0.1, 1140, 0));   // 19
  EXPECT_TRUE(warned(0.1, 1260, 0));    // 21
  EXPECT_FALSE(warned(1, 240, 0.95));   // steep
}

TEST(AnySignal, IsChosenWhereItMattersOrIsAskedFor) {
  EXPECT_FALSE(mode_system(experiment_of(1e-3, 20)).filtered);
  EXPECT_TRUE(mode_system(experiment_of(1, 5000)).filtered);
  Experiment e = experiment_of(1e-3, 20);
  e.signal = Signal::full;
  EXPECT_TRUE(mode_system(e).filtered);
  e = experiment_of(1, 5000);
  e.signal = Signal::small;
  EXPECT_FALSE(mode_system(e).filtered);
  e.chain.momentum = constant_schedule(0.9);
  EXPECT_THROW(mode_system(e), InputError);
  e.signal = Signal::automatic;
  EXPECT_TRUE(mode_system(e).filtered);
}

TEST(AnySignal, IsRefusedWhereItIsNotDerived) {
  Experiment e = experiment_of(1, 100);
  e.optimizer = Muon{100};
  EXPECT_TRUE(mode_system(e).filtered);
  e.chain.batch = constant_schedule(100);
  EXPECT_THROW(mode_system(e), InputError);
  e.chain = {};
  MatrixProblem heavy = one_sided(1, 1);
  heavy.noise = student_t_noise(2, 1);
  e.problem = heavy;
  EXPECT_THROW(mode_system(e), InputError);
}

TEST(AnySignal, SidesMayChangePlaces) {
  Experiment e = experiment_of(1, 200);
  e.optimizer = Muon{200};
  const MatrixProblem problem = e.matrix();
  MatrixProblem turned = problem;
  std::swap(turned.covariance_out, turned.covariance_in);
  turned.initial = problem.initial.transpose();
  Experiment other = e;
  other.problem = turned;
  const ArrayXd at{{50.0}};
  EXPECT_EQ(solve(mode_system(e), e.schedule, at).risk[0],
            solve(mode_system(other), e.schedule, at).risk[0]);
}

TEST(AnySignal, LeapsKeepTheRisk) {
  for (const bool muon : {false, true}) {
    Experiment e = experiment_of(1, 200);
    if (muon)
      e.optimizer = Muon{200};
    else
      e.chain.momentum = constant_schedule(0.8);
    const ModeSystem system = mode_system(e);
    const Schedule step = constant_schedule(1e-3);
    const ArrayXd few{{1000.0, 4000.0}}, many{{1000.0, 4000.0, 40000.0}};
    const RiskCurve plain = solve(system, step, few), leaps = solve(system, step, many);
    ASSERT_EQ(leaps.status, RiskCurve::Status::ok) << leaps.message;
    EXPECT_LT(leaps.accepted, 6000);
    EXPECT_NEAR(leaps.risk[0], plain.risk[0], 5e-4 * plain.risk[0]);
    EXPECT_NEAR(leaps.risk[1], plain.risk[1], 5e-4 * plain.risk[1]);
  }
}

}  // namespace
}  // namespace riskcurve
