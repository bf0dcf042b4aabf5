// Strong and weak order of the SDE's steps, each against a limit found another way: the Milstein
// scheme on the same Brownian paths, the closed moment equation, the Kolmogorov equation.
#include "integrate/sde_step.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <vector>

#include "problem/random.hpp"
#include "riskcurve/integrate/solve.hpp"

namespace riskcurve {
namespace {

using Eigen::ArrayXd;
using Eigen::Index;
constexpr double kNoise = 0.5, kStart = 1;
// Noise as strong as the decay, to see it on paths; and weaker, so that densities fit a grid.
constexpr double kGamma = 0.5, kHorizon = 4, kWeakGamma = 0.1, kWeakHorizon = 20;

/// One direction, so that its noise moves the risk as much as it can.
ModeSystem one_direction(const std::function<Response(double risk)>& response) {
  ModeSystem system;
  system.weight = system.drift = system.diffusion = system.multiplicity = ArrayXd::Ones(1);
  system.initial = ArrayXd::Constant(1, kStart * kStart);
  system.noise_variance = kNoise * kNoise;
  system.response = [response](const Now& now) { return response(now.risk); };
  return system;
}
Response pair(double g, double n) {
  return {ArrayXd::Constant(1, g), ArrayXd::Constant(1, n)};
}
double phi(double risk) {
  return 2 / M_PI / std::sqrt(2 * risk + kNoise * kNoise);
}
/// Noise that grows with the risk, and noise that does not.
ModeSystem sgd_like() {
  return one_direction([](double risk) { return pair(1, 2 * risk + kNoise * kNoise); });
}
ModeSystem sign_like() {
  return one_direction([](double risk) { return pair(phi(risk), 1); });
}

/// The step of length h from x: (decay, deviation).
std::pair<double, double> step_from(SdeStep& step, double x, double h) {
  step.start(0, ArrayXd::Constant(1, x * x), ArrayXd());
  step.finish(h);
  return {step.decay[0], step.deviation[0]};
}

/// Mean absolute error of x(T) after 2^m steps, m = 4..8, on shared Brownian paths. The limit is
/// Milstein's scheme at 2^13 steps.
std::vector<double> strong_errors(const ModeSystem& system, SdeMethod method) {
  constexpr int fine = 1 << 13, paths = 400;
  const double small = kHorizon / fine;
  const Schedule gamma = constant_schedule(kGamma);
  SdeStep step(system, gamma, method);
  std::vector<double> sum(5, 0.0);
  for (int path = 0; path < paths; ++path) {
    std::vector<double> dB(fine);
    Random(20261122, static_cast<std::uint64_t>(path), 0).normals(dB.data(), dB.size());
    for (double& d : dB) d *= std::sqrt(small);
    double limit = kStart;
    for (const double d : dB) {
      const Response at = system.response(Now{.risk = 0.5 * limit * limit});
      const double b = kGamma * std::sqrt(at.diffusion[0]);
      // b b' = gamma^2 c'/2, c' by central difference in x
      const auto c = [&](double x) {
        return system.response(Now{.risk = 0.5 * x * x}).diffusion[0];
      };
      const double bb = kGamma * kGamma * (c(limit + 1e-4) - c(limit - 1e-4)) / 4e-4;
      limit += -kGamma * at.drift[0] * limit * small + b * d + 0.5 * bb * (d * d - small);
    }
    for (int m = 0; m < 5; ++m) {
      const int steps = 16 << m, each = fine / steps;
      double x = kStart;
      for (int i = 0; i < steps; ++i) {
        const auto [decay, deviation] = step_from(step, x, kHorizon / steps);
        // xi: the path's own Ornstein-Uhlenbeck integral, brought to unit variance.
        const double z = method == SdeMethod::euler_maruyama ? 0 : -std::log(decay);
        double xi = 0, square = 0;
        for (int j = 0; j < each; ++j) {
          const double w = std::exp(-z * (1 - (j + 0.5) / each));
          xi += w * dB[static_cast<std::size_t>(i * each + j)];
          square += w * w * small;
        }
        x = decay * x + deviation * xi / std::sqrt(square);
      }
      sum[static_cast<std::size_t>(m)] += std::abs(x - limit) / paths;
    }
  }
  return sum;
}

/// Least-squares slope of log2 error over halvings.
double order(const std::vector<double>& error) {
  double top = 0, bottom = 0;
  const double middle = 0.5 * static_cast<double>(error.size() - 1);
  for (std::size_t m = 0; m < error.size(); ++m) {
    top -= (static_cast<double>(m) - middle) * std::log2(error[m]);
    bottom += (static_cast<double>(m) - middle) * (static_cast<double>(m) - middle);
  }
  return top / bottom;
}

void report(const char* what, const std::vector<double>& error) {
  testing::Test::RecordProperty(what, std::to_string(order(error)));
  std::printf("%-30s order %.2f, errors", what, order(error));
  for (const double e : error) std::printf(" %.2e", e);
  std::printf("\n");
}

TEST(SdeStep, StrongOrderIsOneHalfWhereTheNoiseFollowsTheRisk) {
  const auto ou = strong_errors(sgd_like(), SdeMethod::ornstein_uhlenbeck);
  const auto em = strong_errors(sgd_like(), SdeMethod::euler_maruyama);
  report("strong_sgd_ou", ou);
  report("strong_sgd_em", em);
  EXPECT_NEAR(order(ou), 0.5, 0.15);
  EXPECT_NEAR(order(em), 0.5, 0.15);
}

TEST(SdeStep, StrongOrderIsOneWhereTheNoiseIsConstant) {
  const auto ou = strong_errors(sign_like(), SdeMethod::ornstein_uhlenbeck);
  const auto em = strong_errors(sign_like(), SdeMethod::euler_maruyama);
  report("strong_sign_ou", ou);
  report("strong_sign_em", em);
  EXPECT_NEAR(order(ou), 1, 0.15);
  EXPECT_NEAR(order(em), 1, 0.15);
}

TEST(SdeStep, InManyDirectionsOrderIsTwoAndOneUnderEulerMaruyama) {
  // Infinitely many directions a mode: the law of large numbers leaves the map of the second
  // moments, and the limit is the mode system. Stiff modes among them. (SGD: the map of E s for any
  // number of directions, because its moments close.)
  const Index n = 40;
  const ArrayXd lambda = ArrayXd::LinSpaced(n, 1, n).pow(-1.0);
  SolveOptions tight;
  tight.rtol = 1e-13;
  const Schedule gamma = constant_schedule(kGamma);
  for (const bool sign : {false, true}) {
    ModeSystem system = sign ? sign_like() : sgd_like();
    system.weight = system.drift = system.diffusion = lambda;
    system.initial = system.multiplicity = ArrayXd::Ones(n);
    system.diffusion *= 0.2;
    const double exact = solve(system, gamma, ArrayXd::Constant(1, kHorizon), tight).risk[0];
    const auto errors = [&](SdeMethod method) {
      std::vector<double> error;
      SdeStep step(system, gamma, method);
      for (int steps = 16; steps <= 256; steps *= 2) {
        ArrayXd s = system.initial;
        for (int i = 0; i < steps; ++i) {
          step.start(0, s, ArrayXd());
          step.finish(kHorizon / steps);
          s = step.decay.square() * s + step.deviation.square();
        }
        error.push_back(std::abs(system.risk(s) / exact - 1));
      }
      return error;
    };
    const auto ou = errors(SdeMethod::ornstein_uhlenbeck), em = errors(SdeMethod::euler_maruyama);
    report(sign ? "many_sign_ou" : "many_sgd_ou", ou);
    report(sign ? "many_sign_em" : "many_sgd_em", em);
    EXPECT_NEAR(order(ou), 2, 0.2);
    EXPECT_NEAR(order(em), 1, 0.2);
    EXPECT_LT(ou.front(), 0.2 * em.front());
  }
}

/// E R(T) of one direction by Kolmogorov's backward equation, Crank-Nicolson on a grid of x.
double kolmogorov(const ModeSystem& system) {
  constexpr int n = 2400, steps = 2000;
  constexpr double far = 6, dx = 2 * far / n, dt = kWeakHorizon / steps;
  const auto x = [](int i) { return -far + i * dx; };
  std::vector<double> u(n + 1), lower(n + 1, 0.0), upper(n + 1, 0.0), right(n + 1), scratch(n + 1);
  for (int i = 0; i <= n; ++i) u[static_cast<std::size_t>(i)] = 0.5 * x(i) * x(i);
  for (int i = 1; i < n; ++i) {  // far away the value is held: nothing of it reaches the middle
    const Response at = system.response(Now{.risk = std::max(0.5 * x(i) * x(i), 1e-300)});
    const double advect = -kWeakGamma * at.drift[0] * x(i) / (2 * dx);
    const double diffuse = 0.5 * kWeakGamma * kWeakGamma * at.diffusion[0] / (dx * dx);
    lower[static_cast<std::size_t>(i)] = 0.5 * dt * (diffuse - advect);
    upper[static_cast<std::size_t>(i)] = 0.5 * dt * (diffuse + advect);
  }
  for (int k = 0; k < steps; ++k) {
    right = u;
    for (std::size_t i = 1; i < n; ++i)
      right[i] += lower[i] * (u[i - 1] - u[i]) + upper[i] * (u[i + 1] - u[i]);
    // Thomas: (1 + l + r) u_i - l u_(i-1) - r u_(i+1) = right_i
    scratch[0] = 0;
    u[0] = right[0];
    for (std::size_t i = 1; i < n; ++i) {
      const double pivot = 1 + lower[i] + upper[i] - lower[i] * scratch[i - 1];
      scratch[i] = upper[i] / pivot;
      u[i] = (right[i] + lower[i] * u[i - 1]) / pivot;
    }
    u[n] = right[n];
    for (std::size_t i = n - 1; i > 0; --i) u[i] += scratch[i] * u[i + 1];
  }
  return u[static_cast<std::size_t>(std::lround((kStart + far) / dx))];
}

/// E R(T) of the scheme itself after `steps` steps: its transition density on a grid (the
/// trapezoidal rule, exact to roundoff for densities this smooth).
double mean_of_scheme(const ModeSystem& system, SdeMethod method, int steps) {
  constexpr Index n = 600;
  const ArrayXd x = ArrayXd::LinSpaced(n, -4, 4);
  const double dx = x[1] - x[0], h = kWeakHorizon / steps;
  const Schedule gamma = constant_schedule(kWeakGamma);
  SdeStep step(system, gamma, method);
  const auto density = [&](double from) -> ArrayXd {
    const auto [decay, deviation] = step_from(step, from, h);
    return (-0.5 * ((x - decay * from) / deviation).square()).exp() /
           (std::sqrt(2 * M_PI) * deviation);
  };
  Eigen::MatrixXd kernel(n, n);
  for (Index j = 0; j < n; ++j) kernel.col(j) = dx * density(x[j]).matrix();
  Eigen::VectorXd p = density(kStart).matrix();
  for (int i = 1; i < steps; ++i) p = (kernel * p).eval();
  EXPECT_NEAR(p.sum() * dx, 1, 1e-9);  // the grid holds the whole density
  return 0.5 * dx * (p.array() * x.square()).sum();
}

TEST(SdeStep, WeakOrderIsOneInOneDirection) {
  // What the noise does to the responses within a step is of first order; it falls as 1/d. For SGD
  // it vanishes from E R, which is then of second order.
  for (const bool sign : {false, true}) {
    const ModeSystem system = sign ? sign_like() : sgd_like();
    const double exact = kolmogorov(system);
    std::vector<double> ou, em;
    for (int steps = 16; steps <= 128; steps *= 2) {
      const auto error = [&](SdeMethod method) {
        return std::abs(mean_of_scheme(system, method, steps) / exact - 1);
      };
      ou.push_back(error(SdeMethod::ornstein_uhlenbeck));
      em.push_back(error(SdeMethod::euler_maruyama));
    }
    report(sign ? "one_sign_ou" : "one_sgd_ou", ou);
    report(sign ? "one_sign_em" : "one_sgd_em", em);
    EXPECT_NEAR(order(ou), sign ? 1 : 2, 0.2);
    EXPECT_NEAR(order(em), 1, 0.2);
  }
}

}  // namespace
}  // namespace riskcurve
