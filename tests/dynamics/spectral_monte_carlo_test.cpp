// Drift and noise of spectral optimizers, block by block, against the singular value decomposition
// of sampled gradients. The samples follow the definition of the problem and share no formula with
// the theory.
#include <gtest/gtest.h>

#include <Eigen/SVD>
#include <cmath>
#include <functional>
#include <string>
#include <vector>

#include "riskcurve/dynamics/spectral.hpp"
#include "riskcurve/problem/random.hpp"

namespace riskcurve {
namespace {

using Eigen::ArrayXd;
using Eigen::ArrayXXd;
using Eigen::Index;
using Eigen::MatrixXd;

ArrayXd powers(Index n, double exponent) {
  return ArrayXd::LinSpaced(n, 1, static_cast<double>(n)).pow(-exponent);
}

struct Sampled {
  std::function<double(double)> f;
  SpectralFunction theory;
};

struct Setup {
  Index out, in;
  int batch;
  double out_power, in_power;
  NoiseLaw noise;
  double risk;
};

struct Average {
  double sum = 0, square = 0;
  void add(double x) {
    sum += x;
    square += x * x;
  }
  double mean(int n) const { return sum / n; }
  double error(int n) const { return std::sqrt((square / n - mean(n) * mean(n)) / (n - 1)); }
};

constexpr Index split = 16;  // four blocks: leading and trailing rows and columns
struct Block {
  Index i, j, rows, columns;
};
Block block(const Setup& s, int b) {
  return {b / 2 ? split : 0, b % 2 ? split : 0, b / 2 ? s.out - split : split,
          b % 2 ? s.in - split : split};
}

/// U f(S) V^T over the singular values that are not zero by rank.
MatrixXd update(const Eigen::BDCSVD<MatrixXd>& svd, Index rank,
                const std::function<double(double)>& f) {
  return svd.matrixU().leftCols(rank) * svd.singularValues().head(rank).unaryExpr(f).asDiagonal() *
         svd.matrixV().leftCols(rank).transpose();
}

/// Bands, fixed beforehand: four standard errors plus 3 % for the finite size (N about 50). Delta
/// and -Delta are run on the same samples: half the difference is the drift's, and the sampling
/// noise mostly cancels from it. The signal must be small against the sampling noise in operator
/// norm.
void compare(const Setup& s, const std::vector<Sampled>& functions, int draws) {
  const ArrayXd sigma = powers(s.out, s.out_power), lambda = powers(s.in, s.in_power);
  const double allowance = 0.03;
  // Delta_ij = +-delta has this risk exactly, and is delocalised.
  const double delta = std::sqrt(2 * s.risk / (sigma.sum() * lambda.sum()));
  const Index rank = std::min<Index>({s.out, s.in, s.batch});
  std::vector<std::vector<Average>> drift(functions.size(), std::vector<Average>(4)), noise = drift;
  for (int draw = 0; draw < draws; ++draw) {
    Random random(20260, draw, s.batch);
    MatrixXd error(s.out, s.in), u(s.out, s.batch), v(s.in, s.batch);
    for (double& x : error.reshaped()) x = random.uniform() < 0.5 ? -delta : delta;
    for (double& x : u.reshaped()) x = random.normal();
    for (double& x : v.reshaped()) x = random.normal();
    u.array().colwise() *= sigma.sqrt();
    v.array().colwise() *= lambda.sqrt();
    const ArrayXd signal = (u.array() * (error * v).array()).colwise().sum().transpose();
    const ArrayXd label =
        ArrayXd::NullaryExpr(s.batch, [&](Index) { return s.noise.sample(random); });
    const auto gradient = [&](const ArrayXd& residual) {
      return MatrixXd(u * (residual / s.batch).matrix().asDiagonal() * v.transpose());
    };
    constexpr int vectors = Eigen::ComputeThinU | Eigen::ComputeThinV;
    const Eigen::BDCSVD<MatrixXd> plus(gradient(signal - label), vectors);
    const Eigen::BDCSVD<MatrixXd> minus(gradient(-signal - label), vectors);
    for (std::size_t k = 0; k < functions.size(); ++k) {
      const MatrixXd one = update(plus, rank, functions[k].f);
      const MatrixXd two = update(minus, rank, functions[k].f);
      for (int b = 0; b < 4; ++b) {
        const auto [i, j, rows, columns] = block(s, b);
        const auto x = one.block(i, j, rows, columns), y = two.block(i, j, rows, columns);
        const double along = ((x - y).array() * error.block(i, j, rows, columns).array()).sum();
        drift[k][b].add(0.5 * along / (delta * delta));
        noise[k][b].add(0.5 * (x.squaredNorm() + y.squaredNorm()));
      }
    }
  }
  for (std::size_t k = 0; k < functions.size(); ++k) {
    SpectralRates rates(
        ResolventCurve(spectrum_of(sigma, "out"), spectrum_of(lambda, "in"), s.batch),
        functions[k].theory, s.noise);
    const SpectralCoefficients& c = rates.at(s.risk);
    const ArrayXXd a = c.drift(sigma, lambda);
    // E update^2 holds the square of its mean too.
    const ArrayXXd second = c.diffusion(sigma, lambda) + a.square() * (delta * delta);
    for (int b = 0; b < 4; ++b) {
      const auto [i, j, rows, columns] = block(s, b);
      const double a_theory = a.block(i, j, rows, columns).sum();
      const double c_theory = second.block(i, j, rows, columns).sum();
      const std::string where = functions[k].theory.name + " #" + std::to_string(k) + " block " +
                                std::to_string(b) + " B " + std::to_string(s.batch);
      const Average &da = drift[k][b], &dc = noise[k][b];
      ASSERT_LT(da.error(draws), 0.08 * a_theory) << where;  // else it would establish nothing
      EXPECT_NEAR(da.mean(draws), a_theory, 4 * da.error(draws) + allowance * a_theory) << where;
      ASSERT_LT(dc.error(draws), 0.02 * c_theory) << where;
      EXPECT_NEAR(dc.mean(draws), c_theory, 4 * dc.error(draws) + allowance * c_theory) << where;
    }
  }
}

/// `lowest`: the exponent of a quasi-norm whose E f^4 is finite, so that sample means settle.
std::vector<Sampled> functions(double lowest) {
  return {{[](double) { return 1.0; }, sign_svd()},
          {[](double g) { return std::sqrt(g); }, schatten(0.5)},
          {[=](double g) { return std::pow(g, lowest); }, schatten(lowest)},
          {[](double g) { return g / std::hypot(g, 0.05); }, regularized_svd(0.05)}};
}

TEST(SpectralMonteCarlo, GaussianResidualsOfALargeSignalBatchBelowDimension) {
  compare({60, 60, 30, 0.25, 0.5, gaussian_noise(1), 0.25}, functions(-0.2), 900);
}

TEST(SpectralMonteCarlo, GaussianResidualsLargeBatch) {
  compare({40, 80, 200, 0.5, 1, gaussian_noise(1), 1e-4}, functions(-0.4), 400);
}

TEST(SpectralMonteCarlo, StudentTResidualsBatchBelowDimension) {
  compare({50, 70, 40, 0.5, 1, student_t_noise(3, 0.5), 0.02}, functions(-0.2), 900);
}

TEST(SpectralMonteCarlo, StudentTResidualsLargeBatch) {
  compare({50, 70, 150, 0.5, 1, student_t_noise(3, 0.5), 1e-3}, functions(-0.4), 500);
}

}  // namespace
}  // namespace riskcurve
