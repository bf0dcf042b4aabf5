#include "riskcurve/analysis/advise.hpp"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <cmath>

#include "analysis/changes.hpp"
#include "analysis/counterparts.hpp"
#include "riskcurve/analysis/clipping.hpp"
#include "riskcurve/analysis/joint.hpp"
#include "riskcurve/analysis/optimum.hpp"
#include "riskcurve/analysis/schedules.hpp"
#include "riskcurve/dynamics/mode_system.hpp"
#include "riskcurve/dynamics/optimizers.hpp"
#include "riskcurve/input/input.hpp"
#include "riskcurve/problem/error.hpp"

namespace riskcurve {
namespace {

Experiment advised(const std::string& covariance, const std::string& noise,
                   const std::string& optimizer, double steps,
                   const std::string& schedule = "kind = 'constant'\nstep = 0.01") {
  return parse_experiment(fmt::format(
      "[problem]\ncovariance = {{ {} }}\ntarget = {{ kind = \"power_law\", beta = 0.2 }}\n"
      "noise = {{ {} }}\n[optimizer]\n{}\n[schedule]\n{}\n[run]\nsteps = {}\n",
      covariance, noise, optimizer, schedule, steps));
}

const std::string isotropic_text = "kind = 'isotropic', dimension = 40";
const std::string power_law_text =
    "kind = 'power_law', dimension = 60, alpha = 0.6, orientation = 'diagonal'";

const Change& change_in(const Advice& advice, const std::string& what) {
  for (const Change& change : advice.changes)
    if (change.what == what) return change;
  throw std::logic_error(what);
}
const Scaling& scaling_in(const Advice& advice, const std::string& quantity) {
  for (const Scaling& scaling : advice.scalings)
    if (scaling.quantity == quantity) return scaling;
  throw std::logic_error(quantity);
}

// R' = -(2 gamma - gamma^2 d/b) R: the best step is b/d at every horizon, no schedule is better,
// and at twice it nothing is learned.
TEST(Advise, OfNoiseFreeIsotropicSgdIsTheClosedForm) {
  const double d = 40, b = 4, T = 20, own = 0.01;
  const Advice advice =
      advise(advised(isotropic_text, "kind = 'none'", "name = 'sgd'\nbatch = 4", T));
  const auto risk = [&](double step) { return std::exp(-(2 * step - step * step * d / b) * T); };
  EXPECT_NEAR(advice.best.step, b / d, 1e-6);
  EXPECT_NEAR(advice.best.risk / risk(b / d), 1, 1e-7);
  EXPECT_EQ(advice.own_step, own);
  EXPECT_NEAR(advice.own_risk / risk(own), 1, 1e-7);
  for (Eigen::Index i = 0; i < advice.around.factor.size(); ++i)
    EXPECT_NEAR(advice.around.risk[i] / risk(advice.around.factor[i] * b / d), 1, 1e-6) << i;
  EXPECT_NEAR(advice.schedule.optimal / advice.schedule.constant, 1, 1e-6);
  for (const BestShape& shape : advice.schedule.shapes)
    EXPECT_GT(shape.risk, advice.schedule.constant) << shape.kind;
  const auto doubled = [&](const std::string& quantity) {
    const Scaling& scaling = scaling_in(advice, quantity);
    return scaling.step[scaling.own + 1] / scaling.step[scaling.own];
  };
  EXPECT_NEAR(doubled("batch"), 2, 1e-5);
  EXPECT_NEAR(doubled("dimension"), 0.5, 1e-5);
  EXPECT_NEAR(doubled("horizon"), 1, 1e-5);
  EXPECT_EQ(scaling_in(advice, "noise").skipped, "no noise whose size could vary");
}

// A linear schedule of that problem: int gamma = p T/2, int gamma^2 = p^2 T/3, least at p =
// 3b/(2d).
TEST(Advise, PeaksOfShapesAreThoseOfTheClosedForm) {
  const double d = 40, b = 4, T = 20;
  const Advice advice =
      advise(advised(isotropic_text, "kind = 'none'", "name = 'sgd'\nbatch = 4", T));
  ASSERT_EQ(advice.schedule.shapes.size(), 2u) << advice.schedule.skipped;
  const BestShape &linear = advice.schedule.shapes[0], &cosine = advice.schedule.shapes[1];
  EXPECT_EQ(linear.kind, "linear");
  EXPECT_NEAR(linear.peak / (1.5 * b / d), 1, 1e-4);
  EXPECT_NEAR(std::log(linear.risk) / (-0.75 * b / d * T), 1, 1e-6);
  EXPECT_EQ(cosine.kind, "cosine");  // int gamma^2 = 3 p^2 T/8
  EXPECT_NEAR(cosine.peak / (4.0 / 3 * b / d), 1, 1e-4);
}

TEST(Advise, ClippingPaysUnderHeavyTailsAloneAndAveragingUnderNoise) {
  const double T = 300;
  const Experiment gaussian =
      advised(power_law_text, "kind = 'gaussian', std = 0.5", "name = 'sgd'\nbatch = 4", T);
  const Advice calm = advise(gaussian);
  const Change& none = change_in(calm, "clipping");
  ASSERT_EQ(none.skipped, "");
  EXPECT_TRUE(std::isinf(none.value.at("threshold")));
  EXPECT_NEAR(none.risk / none.without, 1, 1e-6);
  EXPECT_LT(change_in(calm, "averaging").risk, 0.9 * change_in(calm, "averaging").without);

  const Experiment tails = advised(power_law_text, "kind = 'student_t', nu = 2.5, scale = 0.5",
                                   "name = 'sgd'\nbatch = 4", T);
  const Change clipped = change("clipping", tails, {});
  EXPECT_LT(clipped.risk, 0.9 * clipped.without);
  EXPECT_NEAR(clipped.without / best_step(mode_system(tails), T).risk, 1, 1e-6);
  const Optimum best = best_step(optimally_clipped_sgd(tails.vector(), 4), T);
  EXPECT_NEAR(clipped.risk / best.risk, 1, 1e-6);
  EXPECT_NEAR(clipped.value.at("step") / best.step, 1, 1e-4);
}

// Searched from elsewhere, and by a grid.
TEST(Advise, MomentumAndAveragesAreAsGoodAsTheBestOfAGrid) {
  const double T = 200;
  const Experiment file =
      advised(power_law_text, "kind = 'gaussian', std = 0.3", "name = 'sgd'\nbatch = 64", T);
  const Advice advice = advise(file);
  const Change &momentum = change_in(advice, "momentum"),
               &averaging = change_in(advice, "averaging");
  ASSERT_EQ(momentum.skipped + averaging.skipped, "");
  double least = 1, least_average = 1;
  for (const double factor : {0.5, 0.7, 0.85, 1.0, 1.2, 1.5, 2.0}) {
    for (const double value : {0.0, 0.2, 0.4, 0.6, 0.8, 0.9, 0.95, 0.98}) {
      Experiment other = file;
      if (value > 0) other.chain.momentum = constant_schedule(value);
      const double scale = (1 - value) / (1 - momentum.value.at("momentum"));
      other.schedule = constant_schedule(factor * scale * momentum.value.at("step"));
      least = std::min(
          least, solve(mode_system(other), other.schedule, Eigen::ArrayXd::Constant(1, T)).risk[0]);
      other = file;
      other.chain.average = EmaAverage{value};
      other.schedule = constant_schedule(factor * averaging.value.at("step"));
      const RiskCurve curve =
          solve(mode_system(other), other.schedule, Eigen::ArrayXd::Constant(1, T));
      if (curve.status == RiskCurve::Status::ok)
        least_average = std::min(least_average, curve.averaged_risk[0]);
    }
  }
  EXPECT_LE(momentum.risk, least * (1 + 1e-6));
  EXPECT_LE(averaging.risk, least_average * (1 + 1e-6));
  EXPECT_GT(momentum.without, momentum.risk * (1 - 1e-6));
}

TEST(Advise, SchedulesAreThoseOfTheSearchesAlone) {
  const double T = 400;
  const Experiment file =
      advised(power_law_text, "kind = 'gaussian', std = 0.3", "name = 'sign_sgd'\nbatch = 4", T,
              fmt::format("kind = 'cosine'\nstep = 0.02\nhorizon = {}", T));
  const Advice advice = advise(file);
  Experiment small = file;
  small.signal = Signal::small;
  const ModeSystem full = mode_system(file), system = mode_system(small);
  EXPECT_EQ(advice.small_signal, full.filtered.has_value());
  EXPECT_TRUE(std::isnan(advice.own_step));
  EXPECT_EQ(advice.own, "cosine");
  const Eigen::ArrayXd end = Eigen::ArrayXd::Constant(1, T);
  EXPECT_NEAR(advice.own_risk / solve(full, file.schedule, end).risk[0], 1, 1e-6);
  EXPECT_NEAR(advice.best.step / best_step(full, T).step, 1, 1e-5);
  EXPECT_NEAR(advice.schedule.constant / best_step(system, T).risk, 1, 1e-6);
  EXPECT_NEAR(advice.schedule.optimal / optimal_schedule(system, schedule_mesh(T)).risk, 1, 1e-5);
  for (const BestShape& shape : advice.schedule.shapes) {
    const auto risk = [&](double peak) {
      const Schedule schedule =
          shape.kind == "linear" ? linear_schedule(peak, 0, T) : cosine_schedule(peak, 0, T);
      return solve(system, schedule, Eigen::ArrayXd::Constant(1, T)).risk[0];
    };
    EXPECT_NEAR(risk(shape.peak) / shape.risk, 1, 1e-6);
    EXPECT_GT(risk(1.05 * shape.peak), shape.risk);
    EXPECT_GT(risk(0.95 * shape.peak), shape.risk);
    EXPECT_GE(shape.risk, advice.schedule.optimal * (1 - 1e-6));
  }
}

// 8/T^2 falls below 1/T at 8, on a straight line between logarithms.
TEST(Crossings, OfPowerLawsAreExact) {
  const Eigen::ArrayXd horizon{{1.0, 4.0, 16.0}};
  Eigen::ArrayXXd risk(3, 3);
  risk.col(0) = 1 / horizon;
  risk.col(1) = NAN;
  risk.col(2) = 8 / horizon.square();
  const std::vector<Crossing> found = crossings(horizon, risk);
  ASSERT_EQ(found.size(), 1u);
  EXPECT_NEAR(found[0].horizon, 8, 1e-12);
  EXPECT_EQ(found[0].before, 0u);
  EXPECT_EQ(found[0].after, 2u);
  EXPECT_TRUE(crossings(horizon, risk.leftCols(2)).empty());
}

// Two searches that know nothing of each other.
TEST(Advise, LeadsPassOnWhereTheBestRisksAreEqual) {
  const Experiment file =
      advised(power_law_text, "kind = 'gaussian', std = 0.5", "name = 'sgd'\nbatch = 4", 100);
  const Advice advice = advise(file);
  ASSERT_FALSE(advice.crossings.empty());
  const std::vector<Experiment> experiments = counterpart_experiments(file);
  for (const Crossing& crossing : advice.crossings) {
    const auto risk = [&](std::size_t which, double horizon) {
      return best_step(mode_system(experiments[which]), std::round(horizon)).risk;
    };
    const auto ahead = [&](double horizon) {
      return std::log(risk(crossing.after, horizon) / risk(crossing.before, horizon));
    };
    EXPECT_NEAR(ahead(crossing.horizon), 0, 0.02) << crossing.horizon;
    EXPECT_GT(ahead(crossing.horizon / 1.5), 0) << crossing.horizon;
    EXPECT_LT(ahead(crossing.horizon * 1.5), 0) << crossing.horizon;
  }
}

TEST(Advise, IsTheSameOnAnyThreadsAndStops) {
  const Experiment file =
      advised(power_law_text, "kind = 'gaussian', std = 0.3", "name = 'sgd'\nbatch = 4", 40);
  AdviseOptions one, two;
  one.threads = 1;
  two.threads = 2;
  const Advice a = advise(file, one), b = advise(file, two);
  EXPECT_TRUE((a.risk_at == b.risk_at || (a.risk_at.isNaN() && b.risk_at.isNaN())).all());
  for (std::size_t i = 0; i < a.changes.size(); ++i) {
    EXPECT_EQ(a.changes[i].risk, b.changes[i].risk) << a.changes[i].what;
    EXPECT_EQ(a.changes[i].value, b.changes[i].value);
  }
  double reached = 0;
  one.progress = [&](double fraction) { return (reached = std::max(reached, fraction)) < 0.3; };
  EXPECT_THROW(advise(file, one), Failure);
  EXPECT_GE(reached, 0.3);
  one.progress = [](double) { return false; };
  EXPECT_THROW(advise(file, one), Failure);
  EXPECT_THROW(advise(advised(power_law_text, "kind = 'student_t', nu = 1, scale = 1",
                              "name = 'sgd'\nbatch = 4", 40)),
               InputError);
}

TEST(Advise, SaysWhatItDoesNotKnow) {
  const Advice adam = advise(
      advised(power_law_text, "kind = 'gaussian', std = 0.3", "name = 'adam'\nbatch = 4", 60));
  EXPECT_NE(change_in(adam, "momentum").skipped, "");
  EXPECT_EQ(change_in(adam, "clipping").skipped, "derived for sgd alone");
  EXPECT_EQ(adam.counterparts.size(), 6u);
}

}  // namespace
}  // namespace riskcurve
