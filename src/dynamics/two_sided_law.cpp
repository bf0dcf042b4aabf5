#include "dynamics/two_sided_law.hpp"

#include <algorithm>
#include <cmath>
#include <complex>
#include <utility>

namespace riskcurve {
namespace {

using Eigen::ArrayXd;
using Eigen::ArrayXXd;
using Eigen::Index;
using Eigen::MatrixXd;
using Complex = std::complex<double>;

constexpr double kTiltOfBoth = 0.05;  // Im z over Re z
constexpr double kApartG = 1.04;      // between neighbouring g
constexpr double kLeastG = 1e-4;      // of nu
constexpr double kFarSlope = 2;       // a slope from what squares say of it: beyond, it is lost
constexpr double kSeenMass = 0.1;     // of a row's mass: less is not enough to go by

/// x and y along the singular values, from above all of them.
class AlongSingularValues {
 public:
  AlongSingularValues(const TwoSides& sides, const MatrixXd& variance, const ArrayXXd& signal)
      : sides_(sides), drawn_(variance - signal.matrix()), fixed_(signal) {}

  /// False where no root is found.
  bool at(double g) {
    if (follows_ && solve(g, kTiltOfBoth)) return true;
    const Complex t = of(g, 8);
    log_x_ = ArrayOf<Complex>::Constant(sides_.out(), -std::log(t));
    log_y_ = ArrayOf<Complex>::Constant(sides_.in(), -std::log(t));
    fixed_.echo.setZero();
    for (double tilt = 8;; tilt = std::max(kTiltOfBoth, 0.7 * tilt)) {
      follows_ = solve(g, tilt);
      if (tilt == kTiltOfBoth) return follows_;
    }
  }
  ArrayOf<Complex> x() const { return log_x_.exp(); }
  ArrayOf<Complex> y() const { return log_y_.exp(); }
  /// By the signal, of every entry.
  Eigen::ArrayXXcd slope() const {
    return (x().matrix() * y().matrix().transpose()).array() * (1.0 + fixed_.echo);
  }
  /// t at the root.
  static Complex of(double g, double tilt) { return g * std::sqrt(Complex(-1, -tilt)); }

 private:
  bool solve(double g, double tilt) {
    ArrayOf<Complex> x = log_x_, y = log_y_;
    FixedSignal<Complex> fixed = fixed_;
    if (!balance<Complex>(sides_, drawn_, fixed, of(g, tilt), x, y)) return false;
    log_x_ = x;
    log_y_ = y;
    fixed_ = std::move(fixed);
    return true;
  }

  const TwoSides& sides_;
  MatrixXd drawn_;
  FixedSignal<Complex> fixed_;
  ArrayOf<Complex> log_x_, log_y_;
  bool follows_ = false;
};

/// int rho and int f^2 rho of the rows, or columns.
struct SideMass {
  ArrayXd mass, power, last;

  explicit SideMass(Index size)
      : mass(ArrayXd::Zero(size)), power(ArrayXd::Zero(size)), last(ArrayXd::Zero(size)) {}
  /// x/t is (U U^T - z)^(-1).
  void add(const ArrayOf<Complex>& x, Complex t, double square, double of) {
    const ArrayXd density = (x / t).imag() * square;
    mass += density;
    power += density * of * of;
    last = (x * t).real();
  }
  /// Without singular values of 0, smeared over all g by Im z.
  ArrayXd ratio(double points, double powers, const ArrayXd& alone) const {
    const ArrayXd none = kTiltOfBoth / (1 + kTiltOfBoth * kTiltOfBoth) * last.max(0.0);
    const ArrayXd left = mass - points * none, with = power - powers * none;
    return (left > kSeenMass * mass && with >= 0).select(with / left, alone);
  }
};

}  // namespace

PairsAgainstPolar pairs_against_polar(const TwoSides& sides, const MatrixXd& variance,
                                      const ArrayXXd& signal,
                                      const std::function<double(double g)>& f, bool normalised) {
  const ArrayXd of_rows = (variance * sides.columns.matrix()).array(),
                of_columns = (variance.transpose() * sides.rows.matrix()).array();
  const double all = std::sqrt((sides.rows * of_rows).sum());
  const auto asked = [&](double g) { return f(normalised ? std::min(1.0, g / all) : g); };
  AlongSingularValues along(sides, variance, signal);
  SideMass rows(sides.out()), columns(sides.in());
  ArrayXXd polar = ArrayXXd::Zero(sides.out(), sides.in()), slope = polar;
  double points = 0, powers = 0;
  for (double g = 1.05 * all; g > kLeastG * all; g /= kApartG) {
    if (!along.at(g)) continue;
    const Complex t = AlongSingularValues::of(g, kTiltOfBoth);
    const ArrayOf<Complex> x = along.x(), y = along.y();
    const double of = asked(g);
    points += 1;
    powers += of * of;
    rows.add(x, t, g * g, of);
    columns.add(y, t, g * g, of);
    const ArrayXXd density = along.slope().imag() * g;
    polar += density;
    slope += density * of;
  }
  const auto alone = [&](const ArrayXd& square) -> ArrayXd {
    return square.unaryExpr([&](double v) { return asked(std::sqrt(v)); });
  };
  PairsAgainstPolar result;
  result.rows = rows.ratio(points, powers, alone(of_rows).square());
  result.columns = columns.ratio(points, powers, alone(of_columns).square());
  const ArrayXXd by_sides =
      (result.rows.sqrt().matrix() * result.columns.sqrt().matrix().transpose()).array().sqrt();
  const ArrayXXd ratio = (polar != 0).select(slope / polar, by_sides);
  result.slope = ratio.max(by_sides / kFarSlope).min(by_sides * kFarSlope).reshaped();
  return result;
}

}  // namespace riskcurve
