// Muon as it is run, held to the definition by an SVD of Eigen's and to recursions written out.
#include <gtest/gtest.h>

#include <Eigen/SVD>
#include <cmath>
#include <functional>
#include <string>
#include <utility>
#include <vector>

#include "problem/random.hpp"
#include "problems.hpp"
#include "riskcurve/problem/error.hpp"
#include "riskcurve/simulate/simulate.hpp"
#include "simulate/chain.hpp"
#include "simulate/matrix_update.hpp"

namespace riskcurve {
namespace {

/// Without memory: the update is a function of this step's gradient.
Muon forgetful() {
  Muon muon;
  muon.momentum = 0;
  return muon;
}

GradientMap<Eigen::MatrixXd> fresh_map(const Muon& muon) {
  return update_of(muon, MatrixProblem{}).map();
}
Eigen::MatrixXd after(const GradientMap<Eigen::MatrixXd>& map, Eigen::MatrixXd g) {
  map(g);
  return g;
}

Eigen::MatrixXd gaussian_gradient(Eigen::Index rows, Eigen::Index columns, std::uint64_t seed) {
  Eigen::MatrixXd g(rows, columns);
  Random(seed, 0, 0).normals(g.data(), static_cast<std::size_t>(g.size()));
  return g;
}

/// U f(S/|S|_F) V^T
Eigen::MatrixXd by_svd(const Muon& muon, const Eigen::MatrixXd& g) {
  const Eigen::JacobiSVD<Eigen::MatrixXd> svd(g, Eigen::ComputeThinU | Eigen::ComputeThinV);
  const Eigen::VectorXd f =
      (svd.singularValues() / svd.singularValues().norm()).unaryExpr([&](double s) {
        return muon.map(s);
      });
  return svd.matrixU() * f.asDiagonal() * svd.matrixV().transpose();
}

double entry_gap(const Eigen::MatrixXd& a, const Eigen::MatrixXd& b) {
  return (a - b).cwiseAbs().maxCoeff();
}

const std::vector<std::pair<int, int>> shapes = {{7, 7}, {30, 11}, {11, 30}, {1, 5}, {5, 1}};

TEST(MuonUpdate, MapsSingularValuesOverTheirNorm) {
  Muon stepwise = forgetful();  // of no two steps alike, so that their order counts
  stepwise.ns_steps = 3;
  stepwise.ns_coefficients = {4, -6, 2.5, 3, -3.5, 1.2, 1.9, -1.3, 0.4};
  for (const Muon& muon : {forgetful(), stepwise})
    for (const auto& [rows, columns] : shapes) {
      const Eigen::MatrixXd g = 3e4 * gaussian_gradient(rows, columns, 5);
      EXPECT_LT(entry_gap(after(fresh_map(muon), g), by_svd(muon, g)), 1e-10) << rows;
    }
  const Eigen::MatrixXd thin = gaussian_gradient(20, 3, 6) * gaussian_gradient(3, 12, 7);
  EXPECT_LT(entry_gap(after(fresh_map(forgetful()), thin), by_svd(forgetful(), thin)), 1e-10);
}

TEST(MuonUpdate, KnowsNoUnitOfTheGradient) {
  const Eigen::MatrixXd g = gaussian_gradient(6, 4, 1), want = after(fresh_map(Muon{}), g);
  for (const double unit : {1e-250, 1e-9, 1e250})
    EXPECT_LT(entry_gap(after(fresh_map(Muon{}), unit * g), want), 1e-12) << unit;
}

TEST(MuonUpdate, OfNoGradientIsNone) {
  const Eigen::MatrixXd zero = Eigen::MatrixXd::Zero(4, 3);
  EXPECT_EQ(after(fresh_map(Muon{}), zero), zero);
}

TEST(MuonUpdate, OrthogonalizesTheAverageOfItsGradients) {
  const double beta = 0.7, rest = 1 - beta;
  const std::vector<Eigen::MatrixXd> g = {gaussian_gradient(6, 9, 1), gaussian_gradient(6, 9, 2),
                                          gaussian_gradient(6, 9, 3)};
  const std::vector<Eigen::MatrixXd> m = {
      rest * g[0], beta * rest * g[0] + rest * g[1],
      beta * beta * rest * g[0] + beta * rest * g[1] + rest * g[2]};
  Muon muon;
  muon.momentum = beta;
  for (const bool nesterov : {false, true}) {
    muon.nesterov = nesterov;
    const GradientMap<Eigen::MatrixXd> map = fresh_map(muon);
    for (std::size_t k = 0; k < g.size(); ++k) {
      const Eigen::MatrixXd seen = nesterov ? Eigen::MatrixXd(rest * g[k] + beta * m[k]) : m[k];
      EXPECT_LT(entry_gap(after(map, g[k]), by_svd(muon, seen)), 1e-10) << nesterov << k;
    }
    // Another copy of the parameters has seen nothing.
    EXPECT_LT(entry_gap(after(fresh_map(muon), g[2]), by_svd(muon, g[2])), 1e-10);
  }
}

TEST(MuonUpdate, IsLongerByTheFactorOfItsShape) {
  const auto factor = [](Muon::Adjust adjust, int rows, int columns) {
    const Eigen::MatrixXd g = gaussian_gradient(rows, columns, 2);
    Muon adjusted = forgetful();
    adjusted.adjust_lr_fn = adjust;
    const Eigen::MatrixXd plain = after(fresh_map(forgetful()), g),
                          longer = after(fresh_map(adjusted), g);
    const double ratio = longer.norm() / plain.norm();
    EXPECT_LT(entry_gap(longer, ratio * plain), 1e-14 * ratio);
    return ratio;
  };
  EXPECT_NEAR(factor(Muon::Adjust::original, 12, 3), 2, 1e-14);
  EXPECT_NEAR(factor(Muon::Adjust::original, 3, 12), 1, 1e-14);
  EXPECT_NEAR(factor(Muon::Adjust::match_rms_adamw, 25, 4), 1, 1e-14);
  EXPECT_NEAR(factor(Muon::Adjust::match_rms_adamw, 4, 100), 2, 1e-14);
}

TEST(MuonUpdate, DecaysWeightsByTheStepBeforeThatFactor) {
  // As torch: after a step without a gradient 1 - gamma w of W is left.
  Muon muon = forgetful();
  muon.adjust_lr_fn = Muon::Adjust::original;
  Chain chain;
  chain.weight_decay = constant_schedule(0.5);
  const Schedule gamma = constant_schedule(0.1);
  const Eigen::MatrixXd zero = Eigen::MatrixXd::Zero(12, 3), g = gaussian_gradient(12, 3, 4);
  ChainRun<Eigen::MatrixXd> run(chain, gamma, buffer_of(muon), update_of(muon, MatrixProblem{}).map,
                                zero, zero);
  run.step(0, [&](int, const Eigen::MatrixXd&, Eigen::MatrixXd& update) { update = g; });
  const Eigen::MatrixXd first = run.point();
  EXPECT_LT(entry_gap(first, -0.1 * 2 * by_svd(muon, g)), 1e-10);
  run.step(1, [&](int, const Eigen::MatrixXd&, Eigen::MatrixXd& update) { update = zero; });
  EXPECT_LT(entry_gap(run.point(), 0.95 * first), 1e-15);
}

TEST(MuonUpdate, AveragesTheMeanGradientOfTheBatch) {
  const Eigen::MatrixXd out = gaussian_gradient(5, 3, 1), in = gaussian_gradient(4, 3, 2);
  const Eigen::Vector3d z(1, -2, 0.5);
  const Eigen::MatrixXd want =
      (z[0] * out.col(0) * in.col(0).transpose() + z[1] * out.col(1) * in.col(1).transpose() +
       z[2] * out.col(2) * in.col(2).transpose()) /
      3;
  const Eigen::VectorXd residual = z;
  EXPECT_LT(entry_gap(update_of(Muon{}, MatrixProblem{}).compute({out, in, residual}), want),
            1e-14);
}

// From the optimum, with K = I, of one sample: the only singular value of X is 1, and
// 2R' = (gamma adjust f(1))^2.
TEST(MuonSimulate, MovesByItsMapAtOneFromASingleSample) {
  Experiment e;
  e.problem = make_problem(isotropic(12), isotropic(3), IsotropicTarget{0}, student_t_noise(1, 1));
  e.schedule = constant_schedule(0.1);
  e.run = {1, testing_problems::steps({1})};
  Muon muon;
  muon.adjust_lr_fn = Muon::Adjust::original;
  e.optimizer = muon;
  const double move = 0.1 * 2 * muon.map(1);
  const Ensemble runs = simulate(e, {.runs = 5});
  for (const double risk : runs.risk.row(0)) EXPECT_NEAR(2 * risk, move * move, 1e-12);
}

TEST(MuonSimulate, OfAVectorIsRefusedInOneLine) {
  Experiment e = testing_problems::experiment(testing_problems::problem(isotropic(6), 1),
                                              "name = 'muon'", 0.1, testing_problems::steps({1}));
  try {
    simulate(e, {.runs = 1});
    ADD_FAILURE() << "ran";
  } catch (const InputError& error) {
    const std::string line = error.what();
    EXPECT_TRUE(line.starts_with("optimizer.name = 'muon': expected one of \"sgd\"")) << line;
    EXPECT_EQ(line.find('\n'), std::string::npos);
  }
}

}  // namespace
}  // namespace riskcurve
