// The numbers of the small-signal condition against sampled matrices.
#include <gtest/gtest.h>

#include <Eigen/Eigenvalues>
#include <algorithm>
#include <cmath>
#include <string>
#include <tuple>

#include "dynamics/signal.hpp"
#include "problem/random.hpp"
#include "riskcurve/analysis/predict.hpp"
#include "riskcurve/dynamics/optimizers.hpp"
#include "riskcurve/input/input.hpp"
#include "riskcurve/simulate/simulate.hpp"

namespace riskcurve {
namespace {

using Eigen::ArrayXd;
using Eigen::ArrayXXd;
using Eigen::Index;
using Eigen::MatrixXd;

double norm(const MatrixXd& m) {
  const MatrixXd gram = m * m.transpose();
  return std::sqrt(Eigen::SelfAdjointEigenSolver<MatrixXd>(gram, Eigen::EigenvaluesOnly)
                       .eigenvalues()
                       .maxCoeff());
}

MatrixProblem problem_of(const Covariance& out, const Covariance& in, const NoiseLaw& noise,
                         double beta, Sides sides) {
  MatrixProblem problem{out, in, noise, {}, {}};
  problem.initial = matrix_power_law_target(out.spectrum, in.spectrum, beta, sides, 1.0);
  return problem;
}

MatrixXd normals(Index rows, Index columns, Random& random) {
  MatrixXd m(rows, columns);
  random.normals(m.data(), static_cast<std::size_t>(m.size()));
  return m;
}

/// Mean of ||G - E G|| over draws, z independent of u and v.
double sampled_noise(const MatrixProblem& problem, Index batch, double risk, int draws) {
  const ArrayXd sigma = problem.covariance_out.spectrum.expand(),
                lambda = problem.covariance_in.spectrum.expand();
  double sum = 0;
  for (int draw = 0; draw < draws; ++draw) {
    Random random(11, draw, 0);
    MatrixXd u = normals(sigma.size(), batch, random), v = normals(lambda.size(), batch, random);
    u.array().colwise() *= sigma.sqrt();
    v.array().colwise() *= lambda.sqrt();
    const ArrayXd z = ArrayXd::NullaryExpr(batch, [&](Index) {
      return std::sqrt(2 * risk) * random.normal() + problem.noise.sample(random);
    });
    sum += norm(u * (z / double(batch)).matrix().asDiagonal() * v.transpose());
  }
  return sum / draws;
}

/// Mean of ||K_out Delta K_in||, Delta_ij = +-sqrt(s_ij) on single eigenvectors.
double sampled_signal(const MatrixProblem& problem) {
  const Spectrum &out = problem.covariance_out.spectrum, &in = problem.covariance_in.spectrum;
  const ArrayXd sigma = out.expand(), lambda = in.expand();
  const auto node = [](const Spectrum& s, Index j) {
    Index k = 0;
    while (s.last[k] < double(j + 1)) ++k;
    return k;
  };
  constexpr int draws = 5;
  double sum = 0;
  for (int draw = 0; draw < draws; ++draw) {
    Random random(12, draw, 0);
    MatrixXd m(sigma.size(), lambda.size());
    for (Index i = 0; i < m.rows(); ++i)
      for (Index j = 0; j < m.cols(); ++j) {
        const Index k = node(out, i), l = node(in, j);
        const double s = problem.initial(k, l) / (out.multiplicity[k] * in.multiplicity[l]);
        m(i, j) = (random.uniform() < 0.5 ? -1 : 1) * sigma[i] * lambda[j] * std::sqrt(s);
      }
    sum += norm(m);
  }
  return sum / draws;
}

TEST(SmallSignal, NoiseNormMatchesSampledGradients) {
  // 25 %: the largest singular value scatters from draw to draw, by 20 to 35 % where one residual
  // or one eigenvalue stands out, and noise_norm takes few draws.
  const std::vector<std::pair<Covariance, Covariance>> sides = {
      {isotropic(60), isotropic(60)},
      {isotropic(50), power_law(80, 0.5)},
      {power_law(60, 0.5), power_law(60, 0.8)}};
  for (const auto& [out, in] : sides)
    for (const NoiseLaw& noise : {no_noise(), gaussian_noise(2), student_t_noise(5, 0.5)}) {
      const MatrixProblem problem = problem_of(out, in, noise, 0, Sides::in);
      for (const Index batch : {6, 60, 1000}) {
        const double sampled = sampled_noise(problem, batch, 1.0, batch < 10 ? 30 : 5);
        EXPECT_NEAR(noise_norm(problem, double(batch), 1.0) / sampled, 1, 0.25)
            << out.kind << ' ' << in.kind << ' ' << noise.kind << " B " << batch;
      }
    }
}

TEST(SmallSignal, NoiseNormOfALargeBatchIsThatOfAnIidMatrix) {
  // B >> N: iid entries of variance 2P/B, norm sqrt(2P/B)(sqrt(N_out) + sqrt(N_in)).
  const MatrixProblem problem =
      problem_of(isotropic(300), isotropic(100), gaussian_noise(1), 0, Sides::in);
  const double batch = 1e8;
  EXPECT_NEAR(noise_norm(problem, batch, 1.0) /
                  (std::sqrt(3 / batch) * (std::sqrt(300.0) + std::sqrt(100.0))),
              1, 5e-3);
}

TEST(SmallSignal, NoiseNormOfLargeProblemsIsTheEdgeOfTheLimit) {
  // Too many numbers to draw one by one: 5.4e6.
  constexpr Index batch = 9000;
  for (const auto& [in, band] :
       {std::pair{isotropic(200), 0.05}, std::pair{power_law(200, 0.3), 0.1},
        std::pair{power_law(200, 0.8), 0.2}}) {
    const MatrixProblem problem = problem_of(isotropic(300), in, gaussian_noise(1), 0, Sides::in);
    const double ratio = noise_norm(problem, batch, 1.0) / sampled_noise(problem, batch, 1.0, 1);
    EXPECT_NEAR(ratio, 1, band) << in.kind;
    RecordProperty(in.kind, std::to_string(ratio));
  }
}

TEST(SmallSignal, SignalNormMatchesSampledTargets) {
  for (const auto& [out, in] :
       {std::pair{isotropic(60), isotropic(60)}, std::pair{isotropic(30), power_law(80, 0.5)},
        std::pair{power_law(60, 0.5), power_law(60, 0.8)},
        std::pair{power_law(60, 1.2), power_law(60, 1.2)}})
    for (const double beta : {0.0, 0.5, 1.5}) {
      const MatrixProblem problem = problem_of(out, in, no_noise(), beta, Sides::both);
      EXPECT_NEAR(signal_norm(problem) / sampled_signal(problem), 1, 0.1)
          << out.kind << ' ' << in.kind << " beta " << beta;
    }
}

TEST(SmallSignal, KnownEntriesAreMeasuredThemselves) {
  MatrixProblem problem = problem_of(isotropic(50), isotropic(50), no_noise(), 0, Sides::in);
  const double spread = signal_norm(problem);
  EXPECT_NEAR(spread, 2 * std::sqrt(2.0 / 50), 0.03 * spread);
  Random random(3, 0, 0);
  const MatrixXd one = normals(50, 1, random) * normals(1, 50, random);
  problem.initial_error = one * (std::sqrt(2.0) / one.norm());  // rank one, R(0) = 1
  EXPECT_NEAR(signal_norm(problem), std::sqrt(2.0), 1e-3);
}

TEST(RiskRank, IsTheRankOfEqualSingularValuesAndTheMeanOfSampledTargets) {
  MatrixProblem problem = problem_of(isotropic(40), isotropic(40), no_noise(), 0, Sides::in);
  MatrixXd three = MatrixXd::Zero(40, 40);
  three.topLeftCorner(3, 3).setIdentity();
  problem.initial_error = three;
  EXPECT_NEAR(risk_rank(problem), 3, 1e-12);
  // E tr (M M^T)^2 of independent signs, against draws.
  problem = problem_of(power_law(40, 0.4), power_law(30, 0.7), no_noise(), 0.3, Sides::both);
  const ArrayXXd q =
      problem.initial.entries() * (problem.covariance_out.spectrum.value.matrix() *
                                   problem.covariance_in.spectrum.value.matrix().transpose())
                                      .array();
  double squares = 0;
  constexpr int draws = 200;
  for (int draw = 0; draw < draws; ++draw) {
    Random random(14, draw, 0);
    MatrixXd m = q.sqrt();
    for (double& x : m.reshaped())
      if (random.uniform() < 0.5) x = -x;
    squares += (m * m.transpose()).squaredNorm() / draws;
  }
  EXPECT_NEAR(q.sum() * q.sum() / squares / risk_rank(problem), 1, 0.01);
}

TEST(SmallSignal, RatioIsFreeOfRiskWithoutNoiseAndFallsWithIt) {
  const MatrixProblem quiet = problem_of(isotropic(50), isotropic(50), no_noise(), 0, Sides::in);
  EXPECT_NEAR(signal_ratio(quiet, 100, 1e-6), signal_ratio(quiet, 100, 1.0), 1e-6);
  EXPECT_EQ(signal_ratio(quiet, 100, 0.0), 0);
  for (const NoiseLaw& noise : {gaussian_noise(1), student_t_noise(1, 1)}) {
    const MatrixProblem loud = problem_of(isotropic(50), isotropic(50), noise, 0, Sides::in);
    EXPECT_LT(signal_ratio(loud, 100, 1e-2), signal_ratio(loud, 100, 1.0));
    EXPECT_GT(signal_ratio(loud, 100, 1e-2), 0);
  }
}

Experiment experiment(const std::string& optimizer, int batch) {
  return parse_experiment(
      "[problem]\ngeometry = 'matrix'\ncovariance_out = { kind = 'isotropic', dimension = 50 }\n"
      "covariance_in = { kind = 'isotropic', dimension = 50 }\n"
      "target = { kind = 'isotropic', risk = 1.0 }\n[optimizer]\nname = '" +
      optimizer + "'\nbatch = " + std::to_string(batch) +
      "\n[schedule]\nkind = 'constant'\nstep = 1e-3\n[run]\nsteps = 20\n");
}

TEST(Trust, LargeBatchOfASpectralOptimizerIsWarnedOfByItsNumber) {
  const auto lines_on_signal = [](const Prediction& prediction) {
    return std::count_if(
        prediction.curve.warnings.begin(), prediction.curve.warnings.end(),
        [](const std::string& line) { return line.find("the signal") != std::string::npos; });
  };
  const Prediction far = predict(experiment("sign_svd", 2500)),
                   near = predict(experiment("sign_svd", 50)),
                   other = predict(experiment("sign_sgd", 2500));
  EXPECT_NEAR(far.trust.signal, 1, 0.1);  // B = N^2, no label noise
  EXPECT_EQ(lines_on_signal(far), 1);
  EXPECT_LT(near.trust.signal, 0.15);
  EXPECT_EQ(lines_on_signal(near), 0);
  EXPECT_EQ(other.trust.signal, 0);
  // Where one side is graded, rates of any signal are taken.
  Experiment graded = experiment("sign_svd", 2500);
  PowerLawCovariance law;
  law.dimension = 50;
  law.alpha = 0.25;
  graded.problem =
      make_problem(graded.matrix().covariance_out, make_covariance(law), IsotropicTarget{});
  EXPECT_TRUE(predict(graded).trust.any_signal);
  EXPECT_EQ(lines_on_signal(predict(graded)), 0);
  graded.signal = Signal::small;
  EXPECT_EQ(lines_on_signal(predict(graded)), 1);
}

TEST(Trust, OfAStepIsThatOfThePredictionWithIt) {
  Experiment e = experiment("sign_svd", 50);
  const Trust found = trust(e, mode_system(e), 0.02, e.run.steps);
  e.schedule = constant_schedule(0.02);
  const Trust predicted = predict(e).trust;
  EXPECT_NEAR(found.step_rate / predicted.step_rate, 1, 1e-9);
  EXPECT_EQ(found.participation, predicted.participation);
  EXPECT_EQ(found.intrinsic_dimension_out, 50);
  EXPECT_EQ(found.intrinsic_dimension_in, 50);
  EXPECT_EQ(found.rank, predicted.rank);
  EXPECT_EQ(found.signal, predicted.signal);
  const Trust alone = trust(e, e.matrix().initial_risk());
  EXPECT_EQ(alone.signal, predicted.signal);
  EXPECT_TRUE(std::isnan(alone.participation) && std::isnan(alone.step_rate));
}

TEST(Trust, EveryNumberHasALimitAndOneLineThatNamesIt) {
  Trust numbers;
  numbers.intrinsic_dimension = 19;
  numbers.participation = 9;
  numbers.step_rate = 0.21;
  numbers.signal = 0.41;
  numbers.rank = 4;
  EXPECT_EQ(untrusted(numbers), "intrinsic_dimension participation step_rate signal rank");
  EXPECT_EQ(warnings(numbers).size(), 5u);
  numbers.intrinsic_dimension = kTrustedIntrinsicDimension;
  numbers.participation = kTrustedParticipation;
  numbers.step_rate = kTrustedStepRate;
  numbers.signal = kTrustedSignal;
  numbers.rank = kTrustedRank;
  EXPECT_EQ(untrusted(numbers), "");
  EXPECT_TRUE(warnings(numbers).empty());
  numbers.participation = numbers.step_rate = std::nan("");  // not looked at
  EXPECT_EQ(untrusted(numbers), "");
}

/// A power of two: scaling by it changes no digit.
constexpr double kTiny = 0x1p-900, kHuge = 0x1p950;

TEST(TrustNumbers, OfATargetDoNotDependOnItsSize) {
  VectorProblem vector{power_law(200, 0.4), no_noise(), {}, {}, {}};
  vector.initial = power_law_target(vector.covariance.spectrum, 0.3, 1.0);
  MatrixProblem spectra =
      problem_of(power_law(30, 0.3), power_law(50, 0.2), no_noise(), 0.1, Sides::both);
  MatrixProblem entries = spectra;
  Random random(5, 0, 0);
  entries.initial_error = normals(30, 50, random);
  for (const double unit : {kTiny, kHuge}) {
    VectorProblem sized = vector;
    sized.initial *= unit;
    EXPECT_EQ(participation(mode_system(sized, Sgd{1})),
              participation(mode_system(vector, Sgd{1})));
    MatrixProblem sized_spectra = spectra, sized_entries = entries;
    Product sides = *spectra.initial.product();
    sides.rows *= unit;
    sized_spectra.initial = sides;
    *sized_entries.initial_error *= std::sqrt(unit);
    EXPECT_EQ(risk_rank(sized_spectra), risk_rank(spectra));
    EXPECT_EQ(risk_rank(sized_entries), risk_rank(entries));
    EXPECT_DOUBLE_EQ(signal_norm(sized_spectra), std::sqrt(unit) * signal_norm(spectra));
    EXPECT_EQ(signal_norm(sized_entries), std::sqrt(unit) * signal_norm(entries));
  }
  vector.initial *= 1e-300;  // reported as 0: there is no risk to share
  EXPECT_TRUE(std::isnan(participation(mode_system(vector, Sgd{1}))));
}

TEST(TrustNumbers, TheStepRateIsTheLargestOfAllPoints) {
  const std::string problem =
      "[problem]\ncovariance = { kind = \"power_law\", dimension = 60, alpha = 0.4 }\n"
      "target = { kind = \"power_law\", beta = 0.2 }\nnoise = { kind = \"gaussian\", std = 0.3 }\n"
      "[schedule]\nkind = \"power_decay\"\nstep = 0.02\nexponent = 0.3\ndelay = 50\n[run]\nsteps = "
      "300\npoints = 300\n"
      "[optimizer]\nbatch = 2\nname = ";
  for (const char* optimizer : {"\"sgd\"", "\"sign_sgd\"", "\"clipped_sgd\"\nthreshold = 1"}) {
    const Experiment e = parse_experiment(problem + optimizer);
    const ModeSystem system = mode_system(e);
    const RiskCurve curve = solve(system, e.schedule, e.run.at);
    double largest = 0;
    for (Index i = 0; i < curve.risk.size(); ++i)
      largest = std::max(
          largest, step_rate(system, e.schedule(curve.steps[i]), curve.steps[i], curve.risk[i]));
    EXPECT_GT(largest, 0);
    EXPECT_EQ(trust(e, system, curve).step_rate, largest) << optimizer;
    // A sum of two products.
    ModeSystem both = system;
    both.drift.resize(system.modes(), 2);
    both.drift.col(0) = 0.75 * system.drift.col(0);
    both.drift.col(1) = 0.25 * system.drift.col(0).reverse();
    both.response = [single = system.response](const Now& now) {
      Response r = single(now);
      r.drift = Eigen::ArrayXd{{r.drift[0], r.drift[0] / (1 + now.time)}};
      return r;
    };
    largest = 0;
    for (Index i = 0; i < curve.risk.size(); ++i)
      largest = std::max(
          largest, step_rate(both, e.schedule(curve.steps[i]), curve.steps[i], curve.risk[i]));
    EXPECT_EQ(trust(e, both, curve).step_rate, largest) << optimizer;
  }
}

TEST(TrustNumbers, SignsThatComeAgainFallLaterThanTheCurve) {
  const auto asked = [](int batch, double step) {
    return parse_experiment(
        "[problem]\ncovariance = { kind = \"power_law\", dimension = 200, alpha = 0.1 }\n"
        "target = { kind = \"isotropic\" }\nnoise = { kind = \"gaussian\", std = 0.2 }\n"
        "[optimizer]\nname = \"sign_sgd\"\nbatch = " +
        std::to_string(batch) + "\n[schedule]\nkind = \"constant\"\nstep = " +
        std::to_string(step) + "\n[run]\nsteps = 60\nat = [15, 30, 60]\nsignal = \"full\"");
  };
  for (const auto& [batch, step, late] : {std::tuple(64, 0.0078, false), {1024, 0.004, true}}) {
    const Experiment e = asked(batch, step);
    const Prediction predicted = predict(e);
    const Ensemble runs = simulate(e, {.runs = 16, .seed = 7});
    const double above = runs.mean[2] / predicted.curve.risk[2];
    EXPECT_NEAR(runs.mean[0] / predicted.curve.risk[0], 1, 0.03) << batch;
    EXPECT_EQ(predicted.trust.filtered_signal > kTrustedFilteredSignal, late) << batch;
    EXPECT_EQ(above > 1.5, late) << batch << ": " << above;
    EXPECT_EQ(untrusted(predicted.trust).find("filtered_signal") != std::string::npos, late);
  }
}

}  // namespace
}  // namespace riskcurve
