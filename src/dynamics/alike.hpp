#pragma once
#include <vector>

#include "riskcurve/problem/problem.hpp"

namespace riskcurve {

/// So many eigenvalues of a side are not merged.
inline constexpr Eigen::Index kMergeAbove = 48;

/// The bin of each eigenvalue, 0, 1, .. as they come: `bins` to an octave, and one an octave where
/// they are 24 octaves below the largest; 0: each has its own. -1: eigenvalues of 0.
std::vector<Eigen::Index> bins_of(const Eigen::ArrayXd& value, double bins);

/// The problem with eigenvalues that are alike, `bins` to an octave, merged where they are more
/// than kMergeAbove on a side: their mean, by multiplicity, and their share of the risk stay. Those
/// of 0 become one.
VectorProblem merged_alike(const VectorProblem& problem, double bins);
MatrixProblem merged_alike(const MatrixProblem& problem, double bins);

}  // namespace riskcurve
