// What adaptive optimizers turn into at the ends of their betas and eps.
#include <fmt/format.h>
#include <gtest/gtest.h>

#include <cmath>

#include "dynamics/adaptive_curves.hpp"
#include "dynamics/adaptive_scalars.hpp"

namespace riskcurve {
namespace {

using Eigen::ArrayXd;

VectorProblem evenly(int geometry, double d) {
  VectorProblem problem =
      eight_values(d, geometry == 0 ? Orientation::diagonal : Orientation::generic, 0.5, 1);
  if (geometry < 2) return problem;
  problem.covariance = isotropic(d);
  problem.initial = isotropic_target(problem.covariance.spectrum, 1);
  return problem;
}

/// Runs of SignSGD and of what should be it: three geometries, few samples and more. `allowed`: the
/// largest share kappa of the signal in v at the start, times half of what the risk falls by in its
/// logarithm (rates have a factor (1 + kappa)^(-1/2) and the like).
template <class Check>
void beside_sign_sgd(const Check& check) {
  constexpr double d = 1e4;
  for (const int geometry : {0, 1, 2})
    for (const int batch : {1, 16}) {
      const VectorProblem problem = evenly(geometry, d);
      const Experiment sign =
          experiment_on(problem, SignSgd{batch}, 0.5 * std::sqrt(batch) / d, 2 * d);
      const ArrayXd risk = stepped_risk(sign);
      const Spectrum& spectrum = problem.covariance.spectrum;
      const double kappa =
          (spectrum.value * problem.initial / spectrum.multiplicity).maxCoeff() * batch / 2.25;
      SCOPED_TRACE(fmt::format("geometry {}, batch {}", geometry, batch));
      check(sign, risk, 0.5 * kappa * std::log(risk[0] / risk.minCoeff()));
    }
}
Experiment with(Experiment e, const Optimizer& optimizer) {
  e.optimizer = optimizer;
  return e;
}

TEST(AdaptiveLimits, AdamWithoutBetasIsSignSgdButForTheSignalInV) {
  beside_sign_sgd([](const Experiment& sign, const ArrayXd& risk, double allowed) {
    const int batch = batch_of(sign.optimizer);
    const ArrayXd adam = stepped_risk(with(sign, Adam{batch, {0, 0}, 0}));
    EXPECT_LT(curves_apart(adam, risk), allowed + 1e-5);
  });
}

TEST(AdaptiveLimits, LionThatForgetsIsSignSgd) {
  beside_sign_sgd([](const Experiment& sign, const ArrayXd& risk, double allowed) {
    const int batch = batch_of(sign.optimizer);
    for (const Betas& betas : {Betas{0, 0}, Betas{0, 0.9}}) {
      const ArrayXd lion = stepped_risk(with(sign, Lion{batch, betas}));
      EXPECT_LT(curves_apart(lion, risk), allowed + 1e-5) << betas[1];
    }
    Experiment signum = sign;
    signum.chain.momentum = constant_schedule(1e-9);
    EXPECT_LT(curves_apart(stepped_risk(signum), risk), allowed + 1e-5);
  });
}

TEST(AdaptiveLimits, LionOfEqualBetasIsSignum) {
  for (const int geometry : {0, 1, 2}) {
    const VectorProblem problem = evenly(geometry, 300);
    Experiment signum = experiment_on(problem, SignSgd{4}, 1e-3, 500);
    signum.chain.momentum = constant_schedule(0.8);
    EXPECT_LT(curves_apart(stepped_risk(with(experiment_on(problem, SignSgd{4}, 1e-3, 500),
                                             Lion{4, {0.8, 0.8}})),
                           stepped_risk(signum)),
              1e-10)
        << geometry;
  }
}

// Adam's memory of squares alone: v = 1 + delta, E delta^2 = 1 - beta_2 and E delta g^2 twice that
// of normal gradients, to second order of delta: A = 1 - 5/8 (1 - beta_2),
// C(rho) = rho - rho (5 - rho^2)/4 (1 - beta_2). A momentum that is short against it changes
// neither.
TEST(AdaptiveLimits, ScalarsOfLongMemoryAreLinearInOneMinusBeta2) {
  for (const double beta1 : {0.0, 0.5, 0.9}) {
    double before = 0;
    for (const double rest : {1e-3, 1e-4, 1e-5}) {
      const SteadyScalars steady({beta1, beta1}, 1 - rest);
      double worst = std::abs((1 - steady.scalars().gain) / rest - 0.625);
      for (const double rho : {0.2, 0.5, 0.8, 1.0})
        worst = std::max(
            worst, std::abs((rho - steady.noise_between(rho)) / rest - rho * (5 - rho * rho) / 4));
      EXPECT_LT(worst, 5 * rest / (1 - beta1));
      if (before > 0) {
        EXPECT_NEAR(before / worst, 10, 1.5);
      }
      before = worst;
    }
  }
}

// Far longer than the memory of squares, momentum meets roots that it knows nothing of: C(1) falls
// to A^2, and is never below it (C(rho) has odd powers of rho only, none negative).
TEST(AdaptiveLimits, LongMomentumFeelsNoNoiseButItsOwn) {
  double before = 0;
  for (const double rest : {1e-2, 5e-3, 2.5e-3, 1e-3}) {
    const AdaptiveScalars of = SteadyScalars({1 - rest, 1 - rest}, 0.95).scalars();
    const double more = of.noise / (of.gain * of.gain) - 1;
    EXPECT_GT(more, 0) << rest;
    EXPECT_LT(more, 0.3 * rest) << rest;
    if (before > 0) {
      EXPECT_LT(more, 0.65 * before) << rest;
    }
    before = more;
  }
}

// Noise so loud that 2P/b does not move: one step size for all of the run.
TEST(AdaptiveLimits, AdamOfLongMemoryIsPreconditionedSgd) {
  constexpr double noise = 1, root = noise / 8;  // of 2P/b
  for (const auto orientation : {Orientation::diagonal, Orientation::generic}) {
    const VectorProblem problem = eight_values(64, orientation, noise, 2e-5);
    const double step = 1e-5, steps = 4e5, tau = problem.covariance.spectrum.mean();
    const ArrayXd limit =
        stepped_risk(orientation == Orientation::diagonal
                         ? experiment_on(problem, PreconditionedSgd{64, 0.5}, step, steps)
                         : experiment_on(problem, Sgd{64}, step / std::sqrt(tau), steps));
    double before = 0;
    for (const double rest : {1e-2, 1e-3}) {
      const ArrayXd adam =
          stepped_risk(experiment_on(problem, Adam{64, {0, 1 - rest}, 0}, step * root, steps));
      const double gap = curves_apart(adam, limit);
      EXPECT_LT(gap, 2 * rest);
      if (before > 0) {
        EXPECT_NEAR(before / gap, 10, 1.5);
      }
      before = gap;
    }
  }
}

/// dR/dt = -2 gamma R/sqrt(N) + gamma^2 d/2, N = (2R + noise^2)/b, by Runge and Kutta: SGD of step
/// gamma/sqrt(N) under K = 1.
ArrayXd over_the_root(double gamma, double d, double b, double noise, const ArrayXd& at) {
  const auto rate = [&](double r) {
    return -2 * gamma * r / std::sqrt((2 * r + noise * noise) / b) + gamma * gamma * d / 2;
  };
  ArrayXd risk(at.size());
  double r = 1, t = 0;
  for (Eigen::Index i = 0; i < at.size(); ++i) {
    const double h = (at[i] - t) / 500;
    for (int k = 0; h > 0 && k < 500; ++k) {
      const double k1 = rate(r), k2 = rate(r + h / 2 * k1), k3 = rate(r + h / 2 * k2),
                   k4 = rate(r + h * k3);
      r += h / 6 * (k1 + 2 * k2 + 2 * k3 + k4);
    }
    t = at[i];
    risk[i] = r;
  }
  return risk;
}
/// The same with V, a mean of N over the steps so far that forgets by beta2, in place of N.
ArrayXd over_the_lagging_root(double gamma, double d, double b, double noise, double beta2,
                              const ArrayXd& at) {
  ArrayXd risk(at.size());
  double r = 1, v = 0, grown = 1;
  Eigen::Index i = 0;
  for (int t = 0; i < at.size(); ++t) {
    if (t == at[i]) risk[i++] = r;
    const double n = (2 * r + noise * noise) / b;
    v = beta2 * v + (1 - beta2) * n * (1 + b * 2 * r / d / (2 * r + noise * noise));
    grown *= beta2;
    const double step = gamma / std::sqrt(v / (1 - grown));
    r = (1 - step) * (1 - step) * r + step * step * n * d / 2;
  }
  return risk;
}

TEST(AdaptiveLimits, AdamOfLongMemoryIsIsotropicSgdOverTheRootOfItsNoise) {
  constexpr double d = 1e4, b = 16, noise = 0.5;
  const double gamma = 2.5e-6 * std::sqrt(noise * noise / b), steps = 8e5;
  double before = 0;
  for (const double rest : {1e-2, 1e-3}) {
    const Experiment e = experiment_on(evenly(2, d), Adam{16, {0, 1 - rest}, 0}, gamma, steps);
    const ArrayXd risk = stepped_risk(e);
    const double gap = curves_apart(risk, over_the_root(gamma, d, b, noise, e.run.at)),
                 lagging = curves_apart(
                     risk, over_the_lagging_root(gamma, d, b, noise, 1 - rest, e.run.at));
    EXPECT_LT(lagging, 3 * rest);
    if (before > 0) {
      EXPECT_NEAR(before / lagging, 10, 1.5);
    }
    before = lagging;
    if (rest < 5e-3) {
      EXPECT_LT(gap, 0.01);
    }  // the lag of V: 1/rest steps against 4e5 of the curve
  }
}

// The divisor is eps but for the root of v.
TEST(AdaptiveLimits, AdamOfLargeEpsIsSgdOfItsMomentum) {
  for (const auto orientation : {Orientation::diagonal, Orientation::generic}) {
    const VectorProblem problem = eight_values(1e4, orientation, 0.5, 1);
    for (const Betas& betas :
         {Betas{0, 0.999}, Betas{0.9, 0.999}, Betas{0, 0.9}, Betas{0.9, 0.95}}) {
      const double step = 2e-5, steps = 1e5;
      Experiment sgd = experiment_on(problem, Sgd{16}, step, steps);
      if (betas[0] > 0) {
        sgd.chain.momentum = constant_schedule(betas[0]);
        sgd.chain.dampening = betas[0];
      }
      const ArrayXd limit = stepped_risk(sgd);
      double before = 0;
      for (const double eps : {30.0, 300.0, 3000.0}) {
        const double gap = curves_apart(
            stepped_risk(experiment_on(problem, Adam{16, betas, eps}, step * eps, steps)), limit);
        EXPECT_LT(gap, 2 / eps);
        if (before > 0) {
          EXPECT_NEAR(before / gap, 10, 1);
        }
        before = gap;
      }
    }
  }
}

}  // namespace
}  // namespace riskcurve
