#pragma once
#include <functional>

#include "riskcurve/problem/error.hpp"

namespace riskcurve {

/// Tells `progress`, which may be empty, how much of a long text stands; throws Failure where it
/// answers false.
class Ticker {
 public:
  Ticker(const std::function<bool(double fraction)>& progress, double total)
      : progress_(progress), total_(total) {}
  void tick() {
    ++done_;
    if (progress_ && done_ % 4096 == 0 && !progress_(static_cast<double>(done_) / total_))
      throw Failure("interrupted before the result was written");
  }

 private:
  const std::function<bool(double fraction)>& progress_;
  double total_;
  long done_ = 0;
};

}  // namespace riskcurve
