#pragma once
#include <map>
#include <memory>
#include <mutex>
#include <vector>

#include "dynamics/filtered_sign.hpp"
#include "riskcurve/dynamics/mode_system.hpp"

namespace riskcurve {

/// What the sign makes of a normal variable of mean h and variance one, of lag correlations r_l
/// (docs/theory/chain.md#single-directions):
///
///     E sign = G h, G = erf(h/sqrt 2)/h;     its slope K = sqrt(2/pi) e^(-h^2/2);
///     rest = 4 phi(h)^2 sum_(m >= 2) He_(m-1)(h)^2/m! (1 + 2 sum_l r_l^m), over its value at h =
///     0,
///
/// the variance, summed over lags, of what the sign has beyond K (U - h). Tabulated; 1e-8.
class SignOfMean {
 public:
  explicit SignOfMean(const LagWeights& weights);

  struct Values {
    double mean, slope, rest;                    ///< G, K, rest
    double mean_slope, slope_slope, rest_slope;  ///< their derivatives by h
  };
  /// h of either sign; slopes only where asked for.
  Values operator()(double h, bool slopes) const;

 private:
  std::vector<double> rest_;
};

/// The rates of directions whose filtered gradients have mean m and variance v: h = g m/sqrt(v),
/// mean = g G(h)/sqrt(v), drift = g K(h)/sqrt(v), rest(h).
class SignDirections {
 public:
  explicit SignDirections(const Filter& filter) : filter_(filter) {}
  DirectionRates operator()(double gain, double momentum, const Eigen::ArrayXd& mean,
                            const Eigen::ArrayXd& variance, bool slopes) const;

 private:
  std::shared_ptr<const SignOfMean> at(double momentum) const;

  struct Tables {
    std::mutex lock;
    std::map<double, std::shared_ptr<const SignOfMean>> of;
  };
  Filter filter_;
  std::shared_ptr<Tables> tables_ = std::make_shared<Tables>();
};

}  // namespace riskcurve
