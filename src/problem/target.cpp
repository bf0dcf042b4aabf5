#include "target.hpp"

#include <fmt/format.h>

#include <cmath>
#include <functional>

#include "named.hpp"
#include "problem/data.hpp"
#include "problem/lanczos.hpp"
#include "problem/random.hpp"

namespace riskcurve {

namespace {

/// How far the eigenvectors that are held go.
enum class Basis {
  none,     ///< only eigenvalues: coefficients go along their index
  full,     ///< every eigenvector of an eigenvalue > 0
  leading,  ///< the leading ones of a large data matrix
};

Basis basis_of(const Covariance& covariance) {
  if (!covariance.eigenvectors) return Basis::none;
  const Spectrum& spectrum = covariance.spectrum;
  const double positive = (spectrum.value > 0).select(spectrum.multiplicity, 0.0).sum();
  return static_cast<double>(covariance.eigenvectors->cols()) >= positive ? Basis::full
                                                                          : Basis::leading;
}

/// Sums over each node's run of indices; `beyond` belongs to the indices past the end of `squares`.
Eigen::ArrayXd node_sums(const Spectrum& spectrum, const Eigen::ArrayXd& squares, double beyond) {
  Eigen::ArrayXd sums = Eigen::ArrayXd::Zero(spectrum.size());
  for (Eigen::Index k = 0; k < spectrum.size(); ++k) {
    const auto first = static_cast<Eigen::Index>(spectrum.first[k]) - 1;
    const auto last =
        static_cast<Eigen::Index>(std::min(spectrum.last[k], static_cast<double>(squares.size())));
    if (last > first) sums[k] = squares.segment(first, last - first).sum();
  }
  sums[spectrum.size() - 1] += beyond;
  return sums;
}

/// Splits an error of known coordinates outside the leading eigenvectors by Lanczos quadrature
/// started from it: its nodes join the spectrum with multiplicity 0.
Eigen::ArrayXd add_error_nodes(Covariance& covariance, const Eigen::VectorXd& error) {
  constexpr int steps = 128;
  const Eigen::MatrixXd& x = covariance.rows->x;
  const Eigen::MatrixXd& leading = *covariance.eigenvectors;
  const auto n = static_cast<double>(x.rows());
  const SymmetricOperator K{x.cols(), [&](const Eigen::VectorXd& v) -> Eigen::VectorXd {
                              return x.transpose() * (x * v) / n;
                            }};
  const Quadrature rest = lanczos_quadrature(K, error, steps, leading);
  struct Node {
    double value, multiplicity, first, last, square;
  };
  std::vector<Node> nodes;
  const Spectrum& old = covariance.spectrum;
  for (Eigen::Index k = 0; k < old.size(); ++k)
    nodes.push_back({old.value[k], old.multiplicity[k], old.first[k], old.last[k], 0});
  const Eigen::ArrayXd squares = (leading.transpose() * error).array().square();
  for (Eigen::Index k = 0; k < leading.cols(); ++k)
    nodes.push_back({(x * leading.col(k)).squaredNorm() / n, 0, 0, 0, squares[k]});
  for (Eigen::Index q = 0; q < rest.node.size(); ++q)
    nodes.push_back({rest.node[q], 0, 0, 0, rest.weight[q]});
  std::stable_sort(nodes.begin(), nodes.end(),
                   [](const Node& a, const Node& b) { return a.value > b.value; });
  const auto size = static_cast<Eigen::Index>(nodes.size());
  Spectrum merged{Eigen::ArrayXd(size), Eigen::ArrayXd(size), Eigen::ArrayXd(size),
                  Eigen::ArrayXd(size)};
  Eigen::ArrayXd initial(size);
  double index = 1;
  for (Eigen::Index k = 0; k < size; ++k) {
    const Node& node = nodes[static_cast<std::size_t>(k)];
    if (node.multiplicity > 0) index = node.last;
    merged.value[k] = node.value;
    merged.multiplicity[k] = node.multiplicity;
    merged.first[k] = node.multiplicity > 0 ? node.first : index;
    merged.last[k] = index;
    initial[k] = node.square;
  }
  covariance.spectrum = std::move(merged);
  return initial;
}

/// Delta_0 in coordinates (or, without a basis, its coefficients by index), told to the nodes.
InitialError from_coordinates(const std::optional<double>& risk, Covariance& covariance,
                              Eigen::VectorXd error) {
  InitialError result;
  switch (basis_of(covariance)) {
    case Basis::none:
      // Its nodes must be runs of whole indices; expand() says so where they are not.
      covariance.spectrum.expand();
      result.squares = node_sums(covariance.spectrum, error.array().square(), 0);
      if (covariance.orientation == Orientation::diagonal) result.coordinates = std::move(error);
      break;
    case Basis::full: {
      const Eigen::ArrayXd squares =
          (covariance.eigenvectors->transpose() * error).array().square();
      const bool all = squares.size() == error.size();
      result.squares = node_sums(covariance.spectrum, squares,
                                 all ? 0.0 : std::max(0.0, error.squaredNorm() - squares.sum()));
      result.coordinates = std::move(error);
      break;
    }
    case Basis::leading:
      result.squares = add_error_nodes(covariance, error);
      result.coordinates = std::move(error);
      break;
  }
  if (risk) {
    const double present = 0.5 * (covariance.spectrum.value * result.squares).sum();
    if (!(present > 0) && *risk > 0)
      throw InputError("risk", *risk, "0: this target has no risk to scale");
    const double factor = *risk > 0 ? *risk / present : 0;
    result.squares *= factor;
    if (result.coordinates) *result.coordinates *= std::sqrt(factor);
  }
  return result;
}

Eigen::VectorXd read_coordinates(const File& path, double dimension) {
  if (path.path.empty()) throw InputError("path", "(missing)", "the name of a file");
  const Eigen::ArrayXd values = read_column(path.path, "path");
  if (static_cast<double>(values.size()) != dimension)
    throw InputError(
        "path", path.path,
        fmt::format("a file of {} numbers, the dimension; it holds {}", dimension, values.size()));
  return values.matrix();
}

/// Least squares without a full eigenbasis: conjugate gradients on the normal equations, which
/// from zero tend to the solution of least norm.
Eigen::VectorXd fit_by_gradients(const Eigen::MatrixXd& x, const Eigen::VectorXd& y,
                                 std::string& remark) {
  constexpr int most = 2000;
  constexpr double tolerance = 1e-12;
  Eigen::VectorXd theta = Eigen::VectorXd::Zero(x.cols()), residual = y;
  Eigen::VectorXd gradient = x.transpose() * residual, direction = gradient;
  const double start = gradient.squaredNorm();
  double now = start;
  for (int k = 0; k < most && now > tolerance * tolerance * start; ++k) {
    const Eigen::VectorXd step = x * direction;
    const double length = now / step.squaredNorm();
    theta += length * direction;
    residual -= length * step;
    gradient = x.transpose() * residual;
    const double next = gradient.squaredNorm();
    direction = gradient + next / now * direction;
    now = next;
  }
  remark +=
      fmt::format("; target fitted by conjugate gradients to a gradient of {:.1e} of its start",
                  start > 0 ? std::sqrt(now / start) : 0.0);
  return theta;
}

struct FittedTarget {
  Eigen::VectorXd theta;
  Eigen::ArrayXd residuals;
};

FittedTarget fit_to(const FitTarget& target, Covariance& covariance) {
  const auto* const data = std::get_if<DataCovariance>(&covariance.made_from);
  if (!covariance.rows || !data)
    throw InputError("kind", "\"fit\"", "a covariance of kind \"data\" beside \"fit\"");
  const Eigen::MatrixXd& x = covariance.rows->x;
  const std::string& path = target.labels.path;
  if (path.empty()) throw InputError("labels", "(missing)", "the name of a file");
  const Eigen::MatrixXd table = read_matrix(path, "labels");
  if (table.rows() != x.rows())
    throw InputError(
        "labels", path,
        fmt::format("a file of {} rows, as the data; it holds {}", x.rows(), table.rows()));
  check_range("column", target.column, Range::wholes(1, static_cast<double>(table.cols())));
  Eigen::ArrayXd labels = table.col(target.column - 1).array();
  if (target.positive) {
    labels = (labels == *target.positive).select(Eigen::ArrayXd::Ones(labels.size()), -1.0);
    if ((labels < 0).all())
      throw InputError("positive", *target.positive, "a label that occurs in the file");
  }
  if (data->center) labels -= labels.mean();

  FittedTarget fit;
  if (basis_of(covariance) == Basis::full) {
    const Eigen::MatrixXd& u = *covariance.eigenvectors;
    const Eigen::ArrayXd lambda = covariance.spectrum.expand().head(u.cols());
    const Eigen::VectorXd moment = x.transpose() * labels.matrix() / static_cast<double>(x.rows());
    const double least = 1e-10 * covariance.spectrum.norm();
    const Eigen::ArrayXd projected = (u.transpose() * moment).array();
    fit.theta = u * (lambda > least).select(projected / lambda, 0.0).matrix();
  } else {
    fit.theta = fit_by_gradients(x, labels.matrix(), covariance.remark);
  }
  fit.residuals = labels - (x * fit.theta).array();
  return fit;
}

/// A target given by its squared coefficients, proportional to `square` of each index, which sums
/// to `masses` over the nodes. With a full eigenbasis signs are drawn, from a fixed seed: equal
/// ones would pile the error of a Toeplitz covariance up in its first coordinates.
InitialError from_squares(const Covariance& covariance, Eigen::ArrayXd squares,
                          const std::function<Eigen::ArrayXd()>& masses,
                          const std::function<double(double index)>& square) {
  InitialError result;
  if (basis_of(covariance) == Basis::full) {
    const Eigen::ArrayXd mass = masses();
    const Eigen::MatrixXd& u = *covariance.eigenvectors;
    Eigen::VectorXd coefficients(u.cols());
    Random random(1, 0, 0);
    for (Eigen::Index j = 0; j < u.cols(); ++j)
      coefficients[j] =
          std::copysign(std::sqrt(square(static_cast<double>(j + 1))), random.uniform() - 0.5);
    Eigen::Index node = 0;
    mass.maxCoeff(&node);
    result.coordinates = u * (std::sqrt(squares[node] / mass[node]) * coefficients);
  }
  result.squares = std::move(squares);
  return result;
}

InitialError error_of(const PowerLawTarget& target, const Start&, Covariance& covariance) {
  const Spectrum& spectrum = covariance.spectrum;
  return from_squares(
      covariance, power_law_target(spectrum, target.beta, target.risk),
      [&] { return spectrum.power_mass(target.beta); },
      [beta = target.beta](double j) { return std::pow(j, -2 * beta); });
}

InitialError error_of(const IsotropicTarget& target, const Start&, Covariance& covariance) {
  const Spectrum& spectrum = covariance.spectrum;
  const auto among = index_range(target.indices, spectrum.dimension());
  return from_squares(
      covariance, isotropic_target(spectrum, target.risk, among.first, among.second),
      [&] { return spectrum.mass_between(among.first, among.second); },
      [among](double j) { return j >= among.first && j <= among.second ? 1.0 : 0.0; });
}

/// theta_0 - theta* in coordinates, as it is scaled, and theta_0 as it is.
InitialError from_start(const std::optional<double>& risk, const Start& start,
                        Eigen::VectorXd theta, Covariance& covariance) {
  std::optional<Eigen::VectorXd> from;
  if (!start.path.path.empty()) {
    from = named("start.",
                 [&] { return read_coordinates(start.path, static_cast<double>(theta.size())); });
  }
  Eigen::VectorXd error = -theta;
  if (from) error += *from;
  InitialError result = from_coordinates(risk, covariance, std::move(error));
  result.start = std::move(from);
  return result;
}

InitialError error_of(const FileTarget& target, const Start& start, Covariance& covariance) {
  const double dimension = std::round(covariance.dimension());
  return from_start(target.risk, start, read_coordinates(target.path, dimension), covariance);
}

InitialError error_of(const FitTarget& target, const Start& start, Covariance& covariance) {
  FittedTarget fit = fit_to(target, covariance);
  // Its size is a fact of the data, and so cannot be set.
  InitialError result = from_start({}, start, std::move(fit.theta), covariance);
  result.residuals = std::move(fit.residuals);
  return result;
}

InitialError error_of(const GivenTarget& target, const Start&, Covariance&) {
  InitialError result;
  if (target.squares) result.squares = target.squares.matrix->reshaped();
  if (target.coordinates) result.coordinates = target.coordinates.matrix->reshaped();
  if (target.start) result.start = target.start.matrix->reshaped();
  return result;
}

}  // namespace

Eigen::ArrayXd squares_of(const Covariance& covariance, const Eigen::VectorXd& x) {
  const auto& u = covariance.eigenvectors;
  const Eigen::ArrayXd squares = (u ? Eigen::VectorXd(u->transpose() * x) : x).array().square();
  const double beyond = std::max(0.0, x.squaredNorm() - squares.sum());
  return node_sums(covariance.spectrum, squares, squares.size() == x.size() ? 0.0 : beyond);
}

std::pair<double, double> index_range(const std::vector<double>& indices, double dimension) {
  if (indices.empty()) return {1, dimension};
  for (std::size_t i = 0; i < indices.size(); ++i)
    check_range(fmt::format("indices[{}]", i), indices[i], Range::within(1, dimension));
  if (indices.size() != 2 || indices[0] > indices[1])
    throw InputError("indices", fmt::format("[{}]", fmt::join(indices, ", ")),
                     "two numbers, the first less");
  return {indices[0], indices[1]};
}

InitialError initial_error_of(const VectorTarget& target, const Start& start,
                              Covariance& covariance) {
  const bool takes_start =
      std::holds_alternative<FileTarget>(target) || std::holds_alternative<FitTarget>(target);
  return std::visit(
      [&](const auto& of) {
        if (!takes_start && !start.path.path.empty())
          throw InputError(
              "start.kind", "\"file\"",
              fmt::format("\"zero\": beside a {} target, which gives theta_0 - theta*", of.kind));
        return named("target.", [&] {
          check_keys(of);
          return error_of(of, start, covariance);
        });
      },
      target);
}

}  // namespace riskcurve
