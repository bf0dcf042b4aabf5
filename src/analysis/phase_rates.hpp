#pragma once
#include "riskcurve/analysis/phases.hpp"

namespace riskcurve {

/// Whether a map may be made of rates that see a signal of any size (PhasePlan::small).
inline bool allows_any_signal(const PhasePlan& plan) {
  return !plan.small && !plan.schedules;
}

}  // namespace riskcurve
