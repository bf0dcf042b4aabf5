// Maps of singular values beside the polar factor (docs/theory/signal.md), against drawn matrices
// and the maps that they come to.
#include <gtest/gtest.h>

#include <Eigen/Dense>
#include <cmath>
#include <functional>
#include <random>
#include <string>
#include <vector>

#include "dynamics/filtered_spectral.hpp"
#include "dynamics/saturated_law.hpp"
#include "riskcurve/dynamics/optimizers.hpp"
#include "riskcurve/integrate/solve.hpp"
#include "riskcurve/problem/error.hpp"

namespace riskcurve {
namespace {

using Eigen::ArrayXd;
using Eigen::Index;
using Eigen::MatrixXd;
using Svd = Eigen::BDCSVD<MatrixXd>;

ArrayXd falling(Index size, double exponent) {
  return ArrayXd::LinSpaced(size, 1, static_cast<double>(size)).pow(-exponent);
}

MatrixXd drawn(std::mt19937_64& random, Index rows, Index columns) {
  std::normal_distribution<double> normal;
  return MatrixXd::NullaryExpr(rows, columns, [&] { return normal(random); });
}

/// Of noise alone, in units of 2P = 1.
FilteredGradient noise_alone(const Columns& columns) {
  FilteredGradient u;
  u.risk = u.memory = 1e-12;
  u.momentum = 1e-12;
  u.error = u.cross = u.signal = u.noise = ArrayXd::Zero(columns.lambda.size());
  return u;
}

/// Gradients of `batch` samples without signal, so many that E z^2 is that of all of them.
std::vector<MatrixXd> drawn_gradients(std::mt19937_64& random, const Columns& columns, int draws) {
  const auto rows = static_cast<Index>(columns.rows), batch = static_cast<Index>(columns.batch);
  MatrixXd z = drawn(random, batch, draws);
  z *= std::sqrt(static_cast<double>(z.size())) / z.norm();
  std::vector<MatrixXd> all;
  for (int draw = 0; draw < draws; ++draw) {
    const MatrixXd in =
        columns.lambda.sqrt().matrix().asDiagonal() * drawn(random, columns.lambda.size(), batch);
    all.emplace_back(drawn(random, rows, batch) * z.col(draw).asDiagonal() * in.transpose() /
                     columns.batch);
  }
  return all;
}

TEST(SaturatedLaw, DropsTheLargestAsDrawnGradientsDo) {
  // Batches of less than the side, where single samples are the largest, and of more.
  constexpr Index kIn = 45;
  constexpr int kDraws = 60;
  std::mt19937_64 random(12);
  for (const double batch : {30., 60., 400.})
    for (const double exponent : {0.0, 1.0})
      for (const double share : {0.1, 0.5}) {
        const Columns columns{60, batch, falling(kIn, exponent), ArrayXd::Ones(kIn)};
        const FilteredGradient u = noise_alone(columns);
        const auto polar = filtered_resolvent(columns, gaussian_noise(1), 1e-12, 1e-12, u, nullptr);
        const SaturatedLaw law(columns, u, 1, 0, polar->power);
        const auto rank = static_cast<Index>(std::min<double>(batch, kIn)),
                   dropped = static_cast<Index>(std::ceil(share * static_cast<double>(rank))),
                   kept = rank - dropped;
        const double threshold = law.above(static_cast<double>(dropped));
        const SaturatedLaw::Kept of = law.below(threshold);
        double slope = 0, all = 0, above = 0;
        ArrayXd square = ArrayXd::Zero(kIn);
        for (const MatrixXd& g : drawn_gradients(random, columns, kDraws)) {
          const Svd svd(g, Eigen::ComputeThinU | Eigen::ComputeThinV);
          const auto& s = svd.singularValues();
          slope += s.segment(dropped, kept).sum();
          all += s.sum();
          above += static_cast<double>((s.array() > threshold).count()) / kDraws;
          const MatrixXd mapped = svd.matrixU().middleCols(dropped, kept) *
                                  svd.matrixV().middleCols(dropped, kept).transpose();
          square += mapped.colwise().squaredNorm().transpose().array() / kDraws;
        }
        const std::string at =
            std::to_string(batch) + " " + std::to_string(exponent) + " " + std::to_string(share);
        EXPECT_NEAR(above, static_cast<double>(dropped), 0.6 + 0.02 * kIn) << at;
        EXPECT_LT((of.power * polar->power - square).abs().mean(), 0.03) << at;
        EXPECT_NEAR((of.fresh * polar->overlap).sum() / polar->overlap.sum(), slope / all, 0.03)
            << at;
      }
}

/// What a mixture makes of gradients of `batch` samples without signal, in units of 2P = 1.
std::shared_ptr<FilteredResolvent> of_noise(const Columns& columns, const ResolventMixture& f) {
  return filtered_resolvent(columns, gaussian_noise(1), 1e-12, 1e-12, noise_alone(columns), nullptr,
                            f);
}

TEST(ResolventMixture, OverlapAndPowerAreThoseOfDrawnGradients) {
  // Single samples count: batches from half the side on.
  constexpr Index kRows = 60, kIn = 40;
  constexpr int kDraws = 60;
  std::mt19937_64 random(13);
  struct Map {
    ResolventMixture mixture;
    std::function<double(double)> f;
  };
  const auto power = [](double q) { return Map{{q, 0}, [q](double g) { return std::pow(g, q); }}; };
  const auto shifted = [](double e) {
    return Map{{0, e}, [e](double g) { return g / std::hypot(g, e); }};
  };
  for (const Index batch : {30, 200})
    for (const double exponent : {0.0, 0.7}) {
      const Columns columns{kRows, static_cast<double>(batch), falling(kIn, exponent),
                            ArrayXd::Ones(kIn)};
      const std::vector<Map> maps = {power(-0.3), power(0),     power(0.3),  power(0.98),
                                     power(1),    shifted(0.2), shifted(3.0)};
      std::vector<ArrayXd> overlap(maps.size(), ArrayXd::Zero(kIn)), square = overlap;
      for (const MatrixXd& g : drawn_gradients(random, columns, kDraws)) {
        const Svd svd(g, Eigen::ComputeThinU | Eigen::ComputeThinV);
        const Index rank = std::min({kRows, kIn, batch});
        for (std::size_t i = 0; i < maps.size(); ++i) {
          const Eigen::VectorXd f = svd.singularValues().head(rank).unaryExpr(maps[i].f);
          const MatrixXd mapped = svd.matrixU().leftCols(rank) * f.asDiagonal() *
                                  svd.matrixV().leftCols(rank).transpose();
          overlap[i] += mapped.cwiseProduct(g).colwise().sum().transpose().array() / kDraws;
          square[i] += mapped.colwise().squaredNorm().transpose().array() / kDraws;
        }
      }
      for (std::size_t i = 0; i < maps.size(); ++i) {
        const auto of = of_noise(columns, maps[i].mixture);
        const std::string at = std::to_string(batch) + " " + std::to_string(exponent) + " " +
                               std::to_string(maps[i].mixture.exponent) + " " +
                               std::to_string(maps[i].mixture.shift);
        EXPECT_NEAR(of->overlap.sum() / overlap[i].sum(), 1, 0.04) << at;
        if (batch < kIn && maps[i].mixture.exponent < 0) {  // small residuals hold most of it
          EXPECT_NEAR(of->power.sum() / square[i].sum(), 1, 0.25) << at;
          continue;
        }
        EXPECT_NEAR(of->power.sum() / square[i].sum(), 1, 0.05) << at;
        // First and last: what single columns have scatters.
        EXPECT_NEAR(of->power.head(4).sum() / square[i].head(4).sum(), 1, 0.15) << at;
        EXPECT_NEAR(of->power.tail(20).sum() / square[i].tail(20).sum(), 1, 0.08) << at;
      }
    }
}

MatrixProblem graded_problem(double std = 0.5, Index in = 40) {
  PowerLawCovariance law;
  law.dimension = static_cast<double>(in);
  law.alpha = 0.4;
  return make_problem(make_covariance(IsotropicCovariance{50}), make_covariance(law),
                      IsotropicTarget{1}, gaussian_noise(std));
}

RiskCurve curve_of(const Optimizer& optimizer, double momentum, double step = 4e-3) {
  Experiment e{graded_problem(), optimizer, constant_schedule(step), run_for(100)};
  if (momentum > 0) e.chain.momentum = constant_schedule(momentum);
  e.signal = Signal::full;
  return solve(mode_system(e), e.schedule, ArrayXd{{20, 60, 100}});
}

double apart(const RiskCurve& a, const RiskCurve& b) {
  return (a.risk / b.risk - 1).abs().maxCoeff();
}

TEST(SpectralMaps, ComeToSignSvd) {
  for (const double momentum : {0.0, 0.9}) {
    const RiskCurve sign = curve_of(SignSvd{100}, momentum);
    EXPECT_LT(sign.risk[2], 0.8);
    EXPECT_LT(apart(curve_of(TruncatedSvd{100, 0}, momentum), sign), 1e-12);
    EXPECT_LT(apart(curve_of(MixedSvd{100, 0}, momentum), sign), 1e-12);
    EXPECT_LT(apart(curve_of(Kaon{100, UniformValues{1, 1}}, momentum), sign), 1e-12);
    EXPECT_LT(apart(curve_of(RegularizedSvd{100, 1e-7}, momentum), sign), 1e-4);
    EXPECT_LT(apart(curve_of(Schatten{100, 0}, momentum), sign), 1e-12);
    for (const double q : {-1e-6, 1e-6})
      EXPECT_LT(apart(curve_of(Schatten{100, q}, momentum), sign), 1e-4) << q;
  }
}

TEST(SpectralMaps, KaonMovesByItsMeanAndSpreadsByItsSquare) {
  const RiskCurve sign = curve_of(SignSvd{100}, 0.9),
                  twice = curve_of(Kaon{100, UniformValues{2, 2}}, 0.9, 2e-3),
                  spread = curve_of(Kaon{100, UniformValues{0, 2}}, 0.9);
  EXPECT_LT(apart(twice, sign), 1e-12);
  EXPECT_GT(spread.risk[2], sign.risk[2]);
}

TEST(SpectralMaps, ComeToSgd) {
  // f = g has no saturation, whatever the batch: noise and slope of the gradient itself.
  Experiment e{graded_problem(), Sgd{30}, constant_schedule(0.05), run_for(100)};
  const ArrayXd at{{20, 60, 100}};
  e.optimizer = Schatten{30, 1};
  e.signal = Signal::full;
  const ModeSystem linear = mode_system(e);
  EXPECT_LT((linear.drift.col(0) / linear.weight - 1).abs().maxCoeff(), 1e-4);
  const RiskCurve schatten = solve(linear, e.schedule, at);
  e.optimizer = RegularizedSvd{30, 1e4};
  e.schedule = constant_schedule(0.05 * 1e4);
  EXPECT_LT(apart(solve(mode_system(e), e.schedule, at), schatten), 1e-4);
  // To first order in the step these are SGD's.
  for (const double step : {0.05, 0.005}) {
    const Schedule gamma = constant_schedule(step);
    const ArrayXd times = at * (0.05 / step);
    e.optimizer = Schatten{30, 1};
    e.signal = Signal::full;
    const RiskCurve own = solve(mode_system(e), gamma, times);
    e.optimizer = Sgd{30};
    e.signal = Signal::automatic;
    EXPECT_LT(apart(own, solve(mode_system(e), gamma, times)), 1.0 * step) << step;
  }
}

TEST(SpectralMaps, NormalisedSgdKnowsNoUnit) {
  const MatrixProblem problem = graded_problem();
  const ModeSystem system = mode_system(problem, MixedSvd{100, 1}, Filter{});
  // Of a linear map slopes are alike, and one over the gradient's norm.
  const ArrayXd slope = system.drift.col(0) / system.weight;
  EXPECT_LT((slope / slope[0] - 1).abs().maxCoeff(), 1e-9);
  EXPECT_NEAR(system.diffusion.sum(), 1, 1e-9);  // |update|_F^2
}

TEST(SpectralMaps, AreRefusedInOneLineWhereTheyAreNotDerived) {
  const auto line = [](const MatrixProblem& problem, const Optimizer& optimizer,
                       Signal signal = Signal::automatic) -> std::string {
    Experiment e{problem, optimizer, constant_schedule(1e-2), run_for(5)};
    e.signal = signal;
    try {
      const ModeSystem system = mode_system(e);
      return system.filtered ? "" : "small";
    } catch (const InputError& error) {
      return error.what();
    }
  };
  const MatrixProblem one = graded_problem();
  MatrixProblem both = one;
  both.covariance_out = both.covariance_in;
  both.initial = ArrayXd::Ones(40).matrix() * one.initial.entries().row(0).matrix();
  for (const Optimizer& of :
       {Optimizer(TruncatedSvd{9, 0.2}), Optimizer(MixedSvd{9, 0.2}), Optimizer(Kaon{9})}) {
    EXPECT_EQ(line(one, of), "");
    if (name_of(of) == Kaon::name)  // the polar factor's rates times a number
      EXPECT_EQ(line(both, of), "");
    else
      EXPECT_TRUE(line(both, of).starts_with("problem.covariance_out.kind")) << line(both, of);
    EXPECT_TRUE(line(one, of, Signal::small).starts_with("run.signal")) << line(one, of);
  }
  EXPECT_TRUE(line(one, Kaon{9, UniformValues{2, 1}}).starts_with("optimizer.spectrum.from = 2"));
  // Square, with more than enough samples: singular values reach 0.
  const MatrixProblem square = graded_problem(0.5, 50);
  const std::string infinite = line(square, Schatten{5000, -0.6}, Signal::full);
  EXPECT_TRUE(infinite.starts_with("optimizer.exponent = -0.6")) << infinite;
  EXPECT_EQ(line(square, Schatten{5000, -0.3}, Signal::full), "");
}

}  // namespace
}  // namespace riskcurve
