#pragma once
#include "riskcurve/eigen.hpp"

namespace riskcurve {

/// A predicted curve against the mean of an ensemble at the same steps. Differences below 1e-12 of
/// the mean are roundoff, and count as zero.
struct Comparison {
  /// (mean - predicted) / standard error; nan where the runs do not differ among themselves
  /// (standard error at most 1e-12 of the mean, as at step 0), or there is only one.
  Eigen::ArrayXd in_standard_errors;
  /// 100 (mean - predicted) / predicted; nan where the prediction is zero.
  Eigen::ArrayXd in_percent;
  /// Largest absolute value of each over the finite ones; nan if there is none.
  double worst_in_standard_errors, worst_in_percent;
};

/// All arrays of the same shape (times).
Comparison compare(const Eigen::ArrayXd& predicted, const Eigen::ArrayXd& mean,
                   const Eigen::ArrayXd& standard_error);

/// How many runs lie within a band.
struct Coverage {
  Eigen::ArrayXd percent;  ///< shape (times); nan where the band has no width (step 0)
  double mean;             ///< over the others; nan if there is none
};

/// low, high of shape (times); risk of shape (times, runs).
Coverage cover(const Eigen::ArrayXd& low, const Eigen::ArrayXd& high, const Eigen::ArrayXXd& risk);

}  // namespace riskcurve
