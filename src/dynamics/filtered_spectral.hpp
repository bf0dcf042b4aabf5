#pragma once
#include "dynamics/filtered_resolvent.hpp"

namespace riskcurve {

/// U f(S) V^T of singular values: `f` of S, or of S/|S|_F; empty: 1. Times `scale`.
struct SingularFunction {
  std::function<double(double g)> f = {};
  bool normalised = false;
  double scale = 1;
};

/// The map of gradients of so many rows, a mode so many columns as it has directions over rows:
/// slopes and power of the polar factor (filtered_resolvent.hpp), times what f's are over its own
/// where no sample is large (local_law.hpp).
FilteredMap filtered_map(double rows, double batch, const NoiseLaw& noise,
                         const SingularFunction& function);

}  // namespace riskcurve
