#include <algorithm>
#include <cmath>

#include "simulate/update.hpp"

namespace riskcurve {
namespace {

// The factor that brings a norm down to the limit; 1 for the norm 0.
double clip(double norm, double limit) {
  return norm > limit ? limit / norm : 1;
}

}  // namespace

Update update_of(const ClippedSgd& clipped, const VectorProblem& problem) {
  const double unit = std::sqrt(problem.covariance.spectrum.trace());
  const auto limit = [threshold = clipped.threshold, unit](double k) {
    return threshold(k) * unit;
  };
  if (clipped.clip == ClippedSgd::Clip::batch)
    return {true, [limit](double k, const Batch& batch, Eigen::VectorXd& update) {
              const auto b = static_cast<double>(batch.residual.size());
              update.noalias() = batch.x.transpose() * batch.residual;
              update *= clip(update.norm() / b, limit(k)) / b;
            }};
  return {true, [limit](double k, const Batch& batch, Eigen::VectorXd& update) {
            const auto b = static_cast<double>(batch.residual.size());
            update.setZero();
            for (Eigen::Index i = 0; i < batch.residual.size(); ++i) {
              const double residual = batch.residual[i];
              const double norm = std::abs(residual) * batch.x.row(i).norm();
              update += residual * clip(norm, limit(k)) / b * batch.x.row(i).transpose();
            }
          }};
}

}  // namespace riskcurve
