// Schedules with breaks anywhere: jumps of eight decades, one step long, late, from and to zero.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

#include "integrate/radau.hpp"
#include "problem/random.hpp"
#include "riskcurve/dynamics/optimizers.hpp"
#include "riskcurve/integrate/solve.hpp"
#include "riskcurve/problem/problem.hpp"

namespace riskcurve {
namespace {

using Values = std::vector<double>;

VectorProblem problem_of(double dimension, double alpha, const NoiseLaw& noise, double risk) {
  VectorProblem problem{power_law(dimension, alpha), noise, {}, {}, {}};
  problem.initial = power_law_target(problem.covariance.spectrum, 0.2, 1.0) * risk;
  return problem;
}

/// Linear between the points, or constant from each to the next; constant after the last. Its own
/// reading of the table, zeros and all.
struct Shape {
  bool linear;
  Values at, value;

  double end_of(std::size_t i) const {
    return linear && i + 1 < value.size() ? value[i + 1] : value[i];
  }
  Schedule schedule() const {
    const auto gamma = [*this](double k) {
      const auto i =
          static_cast<std::size_t>(std::upper_bound(at.begin(), at.end(), k) - at.begin()) - 1;
      if (i + 1 == at.size()) return value[i];
      return value[i] + (end_of(i) - value[i]) * ((k - at[i]) / (at[i + 1] - at[i]));
    };
    return custom_schedule(gamma, {at.begin() + 1, at.end()});
  }
};

/// The risk at these times, which count the table's own among them.
Eigen::ArrayXd reference(const ModeSystem& system, const Shape& shape, const Eigen::ArrayXd& at) {
  Values stops(at.begin(), at.end());
  for (const double t : system.breaks)
    if (t < stops.back()) stops.push_back(t);
  std::sort(stops.begin(), stops.end());
  Eigen::VectorXd s = system.initial;
  Values risk;
  std::size_t piece = 0;
  double t = 0;
  Radau radau(system);
  for (const double stop : stops) {
    const double from = shape.value[piece], to = shape.end_of(piece);
    const double whole = piece + 1 < shape.at.size() ? shape.at[piece + 1] - shape.at[piece] : 1;
    const double before = t - shape.at[piece];
    const auto gamma = [=](double local) {
      return from + (to - from) * ((before + local) / whole);
    };
    if (stop > t && (from > 0 || to > 0)) s = radau(s, t, stop - t, gamma);
    if (at[static_cast<Eigen::Index>(risk.size())] == stop) risk.push_back(system.risk(s));
    t = stop;
    if (piece + 1 < shape.at.size() && t == shape.at[piece + 1]) ++piece;
  }
  return Eigen::Map<const Eigen::ArrayXd>(risk.data(), at.size());
}

class RandomSystem {
 public:
  explicit RandomSystem(std::uint64_t seed) : random_(seed, 0, 0) {}
  int below(int n) { return static_cast<int>(random_() % static_cast<std::uint64_t>(n)); }
  double between(double low, double high) { return low * std::pow(high / low, random_.uniform()); }

  ModeSystem system() {
    const int batch = 1 + below(4);
    const double alpha = between(0.3, 1.5);
    const int optimizer = below(4);
    const NoiseLaw noise =
        optimizer > 1 ? laplace_noise(between(0.01, 3)) : gaussian_noise(between(0.01, 3));
    const VectorProblem problem = problem_of(5 + below(4), alpha, noise, 1);
    if (optimizer == 0) return mode_system(problem, Sgd{batch});
    if (optimizer == 1) return mode_system(problem, SignSgd{batch});
    if (optimizer == 2)
      return mode_system(problem, ClippedSgd{batch, constant_schedule(between(0.1, 3))});
    return mode_system(problem,
                       ClippedSgd{batch, tabulated_schedule({0, 1e3, 1e3 + 1}, {1, 0.1, 2})});
  }
  /// Times up to `longest` apart or one step; step sizes over eight decades, and zeros.
  Shape shape(double largest, double longest) {
    Shape shape{below(3) > 0, {0}, {}};
    const int count = 2 + below(5);
    for (int i = 1; i < count; ++i)
      shape.at.push_back(shape.at.back() + (below(3) ? std::floor(between(1, longest)) : 1.0));
    for (int i = 0; i < count; ++i)
      shape.value.push_back(below(5) ? largest * between(1e-8, 1) : 0.0);
    return shape;
  }

