#pragma once
#include "integrate/recursion.hpp"

namespace riskcurve {

/// Sums over modes that one step back leaves, from which every derivative of its maps follows:
/// B = P A S.
struct BackSums {
  BlockMatrix map, map_a, map_l, map_la;           ///< sum of B, a B, l B, l a B
  BlockMatrix after, before, before_a, before_aa;  ///< sum of c P, c a P, c a^2 P
  /// dR(T)/da_k, /dc_after_k, /dc_before_k
  Eigen::ArrayXd drift, after_modes, before_modes;
  double scatter = 0;
  double along = 0;  ///< 2 sum a q^T B f

  // With directions:
  BlockVector read, read_l;  ///< dR(T)/df, sums of one and of l
  double fresh = 0;          ///< dR(T)/dr, of the variance
  double gain = 0;           ///< dR(T)/dg
  Eigen::ArrayXd rest;       ///< dR(T)/drest_k
};

/// A parameter of the chain that steps may be differentiated by.
using Parameter = double ChainNow::*;

/// d/dx of a step's maps: they are polynomials of x, of degree two at most, or close to it.
struct StepSlope {
  BlockMatrix fixed, drift, pull, pull_a;
  BlockVector push, read, noise_fixed, noise_drift;
  double pulled;  ///< of pull_of (direction_modes.hpp)
};

StepSlope slope(const Blocks& blocks, const ChainNow& now, Parameter x, double h);

/// sum tr P (2 A_x S A^T + Q_x).
double derivative(const BackSums& sums, const BlockStep& step, const StepSlope& by);

/// One step back: P <- A^T P A for dR(T)/dS = P, and the sums. `share`: 1/multiplicity, padded;
/// empty where it is unknown.
BackSums step_back(const Recursion& recursion, const BlockInstant& at, const BlockState& state,
                   const Eigen::ArrayXd& share, BlockState& p);
/// Of blocks whose map sees single directions (recursion_directions_back.cpp).
void step_back_directions(const Recursion& recursion, const BlockInstant& at,
                          const BlockState& state, const Eigen::ArrayXd& share, BlockState& p,
                          BackSums& sums);

}  // namespace riskcurve
