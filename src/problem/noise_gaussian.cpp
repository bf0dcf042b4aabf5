#include "problem/noise_laws.hpp"

namespace riskcurve {
namespace {

NoisePart gaussian_part(double variance) {
  NoisePart part;
  part.gaussian_variance = variance;
  part.atom = Eigen::ArrayXd::Zero(1);
  part.atom_weight = Eigen::ArrayXd::Ones(1);
  return part;
}

}  // namespace

NoiseLaw law_of(const NoNoise& none) {
  return {none.kind, 0, {gaussian_part(0)}, [](Random&) { return 0.0; }, none};
}

NoiseLaw law_of(const GaussianNoise& gaussian) {
  const double std = gaussian.std;
  return {gaussian.kind,
          std * std,
          {gaussian_part(std * std)},
          [std](Random& random) { return std * random.normal(); },
          gaussian};
}

}  // namespace riskcurve
