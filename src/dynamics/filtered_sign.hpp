#pragma once
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <utility>

#include "dynamics/log_chebyshev.hpp"
#include "riskcurve/dynamics/residual.hpp"

namespace riskcurve {

// The sign of a filtered gradient, U = p M + r G, M <- beta M + (1 - beta) G, p + r = 1
// (docs/theory/chain.md#a-filter-before-the-map).

/// Its lag weights w_0 = r, w_l = p (1 - beta) beta^(l-1), which add to one.
struct LagWeights {
  double beta, first, later;  ///< w_0; (1 - beta) p: w_1

  LagWeights(double momentum, bool nesterov);
  double squares() const;  ///< sum w_l^2
  double correlation()
      const;  ///< r_1, of the weights with themselves one later: r_l = r_1 beta^(l-1)
};

/// What gradients are made of: entries of vectors, sums of residuals times normals; or of matrices,
/// times products of two.
enum class GradientOf { vector, matrix };

/// The noise of the gradient as the sign sees it. Lags add up to S = sum w_l^2 q_l, q = |l|^2/b^2,
/// and D = sum over steps t of w_t/sqrt(S_t) is what the noise of one batch moves the sign by:
///     seen N:    a filtered gradient's sign has the slope sqrt(2/pi)/sqrt(N sum w_l^2) per unit of
///                signal; 2P/b where the memory is long and the residuals' variance finite;
///     felt:      E q D^2 sum w_l^2, in N: the noise of the sign's linear part, against that slope;
///     remainder: sum over lags of E arcsin r_l - r_l, r_l the correlation of M and M l steps
///     later,
///                over its value where S does not fluctuate.
/// N to about 1e-6; the others are sampled (fixed seed, about 1 %). No moment of the noise is
/// needed.
struct SignNoise {
  double seen, felt, remainder;
};
class FilteredNoise {
 public:
  /// `varying` momentum is interpolated, in cubics of log(1 - beta); else computed for every value.
  FilteredNoise(const NoiseLaw& noise, int batch, GradientOf entries, bool nesterov, bool varying);
  SignNoise operator()(double risk, double momentum) const;

 private:
  SignNoise at(double risk, double momentum) const;

  /// What they depend on beside R and beta.
  struct Setting {
    NoiseLaw noise;
    ResidualLaw law;
    int batch;
    GradientOf entries;
    bool nesterov;
    double seen(double risk, double momentum) const;
    /// felt over seen, and the remainder.
    std::pair<double, double> spread(double risk, double momentum) const;
  };
  struct Tables {
    std::mutex lock;
    std::map<double, std::unique_ptr<const LogChebyshev>> seen;             // of R, by momentum
    std::map<std::pair<double, double>, std::pair<double, double>> spread;  // by momentum and R
  };
  std::pair<double, double> spread_at(double risk, double momentum) const;

  Setting setting_;
  bool varying_;
  std::shared_ptr<Tables> tables_ = std::make_shared<Tables>();
};

/// (2/pi) sum over all lags of arcsin(rho r_l) - rho r_l, rho = sin(theta): what the sign adds to
/// the noise of its linear part, between coordinates of correlation rho.
double sign_remainder(double theta, const LagWeights& weights);

/// A function of x >= 0 between its values at whole x: cubics.
double between_wholes(double x, const std::function<double(double whole)>& f);
/// Of momentum between few of its values: cubics in log(1 - beta).
double between_momenta(double momentum, const std::function<double(double momentum)>& f);

}  // namespace riskcurve
