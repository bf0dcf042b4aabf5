#include "dynamics/filtered_spectral.hpp"

#include <array>
#include <cmath>

#include "dynamics/local_law.hpp"
#include "dynamics/saturated_law.hpp"

namespace riskcurve {
namespace {

using Eigen::ArrayXd;

constexpr double kMoved = 0.02;  // of a column's share of all variance: f is then asked again

/// What f makes of columns, and for which.
struct Asked {
  ArrayXd variance;
  AgainstPolar of;
  SaturatedLaw::Kept kept;
};

struct Resolvent : FilteredResolvent {
  Columns columns;
  std::shared_ptr<const Asked> asked;
  double scale = 1;  // of f, in the units of the labels
};

/// Whether all columns have much the same of all variance.
bool alike(const Columns& columns, const ArrayXd& a, const ArrayXd& b) {
  const ArrayXd share = a / (columns.count * a).sum(), other = b / (columns.count * b).sum();
  return ((share / other).log().abs() < kMoved).all();
}

std::shared_ptr<const Asked> ask(const Columns& columns, const ArrayXd& variance,
                                 const SingularFunction& function,
                                 const std::shared_ptr<const Asked>& last) {
  const bool same =
      last && (function.normalised ? alike(columns, variance, last->variance)
                                   : ((variance / last->variance).log().abs() < kMoved).all());
  if (same) return last;
  const LocalLaw law(columns.rows, columns.count, variance);
  return std::make_shared<const Asked>(
      Asked{variance, law.against_polar(function.f, function.normalised), {}});
}

/// The share `dropped` of the rank left out.
std::shared_ptr<const Asked> keep_lower(double dropped, const FilteredGradient& u, double noise,
                                        const ArrayXd& variance, const Resolvent& now,
                                        const std::shared_ptr<const Asked>& last) {
  const Columns& columns = now.columns;
  if (last && alike(columns, variance, last->variance)) return last;
  const SaturatedLaw law(columns, u, noise, now.tables.lag_count, now.power);
  const double rank = std::round((columns.count * now.power).sum());
  return std::make_shared<const Asked>(
      Asked{variance, {}, law.below(law.above(std::ceil(dropped * rank - 1e-9)))});
}

std::array<ArrayXd*, 3> slopes_of(FilteredAnswer& answer) {
  return {&answer.fresh, &answer.held, &answer.fresh_noise};
}

/// Of polar factors: the share `linear` becomes u/|u|_F, of columns of `variance`.
void mix_in_linear(double linear, const ArrayXd& variance, Resolvent& now, FilteredAnswer& answer) {
  const double polar = 1 - linear, rows = now.columns.rows,
               each = linear / std::sqrt(rows * (now.columns.count * variance).sum());
  for (ArrayXd* slope : slopes_of(answer)) *slope = polar * *slope + each;
  answer.power =
      polar * polar * answer.power + 2 * polar * each / rows * now.overlap + each * each * variance;
  now.weight *= polar;
}

/// Slopes and power against the polar factor's.
void multiply(const SaturatedLaw::Kept& of, const FilteredGradient& u, Resolvent& now,
              FilteredAnswer& answer) {
  const ArrayXd rest = answer.power - linear_power(u, answer);
  answer.fresh *= of.fresh;
  answer.held *= of.memory;
  answer.fresh_noise *= of.fresh;
  answer.power *= of.power;
  now.rest_ratio = ((answer.power - linear_power(u, answer)) / rest).max(0.0);
}

}  // namespace

FilteredMap filtered_map(double rows, double batch, const NoiseLaw& noise,
                         const SingularFunction& function, double node_step) {
  FilteredMap map;
  const double degree = function.mixture.exponent;  // f(s g) = s^degree f(g) where it has one
  map.answer = [=](const FilteredGradient& given, const FilteredAnswer* last) {
    const auto* before = last ? static_cast<const Resolvent*>(last->resolvent.get()) : nullptr;
    const double power = 2 * given.risk + noise.variance, root = std::sqrt(power);
    const FilteredGradient u = in_units(given, power);
    const auto now = std::make_shared<Resolvent>();
    now->columns = {rows, batch, u.weight, u.multiplicity / rows, node_step};
    const Columns& columns = now->columns;
    ResolventMixture mixture = function.mixture;
    mixture.shift /= root;
    static_cast<FilteredResolvent&>(*now) =
        *filtered_resolvent(columns, noise, given.risk, given.memory, u, before, mixture);
    FilteredAnswer answer;
    answer.fresh = now->slopes.fresh;
    answer.held = now->slopes.memory;
    answer.fresh_noise = now->slopes.fresh_noise;
    answer.sampled = sampled_variance(columns, u.error);
    answer.power = now->power / rows;
    const ArrayXd variance = variance_of(u, answer.sampled);
    const auto asked = before ? before->asked : nullptr;
    if (function.f) {
      now->asked = ask(columns, (function.normalised ? 1 : power) * variance, function, asked);
      const AgainstPolar& of = now->asked->of;
      multiply({of.slope, of.slope, of.power}, u, *now, answer);
    }
    if (function.dropped > 0) {
      now->asked = keep_lower(function.dropped, u, noise.variance / power, variance, *now, asked);
      multiply(now->asked->kept, u, *now, answer);
    }
    if (function.linear > 0) mix_in_linear(function.linear, variance, *now, answer);
    now->scale = function.scale * std::pow(root, degree);
    give_units(answer, now->scale, power);
    answer.power *= 1 + function.spread;
    answer.resolvent = now;
    return answer;
  };
  map.covariance = [](const FilteredAnswer& now, const FilteredAnswer& then,
                      const ArrayXd& correlation) -> ArrayXd {
    const auto *at = static_cast<const Resolvent*>(now.resolvent.get()),
               *before = static_cast<const Resolvent*>(then.resolvent.get());
    return at->scale * before->scale * rest_covariance(at->columns, *at, *before, correlation);
  };
  return map;
}

}  // namespace riskcurve
