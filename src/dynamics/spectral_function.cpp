#include <cmath>
#include <limits>
#include <numbers>
#include <string>

#include "riskcurve/dynamics/spectral.hpp"
#include "riskcurve/problem/error.hpp"

namespace riskcurve {

SpectralFunction sign_svd() {
  SpectralFunction f;
  f.name = "sign_svd";
  f.weight = [](double) { return 2 / std::numbers::pi; };
  return f;
}

SpectralFunction schatten(double q) {
  if (!(q > -1 && q <= 1)) throw InputError("optimizer.exponent", q, "within (-1, 1]");
  SpectralFunction f;
  f.name = "schatten";
  // cos(pi q/2), to relative accuracy where it vanishes.
  const double scale = 2 / std::numbers::pi * std::sin(std::numbers::pi / 2 * (1 - std::abs(q)));
  f.weight = [=](double tau) { return scale * std::pow(tau, q); };
  f.low_power = f.high_power = f.degree = q;
  f.identity = q == 1;
  return f;
}

SpectralFunction regularized_svd(double epsilon) {
  if (!(epsilon >= 0 && std::isfinite(epsilon)))
    throw InputError("optimizer.epsilon", epsilon, "a finite number >= 0");
  SpectralFunction f = sign_svd();
  f.name = "regularized_svd";
  f.shift = epsilon;
  if (epsilon > 0) f.degree = std::numeric_limits<double>::quiet_NaN();
  return f;
}

}  // namespace riskcurve
