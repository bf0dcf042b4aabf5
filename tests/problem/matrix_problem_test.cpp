#include <gtest/gtest.h>
#include <unistd.h>

#include <cmath>
#include <filesystem>
#include <fstream>

#include "input/read.hpp"
#include "riskcurve/problem/error.hpp"
#include "riskcurve/problem/problem.hpp"

namespace riskcurve {
namespace {

using Eigen::MatrixXd;

std::string write(const std::string& name, const MatrixXd& matrix) {
  const auto path =
      std::filesystem::path(testing::TempDir()) / ("riskcurve-" + std::to_string(getpid()) + name);
  const Eigen::IOFormat csv(Eigen::FullPrecision, Eigen::DontAlignCols, ",", "\n");
  std::ofstream(path) << matrix.format(csv) << "\n";
  return path.string();
}

MatrixProblem read(const std::string& out, const std::string& in, const std::string& target) {
  return read_matrix_problem(Fields::from_text("covariance_out = { " + out +
                                               " }\ncovariance_in = { " + in + " }\ntarget = { " +
                                               target + " }\n"));
}

void refused(const std::string& out, const std::string& in, const std::string& target,
             const std::string& part) {
  try {
    read(out, in, target);
    ADD_FAILURE() << target << " was accepted";
  } catch (const InputError& error) {
    EXPECT_NE(std::string(error.what()).find(part), std::string::npos) << error.what();
  }
}

const std::string kFlat3 = "kind = 'isotropic', dimension = 3";
const std::string kSteep4 = "kind = 'power_law', dimension = 4, alpha = 0.5";

TEST(MatrixTarget, PowerLawsRunAlongTheSidesTheyName) {
  const MatrixProblem one =
      read(kSteep4, kSteep4, "kind = 'power_law', beta = 0.7, risk = 2, sides = 'in'");
  const MatrixProblem both =
      read(kSteep4, kSteep4, "kind = 'power_law', beta = 0.7, risk = 2, sides = 'both'");
  EXPECT_NEAR(one.initial_risk(), 2, 1e-14);
  EXPECT_NEAR(both.initial_risk(), 2, 1e-14);
  for (Eigen::Index i = 0; i < 4; ++i)
    for (Eigen::Index j = 0; j < 4; ++j) {
      EXPECT_NEAR(one.initial(i, j) / one.initial(0, 0), std::pow(double(j + 1), -1.4), 1e-14);
      EXPECT_NEAR(both.initial(i, j) / both.initial(0, 0),
                  std::pow(double((i + 1) * (j + 1)), -1.4), 1e-14);
    }
  EXPECT_FALSE(one.initial_error);
}

TEST(MatrixTarget, FileKeepsItsEntriesAndGroupsTheirSquares) {
  MatrixXd entries(3, 4);
  entries << 1, -2, 3, 0, 0.5, 1, -1, 2, -1, 1, 0, 4;
  const std::string file = "kind = 'file', path = '" + write("entries.csv", entries) + "'";
  const MatrixProblem plain = read(kFlat3, kSteep4, file);
  ASSERT_TRUE(plain.initial_error);
  EXPECT_EQ(*plain.initial_error, entries);
  ASSERT_EQ(plain.initial.rows(), 1);  // three equal eigenvalues, one node
  ASSERT_EQ(plain.initial.cols(), 4);
  for (Eigen::Index j = 0; j < 4; ++j)
    EXPECT_NEAR(plain.initial(0, j), entries.col(j).squaredNorm(), 1e-14);
  const MatrixProblem scaled = read(kFlat3, kSteep4, file + ", risk = 5");
  EXPECT_NEAR(scaled.initial_risk(), 5, 1e-13);
  // tr(K_out Delta K_in Delta^T)/2 of the entries themselves
  const Eigen::VectorXd lambda = scaled.covariance_in.spectrum.expand();
  const MatrixXd& delta = *scaled.initial_error;
  EXPECT_NEAR(0.5 * (delta * lambda.asDiagonal() * delta.transpose()).trace(), 5, 1e-13);
  EXPECT_EQ(read(kFlat3, kSteep4, file + ", risk = 0").initial_error->norm(), 0);
}

TEST(MatrixTarget, FilesThatDoNotFitAreRefused) {
  const std::string file =
      "kind = 'file', path = '" + write("small.csv", MatrixXd::Ones(3, 3)) + "'";
  refused(kFlat3, kSteep4, file, "3 x 4 matrix, not 3 x 3");
  const std::string zero =
      "kind = 'file', path = '" + write("zero.csv", MatrixXd::Zero(3, 4)) + "'";
  EXPECT_EQ(read(kFlat3, kSteep4, zero).initial_risk(), 0);
  EXPECT_EQ(read(kFlat3, kSteep4, zero + ", risk = 0").initial_error->norm(), 0);
  refused(kFlat3, kSteep4, zero + ", risk = 1", "no risk to scale");
  // Quadrature nodes stand for no single entries.
  refused("kind = 'power_law', dimension = 1000000, alpha = 0.5", kFlat3, file, "quadrature nodes");
}

TEST(MatrixProblem, InconsistentProblemsAreRefused) {
  MatrixProblem good = read(kFlat3, kSteep4, "kind = 'isotropic'");
  EXPECT_NO_THROW(validate(good));
  EXPECT_NEAR(good.dimension(), 12, 1e-14);
  MatrixProblem bad = good;
  bad.initial_error = MatrixXd::Ones(4, 3);
  EXPECT_THROW(validate(bad), InputError);
  bad.initial_error = MatrixXd::Constant(3, 4, NAN);
  EXPECT_THROW(validate(bad), InputError);
  bad = good;
  bad.initial = Eigen::ArrayXXd::Ones(2, 4);
  EXPECT_THROW(validate(bad), InputError);
  bad = good;
  Eigen::ArrayXXd negative = bad.initial.entries();
  negative(0, 0) = -1;
  bad.initial = negative;
  EXPECT_THROW(validate(bad), InputError);
  refused(kFlat3, kSteep4, "kind = 'power_law', beta = 1, risk = -1", "risk");
  refused(kFlat3, kSteep4, "kind = 'power_law', beta = 1, sides = 'out'", "sides");
}

}  // namespace
}  // namespace riskcurve
