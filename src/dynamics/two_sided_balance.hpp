#pragma once
#include <Eigen/LU>
#include <algorithm>
#include <cmath>
#include <complex>
#include <utility>

#include "riskcurve/eigen.hpp"

namespace riskcurve {

/// The eigenvalues of both sides; each stands for so many rows, or columns.
struct TwoSides {
  double batch;
  Eigen::ArrayXd sigma, rows;
  Eigen::ArrayXd lambda, columns;
  bool rough = false;  ///< for maps: slopes to 1e-3, and squares and rests on every other node

  Eigen::Index out() const { return sigma.size(); }
  Eigen::Index in() const { return lambda.size(); }
  Eigen::Index modes() const { return out() * in(); }
};

template <class Scalar>
using ArrayOf = Eigen::Array<Scalar, Eigen::Dynamic, 1>;
template <class Scalar>
using MatrixOf = Eigen::Matrix<Scalar, Eigen::Dynamic, Eigen::Dynamic>;

/// Of a matrix with independent entries of variance V_ij, at t, real or complex, Re t > 0:
///
///     x_i (t + sum_j V_ij y_j) = 1,      y_j (t + sum_i V_ij x_i) = 1,
///
/// sums over all columns, and rows; (U U^T + t^2)^(-1)_ii = x_i/t. Held as logarithms,
/// with what Newton's method for them is made of. Source: docs/theory/signal.md#both-sides-graded.
template <class Scalar>
struct Balance {
  ArrayOf<Scalar> x, y;            // rows x, columns y: sums over what a node stands for
  ArrayOf<Scalar> miss_x, miss_y;  // log of both left sides
  ArrayOf<Scalar> whole_x, whole_y;
  MatrixOf<Scalar> by_y, by_x;  // d miss_x/d log y, d miss_y/d log x; shape (out, in) both

  Balance(const TwoSides& sides, const MatrixOf<Scalar>& variance, Scalar t,
          const ArrayOf<Scalar>& log_x, const ArrayOf<Scalar>& log_y) {
    const ArrayOf<Scalar> one_x = log_x.exp(), one_y = log_y.exp();
    x = sides.rows * one_x;
    y = sides.columns * one_y;
    by_y = one_x.matrix().asDiagonal() * variance * y.matrix().asDiagonal();
    by_x = x.matrix().asDiagonal() * variance * one_y.matrix().asDiagonal();
    whole_x = one_x * t + by_y.rowwise().sum().array();
    whole_y = one_y * t + by_x.colwise().sum().transpose().array();
    miss_x = whole_x.log();
    miss_y = whole_y.log();
    by_y.array().colwise() /= whole_x;
    by_x.array().rowwise() /= whole_y.transpose();
  }
  /// What is left once log x is eliminated: shape (in, in).
  MatrixOf<Scalar> reduced() const {
    MatrixOf<Scalar> matrix = MatrixOf<Scalar>::Identity(y.size(), y.size());
    matrix.noalias() -= by_x.transpose() * by_y;
    return matrix;
  }
};

/// V_ij of a row and column, the signal e_ij in them being a fixed number that does not answer to
/// itself: with what row i and column j have but for it, X = 1/x_i - e y_j (1 + w), Y = 1/y_j - e
/// x_i (1 + w),
///
///     w = e/(X Y),      V_ij = e_ij (1 + w_ij) + what is drawn anew.
template <class Scalar>
struct FixedSignal {
  using Pairs = Eigen::Array<Scalar, Eigen::Dynamic, Eigen::Dynamic>;
  Eigen::ArrayXXd signal;
  Pairs echo = {};  // w

  explicit FixedSignal(Eigen::ArrayXXd of) : signal(std::move(of)) {
    echo.setZero(signal.rows(), signal.cols());
  }
  /// The largest move of log (1 + w). variance: V with w as it is; part: of the way that is gone.
  /// X and Y are the sums of what others add: 1/x less the entry's own part is the same once x is
  /// known, but before that may be anything where the entry is nearly all of its row.
  double renew(const TwoSides& sides, const MatrixOf<Scalar>& variance, Scalar t,
               const ArrayOf<Scalar>& log_x, const ArrayOf<Scalar>& log_y, double part = 1) {
    const ArrayOf<Scalar> x = log_x.exp(), y = log_y.exp();
    const ArrayOf<Scalar> over_x = t + (variance * (sides.columns * y).matrix()).array(),
                          over_y = t + (variance.transpose() * (sides.rows * x).matrix()).array();
    double most = 0;
    for (Eigen::Index j = 0; j < signal.cols(); ++j)
      for (Eigen::Index i = 0; i < signal.rows(); ++i) {
        const double e = signal(i, j);
        if (!(e > 0)) continue;
        const Scalar whole = 1.0 + echo(i, j), of = e * whole;
        const Scalar both = product(least(over_x[i] - product(of, y[j]), t),
                                    least(over_y[j] - product(of, x[i]), t));
        const Scalar move = part * (e * conjugate(both) / square(both) - echo(i, j));
        most = std::max(most, square(move) / square(whole));
        echo(i, j) += move;
      }
    return std::sqrt(most);
  }

 private:
  /// Others add to t.
  static Scalar least(Scalar of, Scalar t) { return std::real(of) > std::real(t) ? of : t; }
  // Of finite numbers: those of the standard library look for others first.
  static double product(double a, double b) { return a * b; }
  static std::complex<double> product(std::complex<double> a, std::complex<double> b) {
    return {a.real() * b.real() - a.imag() * b.imag(), a.real() * b.imag() + a.imag() * b.real()};
  }
  static double conjugate(double a) { return a; }
  static std::complex<double> conjugate(std::complex<double> a) { return std::conj(a); }
  static double square(Scalar a) {
    return std::real(a) * std::real(a) + std::imag(a) * std::imag(a);
  }
};

/// Newton of x and y alone, from a guess, to 1e-3, or as near as it comes; false where Re x, y > 0
/// does not hold. drawn: V without the signal.
template <class Scalar>
bool balance(const TwoSides& sides, const Eigen::MatrixXd& drawn, FixedSignal<Scalar>& fixed,
             Scalar t, ArrayOf<Scalar>& log_x, ArrayOf<Scalar>& log_y) {
  constexpr double farthest = 1, close = 1e-3;
  constexpr int most_moves = 30, calm = 8;
  for (int i = 0; i < most_moves; ++i) {
    const MatrixOf<Scalar> variance =
        drawn.cast<Scalar>() + (fixed.signal.template cast<Scalar>() * (1.0 + fixed.echo)).matrix();
    const Balance<Scalar> at(sides, variance, t, log_x, log_y);
    const ArrayOf<Scalar> right = (at.by_x.transpose() * at.miss_x.matrix()).array() - at.miss_y;
    const ArrayOf<Scalar> move_y = at.reduced().partialPivLu().solve(right.matrix()).array();
    const ArrayOf<Scalar> move_x = -at.miss_x - (at.by_y * move_y.matrix()).array();
    double most = std::max(move_x.abs().maxCoeff(), move_y.abs().maxCoeff());
    if (!std::isfinite(most)) return false;
    const double part = most > farthest ? farthest / most : 1;
    log_x += part * move_x;
    log_y += part * move_y;
    most = std::max(most, fixed.renew(sides, variance, t, log_x, log_y, i < calm ? 1 : 0.5));
    if (most < close) break;
  }
  return log_x.exp().real().minCoeff() > 0 && log_y.exp().real().minCoeff() > 0;
}

}  // namespace riskcurve
