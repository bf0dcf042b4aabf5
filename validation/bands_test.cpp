// The spread of independent runs of the real algorithms against the predicted bands.
//
// Fixed beforehand, for every case, from a fixed seed:
//   - 90 to 99 % of the runs lie inside the 95 % band, on average over the recorded steps;
//   - at every recorded step, the runs' standard deviation over the predicted one is 1 within
//     3/sqrt(2 runs) + 10 %: three sampling errors, and what higher orders may do.

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <cmath>
#include <cstdio>
#include <ostream>

#include "riskcurve/analysis/predict.hpp"
#include "riskcurve/input/input.hpp"
#include "riskcurve/problem/problem.hpp"
#include "riskcurve/report/results.hpp"
#include "riskcurve/simulate/simulate.hpp"

namespace riskcurve {
namespace {

struct Case {
  const char* name;
  std::string problem, optimizer, step;
  int steps, runs;
};

void PrintTo(const Case& c, std::ostream* out) {
  *out << c.name;
}

std::string vector(const std::string& covariance, const std::string& noise) {
  return fmt::format(
      "covariance = {{ {} }}\ntarget = {{ kind = 'power_law', beta = 0.2, risk = 1.0 }}\n"
      "noise = {{ {} }}\n",
      covariance, noise);
}

std::vector<Case> cases() {
  return {
      {"Sgd", vector("kind = 'isotropic', dimension = 600", "kind = 'gaussian', std = 0.5"),
       "name = 'sgd'", "scaled_step = 0.5", 1200, 200},
      {"SignSgdGeneric",
       vector("kind = 'power_law', dimension = 500, alpha = 0.2", "kind = 'laplace', scale = 0.3"),
       "name = 'sign_sgd'", "scaled_step = 1.2", 600, 200},
      {"ClippedSgdCauchy",
       vector("kind = 'isotropic', dimension = 500", "kind = 'student_t', nu = 1, scale = 0.2"),
       "name = 'clipped_sgd'\nthreshold = 0.7\nclip = 'sample'", "scaled_step = 0.5", 1200, 200},
      {"BatchClippedSgd",
       vector("kind = 'isotropic', dimension = 500", "kind = 'laplace', scale = 0.3"),
       "name = 'clipped_sgd'\nthreshold = 0.4\nclip = 'batch'\nbatch = 2", "scaled_step = 0.9", 600,
       200},
      // tr K/||K|| = 17, and no more directions share the risk.
      {"SgdPowerLaw",
       vector("kind = 'power_law', dimension = 400, alpha = 0.35", "kind = 'gaussian', std = 0.5"),
       "name = 'sgd'\nbatch = 2", "scaled_step = 8.0", 800, 200},
      // A batch that resolves the first directions: the mean is off by two deviations.
      {"SignSgdLargeBatch",
       vector("kind = 'power_law', dimension = 400, alpha = 0.25",
              "kind = 'laplace', scale = 0.35"),
       "name = 'sign_sgd'\nbatch = 16", "step = 3.4e-4", 1000, 100},
      {"SignSgdMatrix",
       "geometry = 'matrix'\ncovariance_out = { kind = 'isotropic', dimension = 80 }\n"
       "covariance_in = { kind = 'power_law', dimension = 80, alpha = 0.2 }\n"
       "target = { kind = 'isotropic', risk = 1.0 }\nnoise = { kind = 'gaussian', std = 0.3 }\n",
       "name = 'sign_sgd'\nbatch = 80", "step = 8e-4", 150, 80},
      {"SignSvd",
       "geometry = 'matrix'\ncovariance_out = { kind = 'isotropic', dimension = 100 }\n"
       "covariance_in = { kind = 'power_law', dimension = 100, alpha = 0.2 }\n"
       "target = { kind = 'isotropic', risk = 1.0 }\nnoise = { kind = 'gaussian', std = 0.3 }\n",
       "name = 'sign_svd'\nbatch = 32", "step = 0.02", 120, 80},
  };
}

class RunBand : public testing::TestWithParam<Case> {};

TEST_P(RunBand, CoversIndependentRuns) {
  const Case& c = GetParam();
  const Experiment experiment = parse_experiment(
      fmt::format("[problem]\n{}[optimizer]\n{}\n[schedule]\nkind = 'constant'\n{}\n[run]\n"
                  "steps = {}\npoints = 8\n",
                  c.problem, c.optimizer, c.step, c.steps));
  const Prediction prediction = predict(experiment, {}, true);
  const Bands& bands = *prediction.bands;
  ASSERT_EQ(bands.missing, "");
  SimulateOptions options;
  options.runs = c.runs;
  options.seed = 20261122;
  const Ensemble ensemble = simulate(experiment, options);
  const double allowed = 3 / std::sqrt(2.0 * c.runs) + 0.1;
  double ratios = 0, bias = 0, shift = 0;
  int count = 0;
  for (Eigen::Index i = 0; i < ensemble.steps.size(); ++i) {
    if (ensemble.steps[i] == 0) continue;
    const double deviation = ensemble.error[i] * std::sqrt(c.runs);
    const double ratio = deviation / bands.deviation[i];
    EXPECT_NEAR(ratio, 1, allowed) << "step " << ensemble.steps[i];
    ratios += ratio;
    bias += (ensemble.mean[i] - prediction.curve.risk[i]) / bands.deviation[i];
    shift += bands.shift[i] / bands.deviation[i];
    ++count;
  }
  const double inside = cover(bands.low, bands.high, ensemble.risk).mean;
  EXPECT_GE(inside, 90);
  EXPECT_LE(inside, 99);
  EXPECT_LT(prediction.curve.risk.minCoeff(), 0.8);  // it went somewhere
  const Eigen::Index last = ensemble.steps.size() - 1;
  std::printf(
      "%-18s R %.3f  deviation/R %.3f  runs/predicted %.3f  bias %+.2f (shift %+.2f)  inside %.1f "
      "%%\n",
      c.name, prediction.curve.risk[last], bands.deviation[last] / prediction.curve.risk[last],
      ratios / count, bias / count, shift / count, inside);
}

INSTANTIATE_TEST_SUITE_P(Cases, RunBand, testing::ValuesIn(cases()),
                         [](const auto& the) { return std::string(the.param.name); });

}  // namespace
}  // namespace riskcurve
