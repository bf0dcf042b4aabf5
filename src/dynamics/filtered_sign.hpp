#pragma once
#include <functional>
#include <map>
#include <memory>
#include <mutex>

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
enum class Entries_of { vector, matrix };

/// The noise power N(R, beta) of residuals as the sign sees them: a noisy gradient's sign has the
/// slope sqrt(2/pi)/sqrt(N sum w_l^2) per unit of signal of all lags. 2P/b for long memories and
/// for Gaussian residuals of large batches; finite for noise of infinite variance. Relative error
/// about 1e-7.
class FilteredNoise {
 public:
  /// `varying` momentum is interpolated, in cubics of log(1 - beta); else computed for every value.
  FilteredNoise(const ResidualLaw& law, int batch, Entries_of entries, bool nesterov, bool varying);
  double operator()(double risk, double momentum) const;

 private:
  double compute(double risk, double momentum) const;
  double at(double risk, double momentum) const;

  ResidualLaw law_;
  int batch_;
  Entries_of entries_;
  bool nesterov_, varying_;
  struct Tables {
    std::mutex lock;
    std::map<double, std::unique_ptr<const LogChebyshev>> of_risk;  // by momentum
  };
  std::shared_ptr<Tables> tables_ = std::make_shared<Tables>();
};

/// (2/pi) sum over all lags of arcsin(rho r_l) - rho r_l, rho = sin(theta): what the sign adds to
/// the noise of its linear part, between coordinates of correlation rho.
double sign_remainder(double theta, const LagWeights& weights);

/// A function of momentum between few of its values: cubics in log(1 - beta), 1e-5.
double between_momenta(double momentum, const std::function<double(double momentum)>& f);

}  // namespace riskcurve
