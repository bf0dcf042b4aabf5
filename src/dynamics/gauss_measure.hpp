#pragma once
#include <Eigen/Core>
#include <vector>

namespace riskcurve {

/// A positive measure on points of the line.
struct Measure {
  Eigen::ArrayXd point, weight;
};

/// The Gauss rule of a point measure: at most n nodes inside its hull, positive weights, the same
/// moments up to degree 2n-1. (Lanczos on diag(point), started from sqrt(weight).) Fewer points
/// than n come back as they are; an empty or weightless measure comes back empty.
Measure gauss_rule(const Eigen::ArrayXd& point, const Eigen::ArrayXd& weight, int n);

/// Several positive measures on the same points: weight of shape (points, measures).
struct Measures {
  Eigen::ArrayXd point;
  Eigen::ArrayXXd weight;
};

/// Few points for many, in one pass: of `cells` equal parts of the hull, each keeps of each measure
/// the moments up to degree 5, by at most three points of its own. A function whose sixth
/// derivative is up to (k/hull)^6 is summed to (k/(2 cells))^6/23000 of its size.
Measures thinned(const Eigen::Ref<const Eigen::ArrayXd>& point,
                 const std::vector<Eigen::Ref<const Eigen::ArrayXd>>& weights, int cells);

/// How many of them a rule of n nodes asks for, and whether `points` are worth it.
inline int cells_for(int n) {
  return 16 * n;
}
inline bool worth_thinning(Eigen::Index points, Eigen::Index measures, int n) {
  return points > 6 * measures * cells_for(n);
}

/// One set of nodes for all of them, the Gauss nodes of their mean: of each the moments up to
/// degree n-1, and nearly those up to 2n-1 where it has a smooth density by the mean. Measures of
/// which that leaves a negative weight come back as they are, as do fewer points than n.
Measures common_rule(const Measures& measures, int n);

/// Gauss rules of the points, decreasing, by bins of `width` octaves; the first stays by itself, 0
/// has no part. What is smooth in the log of a point is kept: 1/(1 + a point), a > 0, to 6^(-2n) by
/// one octave, to 3^(-2n) by two.
Measure octave_rule(const Eigen::ArrayXd& point, const Eigen::ArrayXd& weight, int n,
                    int width = 1);

}  // namespace riskcurve
