#include "riskcurve/problem/optimizer.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <string>
#include <vector>

#include "riskcurve/problem/error.hpp"

namespace riskcurve {
namespace {

TEST(MuonMap, HasAtZeroTheSlopeOfAllItsSteps) {
  const double g = 1e-9;
  EXPECT_NEAR(Muon{}.map(g) / g, std::pow(3.4445, 5), 1e-9 * std::pow(3.4445, 5));
  EXPECT_EQ(Muon{}.map(0), 0);
}

TEST(MuonMap, OfOneStepIsItsPolynomial) {
  Muon muon;
  muon.ns_steps = 1;
  EXPECT_NEAR(muon.map(1), 3.4445 - 4.7750 + 2.0315, 1e-15);
  EXPECT_NEAR(muon.map(-0.5), -(3.4445 / 2 - 4.7750 / 8 + 2.0315 / 32), 1e-15);
}

TEST(MuonMap, IsNearOneOverMostOfItsRange) {
  // The default coefficients trade an end at 1 for their slope at 0.
  double low = 2, high = 0;
  for (double g = 0.02; g <= 1; g += 1e-4) {
    low = std::min(low, Muon{}.map(g));
    high = std::max(high, Muon{}.map(g));
  }
  EXPECT_NEAR(low, 0.6818, 1e-3);
  EXPECT_NEAR(high, 1.1344, 1e-3);
}

TEST(MuonMap, TakesTheTripleOfEachStepInTheirOrder) {
  Muon muon;
  muon.ns_steps = 2;
  muon.ns_coefficients = {2, 0, 0, 0, 1, 0};  // g -> 2g -> 8 g^3
  EXPECT_NEAR(muon.map(0.25), 0.125, 1e-16);
  muon.ns_coefficients = {0, 1, 0, 2, 0, 0};  // g -> g^3 -> 2 g^3
  EXPECT_NEAR(muon.map(0.25), 0.03125, 1e-16);
  EXPECT_EQ(muon.coefficients(1), (std::array<double, 3>{2, 0, 0}));
}

TEST(MuonAdjust, IsThatOfTorch) {
  Muon muon;
  EXPECT_EQ(muon.adjust(400, 100), 1);
  muon.adjust_lr_fn = Muon::Adjust::original;
  EXPECT_EQ(muon.adjust(400, 100), 2);
  EXPECT_EQ(muon.adjust(100, 400), 1);
  muon.adjust_lr_fn = Muon::Adjust::match_rms_adamw;
  EXPECT_EQ(muon.adjust(400, 100), 4);
  EXPECT_EQ(muon.adjust(100, 400), 4);
}

TEST(MuonCoefficients, AreThreeOrThreeAStep) {
  Muon muon;
  muon.ns_steps = 2;
  for (const std::size_t count : {0, 1, 2, 4, 5, 6, 7, 9, 15}) {
    muon.ns_coefficients.assign(count, 1.0);
    if (count == 6) {
      validate(muon);
      continue;
    }
    try {
      validate(muon);
      ADD_FAILURE() << count;
    } catch (const InputError& error) {
      EXPECT_EQ(std::string(error.what()),
                "optimizer.ns_coefficients = " + std::to_string(count) +
                    " numbers: expected three numbers, or three for each of the ns_steps steps");
    }
  }
  muon.ns_coefficients.assign(3, 1.0);
  validate(muon);
  muon.ns_coefficients[1] = NAN;
  EXPECT_THROW(validate(muon), InputError);
}

}  // namespace
}  // namespace riskcurve
