#include <algorithm>

#include "problem/noise_laws.hpp"

namespace riskcurve {

NoiseLaw law_of(const UniformNoise& uniform) {
  const double half_width = uniform.half_width;
  NoisePart part;
  part.density = [half_width](double x) { return x < half_width ? 1 / half_width : 0.0; };
  part.tail = [half_width](double x) { return std::max(0.0, 1 - x / half_width); };
  part.scale = half_width;
  part.breaks = {half_width};
  return {uniform.kind,
          half_width * half_width / 3,
          {part},
          [half_width](Random& random) { return half_width * (2 * random.uniform() - 1); },
          uniform};
}

NoiseLaw law_of(const RademacherNoise& rademacher) {
  const double scale = rademacher.scale;
  NoisePart part;
  part.atom = Eigen::ArrayXd::Constant(1, scale);
  part.atom_weight = Eigen::ArrayXd::Ones(1);
  part.scale = scale;
  return {rademacher.kind,
          scale * scale,
          {part},
          [scale](Random& random) { return random() >> 63 ? scale : -scale; },
          rademacher};
}

}  // namespace riskcurve
