#include "integrate/look.hpp"

namespace riskcurve {

Look::Look(const Recursion& recursion, BlockInstant instant, BlockState seen, const Look* near)
    : at(std::move(instant)), state(std::move(seen)) {
  if (!recursion.system().filtered) return;
  const FilteredMap& map = *recursion.system().filtered;
  parts = std::make_unique<const FilteredParts>(recursion, at, state);
  if (near) {
    remembered = near->remembered;
    return;
  }
  past = state.past;
  // Where rests are soon forgotten, of steps that were all like this one.
  if (map.covariance && !map.lasting && past.steady) past.lags = lags_alike(parts->step);
  look_back(map, parts->step, past);
  remembered = riskcurve::remembered(past, recursion.system().modes(), recursion.blocks().size);
}

Way::Shares Way::shares(double steps) const {
  Shares of;
  if (!first) return of;
  // x from -1/2 at the first step through 0 in the middle, x = start - slope i; what looks see
  // beyond the middle is line x + bend x^2.
  const double start = (steps - 1) / length - 0.5, slope = 1 / length;
  const auto add = [&](Powers& share, double line, double bend) {
    share[0] += line * start + bend * start * start;
    share[1] -= line * slope + 2 * bend * start * slope;
    share[2] += bend * slope * slope;
  };
  if (!last) {
    add(of.first, -2, 0);
    return of;
  }
  const double x = end / length - 0.5, scale = x * (x + 0.5);
  add(of.first, x / scale - 2, 2 * x / scale);
  add(of.last, 0.5 / scale, 1 / scale);
  return of;
}

Way::Powers decaying(double keep, double n) {
  Way::Powers base{1, 0, 0}, all{};
  double count = 1, kept = keep;
  // What i steps later is a sum over powers of i.
  const auto follow = [&](Way::Powers& later, const Way::Powers& earlier) {
    later[2] += kept * (earlier[2] + 2 * count * earlier[1] + count * count * earlier[0]);
    later[1] += kept * (earlier[1] + count * earlier[0]);
    later[0] += kept * earlier[0];
  };
  for (auto left = static_cast<long long>(n); left > 0; left /= 2) {
    if (left % 2 == 1) {
      Way::Powers longer = base;
      follow(longer, all);
      all = longer;
    }
    follow(base, Way::Powers(base));
    count *= 2;
    kept *= kept;
  }
  return all;
}

}  // namespace riskcurve
