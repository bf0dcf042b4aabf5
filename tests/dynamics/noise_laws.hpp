#pragma once
#include <vector>

#include "riskcurve/problem/noise.hpp"

namespace riskcurve {

/// One of every law, heavy tails included.
inline std::vector<NoiseLaw> all_laws() {
  Eigen::ArrayXd sample(7);
  sample << -1.2, -0.3, -0.1, 0.05, 0.2, 0.4, 0.9;
  return {no_noise(),
          gaussian_noise(0.5),
          student_t_noise(3, 0.3),
          student_t_noise(1, 0.2),
          laplace_noise(0.4),
          uniform_noise(0.8),
          rademacher_noise(0.6),
          mixture_noise({0.9, 0.1}, {gaussian_noise(0.1), student_t_noise(2, 1)}),
          empirical_noise(sample)};
}

}  // namespace riskcurve
