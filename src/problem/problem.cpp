#include "riskcurve/problem/problem.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>

#include "named.hpp"
#include "target.hpp"

namespace riskcurve {
namespace {

Eigen::ArrayXd scaled_to(const Spectrum& spectrum, Eigen::ArrayXd squares, double risk) {
  if (!(risk >= 0) || !std::isfinite(risk)) throw InputError("risk", risk, "a finite number >= 0");
  if (risk == 0) return Eigen::ArrayXd::Zero(squares.size());
  // The largest square is brought to one first, so that no sum of extreme values over- or
  // underflows.
  squares /= squares.maxCoeff();
  const double present = 0.5 * (spectrum.value * squares).sum();
  if (!(present > 0) || !std::isfinite(risk / present))
    throw InputError("risk", risk, "0: this target has no risk to scale");
  squares *= risk / present;
  return squares;
}

}  // namespace

Eigen::ArrayXd power_law_target(const Spectrum& spectrum, double beta, double risk) {
  if (!std::isfinite(beta)) throw InputError("beta", beta, "a finite number");
  return scaled_to(spectrum, spectrum.power_mass(beta), risk);
}

Eigen::ArrayXd isotropic_target(const Spectrum& spectrum, double risk, double from, double to) {
  return scaled_to(spectrum, spectrum.mass_between(from, to), risk);
}

void validate(const VectorProblem& problem) {
  const Spectrum& spectrum = problem.covariance.spectrum;
  const Eigen::Index n = spectrum.size();
  const auto text = [](auto count) { return std::to_string(count); };
  if (n == 0) throw InputError("covariance.spectrum", "empty", "at least one eigenvalue");
  for (const Eigen::ArrayXd* part :
       {&spectrum.multiplicity, &spectrum.first, &spectrum.last, &problem.initial})
    if (part->size() != n)
      throw InputError("problem", text(part->size()) + " entries",
                       text(n) + " entries, one for each node of the spectrum");
  const auto check = [&](const char* field, const Eigen::ArrayXd& values) {
    if ((values >= 0 && values <= std::numeric_limits<double>::max()).all()) return;
    for (const double x : values)
      if (!std::isfinite(x) || x < 0) throw InputError(field, x, "finite numbers >= 0");
  };
  check("covariance.spectrum.value", spectrum.value);
  check("covariance.spectrum.multiplicity", spectrum.multiplicity);
  check("target, squared errors", problem.initial);
  if (!(spectrum.norm() > 0))
    throw InputError("covariance.spectrum", "all zero", "an eigenvalue > 0");
  if (!std::isfinite(problem.initial_risk()))
    throw InputError("target, initial risk", problem.initial_risk(),
                     "a finite number: eigenvalues or target too large");
  if (problem.initial_error) {
    if (static_cast<double>(problem.initial_error->size()) != std::round(problem.dimension()))
      throw InputError("initial_error", text(problem.initial_error->size()) + " entries",
                       "as many as the dimension");
    if (!problem.initial_error->allFinite())
      throw InputError("initial_error", "nan or inf", "finite numbers");
  }
  if (problem.theta_start) {
    if (!problem.initial_error || problem.initial_error->size() != problem.theta_start->size())
      throw InputError("theta_start", text(problem.theta_start->size()) + " entries",
                       "as many as in initial_error");
    if (!problem.theta_start->allFinite())
      throw InputError("theta_start", "nan or inf", "finite numbers");
  }
  if (problem.row_residuals && (!problem.covariance.rows ||
                                problem.row_residuals->size() != problem.covariance.rows->x.rows()))
    throw InputError("row_residuals", text(problem.row_residuals->size()) + " entries",
                     "one for each row of the data");
  if (std::isnan(problem.noise.variance) || problem.noise.variance < 0)
    throw InputError("noise.variance", problem.noise.variance, "a number >= 0");
}

VectorProblem make_problem(Covariance covariance, const VectorTarget& target,
                           const std::optional<NoiseLaw>& noise, const Start& start) {
  VectorProblem problem;
  problem.covariance = std::move(covariance);
  InitialError error = initial_error_of(target, start, problem.covariance);
  problem.initial = std::move(error.squares);
  problem.initial_error = std::move(error.coordinates);
  if (problem.initial_error) problem.theta_start = std::move(error.start);
  if (noise) {
    problem.noise = *noise;
  } else if (error.residuals) {
    problem.noise = empirical_noise(*error.residuals);
    problem.row_residuals = std::move(error.residuals);
  }
  problem.target = target;
  problem.start = start;
  validate(problem);
  return problem;
}

bool VectorProblem::operator==(const VectorProblem& other) const {
  const auto equal = [](const auto& a, const auto& b) {
    return a.has_value() == b.has_value() && (!a || same(*a, *b));
  };
  return covariance == other.covariance && noise == other.noise && same(initial, other.initial) &&
         equal(initial_error, other.initial_error) && equal(theta_start, other.theta_start) &&
         equal(row_residuals, other.row_residuals);
}

Run run_for(double steps, int points, Spacing spacing) {
  check_range("steps", steps, Range::wholes(1, 1e15));
  check_range("points", points, Range::wholes(1, 1e6));
  std::vector<double> at{0};
  for (int i = 1; i <= points; ++i) {
    const double k = spacing == Spacing::log && points > 1
                         ? std::round(std::pow(steps, (i - 1.0) / (points - 1.0)))
                         : std::round(steps * i / points);
    if (k > at.back()) at.push_back(k);
  }
  return {steps, Eigen::Map<const Eigen::ArrayXd>(at.data(), std::ssize(at))};
}

std::string describe(const Experiment& experiment) {
  const std::string start =
      fmt::format("{}{}, batch {}{} on", name_of(experiment.optimizer), describe(experiment.chain),
                  batch_of(experiment.optimizer), experiment.chain.batch ? " at first" : "");
  if (!experiment.is_matrix())
    return fmt::format("{} {} covariance, d = {:.10g}, noise: {}", start,
                       experiment.vector().covariance.kind, experiment.dimension(),
                       experiment.noise().kind);
  const MatrixProblem& problem = experiment.matrix();
  return fmt::format("{} {} x {} covariance, {:.10g} x {:.10g}, noise: {}", start,
                     problem.covariance_out.kind, problem.covariance_in.kind,
                     problem.covariance_out.dimension(), problem.covariance_in.dimension(),
                     problem.noise.kind);
}

}  // namespace riskcurve
