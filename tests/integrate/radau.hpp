#pragma once
#include <Eigen/Dense>
#include <cmath>
#include <functional>

#include "riskcurve/dynamics/mode_system.hpp"

namespace riskcurve {

/// An independent solution of the mode system: Radau IIA with three stages (order 5, L-stable), its
/// stages solved by Newton with a dense Jacobian, its steps by halving, the halves extrapolated.
/// Nothing of it is exponential, nor made for modes; few modes only.
class Radau {
 public:
  using Gamma = std::function<double(double local)>;

  explicit Radau(const ModeSystem& system, double rtol = 1e-12) : system_(system), rtol_(rtol) {}

  /// s after `length` from s, under gamma(local), at iteration time start + local.
  Eigen::VectorXd operator()(Eigen::VectorXd s, double start, double length, const Gamma& gamma) {
    start_ = start;
    gamma_ = &gamma;
    double t = 0, h = std::min(1e-2, 1e-3 * length);
    for (long tries = 0; t < length; ++tries) {
      if (tries > 2000000 || !(t + h > t)) return Eigen::VectorXd::Constant(s.size(), NAN);
      const bool last = t + h >= length * (1 - 1e-14);
      if (last) h = length - t;
      Eigen::VectorXd whole, half, twice;
      bool good =
          step(s, t, h, whole) && step(s, t, h / 2, half) && step(half, t + h / 2, h / 2, twice);
      double error = 10;
      if (good) {
        const double risk = 0.5 * system_.weight.matrix().dot(twice);
        const Eigen::ArrayXd scale = twice.array().abs() + 1e-6 * risk / system_.weight;
        error = (((whole - twice) / 31).array().abs() / scale).maxCoeff() / rtol_;
        good = error <= 1;
      }
      if (good) {
        s = twice + (twice - whole) / 31;
        if (last) return s;
        t += h;
      }
      h *= std::min(4.0, std::max(0.2, 0.9 * std::pow(std::max(error, 1e-9), -1.0 / 6)));
    }
    return s;
  }

 private:
  Eigen::VectorXd rate(double t, const Eigen::VectorXd& s, double risk) const {
    const Response r = system_.response(Now{start_ + t, (*gamma_)(t), risk});
    const double gamma = (*gamma_)(t);
    return -2 * gamma * (system_.drift.matrix() * r.drift.matrix()).cwiseProduct(s) +
           gamma * gamma * (system_.diffusion.matrix() * r.diffusion.matrix());
  }
  double risk(const Eigen::VectorXd& s) const {
    return std::max(1e-300, 0.5 * system_.weight.matrix().dot(s));
  }
  Eigen::MatrixXd jacobian(double t, const Eigen::VectorXd& s) const {
    const double r = risk(s), d = 1e-5 * r;
    const Eigen::VectorXd by_risk = (rate(t, s, r + d) - rate(t, s, r - d)) / (2 * d);
    Eigen::MatrixXd j = 0.5 * by_risk * system_.weight.matrix().transpose();
    const Response response = system_.response(Now{start_ + t, (*gamma_)(t), r});
    j.diagonal() -= 2 * (*gamma_)(t) * (system_.drift.matrix() * response.drift.matrix());
    return j;
  }
  bool step(const Eigen::VectorXd& s, double t, double h, Eigen::VectorXd& out) const {
    static const double q = std::sqrt(6.0);
    static const Eigen::Matrix3d a{{(88 - 7 * q) / 360, (296 - 169 * q) / 1800, (-2 + 3 * q) / 225},
                                   {(296 + 169 * q) / 1800, (88 + 7 * q) / 360, (-2 - 3 * q) / 225},
                                   {(16 - q) / 36, (16 + q) / 36, 1.0 / 9}};
    static const Eigen::Vector3d c{(4 - q) / 10, (4 + q) / 10, 1};
    const Eigen::Index n = s.size();
    Eigen::VectorXd z = Eigen::VectorXd::Zero(3 * n);  // stages, less s
    for (int iteration = 0; iteration < 12; ++iteration) {
      Eigen::MatrixXd matrix = Eigen::MatrixXd::Identity(3 * n, 3 * n);
      Eigen::VectorXd residual = z;
      for (int j = 0; j < 3; ++j) {
        const Eigen::VectorXd at = s + z.segment(j * n, n);
        const Eigen::VectorXd f = rate(t + c[j] * h, at, risk(at));
        const Eigen::MatrixXd jacobian = this->jacobian(t + c[j] * h, at);
        for (int i = 0; i < 3; ++i) {
          residual.segment(i * n, n) -= h * a(i, j) * f;
          matrix.block(i * n, j * n, n, n) -= h * a(i, j) * jacobian;
        }
      }
      const Eigen::VectorXd correction = matrix.partialPivLu().solve(residual);
      z -= correction;
      if (!z.allFinite()) return false;
      const Eigen::ArrayXd scale =
          (s.array().abs() + 1e-6 * risk(s) / system_.weight).replicate(3, 1) + z.array().abs();
      if ((correction.array().abs() / scale).maxCoeff() < 1e-13) {
        out = s + z.tail(n);
        return true;
      }
    }
    return false;
  }

  const ModeSystem& system_;
  double rtol_, start_ = 0;
  const Gamma* gamma_ = nullptr;
};

}  // namespace riskcurve
