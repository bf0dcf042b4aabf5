#include <fmt/format.h>
#include <gtest/gtest.h>

#include <cmath>
#include <vector>

#include "problem/random.hpp"
#include "riskcurve/analysis/predict.hpp"
#include "riskcurve/dynamics/mode_system.hpp"
#include "riskcurve/dynamics/optimizers.hpp"
#include "riskcurve/input/input.hpp"
#include "riskcurve/problem/error.hpp"

namespace riskcurve {
namespace {

/// `dimension` directions with ds/dt = -2 gamma a s + gamma^2 c whatever the risk: each an
/// Ornstein-Uhlenbeck process.
ModeSystem free_mode(double dimension) {
  ModeSystem system;
  system.weight = Eigen::ArrayXd::Constant(1, 0.8);
  system.drift = Eigen::ArrayXXd::Constant(1, 1, 0.5);
  system.diffusion = Eigen::ArrayXXd::Constant(1, 1, 3.0);
  system.initial = Eigen::ArrayXd::Constant(1, 2.0);
  system.multiplicity = Eigen::ArrayXd::Constant(1, dimension);
  system.response = [](const Now&) {
    return Response{Eigen::ArrayXd::Ones(1), Eigen::ArrayXd::Ones(1)};
  };
  return system;
}

TEST(Variance, OfIndependentGaussiansIsThatOfTheirSquares) {
  const double d = 7, gamma = 0.1, a = 0.5, c = 3, s0 = 2, h = 0.8;
  for (const double horizon : {1.0, 10.0, 40.0}) {
    // Delta(T) ~ N(m, v) in each direction, Var Delta^2 = 2 v^2 + 4 m^2 v.
    const double decay = std::exp(-2 * gamma * a * horizon);
    const double v = gamma * c / d / (2 * a) * (1 - decay), m2 = s0 / d * decay;
    const double exact = 0.25 * h * h * d * (2 * v * v + 4 * m2 * v);
    const Sensitivity s = sensitivity(free_mode(d), constant_schedule(gamma), horizon);
    EXPECT_NEAR(variance(s), exact, 1e-8 * exact) << horizon;
  }
}

TEST(Variance, AtRestIsTwoSquaredRisksOverTheDimension) {
  const Sensitivity s = sensitivity(free_mode(50), constant_schedule(0.1), 400);
  EXPECT_NEAR(variance(s), 2 * s.risk * s.risk / 50, 1e-7 * s.risk * s.risk);
}

TEST(Variance, OfAModeIsThatOfTheDirectionsItStandsFor) {
  VectorProblem problem{isotropic(6), laplace_noise(0.3), {}, {}, {}};
  problem.initial = isotropic_target(problem.covariance.spectrum, 1.0);
  const ModeSystem one = mode_system(problem, Sgd{2});
  ModeSystem six = one;
  six.weight = one.weight.replicate(6, 1);
  six.drift = one.drift.replicate(6, 1);
  six.diffusion = one.diffusion.replicate(6, 1) / 6;
  six.initial = one.initial.replicate(6, 1) / 6;
  six.multiplicity = Eigen::ArrayXd::Ones(6);
  ASSERT_EQ(one.modes(), 1);
  const Schedule step = constant_schedule(0.05);
  const double expected = variance(sensitivity(six, step, 20));
  EXPECT_NEAR(variance(sensitivity(one, step, 20)), expected, 1e-8 * expected);
}

std::string vector_text(const std::string& optimizer, const std::string& noise) {
  return fmt::format(
      "[problem]\ncovariance = {{ kind = 'power_law', dimension = 12, alpha = 0.4 }}\n"
      "target = {{ kind = 'power_law', beta = 0.2, risk = 1.0 }}\nnoise = {{ {} }}\n"
      "[optimizer]\n{}\n[schedule]\nkind = 'cosine'\nstep = 0.1\n[run]\nsteps = 30\n",
      noise, optimizer);
}

Experiment experiment(const std::string& optimizer, const std::string& noise) {
  return parse_experiment(vector_text(optimizer, noise));
}

/// Var R(T) forwards: the covariance V of all s_k by dV/dt = J V + V J^T + D, J the Jacobian of
/// ds/dt by differences. Classical Runge-Kutta.
double forwards(const Experiment& e, const ModeSystem& system, double horizon) {
  const Eigen::Index n = system.modes();
  const auto rates = [&](double t, const Eigen::ArrayXd& s) {
    return system.rates(Now{t, e.schedule(t), system.risk(s), {}, &s});
  };
  const auto slope = [&](double t, const Eigen::ArrayXd& s) -> Eigen::ArrayXd {
    const auto [a, c] = rates(t, s);
    const double gamma = e.schedule(t);
    return -2 * gamma * a * s + gamma * gamma * c;
  };
  const auto spread = [&](double t, const Eigen::ArrayXd& s, const Eigen::MatrixXd& v) {
    Eigen::MatrixXd jacobian(n, n);
    for (Eigen::Index k = 0; k < n; ++k) {
      Eigen::ArrayXd up = s, down = s;
      const double d = 1e-5 * s[k];
      up[k] += d;
      down[k] -= d;
      jacobian.col(k) = (slope(t, up) - slope(t, down)) / (2 * d);
    }
    const auto [a, c] = rates(t, s);
    const double gamma = e.schedule(t);
    const SharedNoise noise = system.shared_noise(Now{t, gamma, system.risk(s)});
    const Eigen::VectorXd x = -2 * gamma * a * s, y = gamma * gamma * c;
    Eigen::MatrixXd d = noise.progress_variance * x * x.transpose() +
                        noise.size_variance * y * y.transpose() +
                        noise.covariance * (x * y.transpose() + y * x.transpose());
    d.diagonal().array() += 4 * gamma * gamma * s * c / system.multiplicity;
    return Eigen::MatrixXd(jacobian * v + v * jacobian.transpose() + d);
  };
  Eigen::ArrayXd s = system.initial;
  Eigen::MatrixXd v = Eigen::MatrixXd::Zero(n, n);
  const int steps = 250;
  const double h = horizon / steps;
  for (int i = 0; i < steps; ++i) {
    const double t = i * h, middle = t + 0.5 * h, end = (t + h) * (1 - 1e-15);
    const Eigen::ArrayXd s1 = slope(t, s), s2 = slope(middle, s + 0.5 * h * s1),
                         s3 = slope(middle, s + 0.5 * h * s2), s4 = slope(end, s + h * s3);
    const Eigen::MatrixXd v1 = spread(t, s, v),
                          v2 = spread(middle, s + 0.5 * h * s1, v + 0.5 * h * v1),
                          v3 = spread(middle, s + 0.5 * h * s2, v + 0.5 * h * v2),
                          v4 = spread(end, s + h * s3, v + h * v3);
    s += h / 6 * (s1 + 2 * s2 + 2 * s3 + s4);
    v += h / 6 * (v1 + 2 * v2 + 2 * v3 + v4);
  }
  const Eigen::VectorXd half = 0.5 * system.weight;
  return half.dot(v * half);
}

TEST(Variance, SweptBackIsTheCovarianceOfAllModesCarriedForwards) {
  for (const Experiment& e :
       {experiment("name = 'sgd'\nbatch = 2", "kind = 'laplace', scale = 0.4"),
        experiment("name = 'sign_sgd'\nbatch = 3", "kind = 'student_t', nu = 3, scale = 0.3"),
        experiment("name = 'clipped_sgd'\nthreshold = 0.5\nbatch = 2",
                   "kind = 'gaussian', std = 0.3")}) {
    Experiment small = e;
    small.signal = Signal::small;
    const ModeSystem system = mode_system(small);
    const double expected = forwards(e, system, 25);
    const Sensitivity s = sensitivity(system, e.schedule, 25);
    EXPECT_NEAR(variance(s, system.shared_noise), expected, 1e-5 * expected);
    // The shared part is a good part of it, so that it is tested as well.
    EXPECT_GT(std::abs(variance(s) - expected), 0.05 * expected);
  }
}

/// X = S G and Y = S^2 of drawn batches, by the definitions; over blocks, for their errors.
struct Drawn {
  SharedNoise mean, error;
};

Drawn draw(const NoiseLaw& noise, double risk, int batch,
           const std::function<std::pair<double, double>(const Eigen::ArrayXd& g,
                                                         const Eigen::ArrayXd& l)>& size) {
  constexpr int kBlocks = 20, kDraws = 10000;
  Random random(20261122, 0, 0);
  Eigen::ArrayXXd block(kBlocks, 3);
  Eigen::ArrayXd g(batch), l(batch);
  for (int k = 0; k < kBlocks; ++k) {
    double x1 = 0, y1 = 0, xx = 0, xy = 0, yy = 0;
    for (int i = 0; i < kDraws; ++i) {
      for (int j = 0; j < batch; ++j) {
        g[j] = std::sqrt(2 * risk) * random.normal();
        l[j] = g[j] - noise.sample(random);
      }
      const auto [x, y] = size(g, l);
      x1 += x / kDraws;
      y1 += y / kDraws;
      xx += x * x / kDraws;
      xy += x * y / kDraws;
      yy += y * y / kDraws;
    }
    block.row(k) << (xx - 2 * risk * y1) / (x1 * x1) - 1, xy / (x1 * y1) - 1, yy / (y1 * y1) - 1;
  }
  const Eigen::Array3d mean = block.colwise().mean().transpose();
  const Eigen::Array3d error =
      ((block.rowwise() - mean.transpose()).square().colwise().sum() / (kBlocks * (kBlocks - 1)))
          .sqrt()
          .transpose();
  return {{mean[0], mean[1], mean[2]}, {error[0], error[1], error[2]}};
}

TEST(SharedNoise, IsWhatDrawnBatchesHave) {
  using Array = Eigen::ArrayXd;
  using Pair = std::pair<double, double>;
  const auto mean_gradient = [](const Array& g, const Array& l) {
    const auto b = static_cast<double>(g.size());
    return Pair((l * g).sum() / b, l.square().sum() / (b * b));
  };
  const auto sign = [](const Array& g, const Array& l) {
    return Pair((l * g).sum() / l.matrix().norm(), 1.0);
  };
  const auto sample_clip = [&](const Array& g, const Array& l) {
    return mean_gradient(g, l.max(-0.7).min(0.7));
  };
  const auto batch_clip = [](const Array& g, const Array& l) {
    const double norm = l.matrix().norm(), s = std::min(norm / static_cast<double>(g.size()), 0.4);
    return Pair(s * (l * g).sum() / norm, s * s);
  };
  struct Case {
    std::string optimizer, noise;
    int batch;
    std::function<Pair(const Array&, const Array&)> size;
    double slack;  // of the larger of the number and 1/b; what is sampled on both sides has some
  };
  const std::string gaussian = "kind = 'gaussian', std = 0.6",
                    laplace = "kind = 'laplace', scale = 0.4",
                    cauchy = "kind = 'student_t', nu = 1, scale = 0.2",
                    atoms =
                        "kind = 'mixture', components = [{ weight = 0.5, kind = 'rademacher', "
                        "scale = 0.5 }, { weight = 0.5, kind = 'gaussian', std = 0.5 }]";
  for (const Case& c : std::vector<Case>{{"sgd", gaussian, 1, mean_gradient, 1e-3},
                                         {"sgd", laplace, 4, mean_gradient, 1e-3},
                                         {"sgd", atoms, 2, mean_gradient, 1e-3},
                                         {"sign_sgd", cauchy, 1, sign, 1e-3},
                                         {"sign_sgd", laplace, 2, sign, 1e-3},
                                         {"sign_sgd", cauchy, 3, sign, 1e-3},
                                         {"sign_sgd", gaussian, 8, sign, 1e-3},
                                         {"sign_sgd", laplace, 8, sign, 1e-3},
                                         {"clipped_sgd", cauchy, 1, sample_clip, 1e-3},
                                         {"clipped_sgd", laplace, 3, sample_clip, 1e-3},
                                         {"clipped_sgd", laplace, 4, batch_clip, 0.05}}) {
    std::string optimizer = fmt::format("name = '{}'\nbatch = {}", c.optimizer, c.batch);
    if (c.optimizer == "clipped_sgd")
      optimizer += c.slack > 0.01 ? "\nthreshold = 0.4\nclip = 'batch'" : "\nthreshold = 0.7";
    const Experiment e = experiment(optimizer, c.noise);
    const NoiseLaw& noise = e.vector().noise;
    const ModeSystem system = mode_system(e);
    for (const double risk : {0.5, 0.02}) {
      const SharedNoise computed = system.shared_noise(Now{.risk = risk});
      const Drawn drawn = draw(noise, risk, c.batch, c.size);
      const auto agree = [&](double x, double y, double error, const char* what) {
        EXPECT_NEAR(x, y, 4 * error + c.slack * std::max(std::abs(y), 1.0 / c.batch))
            << what << " of " << optimizer << ", " << c.noise << " at R = " << risk;
      };
      agree(computed.progress_variance, drawn.mean.progress_variance, drawn.error.progress_variance,
            "progress_variance");
      agree(computed.covariance, drawn.mean.covariance, drawn.error.covariance, "covariance");
      agree(computed.size_variance, drawn.mean.size_variance, drawn.error.size_variance,
            "size_variance");
    }
  }
}

TEST(SharedNoise, OfSpectralOptimizersMeetsSgdAndSignSgdInTheirLimits) {
  const auto of = [](const std::string& optimizer, int batch, int side) {
    return mode_system(parse_experiment(
                           fmt::format("[problem]\ngeometry = 'matrix'\ncovariance_out = {{ kind = "
                                       "'isotropic', dimension = {0} "
                                       "}}\n"
                                       "covariance_in = {{ kind = 'isotropic', dimension = {0} }}\n"
                                       "target = {{ kind = 'isotropic', risk = 1.0 }}\nnoise = {{ "
                                       "kind = 'gaussian', std = 0.3 "
                                       "}}\n"
                                       "[optimizer]\nname = '{1}\nbatch = {2}\n[schedule]\nkind = "
                                       "'constant'\nstep = 0.01\n"
                                       "[run]\nsteps = 10\nsignal = 'small'\n",
                                       side, optimizer, batch)))
        .shared_noise(Now{.risk = 0.5});
  };
  const SharedNoise linear = of("schatten'\nexponent = 1.0", 30, 40), sgd = of("sgd'", 30, 40);
  EXPECT_NEAR(linear.progress_variance, sgd.progress_variance, 1e-12);
  EXPECT_NEAR(linear.covariance, sgd.covariance, 1e-12);
  EXPECT_NEAR(linear.size_variance, sgd.size_variance, 1e-12);
  // One sample is the sign of its residual; many are as many under SignSGD.
  EXPECT_NEAR(of("sign_svd'", 1, 1000000).progress_variance,
              of("sign_sgd'", 1, 1000000).progress_variance, 1e-5);
  EXPECT_NEAR(1e6 * of("sign_svd'", 1000000, 10).progress_variance,
              1e6 * of("sign_sgd'", 1000000, 10).progress_variance, 1e-3);
}

TEST(Bands, AreLogNormalAndHaveNoWidthAtTheStart) {
  Experiment e = experiment("name = 'sign_sgd'", "kind = 'student_t', nu = 1, scale = 0.2");
  e.run.at.resize(3);
  e.run.at << 0, 3, 30;
  const Prediction prediction = predict(e, {}, true);
  ASSERT_TRUE(prediction.bands);
  const Bands& bands = *prediction.bands;
  ASSERT_EQ(bands.missing, "");
  EXPECT_EQ(bands.deviation[0], 0);
  EXPECT_EQ(bands.low[0], prediction.curve.risk[0]);
  const ModeSystem system = mode_system(e);
  const double expected = variance(sensitivity(system, e.schedule, 30), system.shared_noise);
  EXPECT_NEAR(bands.deviation[2], std::sqrt(expected), 1e-3 * std::sqrt(expected));
  const double r = prediction.curve.risk[2];
  EXPECT_NEAR(std::log(bands.high[2] / bands.low[2]), 2 * 1.96 * bands.deviation[2] / r, 1e-4);
  EXPECT_NE(bands.shift[2], 0);
  EXPECT_NEAR(bands.low[2] * bands.high[2], r * r * std::exp(2 * bands.shift[2] / r), 1e-12);
}

TEST(Bands, OfManyStepsAreInterpolatedBetweenSweeps) {
  Experiment e = experiment("name = 'sgd'", "kind = 'gaussian', std = 0.2");
  const auto at = [&](const Eigen::ArrayXd& steps) {
    e.run.at = steps;
    return *predict(e, {}, true).bands;
  };
  const Bands many = at(Eigen::ArrayXd::LinSpaced(241, 0, 30)),
              few = at(Eigen::ArrayXd::LinSpaced(31, 0, 30));
  for (Eigen::Index i = 3; i < 31; ++i)
    EXPECT_NEAR(many.deviation[8 * i], few.deviation[i], 5e-3 * few.deviation[i]) << i;
}

TEST(Bands, OfARunAtRestInZeroHaveNoWidth) {
  std::string text = vector_text("name = 'sgd'", "kind = 'none'");
  text.replace(text.find("risk = 1.0"), 10, "risk = 0.0");
  const Bands bands = *predict(parse_experiment(text), {}, true).bands;
  EXPECT_EQ(bands.missing, "");
  EXPECT_TRUE((bands.deviation == 0).all() && (bands.low == 0).all() && (bands.high == 0).all());
}

TEST(Bands, SayWhyThereAreNone) {
  const Experiment e = experiment("name = 'sgd'", "kind = 'student_t', nu = 3, scale = 0.2");
  const Prediction heavy = predict(e, {}, true);
  EXPECT_NE(heavy.bands->missing.find("fourth moment"), std::string::npos);
  EXPECT_EQ(heavy.curve.warnings.back(), "no bands: " + heavy.bands->missing);

  ModeSystem unknown = mode_system(e);
  unknown.multiplicity.resize(0);
  EXPECT_NE(bands(unknown, e.schedule, heavy.curve).missing.find("how many directions"),
            std::string::npos);
  EXPECT_THROW(variance(sensitivity(unknown, e.schedule, 10)), InputError);
  EXPECT_FALSE(predict(e).bands);

  ModeSystem foreign = mode_system(experiment("name = 'sgd'", "kind = 'gaussian', std = 0.2"));
  foreign.optimizer = "another";
  foreign.shared_noise = nullptr;
  const RiskCurve curve = solve(foreign, e.schedule, e.run.at);
  EXPECT_NE(bands(foreign, e.schedule, curve).missing.find("not known for another"),
            std::string::npos);
}

TEST(Bands, OfRisksWhoseSquaresAreNoNumbersAreThoseOfOthers) {
  const auto at = [](double unit) {
    VectorProblem problem{power_law(60, 0.3), no_noise(), {}, {}, {}};
    problem.initial = power_law_target(problem.covariance.spectrum, 0.2, 1.0) * unit;
    Experiment e;
    e.problem = problem;
    e.optimizer = Sgd{2};
    e.schedule = constant_schedule(0.02);
    e.run.steps = 100;
    e.run.at = Eigen::ArrayXd{{0.0, 10.0, 100.0}};
    return predict(e, {}, true);
  };
  const Prediction one = at(1);
  for (const double unit : {0x1p-700, 0x1p700}) {
    const Prediction sized = at(unit);
    ASSERT_EQ(sized.bands->missing, "");
    for (int i = 1; i < 3; ++i)
      EXPECT_NEAR(sized.bands->deviation[i] / unit / one.bands->deviation[i], 1, 1e-8) << unit;
  }
}

}  // namespace
}  // namespace riskcurve
