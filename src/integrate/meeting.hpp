#pragma once
#include "integrate/recursion.hpp"

namespace riskcurve {

/// Workers that meet, X_i <- J (1 - e_0 e_0^T) X_i + J e_0 mean_j (e_0^T X_j), as a map of the
/// moments S of one and X of two of them: X_i <- D X_i + C sum_(j != i) X_j.
class Meeting {
 public:
  Meeting(const BlockMatrix& jump, int workers);

  void apply(BlockState& moments) const;
  /// The adjoint: carries derivatives by the moments after it to those by the moments before.
  void apply_back(BlockState& slopes) const;

 private:
  BlockMatrix d_, c_;
  double others_;  ///< workers - 1
};

}  // namespace riskcurve
