// Signals of any size where both sides are graded (docs/theory/signal.md#both-sides-graded),
// against sum rules, one graded side, small signals and a single number.
#include <gtest/gtest.h>

#include <Eigen/LU>
#include <cmath>

#include "dynamics/both_grids.hpp"
#include "dynamics/filtered_resolvent.hpp"
#include "dynamics/two_sided_resolvent.hpp"
#include "dynamics/two_sided_spectral.hpp"
#include "riskcurve/dynamics/optimizers.hpp"
#include "riskcurve/integrate/solve.hpp"

namespace riskcurve {
namespace {

using Eigen::ArrayXd;
using Eigen::Index;

ArrayXd power_of_index(Index size, double exponent) {
  return ArrayXd::LinSpaced(size, 1, static_cast<double>(size)).pow(-exponent);
}

TwoSides sides_of(Index out, Index in, double batch, double exponent = 0.7) {
  return {batch, power_of_index(out, exponent), ArrayXd::Ones(out), power_of_index(in, exponent),
          ArrayXd::Ones(in)};
}

/// Of the bare gradient, in units of 2P; error: E y^2 of every entry.
std::shared_ptr<TwoSidedResolvent> bare(const TwoSides& sides, const NoiseLaw& noise,
                                        const ArrayXd& error) {
  const ArrayXd weight = (sides.sigma.matrix() * sides.lambda.matrix().transpose()).reshaped();
  const ArrayXd count = (sides.rows.matrix() * sides.columns.matrix().transpose()).reshaped();
  const double risk = std::max(0.5 * (count * weight * error).sum(), 1e-12);
  const double power = 2 * risk + noise.variance;
  FilteredGradient u;
  u.risk = u.memory = risk / power;
  u.momentum = 1e-12;
  u.error = error / power;
  u.cross = u.signal = u.noise = ArrayXd::Zero(error.size());
  const ArrayXd sampled = weight.square() * sampled_variance(sides, weight, u.error);
  return two_sided_resolvent(sides, noise, risk, risk, u, sampled, nullptr);
}

TEST(TwoSidedSignal, PowerSumsToTheRank) {
  for (const double batch : {20.0, 200.0})
    for (const Index in : {20, 30, 45})
      for (const NoiseLaw& noise : {gaussian_noise(0.5), laplace_noise(0.4)}) {
        const TwoSides sides = sides_of(30, in, batch);
        const auto resolvent = bare(sides, noise, ArrayXd::Constant(30 * in, 0.02));
        const double rank = std::min({30.0, batch, static_cast<double>(in)});
        EXPECT_NEAR(resolvent->power.sum(), rank, 6e-3 * rank) << batch << " " << in;
      }
}

TEST(TwoSidedSignal, IsOneSidedWhereRowsAreAlike) {
  constexpr double kRows = 80;
  for (const double batch : {40.0, 300.0})
    for (const Index in : {60, 100}) {
      const ArrayXd lambda = power_of_index(in, 0.8), none = ArrayXd::Zero(in),
                    one = ArrayXd::Ones(in);
      const TwoSides sides{batch, ArrayXd::Ones(1), ArrayXd::Constant(1, kRows), lambda, one};
      const auto both = bare(sides, gaussian_noise(1), none);
      FilteredGradient u;
      u.risk = u.memory = 1e-12;
      u.momentum = 1e-12;
      u.error = u.cross = u.signal = u.noise = none;
      const auto single = filtered_resolvent({kRows, batch, lambda, one}, gaussian_noise(1), 1e-12,
                                             1e-12, u, nullptr);
      EXPECT_LT((both->slopes.fresh / single->slopes.fresh - 1).abs().maxCoeff(), 2e-3) << batch;
      EXPECT_LT((both->power * kRows / single->power - 1).abs().maxCoeff(), 2e-2) << batch;
    }
}

MatrixProblem two_graded(double risk, double std, Index out = 20, Index in = 30) {
  const auto side = [](Index size, double alpha) {
    PowerLawCovariance law;
    law.dimension = static_cast<double>(size);
    law.alpha = alpha;
    return make_covariance(law);
  };
  return make_problem(side(out, 0.3), side(in, 0.4), IsotropicTarget{risk}, gaussian_noise(std));
}

TEST(TwoSidedSignal, MeetsSmallSignalsAsTheirSquare) {
  const auto gap = [](double risk) {
    const MatrixProblem problem = two_graded(risk, 1);
    const ModeSystem small = mode_system(problem, SignSvd{60}, Grids::whole),
                     full = mode_system(problem, SignSvd{60}, Filter{}, Grids::whole);
    const ArrayXd a = small.rates(small.start()).drift, b = full.rates(full.start()).drift;
    return (b / a - 1).abs().maxCoeff();
  };
  const double at_16 = gap(16e-3), at_4 = gap(4e-3), at_1 = gap(1e-3);
  EXPECT_LT(at_1, 2e-3);
  EXPECT_NEAR((at_16 - at_4) / (at_4 - at_1), 4, 0.8) << at_16 << " " << at_4 << " " << at_1;
}

TEST(TwoSidedSignal, RestOfTheSameGradientIsItsVariance) {
  for (const double exponent : {0.3, 1.0}) {
    const TwoSides sides = sides_of(20, 30, 1e6, exponent);
    const ArrayXd weight = (sides.sigma.matrix() * sides.lambda.matrix().transpose()).reshaped();
    const auto resolvent = bare(sides, gaussian_noise(1), ArrayXd::Zero(600));
    const ArrayXd rest = resolvent->power - resolvent->slopes.fresh.square() * weight / sides.batch;
    const ArrayXd kernel = two_sided_rest(*resolvent, *resolvent, ArrayXd::Ones(600));
    EXPECT_LT((kernel - rest).abs().maxCoeff(), 0.02 * resolvent->power.maxCoeff()) << exponent;
  }
}

TEST(TwoSidedSignal, ASingleLargeEntryMovesByItsSign) {
  // The polar factor of a number S is S/|S|: not what a Gaussian number of that variance has.
  const TwoSides sides = sides_of(20, 30, 1e5, 0.3);
  ArrayXd error = ArrayXd::Zero(600);
  error[0] = 1;
  const auto resolvent = bare(sides, gaussian_noise(0.1), error);
  EXPECT_NEAR(resolvent->slopes.fresh[0] / std::sqrt(1.01), 1, 0.02);
}

Experiment run_of(bool muon) {
  Experiment e{two_graded(1, 0.5), SignSvd{80}, constant_schedule(5e-3), run_for(50)};
  e.signal = Signal::full;
  if (muon)
    e.optimizer = Muon{80};
  else
    e.chain.momentum = constant_schedule(0.8);
  return e;
}

TEST(TwoSidedSignal, SidesMayChangePlaces) {
  for (const bool muon : {false, true}) {
    const Experiment e = run_of(muon);
    MatrixProblem turned = e.matrix();
    std::swap(turned.covariance_out, turned.covariance_in);
    turned.initial = e.matrix().initial.transpose();
    Experiment other = e;
    other.problem = turned;
    const ArrayXd at{{50.0}};
    const double risk = solve(mode_system(e), e.schedule, at).risk[0];
    EXPECT_NEAR(solve(mode_system(other), e.schedule, at).risk[0], risk, 1e-9 * risk);
    EXPECT_LT(risk, 0.9);
  }
}

TEST(TwoSidedSignal, MergedSidesKeepTheRisk) {
  const Experiment e = run_of(false);
  const ArrayXd at{{50.0}};
  const double whole = solve(mode_system(e, Grids::whole), e.schedule, at).risk[0];
  EXPECT_NEAR(solve(mode_system(e), e.schedule, at).risk[0], whole, 2e-3 * whole);
}

TEST(TwoSidedSignal, SumsOverTwoGridsAreThoseOfSingleNodes) {
  constexpr Index out = 5, in = 11;
  const auto grid = [](Index nodes, double phase) {
    GridRoots roots;
    const auto wave = [phase](Index rows, Index columns, double scale) -> Eigen::ArrayXXd {
      return scale * (1.1 + (ArrayXd::LinSpaced(rows * columns, 1, 90) + phase).sin())
                         .reshaped(rows, columns);
    };
    roots.x = wave(out, nodes, 0.4);
    roots.y = wave(in, nodes, 0.7);
    for (Index k = 0; k < nodes; ++k) {
      roots.weight.push_back(0.2 * static_cast<double>(k + 1));
      roots.root.push_back(wave(out, in, 0.3 - 0.05 * static_cast<double>(k)));
    }
    return roots;
  };
  const GridRoots now = grid(6, 0), then = grid(5, 2);
  const Eigen::ArrayXXd c = 0.5 * now.root[1] + 0.3;
  for (const bool rest : {false, true})
    for (const bool mirrored : {false, true}) {
      const GridRoots& other = mirrored ? now : then;
      Eigen::MatrixXd sum = Eigen::MatrixXd::Zero(out, in);
      for (std::size_t k = 0; k < now.root.size(); ++k)
        for (std::size_t l = 0; l < other.root.size(); ++l) {
          const auto a = static_cast<Index>(k), b = static_cast<Index>(l);
          const Eigen::MatrixXd s = (c * now.root[k] * other.root[l]).matrix();
          Eigen::MatrixXd term =
              (Eigen::MatrixXd::Identity(out, out) - s * s.transpose()).inverse() * s;
          if (rest) term -= s;
          sum += now.weight[k] * other.weight[l] *
                 ((now.x.col(a) * other.x.col(b)).matrix().asDiagonal() * term *
                  (now.y.col(a) * other.y.col(b)).matrix().asDiagonal());
        }
      const Eigen::ArrayXXd found = sum_over_both(now, other, c, {rest, false, mirrored});
      EXPECT_LT((found / sum.array() - 1).abs().maxCoeff(), 1e-9) << rest << mirrored;
    }
}

}  // namespace
}  // namespace riskcurve
