#include <riskcurve/problem/spectrum.hpp>
#include <riskcurve/run/table.hpp>
#include <riskcurve/version.hpp>

#if RISKCURVE_VERSION_MAJOR == 0 && RISKCURVE_VERSION_MINOR < 1
#error "a version before the first"
#endif

int main() {
  const Eigen::ArrayXd eigenvalues = Eigen::ArrayXd::Ones(3);
  return riskcurve::csv_line({RISKCURVE_VERSION}).empty() || eigenvalues.sum() != 3;
}
