#include <gtest/gtest.h>

#include <cmath>

#include "riskcurve/report/results.hpp"

namespace riskcurve {
namespace {

TEST(TrustLine, HoldsTheNumbersThatWereLookedAt) {
  Trust trust;
  trust.intrinsic_dimension = 120;
  trust.participation = 96.04;
  trust.step_rate = 0.0123;
  EXPECT_EQ(trust_line(trust),
            "trust: intrinsic dimension 120, 96 directions share the risk, fastest mode 0.012 a "
            "step");
  trust.intrinsic_dimension_out = 120;
  trust.intrinsic_dimension_in = 300;
  trust.rank = 34;
  trust.signal = 0.08;
  trust.participation = trust.step_rate = std::nan("");
  EXPECT_EQ(trust_line(trust),
            "trust: intrinsic dimension 120 x 300, rank 34, signal 0.08 of the noise");
}

TEST(UntrustedPoints, AreCountedForEachNumber) {
  EXPECT_EQ(untrusted_points({"", "a b", "", "b"}),
            "2 of 4 points leave the range where the limit can be trusted: a (1), b (2)");
  EXPECT_EQ(untrusted_points({"", ""}), "");
  EXPECT_EQ(untrusted_points({}), "");
}

}  // namespace
}  // namespace riskcurve
