#include "dynamics/effective_rate.hpp"

#include <cmath>
#include <memory>

#include "dynamics/log_chebyshev.hpp"
#include "riskcurve/dynamics/residual.hpp"

namespace riskcurve {
namespace {

/// phi_b(R), tabulated unless it is a closed form.
class EffectiveRate {
 public:
  EffectiveRate(const NoiseLaw& noise, int batch)
      : residual_(noise),
        batch_(batch),
        table_([this](double risk) { return residual_.phi(risk, batch_); }) {}
  EffectiveRate(const EffectiveRate&) = delete;
  double operator()(double risk) const {
    return residual_.gaussian() ? residual_.phi(risk, batch_) : table_(risk);
  }
  /// phi_b for Gaussian noise of the same variance.
  double gaussian(double risk) const {
    return std::sqrt(2 / M_PI) * chi_mean(batch_) /
           std::sqrt(2 * risk + residual_.noise_variance());
  }

 private:
  ResidualLaw residual_;
  int batch_;
  LogChebyshev table_;
};

}  // namespace

void add_sign_response(ModeSystem& system, const NoiseLaw& noise, int batch) {
  const auto phi = std::make_shared<EffectiveRate>(noise, batch);
  system.response = [phi](double, double risk, const Eigen::ArrayXd&) {
    return Response{Eigen::ArrayXd::Constant(1, (*phi)(risk)), Eigen::ArrayXd::Ones(1)};
  };
  system.observable["effective_learning_rate"] = [phi](const ModeSystem&, double, double risk,
                                                       const Eigen::ArrayXd&) {
    return risk > 0 ? (*phi)(risk) : NAN;
  };
  const double variance = noise.variance;
  system.observable["noise_compression"] = [phi, variance](const ModeSystem&, double, double risk,
                                                           const Eigen::ArrayXd&) {
    return risk > 0 && std::isfinite(variance) ? (*phi)(risk) / phi->gaussian(risk) : NAN;
  };
}

}  // namespace riskcurve
