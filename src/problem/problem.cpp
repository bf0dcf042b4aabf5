#include "riskcurve/problem/problem.hpp"

#include <cmath>

#include "riskcurve/problem/error.hpp"
#include "target.hpp"

namespace riskcurve {

namespace {

NoiseLaw read_problem_noise(const Fields& problem, const std::optional<Eigen::ArrayXd>& residuals,
                            bool& from_residuals) {
  const bool given = problem.has("noise");
  const Fields noise = given ? problem.table("noise") : Fields();
  from_residuals = given ? noise.text_or("kind", "") == "residuals" : residuals.has_value();
  if (!from_residuals) return given ? read_noise(noise) : no_noise();
  if (!residuals) noise.fail("kind", "another kind: residuals need a target of kind \"fit\"");
  return empirical_noise(*residuals);
}

Run read_run(const Fields& fields) {
  Run run;
  run.steps = fields.integer("steps", Range::within(1, 1e15));
  if (fields.has("at")) {
    for (const char* key : {"points", "spacing"})
      if (fields.has(key)) fields.fail(key, "no such key beside `at`");
    const std::vector<double> at = fields.numbers("at", Range::within(0, run.steps));
    if (at.empty()) fields.fail("at", "at least one step");
    for (std::size_t i = 0; i < at.size(); ++i)
      if (at[i] != std::floor(at[i]) || (i > 0 && at[i] <= at[i - 1]))
        fields.fail("at", "increasing whole numbers");
    run.at = Eigen::Map<const Eigen::ArrayXd>(at.data(), static_cast<Eigen::Index>(at.size()));
    return run;
  }
  const auto points = static_cast<int>(fields.integer_or("points", 50, Range::within(1, 1e6)));
  const bool log = fields.has("spacing") && fields.one_of("spacing", {"linear", "log"}) == "log";
  std::vector<double> at{0};
  for (int i = 1; i <= points; ++i) {
    const double k = log && points > 1 ? std::round(std::pow(run.steps, (i - 1.0) / (points - 1.0)))
                                       : std::round(run.steps * i / points);
    if (k > at.back()) at.push_back(k);
  }
  run.at = Eigen::Map<const Eigen::ArrayXd>(at.data(), static_cast<Eigen::Index>(at.size()));
  return run;
}

VectorProblem read_vector_problem(const Fields& fields) {
  VectorProblem problem;
  problem.covariance = read_covariance(fields.table("covariance"));
  InitialError error = read_initial_error(fields, problem.covariance);
  problem.initial = std::move(error.squares);
  problem.initial_error = std::move(error.coordinates);
  bool from_residuals = false;
  problem.noise = read_problem_noise(fields, error.residuals, from_residuals);
  // Another law replaces the residuals, in Monte Carlo too.
  if (from_residuals) problem.row_residuals = std::move(error.residuals);
  validate(problem);
  return problem;
}

}  // namespace

namespace {

Eigen::ArrayXd scaled_to(const Spectrum& spectrum, Eigen::ArrayXd squares, double risk) {
  if (!(risk >= 0) || !std::isfinite(risk))
    throw InputError("risk", std::to_string(risk), "a finite number >= 0");
  if (risk == 0) return Eigen::ArrayXd::Zero(squares.size());
  // The largest square is brought to one first, so that no sum of extreme values over- or
  // underflows.
  squares /= squares.maxCoeff();
  const double present = 0.5 * (spectrum.value * squares).sum();
  if (!(present > 0) || !std::isfinite(risk / present))
    throw InputError("risk", std::to_string(risk), "0: this target has no risk to scale");
  return squares * (risk / present);
}

}  // namespace

Eigen::ArrayXd power_law_target(const Spectrum& spectrum, double beta, double risk) {
  if (!std::isfinite(beta)) throw InputError("beta", std::to_string(beta), "a finite number");
  return scaled_to(spectrum, spectrum.power_mass(beta), risk);
}

Eigen::ArrayXd isotropic_target(const Spectrum& spectrum, double risk, double from, double to) {
  return scaled_to(spectrum, spectrum.mass_between(from, to), risk);
}

void validate(const VectorProblem& problem) {
  const Spectrum& spectrum = problem.covariance.spectrum;
  const Eigen::Index n = spectrum.size();
  const auto text = [](auto x) { return std::to_string(x); };
  if (n == 0) throw InputError("covariance.spectrum", "empty", "at least one eigenvalue");
  for (const Eigen::ArrayXd* part :
       {&spectrum.multiplicity, &spectrum.first, &spectrum.last, &problem.initial})
    if (part->size() != n)
      throw InputError("problem", text(part->size()) + " entries",
                       text(n) + " entries, one for each node of the spectrum");
  const auto check = [&](const char* field, const Eigen::ArrayXd& values) {
    for (const double x : values)
      if (!std::isfinite(x) || x < 0) throw InputError(field, text(x), "finite numbers >= 0");
  };
  check("covariance.spectrum.value", spectrum.value);
  check("covariance.spectrum.multiplicity", spectrum.multiplicity);
  check("initial", problem.initial);
  if (!(spectrum.norm() > 0))
    throw InputError("covariance.spectrum", "all zero", "an eigenvalue > 0");
  if (!std::isfinite(problem.initial_risk()))
    throw InputError("initial risk", text(problem.initial_risk()), "a finite number");
  if (problem.initial_error) {
    if (static_cast<double>(problem.initial_error->size()) != std::round(problem.dimension()))
      throw InputError("initial_error", text(problem.initial_error->size()) + " entries",
                       "as many as the dimension");
    if (!problem.initial_error->allFinite())
      throw InputError("initial_error", "nan or inf", "finite numbers");
  }
  if (problem.row_residuals && (!problem.covariance.rows ||
                                problem.row_residuals->size() != problem.covariance.rows->x.rows()))
    throw InputError("row_residuals", text(problem.row_residuals->size()) + " entries",
                     "one for each row of the data");
  if (std::isnan(problem.noise.variance) || problem.noise.variance < 0)
    throw InputError("noise.variance", text(problem.noise.variance), "a number >= 0");
}

Experiment read_experiment(const Fields& file) {
  Experiment experiment;
  const Fields problem = file.table("problem"), schedule = file.table("schedule");
  experiment.optimizer = file.table("optimizer");
  experiment.optimizer.text("name");
  experiment.run = read_run(file.table("run"));
  const bool matrix =
      problem.has("geometry") && problem.one_of("geometry", {"vector", "matrix"}) == "matrix";
  if (matrix) {
    experiment.problem = read_matrix_problem(problem);
  } else {
    experiment.problem = read_vector_problem(problem);
  }
  const double dimension =
      std::visit([](const auto& either) { return either.dimension(); }, experiment.problem);
  experiment.schedule = read_schedule(schedule, dimension, experiment.run.steps);
  file.reject_unknown({"optimizer"});
  return experiment;
}

}  // namespace riskcurve
