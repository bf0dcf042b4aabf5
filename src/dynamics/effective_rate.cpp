#include "dynamics/effective_rate.hpp"

#include <cmath>
#include <memory>

#include "dynamics/log_chebyshev.hpp"

namespace riskcurve {
namespace {

/// phi_b(R), tabulated unless the residual is Gaussian.
class EffectiveRate {
 public:
  EffectiveRate(const NoiseLaw& noise, int batch, SignRate rate)
      : residual_(noise),
        unit_((ResidualLaw(gaussian_noise(1)).*rate)(0, batch)),
        table_([this, batch, rate](double risk) { return (residual_.*rate)(risk, batch); }) {}
  EffectiveRate(const EffectiveRate&) = delete;
  double operator()(double risk) const {
    return residual_.gaussian() ? gaussian(risk) : table_(risk);
  }
  /// phi_b for Gaussian noise of the same variance.
  double gaussian(double risk) const {
    return unit_ / std::sqrt(2 * risk + residual_.noise_variance());
  }

 private:
  ResidualLaw residual_;
  double unit_;  // of a standard Gaussian residual
  LogChebyshev table_;
};

}  // namespace

void add_sign_response(ModeSystem& system, const NoiseLaw& noise, int batch, SignRate rate) {
  const auto phi = std::make_shared<EffectiveRate>(noise, batch, rate);
  system.response = [phi](const Now& now) {
    return Response{Eigen::ArrayXd::Constant(1, (*phi)(now.risk)), Eigen::ArrayXd::Ones(1)};
  };
  system.observable["effective_learning_rate"] = [phi](const ModeSystem&, const Now& now,
                                                       const Eigen::ArrayXd&) {
    return now.risk > 0 ? (*phi)(now.risk) : NAN;
  };
  const double variance = noise.variance;
  system.observable["noise_compression"] = [phi, variance](const ModeSystem&, const Now& now,
                                                           const Eigen::ArrayXd&) {
    return now.risk > 0 && std::isfinite(variance) ? (*phi)(now.risk) / phi->gaussian(now.risk)
                                                   : NAN;
  };
}

}  // namespace riskcurve
