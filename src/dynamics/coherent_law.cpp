#include "dynamics/coherent_law.hpp"

#include <algorithm>

#include "riskcurve/dynamics/residual.hpp"

namespace riskcurve {
namespace {

using Eigen::ArrayXd;
using Eigen::Index;

constexpr int kRule = 6;         // points of c
constexpr int kDraws = 2048;     // batches
constexpr int kLargest = 1024;   // batches above scatter by less than a thousandth
constexpr Index kPoints = 2001;  // of the density of chi

Measure chi_rule(int batch) {
  const double b = batch, middle = std::sqrt(b);
  const ArrayXd chi = ArrayXd::LinSpaced(kPoints, std::max(1e-6, middle - 8), middle + 8);
  const ArrayXd log_density = (b - 1) * (chi / middle).log() - 0.5 * (chi.square() - b);
  const ArrayXd density = (log_density - log_density.maxCoeff()).exp();
  return gauss_rule(chi, density / density.sum(), kRule);
}

}  // namespace

CoherentLaw::CoherentLaw(const NoiseLaw& noise, int batch)
    : variance_(noise.variance), batch_(batch) {
  if (ResidualLaw(noise).gaussian()) {
    chi_ = batch > kLargest ? Measure{ArrayXd::Constant(1, chi_mean(batch)), ArrayXd::Ones(1)}
                            : chi_rule(batch);
    return;
  }
  Random random(2, 0, 5);
  const int count = batch > kLargest ? 1 : kDraws, size = std::min(batch, 100 * kLargest);
  while (std::ssize(draws_) < count) draws_.push_back(draw_batch(random, noise, size));
}

CoherentLaw::At CoherentLaw::at(double risk) const {
  if (chi_.point.size() > 0) {
    const double power = 2 * risk + variance_;
    return {{chi_.point / std::sqrt(power), chi_.weight}, power};
  }
  const auto count = std::ssize(draws_);
  ArrayXd c(count);
  for (Index i = 0; i < count; ++i) {
    const BatchSample sample = draws_[static_cast<std::size_t>(i)].at(risk);
    c[i] = std::sqrt(batch_ / sample.square) * sample.along / (2 * risk);
  }
  return {gauss_rule(c, ArrayXd::Constant(count, 1.0 / static_cast<double>(count)), kRule),
          2 * risk};
}

}  // namespace riskcurve
