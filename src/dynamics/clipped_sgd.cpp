#include <memory>

#include "dynamics/gradient_modes.hpp"
#include "dynamics/log_chebyshev.hpp"
#include "riskcurve/dynamics/optimizers.hpp"
#include "riskcurve/dynamics/residual.hpp"

namespace riskcurve {
namespace {

/// mu and nu as functions of (t, R). A constant threshold is tabulated in R.
struct ClipResponse {
  ResidualLaw residual;
  ClippedSgd optimizer;
  LogChebyshev mu, nu;

  ClipResponse(const NoiseLaw& noise, const ClippedSgd& clipped)
      : residual(noise),
        optimizer(clipped),
        mu([this](double risk) { return evaluate(optimizer.threshold(0), risk).mu; }),
        nu([this](double risk) { return evaluate(optimizer.threshold(0), risk).nu; }) {}

  ResidualLaw::BatchClip evaluate(double c, double risk) const {
    if (optimizer.clip == ClippedSgd::Clip::batch)
      return residual.batch_clip(risk, c, optimizer.batch);
    return {residual.within(risk, c), residual.clipped_square(risk, c)};
  }
  ResidualLaw::BatchClip at(double t, double risk) const {
    if (optimizer.threshold.kind == "constant") return {mu(risk), nu(risk)};
    return evaluate(optimizer.threshold(t), risk);
  }
};

}  // namespace

ModeSystem clipped_sgd(const VectorProblem& problem, const ClippedSgd& optimizer) {
  ModeSystem system = gradient_modes(problem, optimizer.batch);
  system.breaks = optimizer.threshold.breaks;
  const auto clip = std::make_shared<ClipResponse>(problem.noise, optimizer);
  system.response = [clip](const Now& now) {
    const auto [mu, nu] = clip->at(now.time, now.risk);
    return Response{Eigen::ArrayXd::Constant(1, mu), Eigen::ArrayXd::Constant(1, nu)};
  };
  system.observable["descent_reduction"] = [clip](const ModeSystem&, const Now& now,
                                                  const Eigen::ArrayXd&) {
    return now.risk > 0 ? clip->at(now.time, now.risk).mu : NAN;
  };
  system.observable["clipped_variance"] = [clip](const ModeSystem&, const Now& now,
                                                 const Eigen::ArrayXd&) {
    return now.risk > 0 ? clip->at(now.time, now.risk).nu : NAN;
  };
  return system;
}

}  // namespace riskcurve
