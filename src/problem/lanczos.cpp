#include "problem/lanczos.hpp"

#include <Spectra/SymEigsSolver.h>

#include <Eigen/Eigenvalues>
#include <algorithm>
#include <cmath>
#include <limits>

#include "problem/random.hpp"

namespace riskcurve {

namespace {

/// Twice is enough: the second pass removes what roundoff left of the first.
void orthogonalise(Eigen::VectorXd& v, const Eigen::MatrixXd& deflate,
                   const Eigen::Ref<const Eigen::MatrixXd>& basis) {
  for (int pass = 0; pass < 2; ++pass) {
    if (deflate.cols() > 0) v -= deflate * (deflate.transpose() * v);
    if (basis.cols() > 0) v -= basis * (basis.transpose() * v);
  }
}

Eigen::VectorXd random_vector(Eigen::Index size, std::uint64_t run) {
  Random random(20240611, run, 0);
  return Eigen::VectorXd::NullaryExpr(size, [&] { return random.normal(); });
}

struct SpectraOperator {
  using Scalar = double;
  const SymmetricOperator& A;
  Eigen::Index rows() const { return A.size; }
  Eigen::Index cols() const { return A.size; }
  void perform_op(const double* in, double* out) const {
    Eigen::Map<Eigen::VectorXd>(out, A.size) =
        A.apply(Eigen::Map<const Eigen::VectorXd>(in, A.size));
  }
};

}  // namespace

Quadrature lanczos_quadrature(const SymmetricOperator& A, const Eigen::VectorXd& start, int steps,
                              const Eigen::MatrixXd& deflate) {
  Eigen::VectorXd v = start;
  orthogonalise(v, deflate, Eigen::MatrixXd());
  const double mass = v.squaredNorm();
  // What is left of a vector inside the deflated space is roundoff, not a direction.
  const double epsilon = std::numeric_limits<double>::epsilon();
  if (!(std::sqrt(mass) > 64 * epsilon * start.norm())) return {};

  const Eigen::Index most = std::min<Eigen::Index>(steps, A.size - deflate.cols());
  Eigen::MatrixXd basis(A.size, most);
  Eigen::VectorXd diagonal(most), off(most);
  Eigen::Index m = 0;
  double scale = 0;
  v /= std::sqrt(mass);
  while (true) {
    basis.col(m) = v;
    Eigen::VectorXd w = A.apply(v);
    diagonal[m] = v.dot(w);
    scale = std::max(scale, w.norm());
    orthogonalise(w, deflate, basis.leftCols(m + 1));
    off[m] = w.norm();
    ++m;
    if (m == most || !(off[m - 1] > 64 * epsilon * scale)) break;
    v = w / off[m - 1];
  }
  Eigen::SelfAdjointEigenSolver<Eigen::MatrixXd> ritz;
  ritz.computeFromTridiagonal(diagonal.head(m), off.head(m - 1));
  return {ritz.eigenvalues().reverse().array().max(0.0),
          mass * ritz.eigenvectors().row(0).transpose().reverse().array().square()};
}

Quadrature counting_quadrature(const SymmetricOperator& A, int steps, int probes,
                               const Eigen::MatrixXd& deflate) {
  const auto count = static_cast<double>(A.size - deflate.cols());
  if (count == 0) return {};
  std::vector<Quadrature> parts;
  Eigen::Index size = 0;
  for (int probe = 0; probe < probes; ++probe) {
    parts.push_back(lanczos_quadrature(A, random_vector(A.size, static_cast<std::uint64_t>(probe)),
                                       steps, deflate));
    parts.back().weight *= count / probes / parts.back().weight.sum();
    size += parts.back().node.size();
  }
  std::vector<std::pair<double, double>> pairs;
  pairs.reserve(static_cast<std::size_t>(size));
  for (const Quadrature& part : parts)
    for (Eigen::Index q = 0; q < part.node.size(); ++q)
      pairs.emplace_back(part.node[q], part.weight[q]);
  std::sort(pairs.begin(), pairs.end(), std::greater<>());
  Quadrature result{Eigen::ArrayXd(size), Eigen::ArrayXd(size)};
  for (Eigen::Index q = 0; q < size; ++q)
    std::tie(result.node[q], result.weight[q]) = pairs[static_cast<std::size_t>(q)];
  return result;
}

LeadingPairs leading_pairs(const SymmetricOperator& A, int count) {
  SpectraOperator op{A};
  for (Eigen::Index wanted = std::min<Eigen::Index>(count, A.size - 1); wanted > 0; wanted /= 4) {
    const Eigen::Index krylov = std::min(A.size, 2 * wanted + 20);
    Spectra::SymEigsSolver<SpectraOperator> solver(op, wanted, krylov);
    const Eigen::VectorXd start = random_vector(A.size, 1u << 20);
    solver.init(start.data());
    solver.compute(Spectra::SortRule::LargestAlge, 60, 1e-12);
    if (solver.info() == Spectra::CompInfo::Successful)
      return {solver.eigenvalues().array().max(0.0), solver.eigenvectors()};
  }
  return {Eigen::ArrayXd(0), Eigen::MatrixXd(A.size, 0)};
}

}  // namespace riskcurve
