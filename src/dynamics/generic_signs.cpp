#include "dynamics/generic_signs.hpp"

#include <cmath>
#include <memory>
#include <numbers>

#include "dynamics/filtered_variance.hpp"

namespace riskcurve {
namespace {

using Eigen::ArrayXd;
using Eigen::Index;
using std::numbers::pi;

struct SeenRows {
  RowsSeen rows;
  double rest_scale;
};

}  // namespace

FilteredAnswer generic_signs(const SignedRows& of, const FilteredGradient& u,
                             const SignedGradient& g) {
  FilteredAnswer answer;
  const Index modes = u.weight.size();
  answer.fresh = answer.fresh_of_mean = answer.power = ArrayXd::Zero(modes);
  const double scale = std::sqrt(2 * of.coordinates / pi);
  const ArrayXd count = u.multiplicity / of.rows;
  for (Index i = 0; i < g.c.point.size(); ++i) {
    const double c = g.c.point[i], weight = g.c.weight[i];
    const Normalised seen = normalised({count, c * g.mean, g.noise + c * c * g.spread}, of.grid);
    answer.fresh_of_mean += weight * c * scale * seen.by_mean;
    answer.fresh += weight * c * scale * seen.by_spread;
    answer.power += weight * scale * scale * seen.square;
    if (g.felt != 1)
      answer.power += weight * scale * scale * (g.felt - 1) * seen.by_spread.square() * g.noise;
  }
  answer.power += (1 - 2 / pi) * g.rest_scale;
  answer.held = answer.fresh_noise = answer.fresh;
  answer.held_of_mean = answer.fresh_of_mean;
  const double c = (g.c.point * g.c.weight).sum();
  answer.resolvent = std::make_shared<SeenRows>(
      SeenRows{RowsSeen(Directions{count, c * g.mean, u.weight + c * c * g.spread}), g.rest_scale});
  return answer;
}

ArrayXd rest_of_generic_signs(const FilteredAnswer& now, const FilteredAnswer& then,
                              const ArrayXd& correlation) {
  const auto& a = *static_cast<const SeenRows*>(now.resolvent.get());
  const auto& b = *static_cast<const SeenRows*>(then.resolvent.get());
  const ArrayXd both = correlation * (a.rows.square * b.rows.square).sqrt().row(0).transpose();
  return ArrayXd::Constant(correlation.size(), std::sqrt(a.rest_scale * b.rest_scale) *
                                                   rest_of_signs(a.rows, b.rows, both));
}

FilteredMap filtered_generic_signs(const SignedRows& of, const FilteredNoise& sign) {
  FilteredMap map;
  map.sees_means = map.lasting = true;
  map.answer = [of, sign](const FilteredGradient& u, const FilteredAnswer*) {
    const SignNoise noise = sign(u.risk, u.momentum, u.time + 1);
    SignedGradient g;
    g.felt = noise.felt / noise.seen;
    g.rest_scale = noise.remainder;
    g.c = {ArrayXd::Constant(1, signal_scale(u, noise)), ArrayXd::Ones(1)};
    g.mean = u.weight * (u.fresh * u.mean + u.share * u.held_mean);
    g.spread = signal_of(apart_in(u)).max(0.0);
    g.noise = u.weight;
    FilteredAnswer answer = generic_signs(of, u, g);
    answer.sampled = (u.weight > 0).select(noise.felt / u.weight.max(1e-300), 0.0);
    return answer;
  };
  map.covariance = rest_of_generic_signs;
  return map;
}

}  // namespace riskcurve
