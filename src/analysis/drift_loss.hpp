#pragma once
#include <Eigen/Core>
#include <functional>

#include "riskcurve/dynamics/mode_system.hpp"
#include "riskcurve/problem/problem.hpp"

namespace riskcurve {

/// The relative loss of drift at finite dimension, to first order in its inverse, at iteration time
/// t, risk R > 0 and second moments s: ds_k = -2 gamma (1 - loss) a_k s_k. Empty where it is not
/// known: for all optimizers but sign_sgd (docs/theory/bands.md#where-the-mean-goes derives it).
using DriftLoss = std::function<double(double t, double risk, const Eigen::ArrayXd& s)>;
DriftLoss drift_loss(const Experiment& experiment, const ModeSystem& system);

}  // namespace riskcurve
