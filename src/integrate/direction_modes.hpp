#pragma once
#include "integrate/block_lanes.hpp"
#include "integrate/recursion.hpp"

namespace riskcurve {

// One mode of blocks whose map sees single directions, in matrices of fixed size.

template <int M>
using Vector = Eigen::Matrix<double, M, 1>;
template <int M>
using Square = Eigen::Matrix<double, M, M>;

template <int M>
Vector<M> push_of(const BlockStep& step) {
  return step.push;
}
/// z of rate a.
template <int M>
Vector<M> before_of(const BlockStep& step, double a) {
  return step.noise_fixed + a * step.noise_drift;
}
/// What of w theta the newest gradient brings the map, per unit of l.
inline double pull_of(const BlockStep& step) {
  return step.push[0] != 0 ? step.pull_drift[0] / step.push[0] : 0;
}
/// f of mode k: with the share of w theta in the newest gradient.
template <int M>
Vector<M> reading(const Recursion& recursion, const BlockStep& step, Eigen::Index k) {
  Vector<M> f = step.read;
  if (recursion.inverse().size() > 0)
    f += recursion.inverse()[k] * pull_of(step) * Vector<M>(step.pull_read);
  return f;
}
/// A of mode k at rate a.
template <int M>
Square<M> map_of(const Recursion& recursion, const BlockStep& step, double a, Eigen::Index k) {
  Square<M> map = step.fixed;
  map.noalias() += a * push_of<M>(step) * Vector<M>(step.read).transpose();
  if (recursion.inverse().size() > 0)
    map.noalias() += recursion.inverse()[k] * Vector<M>(step.pull_fixed + a * step.pull_drift) *
                     Vector<M>(step.pull_read).transpose();
  return map;
}
template <int M>
Square<M> square_of(const Eigen::ArrayXXd& moments, Eigen::Index k) {
  Square<M> s;
  for (int i = 0; i < M; ++i)
    for (int j = i; j < M; ++j) s(i, j) = s(j, i) = moments(k, entry(M, i, j));
  return s;
}
template <int M>
Vector<M> mean_of(const BlockState& state, Eigen::Index k) {
  return state.mean.row(k).matrix().transpose();
}
/// C = S - n m m^T
template <int M>
Square<M> spread_of(const BlockState& state, Eigen::Index k, double n, const Vector<M>& mean) {
  return square_of<M>(state.own, k) - n * mean * mean.transpose();
}

}  // namespace riskcurve
