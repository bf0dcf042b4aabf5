#pragma once
#include <string>

#include "riskcurve/problem/fields.hpp"
#include "riskcurve/problem/noise.hpp"

namespace riskcurve {

// One reader a law, each beside the law it reads; noise.cpp registers them by `kind`.
NoiseLaw read_no_noise(const Fields& fields);
NoiseLaw read_gaussian_noise(const Fields& fields);
NoiseLaw read_student_t_noise(const Fields& fields);
NoiseLaw read_laplace_noise(const Fields& fields);
NoiseLaw read_uniform_noise(const Fields& fields);
NoiseLaw read_rademacher_noise(const Fields& fields);
NoiseLaw read_mixture_noise(const Fields& fields);
NoiseLaw read_empirical_noise(const Fields& fields);

/// Throws InputError about noise.`parameter` unless `value` lies in `range`.
void check_noise(const std::string& parameter, double value, const Range& range);

}  // namespace riskcurve
