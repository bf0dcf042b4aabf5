#pragma once
#include <vector>

#include "riskcurve/eigen.hpp"

namespace riskcurve {

/// What a sum over two grids of t takes from one: of each node its weight, sqrt x, sqrt y and
/// sqrt(x_i V_ij y_j); shapes (out, nodes), (in, nodes), (out, in).
struct GridRoots {
  std::vector<double> weight;
  Eigen::ArrayXXd x, y;
  std::vector<Eigen::ArrayXXd> root;
};

/// Which of its terms are (1 - S S^T)^(-1) S, and which S itself; `rest`: less S.
struct GridTerms {
  bool rest, linear;  ///< linear: S itself where S S^T is as good as nothing to 1
  bool mirrored;      ///< the same grid twice: of half of the pairs
};

/// sum w w' sqrt(x x') [(1 - S S^T)^(-1) S] sqrt(y y'), S = c sqrt(x V y x' V' y'), over all pairs
/// of nodes; c of shape (out, in).
Eigen::ArrayXXd sum_over_both(const GridRoots& now, const GridRoots& then, const Eigen::ArrayXXd& c,
                              const GridTerms& terms);

}  // namespace riskcurve
