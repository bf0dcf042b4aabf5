// Drift and noise of spectral optimizers, block by block, against the singular value decomposition
// of sampled gradients. The samples follow the definition of the problem and share no formula with
// the theory.
#include <gtest/gtest.h>

#include <Eigen/SVD>
#include <cmath>
#include <cstdio>
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

/// Nine blocks: rows and columns 1 to 4, 5 to 16 and the rest.
ArrayXXd block(const Setup& s, int b, const ArrayXXd& x) {
  const Index row[] = {0, 4, 16, s.out}, column[] = {0, 4, 16, s.in};
  const int r = b / 3, c = b % 3;
  return x.block(row[r], column[c], row[r + 1] - row[r], column[c + 1] - column[c]);
}

constexpr double kAllowance = 0.03;

using Svd = Eigen::BDCSVD<MatrixXd>;

Svd decompose(const MatrixXd& gradient) {
  return Svd(gradient, Eigen::ComputeThinU | Eigen::ComputeThinV);
}

/// U f(S) V^T over the singular values that are not zero by rank.
ArrayXXd update(const Svd& svd, Index rank, const std::function<double(double)>& f) {
  return (svd.matrixU().leftCols(rank) *
          svd.singularValues().head(rank).unaryExpr(f).asDiagonal() *
          svd.matrixV().leftCols(rank).transpose())
      .array();
}

/// The drift of a mode is a = E dU_ij/dDelta_ij (Stein: Delta is Gaussian), and Delta_ij reaches the
/// update by the residuals alone: a = sum_b E u_bi v_bj dU_ij/dz_b, each derivative here a central
/// difference of whole updates. No sum over other modes enters, so few draws suffice (`draws_a`);
/// the noise c needs more. At most `differences` samples of a batch are differenced, and stand for
/// it.
void compare(const Setup& s, const std::vector<Sampled>& functions, int draws_a, int draws_c,
             int differences = 1 << 30) {
  const ArrayXd sigma = powers(s.out, s.out_power), lambda = powers(s.in, s.in_power);
  const double delta = std::sqrt(2 * s.risk / (sigma.sum() * lambda.sum()));
  const Index rank = std::min<Index>({s.out, s.in, s.batch});
  const std::size_t count = functions.size();
  std::vector<std::vector<Average>> drift(count, std::vector<Average>(9)), noise = drift;
  const auto add = [&](std::vector<Average>& averages, const ArrayXXd& x) {
    for (int b = 0; b < 9; ++b) averages[b].add(block(s, b, x).sum());
  };
  for (int draw = 0; draw < draws_c; ++draw) {
    Random random(20260, draw, s.batch);
    MatrixXd error(s.out, s.in), u(s.out, s.batch), v(s.in, s.batch);
    for (double& x : error.reshaped()) x = delta * random.normal();
    for (double& x : u.reshaped()) x = random.normal();
    for (double& x : v.reshaped()) x = random.normal();
    u.array().colwise() *= sigma.sqrt();
    v.array().colwise() *= lambda.sqrt();
    ArrayXd residual = (u.array() * (error * v).array()).colwise().sum().transpose();
    for (double& z : residual) z -= s.noise.sample(random);
    const MatrixXd gradient = u * (residual / s.batch).matrix().asDiagonal() * v.transpose();
    const Svd here = decompose(gradient);
    for (std::size_t k = 0; k < count; ++k)
      add(noise[k], update(here, rank, functions[k].f).square());
    if (draw >= draws_a) continue;
    const double h = 1e-4 * std::sqrt(2 * s.risk);
    const int used = std::min(s.batch, differences);
    std::vector<ArrayXXd> slope(count, ArrayXXd::Zero(s.out, s.in));
    for (int b = 0; b < used; ++b) {
      const MatrixXd sample = u.col(b) * v.col(b).transpose();
      const MatrixXd change = (h / s.batch) * sample;
      const Svd above = decompose(gradient + change), below = decompose(gradient - change);
      for (std::size_t k = 0; k < count; ++k)
        slope[k] += sample.array() * (update(above, rank, functions[k].f) -
                                      update(below, rank, functions[k].f));
    }
    for (std::size_t k = 0; k < count; ++k) add(drift[k], slope[k] * (s.batch / (2 * h * used)));
  }
  for (std::size_t k = 0; k < count; ++k) {
    SpectralRates rates(
        ResolventCurve(spectrum_of(sigma, "out"), spectrum_of(lambda, "in"), s.batch),
        functions[k].theory, s.noise);
    const SpectralCoefficients& c = rates.at(s.risk);
    const ArrayXXd a = c.drift(sigma, lambda);
    // E update^2 holds the square of its mean too.
    const ArrayXXd second = c.diffusion(sigma, lambda) + a.square() * (delta * delta);
    for (int b = 0; b < 9; ++b) {
      const auto hold = [&](const std::string& what, const Average& sampled, int draws,
                            double theory) {
        const double ratio = sampled.mean(draws) / theory, error = sampled.error(draws) / theory;
        std::printf("%s %s #%zu, block %d: %.4f +- %.4f of the theory\n", what.c_str(),
                    functions[k].theory.name.c_str(), k, b, ratio, error);
        ASSERT_LT(error, 0.03) << what << " block " << b;  // else it would establish little
        EXPECT_NEAR(ratio, 1, 4 * error + kAllowance) << what << " block " << b;
      };
      hold("a", drift[k][b], draws_a, block(s, b, a).sum());
      hold("c", noise[k][b], draws_c, block(s, b, second).sum());
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

const SpectralFunction sign = sign_svd();
const Sampled sign_only{[](double) { return 1.0; }, sign};

TEST(SpectralMonteCarlo, GaussianBatchBelowDimension) {
  compare({60, 60, 30, 0.25, 0.5, gaussian_noise(1), 0.01}, functions(-0.2), 16, 600);
}

TEST(SpectralMonteCarlo, GaussianSquareBatchEqualToDimension) {
  compare({60, 60, 60, 0.5, 1, gaussian_noise(1), 0.01}, {sign_only}, 16, 600);
}

TEST(SpectralMonteCarlo, GaussianWideLargeBatch) {
  compare({40, 80, 200, 0.5, 1, gaussian_noise(1), 1e-4}, functions(-0.4), 8, 600);
}

TEST(SpectralMonteCarlo, GaussianSquareVeryLargeBatch) {
  compare({50, 50, 2000, 0.5, 1, gaussian_noise(1), 1e-5}, {sign_only}, 6, 600, 400);
}

TEST(SpectralMonteCarlo, StudentTBatchBelowDimension) {
  compare({50, 70, 40, 0.5, 1, student_t_noise(3, 0.5), 0.01}, functions(-0.2), 16, 600);
}

TEST(SpectralMonteCarlo, StudentTLargeBatch) {
  compare({50, 70, 150, 0.5, 1, student_t_noise(3, 0.5), 1e-3}, functions(-0.4), 8, 600);
}

TEST(SpectralMonteCarlo, CauchyResiduals) {
  compare({50, 70, 100, 0.25, 0.5, student_t_noise(1, 0.2), 0.01}, {sign_only}, 12, 600);
}

}  // namespace
}  // namespace riskcurve
