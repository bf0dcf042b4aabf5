#include <boost/random/exponential_distribution.hpp>
#include <cmath>

#include "problem/noise_laws.hpp"

namespace riskcurve {

NoiseLaw law_of(const LaplaceNoise& laplace) {
  const double scale = laplace.scale;
  NoisePart part;
  part.density = [scale](double x) { return std::exp(-x / scale) / scale; };
  part.tail = [scale](double x) { return std::exp(-x / scale); };
  part.scale = scale;
  // The difference of two independent exponentials.
  const auto sample = [scale](Random& random) {
    boost::random::exponential_distribution<double> draw;
    const double one = draw(random);
    return scale * (one - draw(random));
  };
  return {laplace.kind, 2 * scale * scale, {part}, sample, laplace};
}

}  // namespace riskcurve
