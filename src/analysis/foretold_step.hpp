#pragma once
#include <optional>

#include "riskcurve/dynamics/mode_system.hpp"

namespace riskcurve {

/// About where R(horizon) is least over constant steps.
struct Foretold {
  double step;
  double curvature;  ///< of log R by log step, > 0
};

/// The step to about 1e-5 where its surroundings are smooth, starting from `start` by strides of
/// log step; under blocks or roots of squares roughly, by the rates that slow observers see. Empty
/// where ConstantSteps does not know the rates, or finds no least risk.
std::optional<Foretold> foretold_step(const ModeSystem& system, double horizon, double start,
                                      double stride);

}  // namespace riskcurve
