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

FilteredMap filtered_map(double rows, double batch, const NoiseLaw& noise,
                         const SingularFunction& function) {
  FilteredMap map;
  map.answer = [rows, batch, noise, function](const FilteredGradient& given,
                                              const FilteredAnswer* last) {
    const auto* before = last ? static_cast<const Resolvent*>(last->resolvent.get()) : nullptr;
    const double power = 2 * given.risk + noise.variance;
    const FilteredGradient u = in_units(given, power);
    const auto now = std::make_shared<Resolvent>();
    now->columns = {rows, batch, u.weight, u.multiplicity / rows};
    const Columns& columns = now->columns;
    static_cast<FilteredResolvent&>(*now) =
        *filtered_resolvent(columns, noise, given.risk, given.memory, u, before);
    FilteredAnswer answer;
    answer.fresh = now->slopes.fresh;
    answer.held = now->slopes.memory;
    answer.fresh_noise = now->slopes.fresh_noise;
    answer.sampled = (1 + 2 * rows * columns.lambda * u.error) / (batch * columns.lambda);
    answer.power = now->power / rows;
    if (function.f) {
      const ArrayXd rest = answer.power - linear_power(u, answer);
      const double unit = function.normalised ? 1 : power;
      now->asked = ask(columns, unit * variance_of(u, answer.sampled), function,
                       before ? before->asked : nullptr);
      const AgainstPolar& of = now->asked->of;
      for (ArrayXd* slope : {&answer.fresh, &answer.held, &answer.fresh_noise}) *slope *= of.slope;
      answer.power *= of.power;
      now->rest_ratio = ((answer.power - linear_power(u, answer)) / rest).max(0.0);
    }
    give_units(answer, function.scale, power);
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
