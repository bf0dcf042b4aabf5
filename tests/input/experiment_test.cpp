// Experiments are values: equal, copied, and written as problem files that
// read back to equal ones.
#include <gtest/gtest.h>

#include <memory>

#include "analysis/random_problems.hpp"
#include "riskcurve/analysis/predict.hpp"
#include "riskcurve/input/input.hpp"
#include "riskcurve/simulate/simulate.hpp"
#include "round_trip.hpp"

namespace riskcurve {
namespace {

/// 8 coordinates, R(0) = 1, SGD.
Experiment small(VectorProblem problem) {
  return {std::move(problem), Sgd{2}, constant_schedule(1e-2), run_for(40, 4)};
}
VectorProblem listed(const NoiseLaw& noise = gaussian_noise(0.1)) {
  return make_problem(from_eigenvalues(Eigen::Array3d(1, 0.5, 0.1)), IsotropicTarget{}, noise);
}

TEST(ToToml, RandomProblemsRoundTrip) {
  random_problems::Generator generator(7);
  for (int i = 0; i < 300; ++i) expect_round_trip(generator.next().experiment());
}

TEST(ToToml, EveryCovarianceBuiltInCppRoundTrips) {
  auto rows = std::make_shared<DataRows>();
  rows->x = Eigen::MatrixXd{{1, 0.5, -1}, {0.25, -1, 0}, {0.1, 0.7, 1e-9}, {-2, 0, 0.3}};
  const Spectrum nodes{Eigen::Array2d(2, 0.25), Eigen::Array2d(3.5, 1.5), Eigen::Array2d(1, 4.25),
                       Eigen::Array2d(3.5, 4.25)};
  for (const Covariance& covariance :
       {isotropic(5, 0.3), power_law(1e18, 0.7, Orientation::diagonal),
        from_eigenvalues(Eigen::Array3d(1, 1e-300, 0.1)), from_spectrum(nodes),
        exponential_decay(100, 7), spiked(9, Eigen::Array2d(4, 2), 0.1), marchenko_pastur(20, 0.5),
        ar1(4, -0.3), toeplitz(Eigen::Array3d(2, 0.5, 0.1)),
        from_matrix(Eigen::MatrixXd{{2, 0.1}, {0.1, 1. / 3}}), from_rows(rows)})
    expect_round_trip(small(make_problem(covariance, PowerLawTarget{0.3, 2}, laplace_noise(0.1))));
}

TEST(ToToml, EveryNoiseRoundTrips) {
  for (const NoiseLaw& noise :
       {no_noise(), gaussian_noise(1. / 3), student_t_noise(1.5, 1e-9), laplace_noise(2),
        uniform_noise(0.1), rademacher_noise(3), empirical_noise(Eigen::Array3d(-1, 0.2, 7)),
        mixture_noise({0.25, 0.75}, {student_t_noise(1, 0.1), gaussian_noise(2)})})
    expect_round_trip(small(listed(noise)));
}

TEST(ToToml, EveryScheduleRoundTripsRawAndScaled) {
  for (const Schedule& schedule :
       {constant_schedule(1e-3), piecewise_schedule({0, 5}, {0.1, 0}), cosine_schedule(1, 0.1, 30),
        power_decay_schedule(0.3, 0.7, 4), tabulated_schedule({0, 3, 9}, {0, 0.1, 0}),
        warm_up(cosine_schedule(0.3, 0, 40), 7), linear_schedule(0.3, 0, 50),
        linear_schedule(0, 0.1, 20), polynomial_schedule(0.3, 1. / 3, 40),
        polynomial_schedule(1, 2, 30, PolynomialSchedule::Share::elapsed),
        warm_up(wsd_schedule(0.3, 0.1, 40, 0.5), 3)}) {
    Experiment experiment = small(listed());
    experiment.schedule = schedule;
    expect_round_trip(experiment);
    experiment.schedule = times(schedule, 1 / experiment.dimension());
    expect_round_trip(experiment);
    EXPECT_NE(to_toml(experiment).find("scaled_step"), std::string::npos);
  }
  Experiment custom = small(listed());
  custom.schedule = custom_schedule([](double k) { return 1 / (1 + k); }, {});
  EXPECT_TRUE(custom == Experiment(custom));
  EXPECT_THROW(to_toml(custom), InputError);
}

TEST(ToToml, EveryOptimizerRoundTrips) {
  const Schedule fading = warm_up(cosine_schedule(2, 1, 30), 3);
  for (const Optimizer& optimizer : std::vector<Optimizer>{
           Sgd{3}, SignSgd{}, PreconditionedSgd{2, 0.5}, ClippedSgd{2, constant_schedule(0.7)},
           ClippedSgd{2, fading, ClippedSgd::Clip::batch}}) {
    Experiment experiment = small(listed());
    experiment.optimizer = optimizer;
    expect_round_trip(experiment);
  }
  for (const Optimizer& optimizer : std::vector<Optimizer>{
           RowNormalizedSgd{4}, SignSvd{4}, Schatten{4, -0.25}, RegularizedSvd{4, 0.1},
           TruncatedSvd{4, 0.1}, MixedSvd{4, 0.3}, Kaon{4}, Kaon{4, UniformValues{0, 1.25}}})
    expect_round_trip({make_problem(isotropic(4), power_law(6, 0.5),
                                    MatrixPowerLawTarget{0.2, 1, Sides::both}, gaussian_noise(1)),
                       optimizer, constant_schedule(1e-3), run_for(10)});
}

TEST(ToToml, ErrorsSetByHandAreWrittenNumberByNumber) {
  VectorProblem by_hand = listed();
  by_hand.initial *= 1. / 3;  // no longer what its target says
  expect_round_trip(small(by_hand));
  EXPECT_NE(to_toml(small(by_hand)).find("given"), std::string::npos);

  VectorProblem problem;
  problem.covariance = ar1(3, 0.5);
  problem.noise = gaussian_noise(0.1);
  problem.initial_error = Eigen::Vector3d(1, -1e-9, 0.3);
  problem.initial = Eigen::Array3d(0.1, 0.2, 0.7);
  expect_round_trip(small(problem));

  MatrixProblem matrix = make_problem(power_law(3, 0.3), ar1(4, 0.2), IsotropicTarget{2});
  matrix.initial_error = Eigen::MatrixXd::Random(3, 4);
  matrix.initial = Eigen::ArrayXXd::Constant(3, 4, 0.1);
  expect_round_trip({matrix, SignSgd{2}, constant_schedule(1e-2), run_for(5)});

  auto rows = std::make_shared<DataRows>();
  rows->x = Eigen::MatrixXd{{1, 0.5}, {0.25, -1}, {0.1, 0.7}};
  VectorProblem data = make_problem(from_rows(rows), IsotropicTarget{},
                                    empirical_noise(Eigen::Array3d(0.1, -0.2, 0.4)));
  data.row_residuals = Eigen::Array3d(0.1, -0.2, 0.4);
  expect_round_trip(small(data));
}

TEST(ToToml, TheExamplesRoundTrip) {
  for (const char* name : {"sign_sgd_cauchy", "sign_svd_matrix", "digits",
                           "digits_sign_sgd_gaussian", "transfer_matrix"})
    expect_round_trip(read_experiment(std::string(RISKCURVE_SOURCE_DIR "/validation/examples/") +
                                      name + ".toml"));
}

TEST(Experiment, DiffersWhereAnyPartDoes) {
  const Experiment one = small(listed());
  const auto differs = [&](const auto& change) {
    Experiment other = one;
    change(other);
    return !(other == one);
  };
  EXPECT_TRUE(one == small(listed()));
  EXPECT_TRUE(differs([](Experiment& e) { e.optimizer = Sgd{3}; }));
  EXPECT_TRUE(differs([](Experiment& e) { e.optimizer = SignSgd{2}; }));
  EXPECT_TRUE(differs([](Experiment& e) { e.schedule = times(e.schedule, 2); }));
  EXPECT_TRUE(differs([](Experiment& e) { e.run = run_for(40, 5); }));
  EXPECT_TRUE(differs([](Experiment& e) { e.problem = listed(gaussian_noise(0.2)); }));
  EXPECT_TRUE(differs([](Experiment& e) { std::get<VectorProblem>(e.problem).initial[0] = 9; }));
}

}  // namespace
}  // namespace riskcurve
