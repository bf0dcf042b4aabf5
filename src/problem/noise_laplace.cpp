#include <boost/random/exponential_distribution.hpp>
#include <cmath>

#include "problem/noise_laws.hpp"

namespace riskcurve {

NoiseLaw laplace_noise(double scale) {
  check_noise("scale", scale, Range::positive());
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
  return {"laplace", 2 * scale * scale, {part}, sample};
}

NoiseLaw read_laplace_noise(const Fields& fields) {
  return laplace_noise(fields.number("scale", Range::positive()));
}

}  // namespace riskcurve
