#pragma once
#include <vector>

#include "riskcurve/eigen.hpp"
#include "riskcurve/problem/noise.hpp"

namespace riskcurve {

/// A function of log y on a uniform grid, by cubics of its logarithm where it is positive, else of
/// itself; constant below it, a power above.
class LogGrid {
 public:
  static constexpr double kFirst = -14, kStep = 0.5;
  static constexpr int kSize = 69;
  struct Value {
    double at, slope;
  };
  explicit LogGrid(std::vector<double> values);
  Value operator()(double log_y) const;
  /// This, whose cubics are of logarithms, times values at the nodes.
  LogGrid times(const std::vector<double>& values) const;
  static double node(int i) { return kFirst + kStep * i; }

 private:
  std::vector<double> values_;
  bool logarithms_ = false;
};

/// What large samples keep of their residual z, of y = m E z^2 (docs/theory/signal.md#saturation):
///
///     A(y) = E[z^2/(1 + m z^2)]/E z^2,     chi(y) = E[d/dz z/(1 + m z^2)],
///
/// both 1 at y = 0, of z Gaussian given the label noise; times, where few columns share the risk,
/// what they are for z = u^T Delta v of these columns over what they are for Gaussian z, both with
/// Gaussian label noise of the same variance. Column j: weighted by v_j^2.
class Saturation {
 public:
  /// z must have a variance. share: q_j = N lambda_j E y_j^2 over E z^2, of `count` columns each.
  Saturation(const NoiseLaw& noise, double risk, const Eigen::ArrayXd& share,
             const Eigen::ArrayXd& count);
  /// Whether it stands for another risk and other shares as well.
  bool serves(double risk, const Eigen::ArrayXd& share) const;

  struct Fresh {
    LogGrid::Value noise, drift;  ///< A, chi; slopes by log y
  };
  /// Of the newest gradient, with weight r: y = m r^2 E z^2. Column -1: of none.
  Fresh fresh(double log_y, Eigen::Index column = -1) const;
  /// Columns with numbers of their own; the others have those of -1.
  const std::vector<Eigen::Index>& heads() const { return heads_; }

  /// Of a memory with weights w_l = first beta^(l-1), l = 1 .. lags: the means sum w_l^2 A(w_l^2
  /// y)/ sum w_l^2, and of chi with w_l.
  struct Held {
    LogGrid square, drift;
  };
  Held held(double first_weight, double momentum, int lags) const;

 private:
  void add_few(double variance, const Eigen::ArrayXd& count);

  double risk_;
  bool scales_;
  Eigen::ArrayXd share_;
  LogGrid noise_, drift_;
  std::vector<Eigen::Index> heads_;
  std::vector<LogGrid> noise_of_, drift_of_;  // A, chi of -1, then of heads; empty: noise_, drift_
};

}  // namespace riskcurve
