// Arrays that one side allocates and the other resizes and frees; and that the numbers are those of
// any other program.
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <riskcurve/dynamics/optimizers.hpp>
#include <riskcurve/integrate/solve.hpp>

namespace {

using namespace riskcurve;

double final_risk() {
  VectorProblem problem;
  Eigen::ArrayXd eigenvalues = Eigen::ArrayXd::LinSpaced(37, 1, 37).inverse();
  problem.covariance = from_eigenvalues(eigenvalues);
  problem.noise = gaussian_noise(0.1);
  problem.initial = isotropic_target(problem.covariance.spectrum, 1);
  problem.initial.conservativeResize(100);  // ours from here on
  problem.initial.conservativeResize(37);
  const ModeSystem system = mode_system(problem, Sgd{.batch = 2});
  RiskCurve curve = solve(system, constant_schedule(0.01), Eigen::ArrayXd::LinSpaced(5, 0, 200));
  const double last = curve.risk[4];
  curve.risk.conservativeResize(1001);
  curve.steps = curve.risk;
  return last;
}

}  // namespace

int main() {
  constexpr double expected = 0.42345647166038786;
  double risk = 0;
#ifdef _OPENMP
  double risks[2];
#pragma omp parallel for num_threads(2)
  for (int i = 0; i < 2; ++i) risks[i] = final_risk();
  if (risks[0] != risks[1]) return EXIT_FAILURE;
#endif
  for (int i = 0; i < 3; ++i) risk = final_risk();
  std::printf("%.17g\n", risk);
  return std::abs(risk / expected - 1) < 1e-9 ? EXIT_SUCCESS : EXIT_FAILURE;
}
