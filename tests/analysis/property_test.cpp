// Facts that hold for every valid problem, on random ones.
#include <gtest/gtest.h>

#include <algorithm>
#include <numeric>
#include <sstream>

#include "analysis/random_problems.hpp"
#include "problem/random.hpp"
#include "riskcurve/analysis/predict.hpp"
#include "riskcurve/dynamics/mode_system.hpp"

namespace riskcurve {
namespace {

using random_problems::Generator;
using random_problems::Problem;

/// Calls `check` with as many problems, the same at every run; a failure shows the problem's file.
template <class Check>
void for_random_problems(int count, const Check& check) {
  Generator generator(1);
  for (int i = 0; i < count; ++i) {
    const Problem problem = generator.next();
    SCOPED_TRACE("problem " + std::to_string(i) + "\n" + problem.file());
    check(problem);
    if (testing::Test::HasFailure()) return;
  }
}

RiskCurve curve_of(const Experiment& experiment, const ModeSystem& system) {
  return solve(system, experiment.schedule, experiment.run.at);
}
RiskCurve curve_of(const Experiment& experiment) {
  return curve_of(experiment, mode_system(experiment));
}

/// Whether its rates know their past, and are kept until they change by a percent.
bool keeps(const Experiment& experiment) {
  return mode_system(experiment).filtered.has_value();
}

/// Solved to the end, or said to diverge.
void expect_sound(const RiskCurve& curve) {
  EXPECT_TRUE(curve.status == RiskCurve::Status::ok || curve.status == RiskCurve::Status::diverged)
      << curve.message;
  EXPECT_FALSE(curve.message.empty());
  EXPECT_TRUE(curve.risk.isFinite().all());
}

/// The risks of `a` are `factor` times those of `b`, as far as both go; a curve that diverges does
/// so at the same time but for one record. `kept`: roundoff moves when rates are made anew.
void expect_same(const RiskCurve& a, const RiskCurve& b, double factor, double exact,
                 bool kept = false) {
  const double tolerance = kept ? 2e-3 : exact;
  expect_sound(a);
  expect_sound(b);
  EXPECT_EQ(a.status, b.status) << a.message << "\n" << b.message;
  const Eigen::Index common = std::min(a.risk.size(), b.risk.size());
  EXPECT_LE(std::max(a.risk.size(), b.risk.size()) - common, 1);
  for (Eigen::Index i = 0; i < common; ++i)
    EXPECT_NEAR(a.risk[i], factor * b.risk[i], tolerance * factor * b.risk[i]) << a.steps[i];
}

TEST(RandomProblem, KeepsEveryModeNonNegativeAndRiskTheirWeightedSum) {
  int diverged = 0;
  for_random_problems(60, [&](const Problem& problem) {
    const Experiment experiment = problem.experiment();
    SolveOptions options;
    options.keep_modes = true;
    const RiskCurve curve = predict(experiment, options).curve;
    expect_sound(curve);
    diverged += curve.status == RiskCurve::Status::diverged;
    ASSERT_GE(curve.risk.size(), 1);
    EXPECT_NEAR(curve.risk[0], problem.risk, 1e-12 * problem.risk);
    EXPECT_GE(curve.modes.minCoeff(), 0);
    const Eigen::ArrayXd weight = mode_system(experiment).weight;
    for (Eigen::Index i = 0; i < curve.risk.size(); ++i)
      EXPECT_NEAR(0.5 * (weight * curve.modes.row(i).transpose()).sum(), curve.risk[i],
                  1e-13 * curve.risk[i]);
  });
  EXPECT_GT(diverged, 0);
  EXPECT_LT(diverged, 30);
}

TEST(RandomProblem, HasTheSameCurveCompressed) {
  int shorter = 0;
  for_random_problems(60, [&](const Problem& problem) {
    const Experiment experiment = problem.experiment();
    const ModeSystem system = mode_system(experiment), small = compress(system);
    if (small.modes() == system.modes()) return;
    ++shorter;
    expect_same(curve_of(experiment, small), curve_of(experiment, system), 1, 1e-8);
  });
  EXPECT_GE(shorter, 5);
}

TEST(RandomProblem, HasTheSameCurveWhateverOtherTimesAreRecorded) {
  for_random_problems(60, [](const Problem& problem) {
    Experiment experiment = problem.experiment();
    const RiskCurve all = curve_of(experiment);
    if (all.status != RiskCurve::Status::ok) return;
    experiment.run.at = experiment.run.at.tail(1).eval();
    EXPECT_NEAR(curve_of(experiment).risk[0], all.risk.tail(1)[0], 1e-8 * all.risk.tail(1)[0]);
    experiment.run.at =
        Eigen::ArrayXd::LinSpaced(Eigen::Index(problem.steps) + 1, 0, problem.steps);
    const RiskCurve dense = curve_of(experiment);
    for (Eigen::Index i = 0; i < all.risk.size(); ++i)
      EXPECT_NEAR(dense.risk[Eigen::Index(all.steps[i])], all.risk[i], 1e-8 * all.risk[i]);
  });
}

TEST(RandomProblem, HasTheSameCurveInAnyOrderOfTheModes) {
  std::uint64_t seed = 0;
  for_random_problems(60, [&](const Problem& problem) {
    const Experiment experiment = problem.experiment();
    ModeSystem system = mode_system(experiment);
    // A map between coordinates and modes knows which is which.
    if (system.filtered && !experiment.is_matrix() &&
        experiment.vector().covariance.orientation == Orientation::given)
      return;
    system.observable.clear();
    ModeSystem mixed = system;
    std::vector<Eigen::Index> order(static_cast<std::size_t>(system.modes()));
    std::iota(order.begin(), order.end(), Eigen::Index{0});
    Random random(++seed, 1, 0);
    std::shuffle(order.begin(), order.end(), random);
    mixed.weight = system.weight(order).eval();
    mixed.initial = system.initial(order).eval();
    mixed.drift = system.drift(order, Eigen::all).eval();
    mixed.diffusion = system.diffusion(order, Eigen::all).eval();
    if (system.filtered)
      mixed.multiplicity = system.multiplicity(order).eval();
    else
      mixed.multiplicity.resize(0);
    expect_same(curve_of(experiment, mixed), curve_of(experiment, system), 1, 1e-9,
                system.filtered.has_value());
  });
}

TEST(RandomProblem, HasTheSameCurveInAnyOrderOfTheListedEigenvalues) {
  const std::string before = "values = [";
  int lists = 0;
  for_random_problems(60, [&](const Problem& problem) {
    const std::size_t begin = problem.covariance.find(before);
    if (begin == std::string::npos) return;
    const std::size_t first = begin + before.size(), last = problem.covariance.find(']');
    std::istringstream listed(problem.covariance.substr(first, last - first));
    std::string reversed;
    for (std::string value; std::getline(listed, value, ',');)
      reversed = value + (reversed.empty() ? "" : ", ") + reversed;
    Problem other = problem;
    other.covariance.replace(first, last - first, reversed);
    EXPECT_TRUE((curve_of(other.experiment()).risk == curve_of(problem.experiment()).risk).all());
    ++lists;
  });
  EXPECT_GT(lists, 3);
}

/// Labels, their noise and Delta in units s: R goes with s^2 where the step goes with s^(1-q), the
/// update being homogeneous of degree q in the gradient (SGD: 1; SignSGD: 0).
TEST(RandomProblem, ScalesWithTheUnitOfTheLabels) {
  for_random_problems(60, [](const Problem& problem) {
    const RiskCurve plain = curve_of(problem.experiment());
    for (const double s : {1e-3, 30.0})
      expect_same(curve_of(problem.experiment(s)), plain, s * s, 1e-8, keeps(problem.experiment()));
  });
}

/// Samples in units c, Delta in 1/c: the same R where the step goes with c^-(1+q).
TEST(RandomProblem, ScalesWithTheUnitOfTheSamples) {
  const double c = 7;
  const auto scale = [&](Covariance& covariance) {
    covariance.spectrum.value *= c * c;
    if (covariance.matrix)
      covariance.matrix = std::make_shared<const Eigen::MatrixXd>(*covariance.matrix * (c * c));
  };
  for_random_problems(60, [&](const Problem& problem) {
    const Experiment plain = problem.experiment();
    Experiment scaled = problem.experiment();
    if (problem.matrix) {
      MatrixProblem& inner = std::get<MatrixProblem>(scaled.problem);
      scale(inner.covariance_in);
      inner.initial = Eigen::ArrayXXd(inner.initial.entries() / (c * c));
    } else {
      VectorProblem& inner = std::get<VectorProblem>(scaled.problem);
      scale(inner.covariance);
      inner.initial /= c * c;
      if (inner.initial_error) *inner.initial_error /= c;
    }
    scaled.schedule = times(scaled.schedule, std::pow(c, -1 - problem.degree));
    if (auto* smooth = std::get_if<RegularizedSvd>(&scaled.optimizer)) smooth->epsilon *= c;
    expect_same(curve_of(scaled), curve_of(plain), 1, 1e-8, keeps(plain));
  });
}

TEST(RandomProblem, OfAMatrixIsThatOfItsTranspose) {
  for_random_problems(60, [](const Problem& problem) {
    if (!problem.matrix) return;
    Problem turned = problem;
    std::swap(turned.covariance, turned.covariance_in);
    Problem upright = problem;
    upright.target = turned.target = "kind = \"isotropic\"";
    expect_same(curve_of(turned.experiment()), curve_of(upright.experiment()), 1, 1e-8,
                keeps(upright.experiment()));
  });
}

}  // namespace
}  // namespace riskcurve
