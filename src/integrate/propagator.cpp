#include "integrate/propagator.hpp"

#include <array>
#include <cmath>

namespace riskcurve {
namespace {

/// M_m(z), z >= 0, given e^-z.
BlockNodes moments(const Block& z, const Block& decay) {
  constexpr int terms = 22;            // 2^22 4!/27! is below 1e-19
  static constexpr auto series = [] {  // M_4 = sum_k (-z)^k 4!/(5+k)!
    std::array<double, terms> of{};
    double term = 1.0 / kStepNodes;
    for (int k = 0; k < terms; ++k) {
      of[k] = term;
      term /= -(kStepNodes + k + 1);
    }
    return of;
  }();
  BlockNodes low, high;
  const bool any_low = z.minCoeff() <= 2, any_high = z.maxCoeff() > 2;
  if (any_low) {
    const Block x = z.min(2.0);
    // Few terms where all rates are slow.
    const double largest = x.maxCoeff();
    int k = largest < 0.02 ? 8 : largest < 0.3 ? 13 : terms;
    Block sum = Block::Constant(series[--k]);
    while (k > 0) sum = sum * x + series[--k];
    low.col(kStepNodes - 1) = sum;
    for (int m = kStepNodes - 1; m > 0; --m) low.col(m - 1) = (1 - x * low.col(m)) * (1.0 / m);
    if (!any_high) return low;
  }
  const Block by = z.max(2.0).inverse();
  high.col(0) = (1 - decay) * by;
  for (int m = 1; m < kStepNodes; ++m) high.col(m) = (1 - m * high.col(m - 1)) * by;
  if (!any_low) return high;
  for (int m = 0; m < kStepNodes; ++m) high.col(m) = (z > 2).select(high.col(m), low.col(m));
  return high;
}

}  // namespace

ScalarPropagator::ScalarPropagator(const Block& z, const Block& decayed)
    : decay(decayed), moment(moments(z, decayed)) {}

ScalarClock scalar_clock(const StepNodes& gamma, const StepNodes& rate, double length) {
  const StepNodes clock = length * (step_basis().integrate * (gamma * rate).matrix()).array();
  const double total = clock[kStepNodes - 1];
  if (!(rate.minCoeff() > 0) || !(total > 0)) return {0, step_basis().node, length * gamma};
  return {total, clock / total, total / rate};
}

}  // namespace riskcurve
