// The static library inside a shared object that a program loads.
#include <riskcurve/analysis/fits.hpp>
#include <stdexcept>

extern "C" double slope_of_a_power_law() {
  const Eigen::ArrayXd x{{1.0, 2.0, 4.0, 8.0}};
  try {
    riskcurve::fit_exponent(x.head(1), x.head(1));
  } catch (const std::runtime_error&) {
    return riskcurve::fit_exponent(x, 3 * x.pow(-0.5)).value;
  }
  return 0;
}
