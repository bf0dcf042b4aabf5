#include "dynamics/seen_gradient.hpp"

#include <cmath>
#include <numbers>
#include <utility>

namespace riskcurve {
namespace {

using Eigen::ArrayXd;
using Eigen::Index;

constexpr double kSameError = 1e-14;  // of a square: its mean is all of it

}  // namespace

Errors errors_of(const FilteredGradient& u) {
  const ArrayXd spread = u.error - u.mean.square();
  return {u.mean, (spread > kSameError * u.error).select(spread, 0.0)};
}

double NoisePower::operator()(double risk) const {
  return 2 / (std::numbers::pi * std::pow(phi(risk), 2));
}

NoisePower noise_power(const ModeSystem& signs, double noise_variance) {
  return {[response = signs.response](double risk) { return response(Now{.risk = risk}).drift[0]; },
          noise_variance};
}

bool dense(const Covariance& side) {
  return side.orientation == Orientation::generic && side.spectrum.size() > 1;
}

void observe_signal(ModeSystem& system, std::function<double(const Now& now)> noise) {
  system.observable["signal_power"] = [noise = std::move(noise)](const ModeSystem& seen,
                                                                 const Now& now, const ArrayXd& s) {
    return (seen.weight.square() * s).sum() /
           (noise(now) * (seen.weight * seen.multiplicity).sum());
  };
}

ArrayXd with_own_part(const MatrixProblem& problem, const FilteredGradient& u,
                      double noise_variance) {
  const double power = 2 * u.risk + noise_variance;
  ArrayXd all = ArrayXd::Ones(u.weight.size());
  if (!std::isfinite(power)) return all;
  const Index out = problem.covariance_out.spectrum.size();
  const Index in = problem.covariance_in.spectrum.size();
  const Eigen::MatrixXd share = (u.weight * u.error * u.multiplicity).matrix().reshaped(out, in);
  const auto& n_out = problem.covariance_out.spectrum.multiplicity;
  const auto& n_in = problem.covariance_in.spectrum.multiplicity;
  Eigen::ArrayXXd part = Eigen::ArrayXXd::Zero(out, in);
  if (in > 1) part.rowwise() += (share.colwise().sum().array() / n_in.transpose()).eval();
  if (out > 1) part.colwise() += (share.rowwise().sum().array() / n_out).eval();
  all += 2 * part.reshaped() / power;
  return all;
}

}  // namespace riskcurve
