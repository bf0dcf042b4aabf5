#include "dynamics/optimizers/sign_sgd_matrix.hpp"

#include <fmt/format.h>

#include <Eigen/Eigenvalues>
#include <Eigen/SparseCore>
#include <cmath>
#include <vector>

#include "riskcurve/problem/error.hpp"

namespace riskcurve {
namespace {

using Eigen::ArrayXd;
using Eigen::ArrayXXd;
using Eigen::Index;
using Eigen::MatrixXd;

ArrayXXd outer(const ArrayXd& a, const ArrayXd& b) {
  return (a.matrix() * b.matrix().transpose()).array();
}

/// One factor of the exact orientation: directions w_i with (w_i^T x)^2 of weight h_i, decay rate
/// r_i, and what the correlations rho of the side give in them.
struct Side {
  ArrayXd weight, rate, multiplicity;
  ArrayXd norm;     // w^T w
  ArrayXd arcsine;  // w^T arcsin(rho) w
  MatrixXd w;       // directions as columns, and ...
  MatrixXd rho;     // ... rho less its diagonal; both empty where rho = 1
  MatrixXd basis;   // <w_i, u_l> for the eigenvectors u_l of K, nodes if diagonal; empty: identity
};

Side diagonal_side(const Spectrum& spectrum) {
  // A coordinate with no variance has no gradient, and sign(0) = 0.
  const ArrayXd alive = (spectrum.value > 0).select(spectrum.multiplicity, 0.0);
  return {spectrum.value,
          spectrum.value.sqrt(),
          spectrum.multiplicity,
          alive,
          M_PI / 2 * alive,
          {},
          {},
          {}};
}

Side given_side(const Covariance& covariance) {
  const MatrixXd& full = *covariance.matrix;
  std::vector<Index> alive;
  for (Index j = 0; j < full.rows(); ++j)
    if (full(j, j) > 0) alive.push_back(j);
  const MatrixXd k = full(alive, alive);
  const Eigen::VectorXd root = k.diagonal().array().sqrt().sqrt();  // D^(1/2)
  const Eigen::VectorXd inverse = root.cwiseInverse();
  const MatrixXd s = inverse.asDiagonal() * k * inverse.asDiagonal();
  const Eigen::SelfAdjointEigenSolver<MatrixXd> solver(s);
  if (solver.info() != Eigen::Success)
    throw Failure("sign_sgd: the eigenvalue solver did not converge");
  Side side;
  side.weight = side.rate = solver.eigenvalues().array().max(0.0);
  side.multiplicity = ArrayXd::Ones(side.weight.size());
  side.w = root.asDiagonal() * solver.eigenvectors();
  side.rho = inverse.asDiagonal() * s * inverse.asDiagonal();
  side.rho = side.rho.cwiseMax(-1.0).cwiseMin(1.0);
  side.rho.diagonal().setZero();
  side.norm = side.w.colwise().squaredNorm().transpose();
  const MatrixXd arcsine = side.rho.array().asin().matrix();
  side.arcsine = M_PI / 2 * side.norm +
                 side.w.cwiseProduct(arcsine * side.w).colwise().sum().transpose().array();
  side.basis = side.w.transpose() * (*covariance.eigenvectors)(alive, Eigen::all);
  return side;
}

Side side_of(const Covariance& covariance) {
  return covariance.orientation == Orientation::given ? given_side(covariance)
                                                      : diagonal_side(covariance.spectrum);
}

/// Hadamard powers of the off-diagonal part of rho, and their forms in the directions w. They thin
/// out as the power grows: entries that no longer count are dropped.
class Powers {
 public:
  explicit Powers(const Side& side)
      : w_(side.w), square_(side.rho.array().square()), dense_(side.rho) {}

  /// max_a sum_b |rho_ab|^power: a bound of the operator norm.
  double norm() const {
    return sparse_.rows() > 0
               ? (sparse_.cwiseAbs() * Eigen::VectorXd::Ones(sparse_.cols())).maxCoeff()
               : dense_.cwiseAbs().rowwise().sum().maxCoeff();
  }
  /// w_i^T rho^power w_i for all i.
  ArrayXd forms() const {
    const MatrixXd product = sparse_.rows() > 0 ? MatrixXd(sparse_ * w_) : MatrixXd(dense_ * w_);
    return w_.cwiseProduct(product).colwise().sum().transpose();
  }
  /// To the next odd power.
  void advance() {
    if (sparse_.rows() > 0) {
      for (Index column = 0; column < sparse_.outerSize(); ++column)
        for (Sparse::InnerIterator entry(sparse_, column); entry; ++entry)
          entry.valueRef() *= square_(entry.row(), entry.col());
      sparse_.prune(1.0, kNegligible);
      return;
    }
    dense_.array() *= square_;
    const auto count = (dense_.array().abs() > kNegligible).count();
    if (count * kSparse < dense_.size()) sparse_ = dense_.sparseView(1.0, kNegligible);
  }

