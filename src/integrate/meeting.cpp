#include "integrate/meeting.hpp"

#include "integrate/block_lanes.hpp"

namespace riskcurve {
namespace {

using Eigen::Index;

/// f(own, cross) of every mode changes both in place; cross is 0, and stays, where there is one
/// worker.
template <class F>
void for_each_mode(int size, BlockState& moments, const F& f) {
  const bool crossed = moments.cross.size() > 0;
  BlockMatrix own(size, size), cross = BlockMatrix::Zero(size, size);
  for (Index k = 0; k < moments.own.rows(); ++k) {
    for (int i = 0; i < size; ++i)
      for (int j = 0; j < size; ++j) {
        own(i, j) = moments.own(k, entry(size, i, j));
        if (crossed) cross(i, j) = moments.cross(k, entry(size, i, j));
      }
    f(own, cross);
    for (int i = 0; i < size; ++i)
      for (int j = i; j < size; ++j) {
        moments.own(k, entry(size, i, j)) = own(i, j);
        if (crossed) moments.cross(k, entry(size, i, j)) = cross(i, j);
      }
    if (!crossed) cross.setZero();
  }
}

}  // namespace

Meeting::Meeting(const BlockMatrix& jump, int workers) : d_(jump), others_(workers - 1) {
  c_ = BlockMatrix::Zero(jump.rows(), jump.cols());
  c_.col(0) = jump.col(0) / workers;
  d_.col(0) = c_.col(0);
}

void Meeting::apply(BlockState& moments) const {
  const double n = others_;
  for_each_mode(static_cast<int>(d_.rows()), moments, [&](BlockMatrix& s, BlockMatrix& x) {
    const BlockMatrix others = s + (n - 1) * x;  // n of them at once, over n
    const BlockMatrix dxc = d_ * x * c_.transpose(), mixed = d_ * others * c_.transpose();
    const BlockMatrix own =
        d_ * s * d_.transpose() + n * (dxc + dxc.transpose() + c_ * others * c_.transpose());
    x = (d_ * x * d_.transpose() + mixed + mixed.transpose() +
         c_ * ((n - 1) * s + (n * n - n + 1) * x) * c_.transpose())
            .eval();
    s = own;
  });
}

void Meeting::apply_back(BlockState& slopes) const {
  const double n = others_;
  for_each_mode(static_cast<int>(d_.rows()), slopes, [&](BlockMatrix& p, BlockMatrix& x) {
    const BlockMatrix cxc = c_.transpose() * x * c_, cpc = c_.transpose() * p * c_;
    const BlockMatrix dxc = d_.transpose() * x * c_, dpc = d_.transpose() * p * c_;
    const BlockMatrix own =
        d_.transpose() * p * d_ + n * cpc + dxc + dxc.transpose() + (n - 1) * cxc;
    x = (n * (dpc + dpc.transpose()) + n * (n - 1) * cpc + d_.transpose() * x * d_ +
         (n - 1) * (dxc + dxc.transpose()) + (n * n - n + 1) * cxc)
            .eval();
    p = own;
  });
}

}  // namespace riskcurve
