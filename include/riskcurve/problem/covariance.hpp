#pragma once
#include <Eigen/Core>
#include <memory>
#include <string>

#include "riskcurve/problem/fields.hpp"
#include "riskcurve/problem/spectrum.hpp"

namespace riskcurve {

/// How the eigenvectors of K lie in the coordinate basis, which SignSGD sees.
enum class Orientation {
  diagonal,  ///< eigenvectors are the coordinates
  generic,   ///< eigenvectors are uniformly random (Haar): only the spectrum matters
  given      ///< as in `matrix`
};

/// Rows of a data file: x is a uniformly drawn row.
struct DataRows {
  Eigen::MatrixXd x;  ///< n x d, after centering if asked for
  std::string source;
};

/// The covariance K of x in R^d.
struct Covariance {
  std::string kind;
  Orientation orientation = Orientation::generic;
  Spectrum spectrum;
  /// Orientation::given only: K.
  std::shared_ptr<const Eigen::MatrixXd> matrix;
  /// Eigenvectors of K as columns, ordered as spectrum.expand(). With Orientation::given all of
  /// them; data keep them in a generic orientation too, because their rows are in coordinates, but
  /// where d > dense_limit only those of eigenvalues > 0, or only the leading ones.
  std::shared_ptr<const Eigen::MatrixXd> eigenvectors;
  /// Set where K = X^T X / n of a data file.
  std::shared_ptr<const DataRows> rows;
  /// Sampling: x ~ N(0, K), or uniform rows of the data.
  bool sample_rows = false;
  /// What was approximated on the way, for the user; empty if nothing.
  std::string remark;

  double dimension() const { return spectrum.dimension(); }
};

/// lambda_j = value, j = 1..d.
Covariance isotropic(double dimension, double value = 1);
/// lambda_j = j^(-2 alpha).
Covariance power_law(double dimension, double alpha, Orientation = Orientation::generic);
Covariance from_eigenvalues(const Eigen::ArrayXd& values, Orientation = Orientation::generic);
/// lambda_j = exp(-(j-1)/length).
Covariance exponential_decay(double dimension, double length, Orientation = Orientation::generic);
/// The listed spikes, the remaining eigenvalues equal to `bulk`.
Covariance spiked(double dimension, const Eigen::ArrayXd& spikes, double bulk,
                  Orientation = Orientation::generic);
/// Quantiles (j-1/2)/d of the Marchenko-Pastur law of X^T X/n with d/n = ratio (unit variance); for
/// ratio > 1 a fraction 1 - 1/ratio is zero.
Covariance marchenko_pastur(double dimension, double ratio, Orientation = Orientation::generic);
/// K_ij = correlation^|i-j|.
Covariance ar1(Eigen::Index dimension, double correlation);
/// K_ij = first_row[|i-j|]. Throws InputError unless positive semi-definite.
Covariance toeplitz(const Eigen::ArrayXd& first_row);
/// Throws InputError unless square, symmetric to 1e-8, finite and positive semi-definite.
Covariance from_matrix(const Eigen::MatrixXd& matrix, const std::string& field = "matrix");
/// K = X^T X / n. Where min(n, d) <= dense_limit, exactly (by the smaller Gram matrix); else the
/// leading part by Spectra, matrix-free, and the bulk by Lanczos quadrature (see lanczos.hpp).
Covariance from_rows(std::shared_ptr<const DataRows> rows, Eigen::Index dense_limit = 4096);

/// Reads `kind` and its parameters. Throws InputError.
Covariance read_covariance(const Fields& fields);

}  // namespace riskcurve
