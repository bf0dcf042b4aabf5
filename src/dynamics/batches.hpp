#pragma once
#include <functional>

#include "riskcurve/dynamics/mode_system.hpp"
#include "riskcurve/problem/schedule.hpp"

namespace riskcurve {

/// One system of an optimizer whose batch changes along the run: at step k the rates of the batch
/// round(batch(k)), at least 1. Exact for at most 16 different batches; else rates are interpolated
/// in log(batch) between 16 of them (Chebyshev). `of_batch` gives the system of one batch; they
/// share their modes.
ModeSystem with_batches(const Schedule& batch,
                        const std::function<ModeSystem(int batch)>& of_batch);

}  // namespace riskcurve