 private:
  riskcurve::Random random_;
};

/// Ends and middles of all pieces, and a time after the last.
Eigen::ArrayXd times_of(const Shape& shape, double longest) {
  Values at;
  for (std::size_t i = 0; i + 1 < shape.at.size(); ++i) {
    const double length = shape.at[i + 1] - shape.at[i];
    if (length > 3) at.push_back(shape.at[i] + std::floor(length / 2));
    at.push_back(shape.at[i + 1]);
  }
  at.push_back(shape.at.back() + longest);
  return Eigen::Map<const Eigen::ArrayXd>(at.data(), static_cast<Eigen::Index>(at.size()));
}

void expect_solved(std::uint64_t seed, Method method, double rtol, double longest, double within) {
  RandomSystem random(seed);
  const ModeSystem system = random.system();
  const double largest = random.between(0.05, 0.3) / system.drift.col(0).maxCoeff();
  const Shape shape = random.shape(largest, longest);
  const Eigen::ArrayXd at = times_of(shape, longest);
  SolveOptions options;
  options.method = method;
  options.rtol = rtol;
  const RiskCurve curve = solve(system, shape.schedule(), at, options);
  ASSERT_EQ(curve.status, RiskCurve::Status::ok) << "seed " << seed << ": " << curve.message;
  const Eigen::ArrayXd exact = reference(system, shape, at);
  EXPECT_LT(((curve.risk - exact) / exact).abs().maxCoeff(), within) << "seed " << seed;
}

TEST(Breaks, SchedulesOfEightDecadesToTrillionsOfStepsFollowAnotherMethod) {
  for (std::uint64_t seed = 0; seed < 12; ++seed)
    expect_solved(seed, Method::exponential, 1e-10, seed % 2 ? 1e12 : 1e4, 5e-8);
}

TEST(Breaks, TheOtherMethodsSolveThemToo) {
  for (std::uint64_t seed = 100; seed < 106; ++seed) {
    expect_solved(seed, Method::dopri5, 1e-11, 1e3, 1e-8);
    expect_solved(seed, Method::rosenbrock4, 1e-8, 1e3, 1e-5);
  }
}

TEST(Breaks, LateJumpsAndWarmRestartsAreSolvedAtTwoHundredDimensions) {
  const ModeSystem system = mode_system(problem_of(200, 0.6, gaussian_noise(0.3), 1), Sgd{1});
  const auto difference = [&](const Schedule& step, double end) {
    const Eigen::ArrayXd at = Eigen::ArrayXd::LinSpaced(9, 0, end);
    const RiskCurve curve = solve(system, step, at);
    EXPECT_EQ(curve.status, RiskCurve::Status::ok) << curve.message;
    SolveOptions explicit_steps;
    explicit_steps.method = Method::dopri5;
    const RiskCurve other = solve(system, step, at, explicit_steps);
    EXPECT_EQ(other.status, RiskCurve::Status::ok) << other.message;
    return ((curve.risk - other.risk) / other.risk).abs().maxCoeff();
  };
  EXPECT_LT(difference(tabulated_schedule({0, 1e5, 100001}, {1e-7, 1e-7, 0.2}), 2e5), 1e-8);
  EXPECT_LT(difference(tabulated_schedule({0, 499999, 5e5, 1e6}, {0.1, 1e-6, 0.1, 1e-6}), 1e6),
            1e-8);
}

TEST(Breaks, NoiseAloneUnderARampIsTheIntegralOfItsSquare) {
  // From R = 0 all that is there is what the ramp let in, and it is too short to decay.
  const ModeSystem system = mode_system(problem_of(6, 1, gaussian_noise(1), 0), Sgd{1});
  const double ends = (system.weight * system.diffusion.col(0)).sum() / 2;
  Eigen::ArrayXd at(3);
  at << 500, 1000, 2000;
  for (const auto& [from, to] :
       {std::pair(0.0, 1e-9), std::pair(1e-9, 0.0), std::pair(1e-11, 1e-9)}) {
    const RiskCurve curve = solve(system, Shape{true, {0, 1000}, {from, to}}.schedule(), at);
    ASSERT_EQ(curve.status, RiskCurve::Status::ok) << curve.message;
    const double half = 0.5 * (from + to);
    const auto area = [](double a, double b, double length) {
      return length * (a * a + a * b + b * b) / 3;
    };
    EXPECT_NEAR(curve.risk[0] / (ends * area(from, half, 500)), 1, 1e-5) << from << ' ' << to;
    EXPECT_NEAR(curve.risk[1] / (ends * area(from, to, 1000)), 1, 1e-5);
    EXPECT_NEAR(curve.risk[2] / (ends * (area(from, to, 1000) + 1000 * to * to)), 1, 1e-5);
  }
}

TEST(Breaks, AFrozenStretchChangesNothing) {
  const ModeSystem system = mode_system(problem_of(10, 0.7, gaussian_noise(0.3), 1), SignSgd{2});
  const Schedule step =
      Shape{true, {0, 100, 5e9, 5e9 + 1, 5e9 + 100}, {0, 0, 0, 0.01, 0.01}}.schedule();
  Eigen::ArrayXd at(4);
  at << 0, 100, 5e9, 5e9 + 100;
  for (const Method method : {Method::exponential, Method::dopri5, Method::rosenbrock4}) {
    SolveOptions options;
    options.method = method;
    options.rtol = 1e-8;
    const RiskCurve curve = solve(system, step, at, options);
    ASSERT_EQ(curve.status, RiskCurve::Status::ok) << curve.message;
    EXPECT_EQ(curve.risk[2], curve.risk[0]);
    EXPECT_LT(curve.risk[3], 0.9 * curve.risk[0]);
  }
}

TEST(Breaks, AHugeStepAfterALateBreakDiverges) {
  const ModeSystem system = mode_system(problem_of(40, 0.7, gaussian_noise(0.3), 1), Sgd{2});
  for (const double huge : {100.0, 1e12})
    for (const Method method : {Method::exponential, Method::dopri5, Method::rosenbrock4}) {
      if (huge > 100 && method != Method::exponential) continue;  // half a minute each
      SolveOptions options;
      options.method = method;
      options.rtol = 1e-8;
      const RiskCurve curve =
          solve(system, Shape{true, {0, 1e6, 1e6 + 1}, {1e-3, 1e-3, huge}}.schedule(),
                Eigen::ArrayXd::LinSpaced(3, 0, 2e6), options);
      EXPECT_EQ(curve.status, RiskCurve::Status::diverged) << curve.message;
      EXPECT_EQ(curve.message.find('\n'), std::string::npos);
    }
}

}  // namespace
}  // namespace riskcurve
