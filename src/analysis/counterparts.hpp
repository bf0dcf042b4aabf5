#pragma once
#include <cmath>
#include <vector>

#include "riskcurve/analysis/transfer.hpp"

namespace riskcurve {

/// The experiments whose best steps `counterparts` compares, the own one first: their optimizers
/// differ. Thresholds of clipping that are not the own are still to be found.
std::vector<Experiment> counterpart_experiments(const Experiment& own);

/// One of them at its best constant step for each of these horizons, to 1e-6; but for
/// `horizons[first]` steps are good to 1e-3, which the risk does not feel, and trust is not looked
/// at. One mode system serves them all. best_threshold: in place of its own threshold, if it
/// clips. What is solved step by step is left out where `horizons[first]` is above `longest`.
/// `ratio` is left open.
std::vector<Counterpart> counterpart_at(Experiment experiment, bool best_threshold,
                                        const Eigen::ArrayXd& horizons, Eigen::Index first,
                                        const TransferOptions& options, double longest = HUGE_VAL);

}  // namespace riskcurve
