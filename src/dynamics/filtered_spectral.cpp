#include "dynamics/filtered_spectral.hpp"

#include <array>
#include <cmath>

#include "dynamics/local_law.hpp"

namespace riskcurve {
namespace {

using Eigen::ArrayXd;

constexpr double kMoved = 0.02;  // of a column's share of all variance: f is then asked again

/// What f makes of columns, and for which.
struct Asked {
  ArrayXd variance;
  AgainstPolar of;
};

struct Resolvent : FilteredResolvent {
  Columns columns;
  std::shared_ptr<const Asked> asked;
  double scale = 1;  // of f, in the units of the labels
};

ArrayXd variance_of(const Columns& columns, const FilteredGradient& u, const ArrayXd& sampled) {
  return columns.lambda.square() *
         (u.fresh * u.fresh * (u.error + sampled) + 2 * u.fresh * u.share * u.cross +
          u.share * u.share * (u.signal + u.noise));
}

/// E of the square of what is linear.
ArrayXd linear_power(const Columns& columns, const FilteredGradient& u,
                     const FilteredAnswer& answer) {
  const ArrayXd a = u.fresh * answer.fresh, b = u.share * answer.held,
                z = u.fresh * answer.fresh_noise;
  return columns.lambda.square() *
         (a.square() * u.error + 2 * a * b * u.cross + b.square() * (u.signal + u.noise) +
          z.square() * answer.sampled);
}

/// rank: what each column has of it.
AgainstPolar against_polar(const Columns& columns, const ArrayXd& variance,
                           const SingularFunction& function, const ArrayXd& rank) {
  const LocalLaw law(columns.rows, columns.count, variance);
  if (function.f) return law.against_polar(function.f, function.normalised);
  const double number =
      std::ceil(function.dropped * std::round((columns.count * rank).sum()) - 1e-9);
  const double threshold = law.above(number, rank);
  return law.against_polar([threshold](double g) { return LocalLaw::below(threshold, g); }, false);
}

std::shared_ptr<const Asked> ask(const Columns& columns, const ArrayXd& variance,
                                 const SingularFunction& function, const ArrayXd& rank,
                                 const std::shared_ptr<const Asked>& last) {
  const bool scales = function.normalised || !function.f;
  const auto shares = [&](const ArrayXd& v) -> ArrayXd {
    return scales ? ArrayXd(v / (columns.count * v).sum()) : v;
  };
  if (last && ((shares(variance) / shares(last->variance)).log().abs() < kMoved).all()) return last;
  return std::make_shared<const Asked>(
      Asked{variance, against_polar(columns, variance, function, rank)});
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
void multiply(const AgainstPolar& of, const FilteredGradient& u, Resolvent& now,
              FilteredAnswer& answer) {
  const ArrayXd rest = answer.power - linear_power(now.columns, u, answer);
  for (ArrayXd* slope : slopes_of(answer)) *slope *= of.slope;
  answer.power *= of.power;
  now.rest_ratio = ((answer.power - linear_power(now.columns, u, answer)) / rest).max(0.0);
}

/// The same in units of E z^2: then nothing over- or underflows.
FilteredGradient in_units(const FilteredGradient& given, double power) {
  FilteredGradient u = given;
  u.risk /= power;
  u.memory /= power;
  for (ArrayXd* square : {&u.error, &u.cross, &u.signal, &u.noise}) *square /= power;
  return u;
}

}  // namespace

FilteredMap filtered_map(double rows, double batch, const NoiseLaw& noise,
                         const SingularFunction& function) {
  FilteredMap map;
  const double degree = function.mixture.exponent;  // f(s g) = s^degree f(g) where it has one
  map.answer = [=](const FilteredGradient& given, const FilteredAnswer* last) {
    const auto* before = last ? static_cast<const Resolvent*>(last->resolvent.get()) : nullptr;
    const double power = 2 * given.risk + noise.variance, root = std::sqrt(power);
    const FilteredGradient u = in_units(given, power);
    const auto now = std::make_shared<Resolvent>();
    now->columns = {rows, batch, u.weight, u.multiplicity / rows};
    const Columns& columns = now->columns;
    ResolventMixture mixture = function.mixture;
    mixture.shift /= root;
    static_cast<FilteredResolvent&>(*now) =
        *filtered_resolvent(columns, noise, given.risk, given.memory, u, before, mixture);
    FilteredAnswer answer;
    answer.fresh = now->fresh;
    answer.held = now->memory;
    answer.fresh_noise = now->fresh_noise;
    answer.sampled = (1 + 2 * rows * columns.lambda * u.error) / (batch * columns.lambda);
    answer.power = now->power / rows;
    const ArrayXd variance = variance_of(columns, u, answer.sampled);
    if (function.f || function.dropped > 0) {
      const double unit = function.f && !function.normalised ? power : 1;
      now->asked =
          ask(columns, unit * variance, function, now->power, before ? before->asked : nullptr);
      multiply(now->asked->of, u, *now, answer);
    }
    if (function.linear > 0) mix_in_linear(function.linear, variance, *now, answer);
    now->scale = function.scale * std::pow(root, degree);
    for (ArrayXd* slope : slopes_of(answer)) *slope *= now->scale / root;
    answer.power *= now->scale * now->scale * (1 + function.spread);
    answer.sampled *= power;
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
