#pragma once
#include <algorithm>
#include <vector>

#include "dynamics/entry_transform.hpp"
#include "dynamics/filtered_sign.hpp"
#include "dynamics/lag_sums.hpp"
#include "dynamics/uniform_spline.hpp"

namespace riskcurve {

// Integrals over the powers q of batches that all directions share, and over their normals
// (docs/theory/adaptive.md).

/// Sums over the lags k < steps of w_k f, w_k^2 f and w_k w'_k f, f a function of log u_k = top -
/// delta k. Where delta is small, of quadratics between few values of f.
struct LagNodes {
  struct Node {
    double offset, slope, square, cross;
  };
  double delta, steps;
  std::vector<Node> nodes;

  LagNodes(const LagWeights& weights, double beta2, double all);
};

/// psi, chi/psi and -psi'/psi of the power of a batch's residuals at one risk, as functions of
/// log x: splines.
class BatchPower {
 public:
  /// scale: the power that x is in units of. x of the transform is s^(1/2), of a matrix (2
  /// s)^(1/2).
  BatchPower(const EntryTransform& entry, int batch, GradientOf entries, double scale);
  /// Of means of q itself, not of squares of normals of that power: psi = E e^(-x q).
  static BatchPower of_means(const EntryTransform& entry, int batch, double scale);

  double log_psi(double at) const;
  double slope(double at) const { return slope_(std::clamp(at, kLow + kStep, last_)); }
  double noise(double at) const;

  /// Of sum log psi(s u_k).
  double log_phi(double s, const LagNodes& lags) const;
  /// Where phi is 1/e: 1 of squares that are alike, far less where single ones rule their sum.
  double reach(const LagNodes& lags) const;
  /// Of one time and of the slope: not `cross`.
  SumsOverLags sums(double s, const LagNodes& lags) const;
  /// Of sum w_k w'_k Y(s u_k).
  double cross(double s, const LagNodes& lags) const;

 private:
  static constexpr double kLow = -16, kHigh = 26, kStep = 0.05;
  static constexpr std::size_t kCount = static_cast<std::size_t>((kHigh - kLow) / kStep) + 1;
  static double log_x(std::size_t i) { return kLow + kStep * static_cast<double>(i); }
  struct Columns {
    std::vector<double> log_psi = std::vector<double>(kCount), slope = log_psi, noise = log_psi;
  };
  explicit BatchPower(const Columns& table);
  static Columns of_entries(const EntryTransform& entry, double b, double shift);

  double integral(double at) const;
  double slope_of_log(double at) const;
  double simpson(double a, double b) const;

  double start_ = 0, exponent_ = 1, last_ = 0;
  std::vector<double> integrals_;  // from the bottom to kLow + kStep, and every kStep on
  UniformSpline log_psi_, slope_, noise_;
};

}  // namespace riskcurve
