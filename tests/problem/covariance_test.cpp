#include "riskcurve/problem/covariance.hpp"

#include <gtest/gtest.h>

#include <Eigen/Eigenvalues>
#include <boost/math/special_functions/zeta.hpp>
#include <cmath>
#include <numbers>

#include "input/read.hpp"
#include "problem/data.hpp"
#include "problem/random.hpp"
#include "riskcurve/problem/error.hpp"

namespace riskcurve {
namespace {

Eigen::MatrixXd gaussian_matrix(Eigen::Index n, Eigen::Index d, std::uint64_t seed) {
  Random random(seed, 0, 0);
  return Eigen::MatrixXd::NullaryExpr(n, d, [&] { return random.normal(); });
}

void expect_near_relative(double value, double expected, double tolerance) {
  EXPECT_NEAR(value, expected, tolerance * std::abs(expected));
}

/// tr exp(-K t) of the spectrum.
double heat(const Spectrum& s, double t) {
  return (s.multiplicity * (-s.value * t).exp()).sum();
}

TEST(PowerLaw, PanelsKeepSumsOverAMillionEigenvalues) {
  for (const double alpha : {0.0, 0.25, 0.6, 1.2, 3.0}) {
    const double d = 1e6;
    const Spectrum s = power_law(d, alpha).spectrum;
    double trace = 0, decayed = 0, target = 0;
    for (double j = d; j >= 1; --j) {
      const double lambda = std::pow(j, -2 * alpha);
      trace += lambda;
      decayed += std::exp(-lambda * 300);
      target += lambda * std::pow(j, -0.4) * std::exp(-lambda * 300);
    }
    expect_near_relative(s.trace(), trace, 1e-12);
    expect_near_relative(heat(s, 300), decayed, 1e-10);
    expect_near_relative((s.value * s.power_mass(0.2) * (-s.value * 300).exp()).sum(), target,
                         1e-9);
    expect_near_relative(s.dimension(), d, 1e-13);
    EXPECT_LT(s.size(), 8000);
  }
}

TEST(PowerLaw, QuintillionEigenvaluesReachTheZetaFunction) {
  expect_near_relative(power_law(1e18, 1).spectrum.trace(), boost::math::zeta(2.0), 1e-13);
  expect_near_relative(power_law(1e18, 0.5).spectrum.trace(), std::log(1e18) + std::numbers::egamma,
                       1e-13);
  // Underflow: 4096^(-200) is no double.
  const Spectrum steep = power_law(1e18, 100).spectrum;
  EXPECT_EQ(steep.value.tail(1)[0], 0);
  expect_near_relative(steep.dimension(), 1e18, 1e-13);
}

TEST(ExponentialDecay, SumsTheGeometricSeriesAndGroupsWhatUnderflows) {
  for (const double length : {0.01, 1.0, 30.0, 5e3, 1e7, 1e16})
    for (const double d : {7.0, 1e5, 1e12, 1e18}) {
      const Spectrum s = exponential_decay(d, length).spectrum;
      expect_near_relative(s.trace(), std::expm1(-d / length) / std::expm1(-1 / length), 1e-11);
      expect_near_relative(s.dimension(), d, 1e-12);
      EXPECT_TRUE((s.value.tail(s.size() - 1) <= s.value.head(s.size() - 1)).all());
      EXPECT_LE((s.value == 0).count(), 1);
    }
}

TEST(Spiked, CountsSpikesAndBulk) {
  const Spectrum s = spiked(1e18, Eigen::Array3d(5, 0.5, 5), 1).spectrum;
  ASSERT_EQ(s.size(), 3);
  EXPECT_TRUE((s.value == Eigen::Array3d(5, 1, 0.5)).all());
  EXPECT_EQ(s.multiplicity[0], 2);
  EXPECT_EQ(spiked(3, Eigen::Array3d(5, 0.5, 5), 1).spectrum.dimension(), 3);
  EXPECT_EQ(isotropic(1e18, 2).spectrum.trace(), 2e18);
  EXPECT_THROW(spiked(2, Eigen::Array3d(5, 0.5, 5), 1), InputError);
}

TEST(MarchenkoPastur, QuantilesHaveTheLawsMoments) {
  // Moments of the law: 1, 1 + q, 1 + 3q + q^2.
  for (const double q : {1e-4, 0.3, 1.0, 2.5}) {
    const Spectrum s = marchenko_pastur(20000, q).spectrum;
    const auto moment = [&](int p) { return (s.multiplicity * s.value.pow(p)).sum() / 20000; };
    EXPECT_NEAR(moment(1), 1, 1e-5);
    EXPECT_NEAR(moment(2), 1 + q, 1e-4);
    EXPECT_NEAR(moment(3), 1 + 3 * q + q * q, 2e-3);
    const double zero = (s.value == 0).select(s.multiplicity, 0.0).sum() / 20000;
    EXPECT_NEAR(zero, std::max(0.0, 1 - 1 / q), 1e-4);
  }
}

TEST(MarchenkoPastur, MatchesASampledMatrix) {
  const Eigen::Index d = 300, n = 600;
  const auto rows = std::make_shared<DataRows>();
  rows->x = gaussian_matrix(n, d, 5);
  const Eigen::ArrayXd sampled = from_rows(rows).spectrum.expand();
  const Eigen::ArrayXd law = marchenko_pastur(double(d), 0.5).spectrum.expand();
  // Eigenvalues are rigid: the edge fluctuates as d^(-2/3) = 0.02, the bulk as 1/d.
  EXPECT_LT((sampled - law).abs().maxCoeff(), 0.1);
  EXPECT_LT((sampled - law).abs().mean(), 0.02);
}

TEST(Ar1, HasItsEigenvectorsAndTheClosedFormDeterminant) {
  const Covariance k = ar1(50, 0.7);
  EXPECT_EQ(k.orientation, Orientation::given);
  const Eigen::MatrixXd& u = *k.eigenvectors;
  const Eigen::VectorXd lambda = k.spectrum.expand().matrix();
  EXPECT_LT((*k.matrix * u - u * lambda.asDiagonal()).norm(), 1e-12);
  EXPECT_NEAR(lambda.array().log().sum(), 49 * std::log(1 - 0.49), 1e-10);
  EXPECT_NEAR((*k.matrix)(3, 7), std::pow(0.7, 4), 1e-15);
  EXPECT_THROW(ar1(5, 1), InputError);
}

TEST(Toeplitz, IsAr1ForItsFirstRowAndRejectsIndefiniteOnes) {
  EXPECT_TRUE(toeplitz(Eigen::Array3d(1, 0.5, 0.25)).matrix->isApprox(*ar1(3, 0.5).matrix));
  EXPECT_THROW(toeplitz(Eigen::Array3d(1, 0.9, -0.9)), InputError);
  EXPECT_THROW(toeplitz(Eigen::Array3d(1, NAN, 0)), InputError);
}

TEST(Toeplitz, EigenpairsGiveTheMatrixBack) {
  for (const int d : {1, 2, 7, 40, 41}) {
    const Eigen::ArrayXd lag = Eigen::ArrayXd::LinSpaced(d, 0, d - 1);
    const Covariance k = toeplitz((-0.3 * lag).exp() * (0.4 * lag).cos());
    const Eigen::MatrixXd& v = *k.eigenvectors;
    const Eigen::VectorXd value = k.spectrum.expand();
    EXPECT_LT((v * value.asDiagonal() * v.transpose() - *k.matrix).cwiseAbs().maxCoeff(), 1e-13);
    EXPECT_LT((v.transpose() * v - Eigen::MatrixXd::Identity(d, d)).cwiseAbs().maxCoeff(), 1e-13);
    EXPECT_GT(v.row(0).minCoeff(), 0);
  }
}

TEST(Matrix, IsCheckedForShapeSymmetrySignAndFiniteness) {
  EXPECT_THROW(from_matrix(Eigen::MatrixXd::Ones(2, 3)), InputError);
  EXPECT_THROW(from_matrix(Eigen::MatrixXd{{1, 0.5}, {0.4, 1}}), InputError);
  EXPECT_THROW(from_matrix(Eigen::MatrixXd{{1, 2}, {2, 1}}), InputError);
  EXPECT_THROW(from_matrix(Eigen::MatrixXd{{1, NAN}, {NAN, 1}}), InputError);
  EXPECT_THROW(from_matrix(Eigen::MatrixXd::Zero(2, 2)), InputError);
  EXPECT_THROW(from_matrix(Eigen::MatrixXd(0, 0)), InputError);
  const Covariance singular = from_matrix(Eigen::MatrixXd::Ones(3, 3));
  EXPECT_EQ(singular.spectrum.size(), 2);
  EXPECT_EQ(singular.spectrum.value[1], 0);
}

TEST(Data, DigitsWithThreeConstantPixelsAreSingularAndWhole) {
  const auto rows = std::make_shared<DataRows>();
  rows->x = read_matrix(RISKCURVE_SOURCE_DIR "/validation/data/digits.csv", "f").leftCols(64);
  rows->x.rowwise() -= rows->x.colwise().mean().eval();
  const Covariance k = from_rows(rows);
  EXPECT_EQ(k.orientation, Orientation::given);
  EXPECT_TRUE(k.sample_rows);
  EXPECT_EQ(k.dimension(), 64);
  EXPECT_EQ((k.spectrum.value > 0).select(k.spectrum.multiplicity, 0.0).sum(), 61);
  expect_near_relative(k.spectrum.trace(), rows->x.squaredNorm() / 1797, 1e-12);
  const Eigen::MatrixXd& u = *k.eigenvectors;
  EXPECT_LT((*k.matrix * u - u * k.spectrum.expand().matrix().asDiagonal()).norm(), 1e-10);
}

TEST(Data, SmallerGramMatrixGivesTheSameSpectrum) {
  const auto rows = std::make_shared<DataRows>();
  rows->x = gaussian_matrix(40, 90, 1);
  const Covariance dense = from_rows(rows, 90), by_rows = from_rows(rows, 40);
  EXPECT_EQ(by_rows.orientation, Orientation::generic);
  EXPECT_FALSE(by_rows.remark.empty());
  EXPECT_LT((dense.spectrum.expand() - by_rows.spectrum.expand()).abs().maxCoeff(), 1e-12);
  const Eigen::MatrixXd& u = *by_rows.eigenvectors;
  ASSERT_EQ(u.cols(), 40);
  EXPECT_LT((u.transpose() * u - Eigen::MatrixXd::Identity(40, 40)).norm(), 1e-11);
  EXPECT_LT(
      (*dense.matrix * u - u * by_rows.spectrum.expand().head(40).matrix().asDiagonal()).norm(),
      1e-11);
}

/// Rows whose covariance has a power-law spectrum, n > d or n < d.
std::shared_ptr<DataRows> power_law_rows(Eigen::Index n, Eigen::Index d) {
  const auto rows = std::make_shared<DataRows>();
  rows->x = gaussian_matrix(n, d, 2);
  for (Eigen::Index j = 0; j < d; ++j) rows->x.col(j) *= std::pow(double(j + 1), -0.5);
  return rows;
}

TEST(LargeData, KrylovAndLanczosKeepTheTraceAndTheLeadingPart) {
  for (const auto& [n, d] : {std::pair{700, 500}, std::pair{500, 700}}) {
    const auto rows = power_law_rows(n, d);
    const Spectrum exact = from_rows(rows).spectrum;
    const Covariance large = from_rows(rows, 100);
    const Spectrum& s = large.spectrum;
    EXPECT_NE(large.remark.find("200 leading"), std::string::npos) << large.remark;
    EXPECT_NEAR(s.dimension(), d, 1e-9 * d);
    expect_near_relative(s.trace(), rows->x.squaredNorm() / n, 1e-12);
    EXPECT_LT((s.value.head(200) / exact.value.head(200) - 1).abs().maxCoeff(), 1e-8);
    // Hutchinson with 16 probes on the 300 eigenvalues of the bulk, where f <= 1: standard error of
    // tr f at most sqrt(2 * 300 / 16) = 6.1, less for a normalised probe.
    for (const double t : {1.0, 10.0, 100.0, 1000.0})
      EXPECT_NEAR(heat(s, t), heat(exact, t), 4 * 6.1);
    // lambda^2 is dominated by the leading part, which is exact.
    const auto square = [](const Spectrum& x) { return (x.multiplicity * x.value.square()).sum(); };
    expect_near_relative(square(s), square(exact), 1e-3);
  }
}

TEST(LargeData, RepeatedEigenvaluesLoseNoTrace) {
  const auto rows = std::make_shared<DataRows>();
  // X^T X / n has the eigenvalue 3 a hundred times, 1 two hundred times.
  const Eigen::Index d = 300;
  Eigen::ArrayXd lambda(d);
  lambda << Eigen::ArrayXd::Constant(100, 3), Eigen::ArrayXd::Constant(200, 1);
  rows->x = (lambda * double(d)).sqrt().matrix().asDiagonal();
  const Spectrum s = from_rows(rows, 50).spectrum;
  expect_near_relative(s.trace(), 500, 1e-12);
  EXPECT_NEAR(s.dimension(), 300, 1e-9);
  // 16 probes on at most 300 eigenvalues, f = exp(-lambda) between 0.05 and 0.37: spread below 2.
  EXPECT_NEAR(heat(s, 1), 100 * std::exp(-3.0) + 200 * std::exp(-1.0), 4 * 2);
}

TEST(Data, RejectsRowsWithoutVarianceAndNumbersThatAreNotFinite) {
  const auto rows = std::make_shared<DataRows>();
  EXPECT_THROW(from_rows(rows), InputError);
  rows->x = Eigen::MatrixXd::Zero(3, 2);
  EXPECT_THROW(from_rows(rows), InputError);
  rows->x(0, 0) = NAN;
  EXPECT_THROW(from_rows(rows), InputError);
}

Covariance covariance_from(const std::string& table) {
  return read_covariance(Fields::from_text("k = " + table).table("k"));
}

TEST(ReadCovariance, EveryKindByItsName) {
  EXPECT_EQ(covariance_from("{ kind = 'isotropic', dimension = 10 }").spectrum.trace(), 10);
  EXPECT_EQ(covariance_from("{ kind = 'power_law', dimension = 1, alpha = 1 }").spectrum.trace(),
            1);
  EXPECT_EQ(covariance_from("{ kind = 'eigenvalues', values = [1, 3, 2] }").spectrum.value[0], 3);
  EXPECT_EQ(
      covariance_from("{ kind = 'exponential_decay', dimension = 3, length = 2 }").dimension(), 3);
  EXPECT_EQ(covariance_from("{ kind = 'spiked', dimension = 3, spikes = [4] }").spectrum.trace(),
            6);
  EXPECT_EQ(
      covariance_from("{ kind = 'marchenko_pastur', dimension = 3, ratio = 0.5 }").dimension(), 3);
  EXPECT_EQ(covariance_from("{ kind = 'ar1', dimension = 3, correlation = 0.5 }").matrix->cols(),
            3);
  EXPECT_NEAR(covariance_from("{ kind = 'toeplitz', first_row = [2, 1] }").spectrum.value[0], 3,
              1e-14);
  const Covariance digits =
      covariance_from("{ kind = 'data', path = '" RISKCURVE_SOURCE_DIR
                      "/validation/data/digits.csv', columns = [3, 4], scale = 2, "
                      "sample = 'gaussian' }");
  EXPECT_EQ(digits.dimension(), 2);
  EXPECT_FALSE(digits.sample_rows);
  EXPECT_LT(digits.rows->x.colwise().mean().norm(), 1e-12);
}

TEST(ReadCovariance, OrientationIsChosenWhereThereIsAChoice) {
  EXPECT_EQ(covariance_from("{ kind = 'isotropic', dimension = 10, orientation = 'diagonal' }")
                .orientation,
            Orientation::diagonal);
  const Covariance generic = covariance_from(
      "{ kind = 'ar1', dimension = 3, correlation = 0.5, orientation = 'generic' }");
  EXPECT_EQ(generic.orientation, Orientation::generic);
  EXPECT_EQ(generic.matrix, nullptr);
  EXPECT_THROW(covariance_from(
                   "{ kind = 'ar1', dimension = 3, correlation = 0.5, orientation = 'diagonal' }"),
               InputError);
  EXPECT_THROW(covariance_from("{ kind = 'isotropic', dimension = 3, orientation = 'given' }"),
               InputError);
}

TEST(ReadCovariance, RejectsBadParameters) {
  for (const char* bad :
       {"{ kind = 'power_low', dimension = 3 }", "{ kind = 'power_law', dimension = 3 }",
        "{ kind = 'power_law', dimension = 2.5, alpha = 1 }",
        "{ kind = 'power_law', dimension = 0, alpha = 1 }",
        "{ kind = 'power_law', dimension = 1e19, alpha = 1 }",
        "{ kind = 'power_law', dimension = 3, alpha = -1 }",
        "{ kind = 'power_law', dimension = 3, alpha = nan }",
        "{ kind = 'eigenvalues', values = [] }", "{ kind = 'eigenvalues', values = [1, -1] }",
        "{ kind = 'eigenvalues', values = [0, 0] }", "{ kind = 'eigenvalues' }",
        "{ kind = 'ar1', dimension = 3, correlation = 1 }",
        "{ kind = 'ar1', dimension = 100000, correlation = 0.5 }",
        "{ kind = 'toeplitz', first_row = [] }", "{ kind = 'matrix', path = 'no.csv' }",
        "{ kind = 'spiked', dimension = 3, spikes = [] }",
        "{ kind = 'marchenko_pastur', dimension = 3, ratio = 0 }", "{ }"})
    EXPECT_THROW(covariance_from(bad), InputError) << bad;
}

}  // namespace
}  // namespace riskcurve