 private:
  using Sparse = Eigen::SparseMatrix<double>;
  static constexpr double kNegligible = 1e-18;
  static constexpr Index kSparse = 16;
  const MatrixXd& w_;
  ArrayXXd square_;
  MatrixXd dense_;
  Sparse sparse_;
};

/// The sum over pairs of coordinates that differ on both sides,
///     sum_k c_k (w^T rho_out^(2k+1) w)(w^T rho_in^(2k+1) w),   arcsin x = sum_k c_k x^(2k+1),
/// by terms until the rest is below `tolerance` of |w_out|^2 |w_in|^2. The rest after K terms is at
/// most c_K |rho_out^(2K+1)| |rho_in^(2K+1)|/(1 - r^2), r the product of the largest correlations.
struct HadamardSeries {
  ArrayXXd sum;
  double rest;
};
HadamardSeries off_diagonal(const Side& out, const Side& in) {
  constexpr double tolerance = 1e-13;
  constexpr int most = 400;
  HadamardSeries series{ArrayXXd::Zero(out.norm.size(), in.norm.size()), 0};
  if (out.rho.size() == 0 || in.rho.size() == 0) return series;
  const double r = out.rho.cwiseAbs().maxCoeff() * in.rho.cwiseAbs().maxCoeff();
  Powers left(out), right(in);
  double c = 1;
  for (int k = 0;; ++k) {
    // sum_{l >= k} c_l <= c_0 + c_1 + ... = pi/2: so even r = 1 has a bound.
    series.rest = left.norm() * right.norm() * std::min(c / (1 - r * r), M_PI / 2);
    if (series.rest <= tolerance || k == most) return series;
    series.sum += c * outer(left.forms(), right.forms());
    left.advance();
    right.advance();
    c *= (2.0 * k + 1) * (2 * k + 1) / ((2.0 * k + 2) * (2 * k + 3));
  }
}

/// E (w_i^T Delta w_j)^2: from the entries of Delta where they are known, else from independent
/// entries in the eigenbasis of K.
ArrayXXd initial_squares(const MatrixProblem& problem, const Side& out, const Side& in) {
  if (problem.initial_error && (out.basis.size() > 0 || in.basis.size() > 0)) {
    MatrixXd error = *problem.initial_error;
    if (out.basis.size() > 0) error = (out.basis * error).eval();
    if (in.basis.size() > 0) error = (error * in.basis.transpose()).eval();
    // A diagonal side keeps its nodes: sums over their runs of coordinates.
    const auto sums = [](const Spectrum& spectrum, const MatrixXd& squares) {
      MatrixXd result(spectrum.size(), squares.cols());
      Index at = 0;
      for (Index k = 0; k < spectrum.size(); ++k) {
        const auto count = static_cast<Index>(spectrum.multiplicity[k]);
        result.row(k) = squares.middleRows(at, count).colwise().sum();
        at += count;
      }
      return result;
    };
    MatrixXd squares = error.cwiseAbs2();
    if (out.basis.size() == 0) squares = sums(problem.covariance_out.spectrum, squares);
    if (in.basis.size() == 0)
      squares = sums(problem.covariance_in.spectrum, squares.transpose()).transpose().eval();
    return squares;
  }
  // The error of a node is shared equally by its eigenvectors.
  const auto mixing = [](const Side& side, const Spectrum& spectrum) {
    MatrixXd result(side.basis.rows(), spectrum.size());
    Index at = 0;
    for (Index k = 0; k < spectrum.size(); ++k) {
      const auto count = static_cast<Index>(spectrum.multiplicity[k]);
      result.col(k) = side.basis.middleCols(at, count).rowwise().squaredNorm() / double(count);
      at += count;
    }
    return result;
  };
  MatrixXd squares = problem.initial.entries();
  if (out.basis.size() > 0)
    squares = (mixing(out, problem.covariance_out.spectrum) * squares).eval();
  if (in.basis.size() > 0)
    squares = (squares * mixing(in, problem.covariance_in.spectrum).transpose()).eval();
  return squares;
}

}  // namespace

ModeSystem exact_sign_modes(const MatrixProblem& problem) {
  ModeSystem system;
  system.noise_variance = problem.noise.variance;
  const Side out = side_of(problem.covariance_out), in = side_of(problem.covariance_in);
  system.weight = outer(out.weight, in.weight).reshaped();
  system.initial = initial_squares(problem, out, in).reshaped();
  system.multiplicity = outer(out.multiplicity, in.multiplicity).reshaped();
  system.drift = outer(out.rate, in.rate).reshaped();
  // Pairs of coordinates equal on one side have the arcsine of the other side's correlation, in
  // closed form; those equal on both are counted twice by that.
  const HadamardSeries series = off_diagonal(out, in);
  const ArrayXXd form = outer(out.norm, in.arcsine) + outer(out.arcsine, in.norm) -
                        M_PI / 2 * outer(out.norm, in.norm) + series.sum;
  system.diffusion = (2 / M_PI * form.max(0.0)).reshaped();
  if (series.rest > 1e-10)
    system.warnings.push_back(fmt::format(
        "coordinates correlated to nearly 1 on both sides: the arcsine series of SignSGD's noise "
        "was cut, at most {:.1e} of it left out",
        series.rest));
  return system;
}

}  // namespace riskcurve
