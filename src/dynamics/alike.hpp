#pragma once
#include "riskcurve/problem/problem.hpp"

namespace riskcurve {

/// The problem with eigenvalues that are alike, `bins` to an octave, merged where they are more
/// than 48 on a side: their mean, by multiplicity, and their share of the risk stay. Eigenvalues
/// faint beside the largest, by 24 octaves, have a bin an octave.
VectorProblem merged_alike(const VectorProblem& problem, double bins);
MatrixProblem merged_alike(const MatrixProblem& problem, double bins);

}  // namespace riskcurve
