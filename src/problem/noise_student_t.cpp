#include <boost/math/distributions/students_t.hpp>
#include <boost/math/special_functions/beta.hpp>
#include <boost/random/gamma_distribution.hpp>
#include <cmath>
#include <limits>

#include "problem/noise_laws.hpp"

namespace riskcurve {
namespace {

// Beyond this, u = |e|/(scale sqrt(nu)) would overflow when squared, and the law is a pure power.
constexpr double power_tail = 1e100;

}  // namespace

NoiseLaw law_of(const StudentTNoise& student_t) {
  const double nu = student_t.nu, scale = student_t.scale;
  const double width = scale * std::sqrt(nu);
  const double peak = 2 / (width * boost::math::beta(0.5 * nu, 0.5));
  NoisePart part;
  part.density = [=](double x) {
    const double u = x / width;
    const double log_root = u < power_tail ? 0.5 * std::log1p(u * u) : std::log(u);
    return peak * std::exp(-(nu + 1) * log_root);
  };
  part.tail = [=](double x) {
    const double u = x / width;
    if (u > power_tail) return peak * width / nu * std::exp(-nu * std::log(u));
    const boost::math::students_t law(nu);
    return 2 * boost::math::cdf(boost::math::complement(law, x / scale));
  };
  part.scale = scale;
  // t = z / sqrt(chi2_nu / nu), chi2_nu / 2 ~ Gamma(nu/2).
  const auto sample = [=](Random& random) {
    boost::random::gamma_distribution<double> gamma(0.5 * nu);
    const double z = random.normal();
    double half_chi2;
    do half_chi2 = gamma(random);
    while (half_chi2 == 0);  // underflow, at most once in 1e15 draws
    return scale * z * std::sqrt(0.5 * nu / half_chi2);
  };
  const double variance =
      nu > 2 ? scale * scale * nu / (nu - 2) : std::numeric_limits<double>::infinity();
  return {student_t.kind, variance, {part}, sample, student_t};
}

}  // namespace riskcurve
