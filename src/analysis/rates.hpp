#pragma once
#include "riskcurve/dynamics/mode_system.hpp"

namespace riskcurve {

/// a_k and c_k of a mode system without extra states, at iteration time t and risk R > 0.
struct Rates {
  Eigen::ArrayXd drift, diffusion;
};
inline Rates rates_at(const ModeSystem& system, double t, double risk) {
  const Response r = system.response(t, risk, system.extra_initial);
  return {(system.drift.matrix() * r.drift.matrix()).array(),
          (system.diffusion.matrix() * r.diffusion.matrix()).array()};
}

}  // namespace riskcurve
