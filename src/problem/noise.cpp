#include "riskcurve/problem/noise.hpp"

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <iterator>
#include <string>
#include <vector>

#include "problem/noise_laws.hpp"
#include "riskcurve/problem/error.hpp"

namespace riskcurve {
namespace {

struct Registration {
  const char* kind;
  NoiseLaw (*read)(const Fields&);
};

constexpr Registration laws[] = {
    {"none", read_no_noise},
    {"gaussian", read_gaussian_noise},
    {"student_t", read_student_t_noise},
    {"laplace", read_laplace_noise},
    {"uniform", read_uniform_noise},
    {"rademacher", read_rademacher_noise},
    {"mixture", read_mixture_noise},
    {"empirical", read_empirical_noise},
};

}  // namespace

NoiseLaw read_noise(const Fields& fields) {
  std::vector<std::string> kinds;
  for (const auto& law : laws) kinds.emplace_back(law.kind);
  const std::string kind = fields.one_of("kind", kinds);
  return std::find_if(std::begin(laws), std::end(laws),
                      [&](const auto& law) { return law.kind == kind; })
      ->read(fields);
}

void check_noise(const std::string& parameter, double value, const Range& range) {
  if (std::isfinite(value) && range.contains(value)) return;
  char text[32];
  std::snprintf(text, sizeof text, "%g", value);
  throw InputError("noise." + parameter, text, range.text());
}

}  // namespace riskcurve
