// Ten short computations, for scripts/instructions-check to count the instructions of. With the
// name of one runs it and prints a number that it ends in; without arguments prints what they are
// compiled with, then the names.
#include <gnu/libc-version.h>

#include <cstdio>
#include <functional>
#include <map>
#include <memory>
#include <string>

#include "dynamics/residual_transform.hpp"
#include "riskcurve/riskcurve.hpp"

using namespace riskcurve;
using Eigen::ArrayXd;

using Work = std::function<double()>;

/// Callgrind counts from here to its return: what prepares a kernel does not count.
extern "C" [[gnu::noinline]] double measured(const Work& work) {
  return work();
}

namespace {

VectorProblem vector_problem(double dimension, double alpha = 0.75) {
  return make_problem(power_law(dimension, alpha), PowerLawTarget{.beta = 0.25},
                      gaussian_noise(0.1));
}

Experiment matrix_experiment(double size, Optimizer optimizer, double steps) {
  Experiment e;
  e.problem = make_problem(power_law(size, 0.5), power_law(size, 0.5),
                           MatrixPowerLawTarget{.beta = 0.2}, gaussian_noise(0.1));
  e.optimizer = std::move(optimizer);
  e.schedule = constant_schedule(1e-3);
  e.run = run_for(steps, 1);
  return e;
}

double last(const RiskCurve& curve) {
  return curve.risk[curve.risk.size() - 1];
}

/// Step by step; leaping where times are far apart.
Work chain(Optimizer optimizer, double momentum, double steps, int times) {
  Experiment e;
  e.problem = vector_problem(300);
  e.optimizer = std::move(optimizer);
  e.schedule = constant_schedule(1e-3);
  e.run = run_for(steps, times);
  if (momentum > 0) e.chain.momentum = constant_schedule(momentum);
  auto system = std::make_shared<ModeSystem>(compress(mode_system(e)));
  SolveOptions options;
  options.method = Method::recursion;
  return [=] { return last(solve(*system, e.schedule, e.run.at, options)); };
}

Work collocation() {
  auto system =
      std::make_shared<ModeSystem>(compress(mode_system(vector_problem(1e5), SignSgd{1})));
  return [=] { return last(solve(*system, constant_schedule(2e-5), ArrayXd::Constant(1, 1e5))); };
}

Work sensitivity_sweep() {
  auto system = std::make_shared<ModeSystem>(compress(mode_system(vector_problem(1e4), Sgd{1})));
  return [=] { return sensitivity(*system, constant_schedule(1e-2), 1e4).gradient.sum(); };
}

/// The rates of every pair of modes, from both spectra.
Work sign_svd_rates() {
  const Experiment e = matrix_experiment(64, SignSvd{64}, 1);
  return [=] {
    const ModeSystem system = mode_system(e.matrix(), SignSvd{64});
    return system.rates(system.start()).diffusion.sum();
  };
}

/// Ten steps of rates that see signals of any size.
Work any_signal_rates() {
  const Experiment e = matrix_experiment(64, SignSvd{64}, 10);
  return [=] {
    const ModeSystem system = mode_system(e.matrix(), SignSvd{64}, Filter{});
    return last(solve(system, e.schedule, e.run.at));
  };
}

Work residual_transform() {
  return [] {
    const ResidualTransform transform(student_t_noise(1.5, 0.1), 0.3);
    double sum = 0;
    for (double log_m = -12; log_m < 12; log_m += 0.5) {
      const ResidualTransform::Values v = transform.at(log_m);
      sum += v.chi + transform.log_m(v.p, v.rest);
    }
    return sum;
  };
}

Work compression() {
  const ArrayXd eigenvalues = ArrayXd::LinSpaced(20000, 1, 20000).pow(-1.2);
  auto problem = std::make_shared<VectorProblem>(make_problem(
      from_eigenvalues(eigenvalues), PowerLawTarget{.beta = 0.25}, gaussian_noise(0.1)));
  auto system = std::make_shared<ModeSystem>(mode_system(*problem, SignSgd{8}));
  return [=] { return compress(*system).initial.sum(); };
}

Work monte_carlo() {
  const Experiment e = matrix_experiment(48, SignSvd{48}, 10);
  return [=] {
    SimulateOptions options;
    options.runs = options.threads = 1;
    return simulate(e, options).mean.sum();
  };
}

const std::map<std::string, std::function<Work()>> kKernels = {
    {"adam_blocks", [] { return chain(Adam{.batch = 4}, 0, 1000, 100); }},
    {"any_signal_rates", any_signal_rates},
    {"collocation", collocation},
    {"compression", compression},
    {"leaping", [] { return chain(Sgd{1}, 0.9, 1e4, 1); }},
    {"monte_carlo", monte_carlo},
    {"recursion", [] { return chain(Sgd{1}, 0.9, 1000, 100); }},
    {"residual_transform", residual_transform},
    {"sensitivity_sweep", sensitivity_sweep},
    {"sign_svd_rates", sign_svd_rates},
};

}  // namespace

int main(int argc, char** argv) {
  if (argc == 1) {
    std::printf("gcc %s, glibc %s, Eigen %d.%d.%d\n", __VERSION__, gnu_get_libc_version(),
                EIGEN_WORLD_VERSION, EIGEN_MAJOR_VERSION, EIGEN_MINOR_VERSION);
    for (const auto& [name, make] : kKernels) std::printf("%s\n", name.c_str());
    return 0;
  }
  const auto found = kKernels.find(argv[1]);
  if (argc > 2 || found == kKernels.end()) {
    std::fprintf(stderr, "kernels: no kernel is called \"%s\"\n", argv[argc - 1]);
    return 2;
  }
  std::printf("%.15g\n", measured(found->second()));
}
