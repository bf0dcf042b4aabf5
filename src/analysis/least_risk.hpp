#pragma once
#include <functional>

namespace riskcurve {

struct Least {
  double log_step, log_risk;
};

/// min over constant steps of log R(T), to `accuracy` of R, from log_step or the first step below
/// it that does not diverge (+inf): a bracket, then cubics. Where the risk vanishes (-inf), a step
/// that makes it.
Least least(const std::function<double(double log_step)>& log_risk, double log_step, double stride,
            double accuracy);

}  // namespace riskcurve
