#pragma once
#include <Eigen/Core>
#include <algorithm>
#include <map>
#include <memory>
#include <mutex>

#include "dynamics/filtered_sign.hpp"

namespace riskcurve {

/// What a signal does to gradients over the root of their squares beyond what it adds to the mean
/// of those: A_t(kappa) (1 + kappa)^(1/2)/A_t(0), kappa the signal's power over the noise's, t the
/// steps since squares were nothing (docs/theory/adaptive.md#the-system). Large batches.
class RootUnderSignal {
 public:
  /// beta2 = 1: all squares so far count alike. `spread`: over coordinates like a normal variable
  /// of that power, and A their mean; else one coordinate's own.
  RootUnderSignal(const LagWeights& weights, double beta2, bool spread);

  /// To 1e-5, 2e-3 between powers of two of t.
  Eigen::ArrayXd operator()(const Eigen::ArrayXd& kappa, double steps) const;
  double operator()(double kappa, double steps) const;

 private:
  /// Chebyshev coefficients in (kappa - 1)/(kappa + 1), as many as matter, after 2^power steps or
  /// so many that no more matter.
  const Eigen::ArrayXd& after(int power) const;
  Eigen::ArrayXd made(double steps) const;
  /// On the line of log t between two of them.
  struct Between {
    const Eigen::ArrayXd &low, &high;
    double x;
    Eigen::Index terms() const { return std::max(low.size(), high.size()); }
    double operator[](Eigen::Index m) const {
      return (m < low.size() ? (1 - x) * low[m] : 0) + (m < high.size() ? x * high[m] : 0);
    }
  };
  Between between(double steps) const;

  LagWeights weights_;
  double beta2_;
  bool spread_;
  int last_;  // power of two that stands for all later ones
  struct Made {
    std::mutex lock;
    std::map<int, Eigen::ArrayXd> of_power;
  };
  std::shared_ptr<Made> made_ = std::make_shared<Made>();
};

}  // namespace riskcurve
