#include "riskcurve/analysis/clipping.hpp"

#include <fmt/format.h>

#include <boost/math/tools/minima.hpp>
#include <cmath>
#include <limits>

#include "riskcurve/problem/error.hpp"

namespace riskcurve {
namespace {

void check(const char* field, double value) {
  if (!(value > 0) || !std::isfinite(value))
    throw InputError(field, fmt::format("{}", value), "a finite number > 0");
}

}  // namespace

Clipping clipping(const ResidualLaw& law, double risk, double threshold) {
  check("risk", risk);
  check("threshold", threshold);
  const double mu = law.within(risk, threshold), nu = law.clipped_square(risk, threshold);
  const double square = 2 * risk + law.noise_variance();
  return {threshold, mu, nu, mu * mu * square / nu, mu * square / nu};
}

double optimal_threshold(const ResidualLaw& law, double risk) {
  check("risk", risk);
  // The gain mu^2/nu relative to none where that is finite; in log of the threshold.
  const double square = 2 * risk + law.noise_variance();
  const double none = std::isfinite(square) ? 1 / square : 0;
  const auto gain = [&](double x) {
    const double c = std::exp(x), mu = law.within(risk, c);
    return mu * mu / law.clipped_square(risk, c);
  };
  // The median of |l| by bisection, and a grid around it.
  double low = -700, high = 700;
  while (high - low > 0.1) {
    const double middle = 0.5 * (low + high);
    (law.within(risk, std::exp(middle)) < 0.5 ? low : high) = middle;
  }
  const double centre = low, stride = 0.25;
  constexpr int below = 40, above = 60;
  double best = -1;
  int at = 0;
  for (int k = -below; k <= above; ++k) {
    const double value = gain(centre + k * stride);
    if (value > best * (1 + 1e-9)) best = value, at = k;
  }
  if (best <= none * (1 + 1e-9)) return std::numeric_limits<double>::infinity();
  if (at == -below) return 0;
  boost::uintmax_t most = 60;
  const double x = boost::math::tools::brent_find_minima([&](double y) { return -gain(y); },
                                                         centre + (at - 1) * stride,
                                                         centre + (at + 1) * stride, 40, most)
                       .first;
  return std::exp(x);
}

}  // namespace riskcurve
