#include <cstdio>
#include <riskcurve/dynamics/optimizers.hpp>
#include <riskcurve/integrate/solve.hpp>
#include <riskcurve/report/results.hpp>

int main() {
  using namespace riskcurve;
  VectorProblem problem;
  problem.covariance = power_law(2000, 0.25);  // eigenvalues j^(-0.5), j = 1..2000
  problem.noise = student_t_noise(1, 0.2);     // Cauchy: no variance, no mean
  problem.initial = power_law_target(problem.covariance.spectrum, 0.2, 1);  // R(0) = 1

  const ModeSystem system = mode_system(problem, SignSgd{.batch = 4});
  const Eigen::ArrayXd steps = Eigen::ArrayXd::LinSpaced(21, 0, 4000);
  const RiskCurve curve = solve(system, constant_schedule(5e-4), steps);
  for (int i = 0; i < curve.risk.size(); ++i) {
    std::printf("%6.0f  %.6f\n", curve.steps(i), curve.risk(i));
  }
  plot(to_figure(curve, "SignSGD under Cauchy noise"), "risk.svg");
}
