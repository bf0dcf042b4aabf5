#include "dynamics/two_sided_spectral.hpp"

#include <cmath>

#include "dynamics/two_sided_law.hpp"
#include "dynamics/two_sided_resolvent.hpp"

namespace riskcurve {
namespace {

using Eigen::ArrayXd;
using Eigen::ArrayXXd;

constexpr double kLeastRest = 0.01;   // of all power
constexpr double kMostRest = 2;       // of the polar factor's: more is what is left of sums
constexpr double kMovedShare = 0.04;  // of a row's or column's share: f is then asked again

/// What f makes of entries, and for which.
struct PairsAsked {
  ArrayXd rows, columns;  // shares of all variance
  PairsAgainstPolar of;
};

struct PairResolvent : TwoSidedResolvent {
  std::shared_ptr<const PairsAsked> asked;
};

std::shared_ptr<const PairsAsked> ask_pairs(const TwoSides& sides, const ArrayXd& variance,
                                            const ArrayXd& signal, const SingularFunction& function,
                                            const std::shared_ptr<const PairsAsked>& last) {
  const Eigen::MatrixXd pairs = variance.reshaped(sides.out(), sides.in()).matrix();
  ArrayXd rows = (pairs * sides.columns.matrix()).array(),
          columns = (pairs.transpose() * sides.rows.matrix()).array();
  if (function.normalised) {
    const double all = (sides.rows * rows).sum();
    rows /= all;
    columns /= all;
  }
  const auto near = [](const ArrayXd& a, const ArrayXd& b) {
    return ((a / b).log().abs() < kMovedShare).all();
  };
  if (last && near(rows, last->rows) && near(columns, last->columns)) return last;
  return std::make_shared<const PairsAsked>(
      PairsAsked{rows, columns,
                 pairs_against_polar(sides, pairs, signal.reshaped(sides.out(), sides.in()),
                                     function.f, function.normalised)});
}

/// The polar factor's answer as f's.
void answer_as(const SingularFunction& function, const FilteredGradient& u, double unit,
               const PairResolvent* before, PairResolvent& now, FilteredAnswer& answer) {
  const TwoSides& sides = now.sides;
  const ArrayXd rest_of_polar = answer.power - linear_power(u, answer);
  now.asked = ask_pairs(sides, unit * variance_of(u, answer.sampled), unit * signal_of(u).max(0.0),
                        function, before ? before->asked : nullptr);
  const PairsAgainstPolar& of = now.asked->of;
  for (ArrayXd* slope : {&answer.fresh, &answer.held, &answer.fresh_noise}) *slope *= of.slope;
  const ArrayXXd polar = answer.power.reshaped(sides.out(), sides.in());
  const ArrayXd rows = of.rows * (polar.matrix() * sides.columns.matrix()).array(),
                columns = of.columns * (polar.matrix().transpose() * sides.rows.matrix()).array();
  const ArrayXXd shape = polar * of.slope.square().reshaped(sides.out(), sides.in());
  answer.power = with_sums(sides, shape, rows, columns).reshaped();
  const ArrayXd rest = answer.power - linear_power(u, answer);
  // Where the polar factor is linear, nothing is known of the ratio.
  now.rest_ratio = (rest_of_polar > kLeastRest * polar.reshaped())
                       .select((rest / rest_of_polar.max(1e-300)).max(0.0).min(kMostRest), 1.0);
}

}  // namespace

ArrayXd sampled_variance(const TwoSides& sides, const ArrayXd& weight, const ArrayXd& error) {
  const ArrayXXd share = (weight * error).reshaped(sides.out(), sides.in());
  const ArrayXd rows = (share.matrix() * sides.columns.matrix()).array(),
                columns = (share.matrix().transpose() * sides.rows.matrix()).array();
  ArrayXXd sum = 1 + 4 * share;
  sum.colwise() += 2 * rows;
  sum.rowwise() += 2 * columns.transpose();
  return sum.reshaped() / (sides.batch * weight);
}

FilteredMap filtered_map(const TwoSides& sides, const NoiseLaw& noise,
                         const SingularFunction& function) {
  FilteredMap map;
  map.answer = [sides, noise, function](const FilteredGradient& given, const FilteredAnswer* last) {
    const auto* before = last ? static_cast<const PairResolvent*>(last->resolvent.get()) : nullptr;
    const double power = 2 * given.risk + noise.variance;
    const FilteredGradient u = in_units(given, power);
    FilteredAnswer answer;
    answer.sampled = sampled_variance(sides, u.weight, u.error);
    const auto now = std::make_shared<PairResolvent>();
    static_cast<TwoSidedResolvent&>(*now) = *two_sided_resolvent(
        sides, noise, given.risk, given.memory, u, u.weight.square() * answer.sampled, before);
    answer.fresh = now->slopes.fresh;
    answer.held = now->slopes.memory;
    answer.fresh_noise = now->slopes.fresh_noise;
    answer.power = now->power;
    if (function.f) answer_as(function, u, function.normalised ? 1 : power, before, *now, answer);
    give_units(answer, function.scale, power);
    answer.power *= 1 + function.spread;
    answer.resolvent = now;
    return answer;
  };
  map.covariance = [scale = function.scale](const FilteredAnswer& now, const FilteredAnswer& then,
                                            const ArrayXd& correlation) -> ArrayXd {
    return scale * scale *
           two_sided_rest(*static_cast<const PairResolvent*>(now.resolvent.get()),
                          *static_cast<const PairResolvent*>(then.resolvent.get()), correlation);
  };
  return map;
}

}  // namespace riskcurve
