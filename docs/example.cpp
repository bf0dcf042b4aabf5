#include <cstdio>
#include <riskcurve/dynamics/optimizers.hpp>
#include <riskcurve/integrate/solve.hpp>
#include <riskcurve/report/curve.hpp>

int main() {
  using namespace riskcurve;
  VectorProblem problem;
  problem.covariance = power_law(2000, 0.6);  // eigenvalues j^(-1.2)
  problem.noise = student_t_noise(1.0, 0.2);  // Cauchy: no variance
  problem.initial = power_law_target(problem.covariance.spectrum, 0.2, 1.0);  // R(0) = 1

  const Eigen::ArrayXd steps = Eigen::ArrayXd::LinSpaced(9, 0, 4000);
  const RiskCurve curve = solve(sign_sgd(problem, {.batch = 4}), constant_schedule(2e-4), steps);
  for (Eigen::Index i = 0; i < curve.risk.size(); ++i) {
    std::printf("%6.0f  %.6f\n", curve.steps(i), curve.risk(i));
  }
  plot(to_figure(curve, "SignSGD under Cauchy noise"), "risk.svg");
  return curve.status == RiskCurve::Status::ok ? 0 : 1;
}
