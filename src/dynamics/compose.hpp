#pragma once
#include "riskcurve/dynamics/optimizers.hpp"
#include "riskcurve/problem/optimizer.hpp"

namespace riskcurve {

/// The blocks of a chain around an optimizer whose momentum stands where `momentum` says. Starts
/// from theta_0 = 0 (theta* = -Delta_0). Throws InputError where a block would hold more than
/// kLargestBlock moments.
/// A map that ignores scale makes of a shift of its gradient n/(n - 1) times what it makes of the
/// same shift by the error, n = batch (1 + momentum)/(1 - momentum) (docs/theory/chain.md#l2).
/// Source: ours; docs/theory/chain.md.
/// filter: where it stands before the map and is not the chain's own.
Blocks blocks_of(const Chain& chain, Momentum momentum, double batch, const Filter& filter = {});

}  // namespace riskcurve
