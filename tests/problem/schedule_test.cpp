#include "riskcurve/problem/schedule.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "input/read.hpp"
#include "riskcurve/problem/error.hpp"

namespace riskcurve {
namespace {

Schedule schedule_from(const std::string& text, double dimension = 100, double horizon = 1000) {
  const Fields fields = Fields::from_text(text);
  Schedule schedule = read_schedule(fields, dimension, horizon);
  fields.reject_unknown();
  return schedule;
}

TEST(PiecewiseSchedule, JumpsAtItsKnotsFromTheRight) {
  const Schedule s = piecewise_schedule({0, 10, 20}, {3, 2, 1});
  EXPECT_EQ(s(0), 3);
  EXPECT_EQ(s(9.999), 3);
  EXPECT_EQ(s(10), 2);
  EXPECT_EQ(s(20), 1);
  EXPECT_EQ(s(1e9), 1);
  EXPECT_EQ(s.breaks, (std::vector<double>{10, 20}));
}

TEST(PowerDecaySchedule, IsItsFormula) {
  const Schedule s = power_decay_schedule(0.4, 0.5, 3);
  for (const double k : {0.0, 1.0, 9.0, 1e6})
    EXPECT_NEAR(s(k), 0.4 * std::pow(1 + k / 3, -0.5), 1e-15);
  EXPECT_TRUE(s.breaks.empty());
}

TEST(CosineSchedule, GoesFromValueToFinalValueAndStays) {
  const Schedule s = cosine_schedule(2, 0.5, 100);
  EXPECT_DOUBLE_EQ(s(0), 2);
  EXPECT_NEAR(s(50), 1.25, 1e-15);
  EXPECT_NEAR(s(25), 0.5 + 1.5 * (1 + std::cos(M_PI / 4)) / 2, 1e-15);
  EXPECT_DOUBLE_EQ(s(100), 0.5);
  EXPECT_DOUBLE_EQ(s(1e5), 0.5);
  EXPECT_EQ(s.breaks, std::vector<double>{100});
  const Schedule to_zero = cosine_schedule(2, 0, 100);
  EXPECT_EQ(to_zero(100), 0);
  EXPECT_GT(to_zero(100 - 1e-10), 0);
}

TEST(LinearSchedule, GoesFromValueToFinalValueAndStays) {
  const Schedule s = linear_schedule(2, 0.5, 100);
  EXPECT_EQ(s(0), 2);
  EXPECT_DOUBLE_EQ(s(20), 1.7);
  EXPECT_EQ(s(100), 0.5);
  EXPECT_EQ(s(1e5), 0.5);
  EXPECT_EQ(s.breaks, std::vector<double>{100});
  EXPECT_DOUBLE_EQ(linear_schedule(0, 3, 10)(5), 1.5);
}

TEST(PolynomialSchedule, IsAPowerOfTheShareThatRemainsOrOfThatElapsed) {
  const Schedule remaining = polynomial_schedule(3, 1.5, 8);
  const Schedule elapsed = polynomial_schedule(3, 1.5, 8, PolynomialSchedule::Share::elapsed);
  for (const double k : {0.0, 0.1, 2.0, 7.9}) {
    EXPECT_DOUBLE_EQ(remaining(k), 3 * std::pow(1 - k / 8, 1.5));
    EXPECT_NEAR(elapsed(k), 3 * (1 - std::pow(k / 8, 1.5)), 1e-15);
  }
  for (const Schedule& s : {remaining, elapsed}) {
    EXPECT_EQ(s(0), 3);
    EXPECT_EQ(s(8), 0);
    EXPECT_EQ(s(100), 0);
    EXPECT_EQ(s.breaks, std::vector<double>{8});
  }
}

TEST(PolynomialSchedule, OfExponentOneIsLinear) {
  const Schedule line = linear_schedule(3, 0, 8);
  for (const auto share :
       {PolynomialSchedule::Share::remaining, PolynomialSchedule::Share::elapsed})
    for (const double k : {0.0, 1.0, 5.5, 8.0, 9.0})
      EXPECT_NEAR(polynomial_schedule(3, 1, 8, share)(k), line(k), 1e-15);
}

TEST(WsdSchedule, WarmsUpStaysAndDecaysOverTheLastShare) {
  const Schedule s = warm_up(wsd_schedule(2, 0.5, 100, 0.25), 10);
  EXPECT_DOUBLE_EQ(s(4), 1);
  EXPECT_EQ(s(9), 2);
  EXPECT_EQ(s(75), 2);
  EXPECT_DOUBLE_EQ(s(85), 1.4);
  EXPECT_EQ(s(100), 0.5);
  EXPECT_EQ(s(1e4), 0.5);
  EXPECT_EQ(s.breaks, (std::vector<double>{9, 75, 100}));
  EXPECT_EQ(wsd_schedule(2, 0, 100)(80), 2);
  EXPECT_DOUBLE_EQ(wsd_schedule(2, 0, 100)(90), 1);
  EXPECT_EQ(wsd_schedule(2, 0, 100, 1).breaks, std::vector<double>{100});
  EXPECT_DOUBLE_EQ(wsd_schedule(2, 0, 100, 1)(50), 1);
}

TEST(DanaSchedule, IsOneLessTheShareOfDelta) {
  const Schedule s = dana_schedule(8);
  for (const double k : {0.0, 1.0, 8.0, 1e6}) EXPECT_DOUBLE_EQ(s(k), 1 - 8 / (k + 8));
  EXPECT_EQ(s(0), 0);
  EXPECT_TRUE(s.breaks.empty());
}

TEST(CheckValues, NamesTheStatedValueThatIsOutOfRange) {
  const auto says = [](const Schedule& schedule) -> std::string {
    try {
      check_values("m", schedule, Range{0, 1, false, true});
    } catch (const InputError& error) {
      return error.what();
    }
    return "";
  };
  EXPECT_EQ(says(constant_schedule(1)), "m = 1: expected a number >= 0 and < 1");
  EXPECT_EQ(says(cosine_schedule(2, 0, 9)), "m.value = 2: expected a number >= 0 and < 1");
  EXPECT_EQ(says(linear_schedule(0.5, 1, 9)), "m.final_value = 1: expected a number >= 0 and < 1");
  EXPECT_EQ(says(tabulated_schedule({0, 1}, {0.5, 3})),
            "m.value[1] = 3: expected a number >= 0 and < 1");
  EXPECT_EQ(says(times(constant_schedule(0.5), 4)), "m = 2: expected a number >= 0 and < 1");
  for (const Schedule& fine : {dana_schedule(3), wsd_schedule(0.9, 0, 9), constant_schedule(0.99),
                               times(piecewise_schedule({0, 2}, {3, 0}), 0.25)})
    EXPECT_EQ(says(fine), "");
}

TEST(TabulatedSchedule, IsLinearBetweenAndConstantOutside) {
  const Schedule s = tabulated_schedule({10, 20, 40}, {1, 3, 2});
  EXPECT_EQ(s(0), 1);
  EXPECT_DOUBLE_EQ(s(15), 2);
  EXPECT_DOUBLE_EQ(s(20), 3);
  EXPECT_DOUBLE_EQ(s(30), 2.5);
  EXPECT_EQ(s(100), 2);
  EXPECT_EQ(s.breaks, (std::vector<double>{10, 20, 40}));
}

TEST(WarmUp, RisesLinearlyAndIsFullAfterItsSteps) {
  const Schedule s = warm_up(piecewise_schedule({0, 4, 50}, {2, 2, 1}), 10);
  EXPECT_DOUBLE_EQ(s(0), 0.2);
  EXPECT_DOUBLE_EQ(s(4), 1);
  EXPECT_DOUBLE_EQ(s(9), 2);
  EXPECT_DOUBLE_EQ(s(30), 2);
  EXPECT_DOUBLE_EQ(s(60), 1);
  EXPECT_EQ(s.breaks, (std::vector<double>{4, 9, 50}));
  EXPECT_TRUE(warm_up(constant_schedule(2), 1).breaks.empty());
}

TEST(Schedules, RejectValuesThatAreNoStepSizes) {
  const double nan = std::numeric_limits<double>::quiet_NaN();
  const double inf = std::numeric_limits<double>::infinity();
  for (const double bad : {nan, inf, -1.0, 0.0}) {
    EXPECT_THROW(constant_schedule(bad), InputError);
    if (bad != 0) {
      EXPECT_THROW(piecewise_schedule({0, 1}, {1, bad}), InputError);
    }
    EXPECT_THROW(power_decay_schedule(bad, 1, 1), InputError);
    EXPECT_THROW(power_decay_schedule(1, 1, bad), InputError);
    EXPECT_THROW(cosine_schedule(bad, 0, 1), InputError);
    EXPECT_THROW(polynomial_schedule(bad, 1, 1), InputError);
    EXPECT_THROW(polynomial_schedule(1, bad, 1), InputError);
    EXPECT_THROW(wsd_schedule(bad, 0, 1), InputError);
    EXPECT_THROW(wsd_schedule(1, 0, 1, bad), InputError);
    EXPECT_THROW(linear_schedule(1, 0, bad), InputError);
    EXPECT_THROW(dana_schedule(bad), InputError);
    EXPECT_THROW(cosine_schedule(1, 0, bad), InputError);
    if (bad != 0) {
      EXPECT_THROW(tabulated_schedule({0, 1, 2}, {1, bad, 1}), InputError);
    }
    EXPECT_THROW(warm_up(constant_schedule(1), bad), InputError);
    EXPECT_THROW(times(constant_schedule(1), bad), InputError);
  }
  EXPECT_THROW(cosine_schedule(1, -0.1, 10), InputError);
  EXPECT_THROW(linear_schedule(-1, 0, 10), InputError);
  EXPECT_THROW(wsd_schedule(1, 0, 1, 1.5), InputError);
}

TEST(Schedules, AllowZerosAnywhereInAList) {
  EXPECT_EQ(tabulated_schedule({0, 5, 9}, {0, 1, 0})(9), 0);
  EXPECT_EQ(tabulated_schedule({0, 5, 9}, {1, 0, 0})(7), 0);
  EXPECT_EQ(tabulated_schedule({1, 5}, {0, 1})(1), 0);
  EXPECT_EQ(piecewise_schedule({0, 5, 9}, {1, 0, 2})(7), 0);
}

TEST(Schedules, ErrorsOfListsNameKeyAndIndex) {
  const auto message = [](const std::string& text) -> std::string {
    try {
      schedule_from(text);
    } catch (const InputError& error) {
      return error.what();
    }
    return "no error";
  };
  EXPECT_EQ(message("kind = 'tabulated'\nat = [0, 5, 9]\nstep = [1, -2, 0]"),
            "step[1] = -2: expected a finite number >= 0");
  EXPECT_EQ(message("kind = 'tabulated'\nat = [0, 5, 5]\nstep = [1, 2, 0]"),
            "at[2] = 5: expected increasing steps");
  EXPECT_EQ(message("kind = 'piecewise'\nfrom = [1, 5]\nstep = [1, 2]"), "from[0] = 1: expected 0");
  try {
    tabulated_schedule({0, 1, 2}, {1, 2, -1e-9});
    ADD_FAILURE();
  } catch (const InputError& error) {
    EXPECT_EQ(error.field(), "step[2]");
    EXPECT_EQ(error.value(), "-1e-9");
    EXPECT_EQ(error.expected(), "a number >= 0");
  }
}

TEST(ReadThreshold, RefusesZerosThatLast) {
  const auto read_table = [](const std::string& values) {
    return read_threshold(Fields::from_text("threshold = { kind = 'tabulated', at = [0, 5, 9], "
                                            "value = " +
                                            values + " }"),
                          "threshold", 10);
  };
  EXPECT_EQ(read_table("[0, 1, 0]")(9), 0);
  EXPECT_THROW(read_table("[1, 0, 1]"), InputError);
}

TEST(Schedules, RejectKnotsOutOfOrder) {
  EXPECT_THROW(piecewise_schedule({0, 5, 5}, {1, 1, 1}), InputError);
  EXPECT_THROW(piecewise_schedule({1, 5}, {1, 1}), InputError);
  EXPECT_THROW(piecewise_schedule({0, 5}, {1}), InputError);
  EXPECT_THROW(tabulated_schedule({3, 2}, {1, 1}), InputError);
  EXPECT_THROW(tabulated_schedule({}, {}), InputError);
}

TEST(ReadSchedule, ReadsEveryKindRawAndScaled) {
  EXPECT_DOUBLE_EQ(schedule_from("kind = 'constant'\nstep = 2e-4")(7), 2e-4);
  EXPECT_DOUBLE_EQ(schedule_from("kind = 'constant'\nscaled_step = 0.5")(7), 0.005);
  EXPECT_DOUBLE_EQ(schedule_from("kind = 'piecewise'\nfrom = [0, 10]\nscaled_step = [2, 1]")(10),
                   0.01);
  EXPECT_DOUBLE_EQ(schedule_from("kind = 'power_decay'\nstep = 1\nexponent = 2")(1), 0.25);
  EXPECT_DOUBLE_EQ(schedule_from("kind = 'power_decay'\nstep = 1\nexponent = 2\ndelay = 0.5")(1),
                   1.0 / 9);
  const Schedule cosine = schedule_from("kind = 'cosine'\nscaled_step = 3\nfinal_scaled_step = 1");
  EXPECT_NEAR(cosine(500), 0.02, 1e-17);
  EXPECT_EQ(cosine.breaks, std::vector<double>{1000});
  EXPECT_EQ(schedule_from("kind = 'cosine'\nstep = 3\nhorizon = 10")(10), 0);
  EXPECT_DOUBLE_EQ(schedule_from("kind = 'tabulated'\nat = [0, 10]\nstep = [1, 0]")(5), 0.5);
  EXPECT_DOUBLE_EQ(schedule_from("kind = 'constant'\nstep = 1\nwarmup = 4")(1), 0.5);
  EXPECT_DOUBLE_EQ(schedule_from("kind = 'linear'\nstep = 1\nfinal_step = 0.5")(500), 0.75);
  EXPECT_DOUBLE_EQ(schedule_from("kind = 'linear'\nscaled_step = 1\nhorizon = 10")(5), 0.005);
  EXPECT_DOUBLE_EQ(schedule_from("kind = 'polynomial'\nstep = 1\nexponent = 2")(500), 0.25);
  EXPECT_DOUBLE_EQ(
      schedule_from("kind = 'polynomial'\nstep = 1\nexponent = 2\nshare = 'elapsed'")(500), 0.75);
  EXPECT_DOUBLE_EQ(schedule_from("kind = 'wsd'\nstep = 1\nwarmup = 10")(900), 0.5);
  EXPECT_DOUBLE_EQ(schedule_from("kind = 'wsd'\nstep = 1\ndecay = 0.4\nhorizon = 10")(8), 0.5);
}

TEST(ReadSchedule, WantsExactlyOneOfStepAndScaledStep) {
  EXPECT_THROW(schedule_from("kind = 'constant'"), InputError);
  EXPECT_THROW(schedule_from("kind = 'constant'\nstep = 1\nscaled_step = 1"), InputError);
  EXPECT_THROW(schedule_from("kind = 'cosine'\nstep = 1\nfinal_scaled_step = 1"), InputError);
  EXPECT_THROW(schedule_from("kind = 'constant'\nstep = -1"), InputError);
  EXPECT_THROW(schedule_from("kind = 'constant'\nstep = nan"), InputError);
  EXPECT_THROW(schedule_from("kind = 'cubic'\nstep = 1"), InputError);
  EXPECT_THROW(schedule_from("kind = 'dana'\ndelta = 1"), InputError);
}

TEST(ReadThreshold, IsANumberOrASchedule) {
  EXPECT_EQ(read_threshold(Fields::from_text("threshold = 0.8"), "threshold", 10)(3), 0.8);
  const Fields table =
      Fields::from_text("threshold = { kind = 'cosine', value = 2, final_value = 1 }");
  EXPECT_NEAR(read_threshold(table, "threshold", 10)(5), 1.5, 1e-15);
  EXPECT_THROW(read_threshold(Fields::from_text("threshold = 0"), "threshold", 10), InputError);
}

}  // namespace
}  // namespace riskcurve
