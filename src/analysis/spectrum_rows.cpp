#include "analysis/spectrum_rows.hpp"

#include <algorithm>
#include <cmath>
#include <vector>

namespace riskcurve {

SpectrumRows spectrum_rows(const Spectrum& spectrum, int rows) {
  const Eigen::ArrayXd mass = spectrum.value * spectrum.multiplicity;
  std::vector<Eigen::Index> picked;
  double next = 1;
  const double ratio = std::pow(spectrum.last(spectrum.size() - 1), 1.0 / (rows - 1));
  for (Eigen::Index k = 0; k < spectrum.size(); ++k) {
    if (spectrum.last(k) < next && k + 1 < spectrum.size()) continue;
    picked.push_back(k);
    while (next <= spectrum.last(k)) next *= std::max(ratio, 1 + 1e-9);
  }
  const auto count = static_cast<Eigen::Index>(picked.size());
  SpectrumRows result{Eigen::ArrayXd(count), Eigen::ArrayXd(count), Eigen::ArrayXd(count)};
  for (Eigen::Index i = 0; i < count; ++i) {
    const Eigen::Index k = picked[static_cast<std::size_t>(i)];
    result.index(i) = spectrum.last(k);
    result.value(i) = spectrum.value(k);
    result.trace_percent(i) = 100 * mass.head(k + 1).sum() / mass.sum();
  }
  return result;
}

}  // namespace riskcurve
