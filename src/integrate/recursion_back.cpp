// One step of the recursion's adjoint (docs/theory/chain.md#adjoint).
#include "integrate/recursion_back.hpp"

#include "integrate/block_lanes.hpp"
#include "integrate/direction_modes.hpp"

namespace riskcurve {

using Eigen::ArrayXd;
using Eigen::ArrayXXd;
using Eigen::Index;

StepSlope slope(const Blocks& blocks, const ChainNow& now, Parameter x, double h) {
  ChainNow up = now, down = now;
  up.*x += h;
  down.*x -= h;
  const BlockStep a = blocks.step(up), b = blocks.step(down);
  const auto difference = [h](const auto& p, const auto& q) { return ((p - q) / (2 * h)).eval(); };
  return {difference(a.fixed, b.fixed),
          difference(BlockMatrix(a.push * a.read.transpose()),
                     BlockMatrix(b.push * b.read.transpose())),
          difference(BlockMatrix(a.pull_fixed * a.pull_read.transpose()),
                     BlockMatrix(b.pull_fixed * b.pull_read.transpose())),
          difference(BlockMatrix(a.pull_drift * a.pull_read.transpose()),
                     BlockMatrix(b.pull_drift * b.pull_read.transpose())),
          difference(a.push, b.push),
          difference(a.read, b.read),
          difference(a.noise_fixed, b.noise_fixed),
          difference(a.noise_drift, b.noise_drift),
          (pull_of(a) - pull_of(b)) / (2 * h)};
}

namespace {

double dot(const BlockMatrix& a, const BlockMatrix& b) {
  return a.cwiseProduct(b).sum();
}

template <int M>
void total(const LaneMatrix<M>& x, BlockMatrix& sum, const Block* factor = nullptr) {
  for (int i = 0; i < M; ++i)
    for (int j = 0; j < M; ++j) sum(i, j) += factor ? (x[i][j] * *factor).sum() : x[i][j].sum();
}

/// P <- A^T P A, and the sums; of moments that noise enters, or (those between two workers) not.
template <int M>
void back_lanes(const BlockInstant& at, const ArrayXd& inverse, const ArrayXd& share, bool noisy,
                const ArrayXXd& moments, ArrayXXd& p, BackSums& sums) {
  const BlockStep& step = at.step;
  const bool pulled = inverse.size() > 0, filtered = noisy && at.before.size() > 0;
  for (Index first = 0; first < moments.rows(); first += kBlock) {
    const Block a = at.drift.segment<kBlock>(first);
    Block l = Block::Zero();
    if (pulled) l = inverse.segment<kBlock>(first);
    const LaneMatrix<M> map = maps<M>(step, a, pulled ? &l : nullptr);
    const LaneMatrix<M> s = load_moments<M>(moments, first), next = load_moments<M>(p, first);
    const LaneMatrix<M> pushed = product<M>(next, map);
    store_moments<M>(symmetric_product<M>(transposed<M>(map), transposed<M>(pushed)), first, p);
    const LaneMatrix<M> b = product<M>(pushed, s);
    total<M>(b, sums.map);
    total<M>(b, sums.map_a, &a);
    const Block along = form<M>(step.push, b, step.read);
    Block drift = 2 * along;
    sums.along += 2 * (a * along).sum();
    if (pulled) {
      total<M>(b, sums.map_l, &l);
      const Block la = l * a;
      total<M>(b, sums.map_la, &la);
      drift += 2 * l * form<M>(step.pull_drift, b, step.pull_read);
    }
    LaneVector<M> z{};
    Block before, z_twice;
    if (filtered) {
      before = at.before.segment<kBlock>(first);
      z = noise_before<M>(step, a);
      z_twice = form<M>(z, next, z);
      LaneVector<M> z1;
      for (int i = 0; i < M; ++i) z1[i] = Block::Constant(step.noise_drift[i]);
      drift += 2 * before * form<M>(z1, next, z);
      sums.before_modes.segment<kBlock>(first) = z_twice;
      total<M>(next, sums.before, &before);
      const Block ba = before * a, baa = ba * a;
      total<M>(next, sums.before_a, &ba);
      total<M>(next, sums.before_aa, &baa);
    }
    sums.drift.segment<kBlock>(first) += drift;
    if (!noisy) continue;
    const Block after = at.after.segment<kBlock>(first);
    total<M>(next, sums.after, &after);
    const Block pushed_twice = form<M>(step.push, next, step.push);
    sums.after_modes.segment<kBlock>(first) = pushed_twice;
    if (share.size() == 0) continue;
    // (4 tr(P A S A^T P Q) + 2 tr(P Q P Q))/m; noises of one mode are independent.
    const LaneMatrix<M> carried = symmetric_product<M>(product<M>(pushed, s), pushed);
    Block spread =
        4 * after * form<M>(step.push, carried, step.push) + 2 * (after * pushed_twice).square();
    if (filtered) spread += 4 * before * form<M>(z, carried, z) + 2 * (before * z_twice).square();
    sums.scatter += (share.segment<kBlock>(first) * spread).sum();
  }
}

}  // namespace

double derivative(const BackSums& sums, const BlockStep& step, const StepSlope& by) {
  const BlockVector &z0 = step.noise_fixed, &z1 = step.noise_drift;
  double sum = 2 * (dot(by.fixed, sums.map) + dot(by.drift, sums.map_a) + dot(by.pull, sums.map_l) +
                    dot(by.pull_a, sums.map_la) + by.push.dot(sums.after * step.push) +
                    by.noise_fixed.dot(sums.before * z0 + sums.before_a * z1) +
                    by.noise_drift.dot(sums.before_a * z0 + sums.before_aa * z1));
  if (sums.read.size() > 0)
    sum += by.read.dot(sums.read) + by.pulled * step.pull_read.dot(sums.read_l) +
           by.read[0] * sums.fresh;
  return sum;
}

BackSums step_back(const Recursion& recursion, const BlockInstant& at, const BlockState& state,
                   const ArrayXd& share, BlockState& p) {
  const int m = recursion.blocks().size;
  BackSums sums;
  for (BlockMatrix* x : {&sums.map, &sums.map_a, &sums.map_l, &sums.map_la, &sums.after,
                         &sums.before, &sums.before_a, &sums.before_aa})
    *x = BlockMatrix::Zero(m, m);
  for (ArrayXd* x : {&sums.drift, &sums.after_modes, &sums.before_modes})
    x->setZero(recursion.padded());
  if (recursion.sees_directions()) {
    step_back_directions(recursion, at, state, share, p, sums);
    return sums;
  }
  with_size(m, [&](auto size) {
    if (p.cross.size() > 0)
      back_lanes<size()>(at, recursion.inverse(), {}, false, state.cross, p.cross, sums);
    back_lanes<size()>(at, recursion.inverse(), share, true, state.own, p.own, sums);
  });
  return sums;
}

}  // namespace riskcurve
