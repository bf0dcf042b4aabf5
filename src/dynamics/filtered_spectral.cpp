#include "dynamics/filtered_spectral.hpp"

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

std::shared_ptr<const Asked> ask(const Columns& columns, const ArrayXd& variance,
                                 const SingularFunction& function,
                                 const std::shared_ptr<const Asked>& last) {
  const auto shares = [&](const ArrayXd& v) -> ArrayXd {
    return function.normalised ? ArrayXd(v / (columns.count * v).sum()) : v;
  };
  if (last && ((shares(variance) / shares(last->variance)).log().abs() < kMoved).all()) return last;
  return std::make_shared<const Asked>(
      Asked{variance,
            against_polar(columns.rows, columns.count, variance, function.f, function.normalised)});
}

}  // namespace

namespace {

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
  map.answer = [rows, batch, noise, function](const FilteredGradient& given,
                                              const FilteredAnswer* last) {
    const auto* before = last ? static_cast<const Resolvent*>(last->resolvent.get()) : nullptr;
    const double power = 2 * given.risk + noise.variance, root = std::sqrt(power);
    const FilteredGradient u = in_units(given, power);
    const auto now = std::make_shared<Resolvent>();
    now->columns = {rows, batch, u.weight, u.multiplicity / rows};
    const Columns& columns = now->columns;
    static_cast<FilteredResolvent&>(*now) =
        *filtered_resolvent(columns, noise, given.risk, given.memory, u, before);
    FilteredAnswer answer;
    answer.fresh = now->fresh;
    answer.held = now->memory;
    answer.fresh_noise = now->fresh_noise;
    answer.sampled = (1 + 2 * rows * columns.lambda * u.error) / (batch * columns.lambda);
    answer.power = now->power / rows;
    if (function.f) {
      const ArrayXd rest = answer.power - linear_power(columns, u, answer);
      const double unit = function.normalised ? 1 : power;
      now->asked = ask(columns, unit * variance_of(columns, u, answer.sampled), function,
                       before ? before->asked : nullptr);
      const AgainstPolar& of = now->asked->of;
      for (ArrayXd* slope : {&answer.fresh, &answer.held, &answer.fresh_noise}) *slope *= of.slope;
      answer.power *= of.power;
      now->rest_ratio = ((answer.power - linear_power(columns, u, answer)) / rest).max(0.0);
    }
    for (ArrayXd* slope : {&answer.fresh, &answer.held, &answer.fresh_noise})
      *slope *= function.scale / root;
    answer.power *= function.scale * function.scale;
    answer.sampled *= power;
    answer.resolvent = now;
    return answer;
  };
  map.covariance = [scale = function.scale](const FilteredAnswer& now, const FilteredAnswer& then,
                                            const ArrayXd& correlation) -> ArrayXd {
    const auto* at = static_cast<const Resolvent*>(now.resolvent.get());
    return scale * scale *
           rest_covariance(at->columns, *at, *static_cast<const Resolvent*>(then.resolvent.get()),
                           correlation);
  };
  return map;
}

}  // namespace riskcurve
