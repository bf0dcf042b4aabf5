// The approximation of large data matrices, end to end: needs a small dense limit, which problem
// files do not set, and so the private reader.
#include "problem/target.hpp"

#include <gtest/gtest.h>
#include <unistd.h>

#include <cmath>
#include <filesystem>
#include <fstream>

#include "input/read_keys.hpp"
#include "problem/random.hpp"

namespace riskcurve {
namespace {

std::string write_column(const std::string& name, const Eigen::VectorXd& column) {
  const std::filesystem::path folder =
      std::filesystem::path(testing::TempDir()) / ("riskcurve-target-" + std::to_string(getpid()));
  std::filesystem::create_directories(folder);
  const std::string path = (folder / name).string();
  const Eigen::IOFormat full(Eigen::FullPrecision);
  std::ofstream(path) << column.format(full) << "\n";
  return path;
}

struct DataCase {
  Eigen::Index n, d;
  std::shared_ptr<DataRows> rows = std::make_shared<DataRows>();
  std::string labels, theta;

  DataCase(Eigen::Index n_, Eigen::Index d_) : n(n_), d(d_) {
    Random random(7, 0, 0);
    rows->x = Eigen::MatrixXd::NullaryExpr(n, d, [&] { return random.normal(); });
    for (Eigen::Index j = 0; j < d; ++j) rows->x.col(j) *= std::pow(double(j + 1), -0.5);
    const auto draw = [&] { return random.normal(); };
    labels = write_column("labels.txt", rows->x.col(3) + Eigen::VectorXd::NullaryExpr(n, draw));
    theta = write_column("theta.txt", Eigen::VectorXd::NullaryExpr(d, draw));
  }
};

/// sum lambda s0 exp(-2 lambda tau) / 2: the risk of plain gradient flow.
double forcing(const Spectrum& spectrum, const Eigen::ArrayXd& s, double tau) {
  return 0.5 * (spectrum.value * s * (-2 * tau * spectrum.value).exp()).sum();
}

InitialError read(const std::string& target, Covariance& covariance) {
  return initial_error_of(
      read_kind<VectorTarget>(Fields::from_text("target = " + target).table("target")), {},
      covariance);
}

TEST(LargeDataTarget, KeepsTheRiskOfGradientFlowToSixDigits) {
  for (const auto& [n, d] : {std::pair{500, 400}, std::pair{400, 500}}) {
    const DataCase data(n, d);
    const Covariance exact_one = from_rows(data.rows), large_one = from_rows(data.rows, 50);
    for (const std::string& target : {"{ kind = 'fit', labels = '" + data.labels + "' }",
                                      "{ kind = 'file', path = '" + data.theta + "' }"}) {
      Covariance exact = exact_one, large = large_one;
      ASSERT_FALSE(large.remark.empty());
      const double trace = large.spectrum.trace();
      const InitialError a = read(target, exact), b = read(target, large);
      EXPECT_EQ(b.squares.size(), large.spectrum.size());
      EXPECT_NEAR(large.spectrum.trace(), trace, 1e-12 * trace);
      EXPECT_NEAR(large.spectrum.dimension(), d, 1e-9 * d);
      EXPECT_NEAR(a.squares.sum(), b.squares.sum(), 1e-6 * a.squares.sum());
      for (const double tau : {0.0, 1.0, 10.0, 100.0, 1000.0}) {
        const double expected = forcing(exact.spectrum, a.squares, tau);
        EXPECT_NEAR(forcing(large.spectrum, b.squares, tau), expected, 1e-6 * expected) << tau;
      }
      EXPECT_LT((*a.coordinates - *b.coordinates).norm(), 1e-6 * a.coordinates->norm());
    }
  }
}

TEST(LargeDataTarget, PowerLawIsScaledToTheRiskOnTheCountingNodes) {
  const DataCase data(700, 500);
  Covariance large = from_rows(data.rows, 50);
  const InitialError error = read("{ kind = 'power_law', beta = 0.3, risk = 2 }", large);
  EXPECT_NEAR(forcing(large.spectrum, error.squares, 0), 2, 1e-12);
  EXPECT_FALSE(error.coordinates);
  // Against the exact spectrum: the bulk carries the sampling error of its quadrature.
  Covariance exact = from_rows(data.rows);
  const InitialError expected = read("{ kind = 'power_law', beta = 0.3, risk = 2 }", exact);
  for (const double tau : {1.0, 10.0, 100.0}) {
    const double value = forcing(exact.spectrum, expected.squares, tau);
    EXPECT_NEAR(forcing(large.spectrum, error.squares, tau), value, 0.02 * value) << tau;
  }
}

TEST(WideDataTarget, ExactGramSpectrumCarriesTheSameErrorAsTheDenseOne) {
  const DataCase data(60, 100);
  for (const std::string& target : {"{ kind = 'fit', labels = '" + data.labels + "' }",
                                    "{ kind = 'file', path = '" + data.theta + "', risk = 1 }",
                                    std::string("{ kind = 'power_law', beta = 0.3 }")}) {
    Covariance dense = from_rows(data.rows, 100), wide = from_rows(data.rows, 60);
    const InitialError a = read(target, dense), b = read(target, wide);
    for (const double tau : {0.0, 1.0, 100.0}) {
      const double expected = forcing(dense.spectrum, a.squares, tau);
      EXPECT_NEAR(forcing(wide.spectrum, b.squares, tau), expected, 1e-9 * expected);
    }
    ASSERT_TRUE(b.coordinates);
    EXPECT_NEAR(0.5 * (data.rows->x * *b.coordinates).squaredNorm() / 60,
                forcing(wide.spectrum, b.squares, 0), 1e-10);
  }
}

}  // namespace
}  // namespace riskcurve
