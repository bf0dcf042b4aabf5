#pragma once
#include "dynamics/filtered_resolvent.hpp"

namespace riskcurve {

/// U f(S) V^T of singular values: `f` of S, or of S/|S|_F where `normalised`; empty: what `mixture`
/// says, its share `linear` replaced by S/|S|_F, and the share `dropped` of the rank, from the
/// largest on, by 0. Times `scale`, and numbers of mean 1 and variance `spread`, drawn at every
/// step for every singular value.
struct SingularFunction {
  std::function<double(double g)> f = {};
  bool normalised = false;
  double scale = 1;
  ResolventMixture mixture = {};
  double linear = 0, dropped = 0, spread = 0;
};

/// The map of gradients of so many rows, a mode so many columns as it has directions over rows:
/// slopes and power of the mixture (filtered_resolvent.hpp), times what f's are over the polar
/// factor's where no sample is large (local_law.hpp), or those of what is left (saturated_law.hpp).
/// node_step: as Columns has it.
FilteredMap filtered_map(double rows, double batch, const NoiseLaw& noise,
                         const SingularFunction& function, double node_step = 1);

}  // namespace riskcurve
