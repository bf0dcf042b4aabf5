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

NoiseLaw no_noise() {
  return {"none", 0, {gaussian_part(0)}, [](Random&) { return 0.0; }};
}

NoiseLaw gaussian_noise(double std) {
  check_noise("std", std, Range::non_negative());
  return {"gaussian", std * std, {gaussian_part(std * std)}, [std](Random& random) {
            return std * random.normal();
          }};
}

NoiseLaw read_no_noise(const Fields&) {
  return no_noise();
}

NoiseLaw read_gaussian_noise(const Fields& fields) {
  return gaussian_noise(fields.number("std", Range::non_negative()));
}

}  // namespace riskcurve
