#include <fmt/format.h>

#include <cmath>

#include "named.hpp"
#include "problem/data.hpp"
#include "target.hpp"

namespace riskcurve {
namespace {

/// What brings a risk that is present to one that is asked for.
double scale_to(double risk, double present) {
  if (!(risk >= 0) || !std::isfinite(risk)) throw InputError("risk", risk, "a finite number >= 0");
  if (risk == 0) return 0;
  if (!(present > 0) || !std::isfinite(risk / present))
    throw InputError("risk", risk, "0: this target has no risk to scale");
  return risk / present;
}

Pairs scaled_to(const Spectrum& out, const Spectrum& in, Product squares, double risk) {
  squares.rows *=
      scale_to(risk, 0.5 * (out.value * squares.rows).sum() * (in.value * squares.columns).sum());
  return squares;
}

/// Sums of the squared entries over the index runs of both spectra.
Eigen::ArrayXXd node_squares(const Eigen::MatrixXd& entries, const Spectrum& out,
                             const Spectrum& in) {
  Eigen::ArrayXXd sums(out.size(), in.size());
  const auto run = [](const Spectrum& s, Eigen::Index k) {
    return std::pair(static_cast<Eigen::Index>(s.first[k]) - 1,
                     static_cast<Eigen::Index>(s.multiplicity[k]));
  };
  for (Eigen::Index i = 0; i < out.size(); ++i)
    for (Eigen::Index j = 0; j < in.size(); ++j) {
      const auto [row, rows] = run(out, i);
      const auto [column, columns] = run(in, j);
      sums(i, j) = entries.block(row, column, rows, columns).squaredNorm();
    }
  return sums;
}

void set_error(const MatrixPowerLawTarget& target, MatrixProblem& problem) {
  problem.initial =
      matrix_power_law_target(problem.covariance_out.spectrum, problem.covariance_in.spectrum,
                              target.beta, target.sides, target.risk);
}

void set_error(const IsotropicTarget& target, MatrixProblem& problem) {
  const Spectrum& out = problem.covariance_out.spectrum;
  const Spectrum& in = problem.covariance_in.spectrum;
  const auto [from, to] = index_range(target.indices, in.dimension());
  const Eigen::ArrayXd columns = in.mass_between(from, to);
  problem.initial = scaled_to(out, in, {out.multiplicity, columns}, target.risk);
}

void set_error(const FileTarget& target, MatrixProblem& problem) {
  if (target.path.path.empty()) throw InputError("path", "(missing)", "the name of a file");
  const Spectrum& out = problem.covariance_out.spectrum;
  const Spectrum& in = problem.covariance_in.spectrum;
  // Entries belong to eigenvalues one by one; expand() refuses spectra held by quadrature nodes.
  const Eigen::Index rows = out.expand().size(), columns = in.expand().size();
  Eigen::MatrixXd entries = read_matrix(target.path.path, "path");
  if (entries.rows() != rows || entries.cols() != columns)
    throw InputError("path", target.path.path,
                     fmt::format("a {} x {} matrix, not {} x {}", rows, columns, entries.rows(),
                                 entries.cols()));
  Eigen::ArrayXXd squares = node_squares(entries, out, in);
  problem.initial = squares;
  if (target.risk) {
    const double scale = scale_to(*target.risk, problem.initial_risk());
    problem.initial = squares *= scale;
    entries *= std::sqrt(scale);
  }
  problem.initial_error = std::move(entries);
}

void set_error(const GivenTarget& target, MatrixProblem& problem) {
  if (target.squares) problem.initial = *target.squares;
  if (target.coordinates) problem.initial_error = *target.coordinates;
  if (target.start) throw InputError("start", "(given)", "none for a matrix, which starts at 0");
}

}  // namespace

Pairs matrix_power_law_target(const Spectrum& out, const Spectrum& in, double beta, Sides sides,
                              double risk) {
  if (!std::isfinite(beta)) throw InputError("beta", beta, "a finite number");
  const Eigen::ArrayXd rows = sides == Sides::both ? out.power_mass(beta) : out.multiplicity;
  const Eigen::ArrayXd columns = in.power_mass(beta);
  return scaled_to(out, in, {rows, columns}, risk);
}

void validate(const MatrixProblem& problem) {
  for (const auto& [field, covariance] : {std::pair("covariance_out", &problem.covariance_out),
                                          std::pair("covariance_in", &problem.covariance_in)}) {
    const Spectrum& spectrum = covariance->spectrum;
    if (spectrum.size() == 0) throw InputError(field, "empty", "at least one eigenvalue");
    if (!spectrum.value.isFinite().all() || (spectrum.value < 0).any() || !(spectrum.norm() > 0) ||
        !(spectrum.multiplicity >= 0).all())
      throw InputError(field, "its eigenvalues", "finite numbers >= 0, one of them > 0");
  }
  if (problem.initial.rows() != problem.covariance_out.spectrum.size() ||
      problem.initial.cols() != problem.covariance_in.spectrum.size())
    throw InputError("initial",
                     fmt::format("{} x {}", problem.initial.rows(), problem.initial.cols()),
                     "one entry for each pair of nodes of the spectra");
  if (!problem.initial.valid() || !std::isfinite(problem.initial_risk()))
    throw InputError("initial", "its entries", "finite numbers >= 0");
  if (problem.initial_error) {
    const Eigen::MatrixXd& error = *problem.initial_error;
    if (static_cast<double>(error.rows()) != problem.covariance_out.dimension() ||
        static_cast<double>(error.cols()) != problem.covariance_in.dimension())
      throw InputError("initial_error", fmt::format("{} x {}", error.rows(), error.cols()),
                       "one entry for each pair of eigenvectors");
    if (!error.allFinite()) throw InputError("initial_error", "nan or inf", "finite numbers");
  }
  if (std::isnan(problem.noise.variance) || problem.noise.variance < 0)
    throw InputError("noise.variance", problem.noise.variance, "a number >= 0");
}

MatrixProblem make_problem(Covariance out, Covariance in, const MatrixTarget& target,
                           NoiseLaw noise) {
  MatrixProblem problem;
  for (const auto& [key, side] :
       {std::pair("covariance_out", &out), std::pair("covariance_in", &in)})
    if (side->sample_rows && side->rows)
      throw InputError(std::string(key) + ".sample", "\"rows\"",
                       "sample = \"gaussian\" in a matrix problem");
  problem.covariance_out = std::move(out);
  problem.covariance_in = std::move(in);
  problem.noise = std::move(noise);
  named("target.", [&] {
    std::visit(
        [&](const auto& of) {
          check_keys(of);
          set_error(of, problem);
        },
        target);
    return 0;
  });
  problem.target = target;
  validate(problem);
  return problem;
}

bool MatrixProblem::operator==(const MatrixProblem& other) const {
  return covariance_out == other.covariance_out && covariance_in == other.covariance_in &&
         noise == other.noise && initial == other.initial &&
         initial_error.has_value() == other.initial_error.has_value() &&
         (!initial_error || same(*initial_error, *other.initial_error));
}

}  // namespace riskcurve
