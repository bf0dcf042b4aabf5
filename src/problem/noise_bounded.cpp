#include <algorithm>

#include "problem/noise_laws.hpp"

namespace riskcurve {

NoiseLaw uniform_noise(double half_width) {
  check_noise("half_width", half_width, Range::positive());
  NoisePart part;
  part.density = [half_width](double x) { return x < half_width ? 1 / half_width : 0.0; };
  part.tail = [half_width](double x) { return std::max(0.0, 1 - x / half_width); };
  part.scale = half_width;
  part.breaks = {half_width};
  return {"uniform", half_width * half_width / 3, {part}, [half_width](Random& random) {
            return half_width * (2 * random.uniform() - 1);
          }};
}

NoiseLaw rademacher_noise(double scale) {
  check_noise("scale", scale, Range::positive());
  NoisePart part;
  part.atom = Eigen::ArrayXd::Constant(1, scale);
  part.atom_weight = Eigen::ArrayXd::Ones(1);
  part.scale = scale;
  return {"rademacher", scale * scale, {part}, [scale](Random& random) {
            return random() >> 63 ? scale : -scale;
          }};
}

NoiseLaw read_uniform_noise(const Fields& fields) {
  return uniform_noise(fields.number("half_width", Range::positive()));
}

NoiseLaw read_rademacher_noise(const Fields& fields) {
  return rademacher_noise(fields.number("scale", Range::positive()));
}

}  // namespace riskcurve
