// A mode system and an experiment may be read by several threads at once.
#include <gtest/gtest.h>

#include <cmath>
#include <map>
#include <string>
#include <thread>
#include <vector>

#include "riskcurve/analysis/clipping.hpp"
#include "riskcurve/analysis/predict.hpp"
#include "riskcurve/dynamics/optimizers.hpp"
#include "riskcurve/integrate/sde.hpp"
#include "riskcurve/simulate/simulate.hpp"

namespace riskcurve {
namespace {

VectorProblem vector_problem(const NoiseLaw& noise) {
  VectorProblem problem{power_law(20, 0.4), noise, {}, {}, {}};
  problem.initial = power_law_target(problem.covariance.spectrum, 0.2, 1.0);
  return problem;
}

MatrixProblem matrix_problem(const NoiseLaw& noise) {
  MatrixProblem problem{power_law(4, 0.3), power_law(5, 0.3), noise, {}, {}};
  problem.initial = matrix_power_law_target(problem.covariance_out.spectrum,
                                            problem.covariance_in.spectrum, 0.2, Sides::both, 1.0);
  return problem;
}

/// Systems that keep tables, none of them filled.
std::map<std::string, ModeSystem> systems() {
  const NoiseLaw heavy = student_t_noise(1.5, 0.3),
                 mixed = mixture_noise({0.5, 0.5}, {heavy, gaussian_noise(0.4)});
  ClippedSgd constant{3, constant_schedule(0.7)}, fading{3, cosine_schedule(1.5, 0.5, 100)};
  ClippedSgd batch{4, constant_schedule(0.4), ClippedSgd::Clip::batch};
  ClippedSgd fading_batch{4, cosine_schedule(1.5, 0.5, 100), ClippedSgd::Clip::batch};
  const SignSvd polar{6};
  const RegularizedSvd smooth{6, 0.3};
  return {{"sgd", mode_system(vector_problem(laplace_noise(0.3)), Sgd{2})},
          {"sign_sgd, one sample", mode_system(vector_problem(heavy), SignSgd{1})},
          {"sign_sgd, mixed noise", mode_system(vector_problem(mixed), SignSgd{3})},
          {"sign_sgd on matrices", mode_system(matrix_problem(heavy), SignSgd{3})},
          {"clipped_sgd", mode_system(vector_problem(heavy), constant)},
          {"clipped_sgd in time", mode_system(vector_problem(mixed), fading)},
          {"clipped_sgd of the batch", mode_system(vector_problem(laplace_noise(0.3)), batch)},
          {"clipped_sgd of the batch in time",
           mode_system(vector_problem(laplace_noise(0.3)), fading_batch)},
          {"optimally clipped", optimally_clipped_sgd(vector_problem(laplace_noise(0.3)), 2)},
          {"sign_svd", mode_system(matrix_problem(laplace_noise(0.3)), polar)},
          {"regularized_svd", mode_system(matrix_problem(laplace_noise(0.3)), smooth)}};
}

/// All that a system is asked at once, at risks over many octaves; `turn` says where to begin.
std::vector<double> answers(const ModeSystem& system, int turn) {
  constexpr int kInstants = 12;
  std::vector<std::vector<double>> at(kInstants);
  for (int i = 0; i < kInstants; ++i) {
    const int k = (i + turn) % kInstants;
    const Now now{8.0 * k, 0.01, std::exp(-1.7 * k), {}, &system.initial};
    const Rates rates = system.rates(now);
    std::vector<double>& values = at[static_cast<std::size_t>(k)];
    values = {rates.drift.sum(), rates.diffusion.sum()};
    for (const auto& [name, observe] : system.observable)
      values.push_back(observe(system, now, system.initial));
    if (k % 6 == 0 && system.shared_noise) {
      const SharedNoise noise = system.shared_noise(now);
      values.insert(values.end(), {noise.progress_variance, noise.covariance, noise.size_variance});
    }
    if (system.drift_loss) values.push_back(system.drift_loss(system, now, system.initial));
  }
  std::vector<double> all;
  for (const auto& values : at) all.insert(all.end(), values.begin(), values.end());
  return all;
}

TEST(Threads, ThatShareASystemGetTheNumbersOfOne) {
  const auto alone = systems(), shared = systems();
  for (const auto& [name, system] : shared) {
    const std::vector<double> expected = answers(alone.at(name), 0);
    std::vector<std::vector<double>> found(8);
    std::vector<std::thread> threads;
    for (int i = 0; i < 8; ++i)
      threads.emplace_back([&system = system, &mine = found[static_cast<std::size_t>(i)], i] {
        mine = answers(system, i);
      });
    for (std::thread& thread : threads) thread.join();
    for (const std::vector<double>& mine : found) {
      ASSERT_EQ(mine.size(), expected.size()) << name;
      for (std::size_t i = 0; i < mine.size(); ++i)
        EXPECT_TRUE(mine[i] == expected[i] || (std::isnan(mine[i]) && std::isnan(expected[i])))
            << name << ": " << mine[i] << ", alone " << expected[i];
    }
  }
}

TEST(Experiment, IsSharedBetweenThreads) {
  const Experiment shared{vector_problem(student_t_noise(1.5, 0.3)),
                          ClippedSgd{2, cosine_schedule(1, 0.5, 40)}, constant_schedule(1e-2),
                          run_for(40, 4)};
  const RiskCurve alone = predict(shared).curve;
  const Ensemble runs_alone = simulate(shared, {.runs = 2, .threads = 1});
  std::vector<RiskCurve> curve(4);
  std::vector<Ensemble> runs(4);
  std::vector<std::thread> threads;
  for (std::size_t i = 0; i < curve.size(); ++i)
    threads.emplace_back([&, i] {
      curve[i] = predict(shared, {}, true).curve;
      runs[i] = simulate(shared, {.runs = 2, .threads = 1});
    });
  for (std::thread& thread : threads) thread.join();
  for (std::size_t i = 0; i < curve.size(); ++i) {
    EXPECT_TRUE((curve[i].risk == alone.risk).all());
    EXPECT_TRUE((runs[i].risk == runs_alone.risk).all());
  }
}

TEST(Threads, OfAnSdeGetTheNumbersOfOne) {
  const ModeSystem system = mode_system(vector_problem(laplace_noise(0.3)), SignSgd{2});
  const Eigen::ArrayXd times{{0.0, 7.5, 40.0}};
  SdeOptions options;
  options.runs = 7;
  options.threads = 1;
  const Ensemble one = solve_sde(system, constant_schedule(0.01), times, options);
  options.threads = 3;
  const Ensemble more = solve_sde(system, constant_schedule(0.01), times, options);
  EXPECT_TRUE((one.risk == more.risk).all());
}

}  // namespace
}  // namespace riskcurve
