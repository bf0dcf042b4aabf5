#pragma once
#include <string>
#include <utility>
#include <vector>

#include "riskcurve/problem/covariance.hpp"

namespace riskcurve {

// One for each kind, beside what it is made by; the ranges of keys have been checked.
// covariance.cpp calls the one that the kind asks for.
Covariance covariance_of(const IsotropicCovariance& kind);
Covariance covariance_of(const PowerLawCovariance& kind);
Covariance covariance_of(const EigenvaluesCovariance& kind);
Covariance covariance_of(const ExponentialDecayCovariance& kind);
Covariance covariance_of(const SpikedCovariance& kind);
Covariance covariance_of(const MarchenkoPasturCovariance& kind);
Covariance covariance_of(const Ar1Covariance& kind);
Covariance covariance_of(const ToeplitzCovariance& kind);
Covariance covariance_of(const MatrixCovariance& kind);
Covariance covariance_of(const DataCovariance& kind);

/// The listed numbers, or those of the file. Throws InputError where both or none are given.
Eigen::ArrayXd listed(const std::vector<double>& values, const File& path, const char* key);

/// spectrum_of a list that is not needed afterwards: it becomes the values, unless equal ones meet.
Spectrum listed_spectrum(Eigen::ArrayXd values, const std::string& field);
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
