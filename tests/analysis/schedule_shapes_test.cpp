#include <gtest/gtest.h>

#include <boost/math/tools/minima.hpp>
#include <cmath>
#include <map>

#include "power_law_problem.hpp"
#include "riskcurve/analysis/schedules.hpp"
#include "riskcurve/dynamics/optimizers.hpp"
#include "riskcurve/problem/error.hpp"

namespace riskcurve {
namespace {

std::map<std::string, ShapeOptimum> shapes_of(
    const ModeSystem& system, double horizon,
    const std::vector<std::string>& shapes = schedule_shapes()) {
  ScheduleOptions options;
  options.solve.rtol = 1e-8;
  std::map<std::string, ShapeOptimum> found;
  for (ShapeOptimum& shape : compare_shapes(system, best_step(system, horizon), options, shapes)) {
    EXPECT_TRUE(shape.best.found) << shape.shape << ": " << shape.best.message;
    found[shape.shape] = shape;
  }
  return found;
}

TEST(Shapes, HaveTheirBestPeaks) {
  const ModeSystem system =
      compress(mode_system(power_law_problem(200, 0.6, 0.2, gaussian_noise(0.3)), Sgd{4}));
  const double T = 3000;
  const auto found = shapes_of(system, T);
  const std::map<std::string, Schedule (*)(double)> shapes = {
      {"constant", [](double step) { return constant_schedule(step); }},
      {"linear", [](double step) { return linear_schedule(step, 0, 3000); }},
      {"cosine", [](double step) { return cosine_schedule(step, 0, 3000); }},
      {"wsd", [](double step) { return wsd_schedule(step, 0, 3000); }},
      {"1 - sqrt", [](double step) {
         return polynomial_schedule(step, 0.5, 3000, PolynomialSchedule::Share::elapsed);
       }}};
  for (const auto& [name, shape] : shapes) {
    const auto risk = [&](double x) {
      return solve(system, shape(std::exp(x)), Eigen::ArrayXd::Constant(1, T)).risk[0];
    };
    const ShapeOptimum& best = found.at(name);
    const double x = std::log(best.step);
    const auto [at, least] = boost::math::tools::brent_find_minima(risk, x - 1, x + 1, 30);
    EXPECT_NEAR(best.best.risk / least, 1, 1e-6) << name;
    EXPECT_NEAR(at, x, 1e-3) << name;
    EXPECT_LE(found.at("optimal").best.risk, best.best.risk) << name;
  }
  EXPECT_LE(found.at("polynomial").best.risk, found.at("linear").best.risk * (1 + 1e-9));
}

/// With a tail (1 - t/T)^p the noise of modes fades as if alpha' = min(2 alpha, p + 1) were their
/// capacity: R ~ T^(-s alpha'/(1 + s alpha')), s = (2 alpha + 2 beta - 1)/(2 alpha). Source: arXiv
/// 2602.06797.
TEST(Shapes, TailsSaturateTheCapacity) {
  const ModeSystem system =
      compress(mode_system(power_law_problem(1e6, 2, 0.3, gaussian_noise(1)), Sgd{1}));
  const std::map<std::string, double> tails = {{"constant", 1}, {"wsd", 2},    {"1 - sqrt", 2},
                                               {"linear", 2},   {"cosine", 3}, {"polynomial", 4}};
  std::vector<std::string> names;
  for (const auto& [name, capacity] : tails) names.push_back(name);
  const auto found = shapes_of(system, 1e12, names);
  const double s = 0.9;
  for (const auto& [name, capacity] : tails)
    EXPECT_NEAR(found.at(name).horizon_exponent, s * capacity / (1 + s * capacity), 0.01) << name;
}

TEST(Shapes, UnknownOnesAreNamed) {
  const ModeSystem system =
      compress(mode_system(power_law_problem(50, 0.6, 0.2, gaussian_noise(0.3)), Sgd{4}));
  EXPECT_THROW(compare_shapes(system, best_step(system, 100), {}, {"triangle"}), InputError);
}

}  // namespace
}  // namespace riskcurve
