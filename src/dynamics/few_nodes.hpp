#pragma once
#include <optional>

#include "riskcurve/problem/problem.hpp"

namespace riskcurve {

/// As a product, where it is one to 1e-13 of the largest entry.
std::optional<Product> product_of(const Pairs& pairs);

/// More pairs of nodes than these are worth merging.
inline constexpr Eigen::Index kManyPairs = 20000;

template <class Problem>
struct FewOfMany {
  Problem problem;
  /// Whether the error is smooth enough in its directions that sums of s_k^2/n_k are kept too.
  bool even;
};

/// The problem on few nodes of either side, where there are many pairs of them and Delta is known
/// by a product of the sides alone: `nodes` to an octave of eigenvalues, the same for their counts
/// and the error. What is smooth in the logs of eigenvalues, as rates and curves are, keeps its
/// sums, to 6^-nodes or better. Not for what asks for eigenvalues one by one.
std::optional<FewOfMany<MatrixProblem>> few_nodes(const MatrixProblem& problem, int nodes = 12);

/// The same of a vector's, where there are more nodes than kManyNodes, as long lists of eigenvalues
/// have, and no coordinates.
inline constexpr Eigen::Index kManyNodes = 20000;
std::optional<FewOfMany<VectorProblem>> few_nodes(const VectorProblem& problem, int nodes = 24);

/// (sum_k h_k s_k)^2/sum_k (h_k s_k)^2/n_k of the nodes of a spectrum, n_k at least 1.
double shared_by(const Spectrum& spectrum, const Eigen::ArrayXd& initial);

}  // namespace riskcurve
