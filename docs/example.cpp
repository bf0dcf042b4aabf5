#include <cstdio>
#include <riskcurve/riskcurve.hpp>

int main() {
  using namespace riskcurve;
  Experiment experiment;
  experiment.problem = make_problem(power_law(2000, 0.25),        // eigenvalues j^(-0.5)
                                    PowerLawTarget{.beta = 0.2},  // scaled to R(0) = 1
                                    student_t_noise(1, 0.2));     // Cauchy: no variance, no mean
  experiment.optimizer = SignSgd{.batch = 4};
  experiment.schedule = constant_schedule(5e-4);
  experiment.run = run_for(4000, 20);

  const Prediction prediction = predict(experiment);
  const RiskCurve& curve = prediction.curve;
  for (int i = 0; i < curve.risk.size(); ++i)
    std::printf("%6.0f  %.6f\n", curve.steps(i), curve.risk(i));
  const Optimum best = best_step(mode_system(experiment), experiment.run.steps);
  std::printf("best step %.4g: R = %.4g\n%s\n", best.step, best.risk,
              trust_line(prediction.trust).c_str());
  plot(to_figure(curve, describe(experiment)), "risk.svg");
}
