#pragma once
#include <string>
#include <utility>
#include <vector>

#include "riskcurve/problem/covariance.hpp"

namespace riskcurve {

// Each kind reads its own parameters from the table; covariance.cpp registers them by name.
Covariance read_isotropic(const Fields& fields);
Covariance read_power_law(const Fields& fields);
Covariance read_eigenvalues(const Fields& fields);
Covariance read_exponential_decay(const Fields& fields);
Covariance read_spiked(const Fields& fields);
Covariance read_marchenko_pastur(const Fields& fields);
Covariance read_ar1(const Fields& fields);
Covariance read_toeplitz(const Fields& fields);
Covariance read_matrix_covariance(const Fields& fields);
Covariance read_data(const Fields& fields);

/// `orientation` = "generic" | "diagonal" of the kinds that are given by their spectrum alone.
Orientation read_orientation(const Fields& fields);
/// The numbers of `key` in the table, or of the file it names.
Eigen::ArrayXd numbers_or_file(const Fields& fields, const std::string& key);

/// The spectrum of (eigenvalue, how many) pairs in any order, equal eigenvalues grouped.
Spectrum spectrum_of_counts(std::vector<std::pair<double, double>> counts);
/// Eigen-decomposition of a symmetric matrix, decreasing; eigenvalues within roundoff of zero are
/// zero. Throws InputError naming `field` where an eigenvalue is clearly negative, or all are zero.
struct Eigenpairs {
  Eigen::ArrayXd value;
  Eigen::MatrixXd vector;
};
Eigenpairs eigenpairs(const Eigen::MatrixXd& symmetric, const std::string& field);

}  // namespace riskcurve
