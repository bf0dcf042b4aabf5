#pragma once
#include "riskcurve/dynamics/mode_system.hpp"
#include "riskcurve/problem/optimizer.hpp"

namespace riskcurve {

/// The blocks of a chain around an optimizer whose momentum stands where `momentum` says. Starts
/// from theta_0 = 0 (theta* = -Delta_0). Throws InputError where a block would hold more than
/// kLargestBlock moments.
/// l2_scale: what a map that ignores scale makes of a shift of its gradient, over what it makes of
/// the same shift by the error (docs/theory/chain.md#l2).
/// Source: ours; docs/theory/chain.md.
Blocks blocks_of(const Chain& chain, Momentum momentum, double l2_scale = 1);

}  // namespace riskcurve
