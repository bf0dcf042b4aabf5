#pragma once
#include <string>

#include "riskcurve/analysis/fit.hpp"

namespace riskcurve {

/// A log of losses: text under a header that names its columns in any order, `step`, and `loss`
/// unless it is to be predicted; `lr` (the step size of that step), `se` (standard error), `run`
/// (rows of several runs: their mean is the curve) and `kind` (batch or eval) if there; others are
/// not read. Fills name, step, loss, error, evaluated, and schedule where there is an lr. Throws
/// InputError about `field` with the file and the line.
struct LossFile {
  LossCurve curve;
  bool has_step_size = false;
};
LossFile read_loss_file(const std::string& path, const std::string& field);

}  // namespace riskcurve
