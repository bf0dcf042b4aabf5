#pragma once
#include <gtest/gtest.h>

#include "riskcurve/input/input.hpp"

namespace riskcurve {

/// Written and read again, an experiment is itself, and its text as well.
inline void expect_round_trip(const Experiment& experiment) {
  const std::string text = to_toml(experiment);
  const Experiment again = parse_experiment(text);
  EXPECT_TRUE(again == experiment) << text;
  EXPECT_EQ(to_toml(again), text);
}

}  // namespace riskcurve
