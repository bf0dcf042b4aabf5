#pragma once
#include <string>

#include "riskcurve/eigen.hpp"

namespace riskcurve {

/// The eigenvalues of a covariance as a weighted point set: node k stands for `multiplicity[k]`
/// eigenvalues equal to `value[k]`, the ones of index first[k]..last[k] in 1..dimension
/// (eigenvalues are numbered in decreasing order).
///
/// A long smooth run of indices is held by the Gauss nodes of its counting measure (then
/// first = last is a real index, and the multiplicity a real weight): sums over all eigenvalues
/// of functions smooth in log j are kept to roundoff, at a cost that grows with log(dimension).
struct Spectrum {
  Eigen::ArrayXd value;         ///< eigenvalues >= 0, decreasing
  Eigen::ArrayXd multiplicity;  ///< >= 0, sums to the dimension
  Eigen::ArrayXd first;         ///< first index of the node's run
  Eigen::ArrayXd last;          ///< last index of the node's run

  Eigen::Index size() const { return value.size(); }
  bool operator==(const Spectrum& other) const;
  double dimension() const { return multiplicity.sum(); }
  double trace() const { return (value * multiplicity).sum(); }    ///< tr K
  double norm() const { return value.maxCoeff(); }                 ///< ||K||
  double intrinsic_dimension() const { return trace() / norm(); }  ///< tr K / ||K||, as in (C)
  double mean() const { return trace() / dimension(); }            ///< tau = tr K / d

  /// Mass of the indices of each node under the weights j^(-2 exponent): shape (size()).
  Eigen::ArrayXd power_mass(double exponent) const;
  /// How many of the indices from..to each node holds: shape (size()).
  Eigen::ArrayXd mass_between(double from, double to) const;
  /// All eigenvalues, one by one, decreasing. Throws InputError when `dimension() > 10^7`, or when
  /// the nodes are not whole eigenvalues.
  Eigen::ArrayXd expand() const;
};

/// The spectrum of a list of eigenvalues (any order), equal ones grouped.
/// Throws InputError naming `field` when the list is empty, not finite, negative or all zero.
Spectrum spectrum_of(const Eigen::ArrayXd& eigenvalues, const std::string& field);

/// Gauss nodes of the counting measure on the integers a..b: sum_{j=a}^{b} f(j) = sum_q w_q f(x_q),
/// exact for polynomials of degree 2n-1. (Discrete Chebyshev polynomials; their recurrence is
/// closed, so b may be 10^18.) n is at most b-a+1.
struct IndexRule {
  Eigen::ArrayXd index, weight;
};
IndexRule index_rule(double a, double b, int n);

/// The index set 1..dimension as runs: singletons up to `exact`, then panels [a, ratio a] with
/// `nodes` Gauss nodes each. The backbone of every analytic spectrum.
IndexRule index_panels(double dimension, double exact, double ratio, int nodes);

/// sum_{j=first}^{last} j^(-exponent), to roundoff, for ranges up to 10^18.
double power_sum(double first, double last, double exponent);

}  // namespace riskcurve
