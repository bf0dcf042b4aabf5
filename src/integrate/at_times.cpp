#include "integrate/at_times.hpp"

#include <algorithm>
#include <cmath>
#include <numbers>

namespace riskcurve {
namespace {

using Eigen::Index;
constexpr int kDegree = 32;
constexpr Index kFewTimes = 4 * kDegree;
constexpr int kHalvings = 8;
constexpr double kResolved = 1e-13;

/// Chebyshev series of all rows of f on [a, b], row 0 as log f[0]/scale.
struct Interpolant {
  double a, b, scale = 1;
  Eigen::ArrayXXd coefficient;  ///< shape (rows, kDegree + 1)
  bool resolved = true;

  Interpolant(const std::function<Eigen::ArrayXd(double)>& f, double from, double to)
      : a(from), b(to) {
    Eigen::MatrixXd values;
    for (int j = 0; j <= kDegree; ++j) {
      const double x = std::cos(std::numbers::pi * j / kDegree);
      const Eigen::ArrayXd value = f(std::clamp(0.5 * (a + b) + 0.5 * (b - a) * x, a, b));
      if (j == 0) values.resize(value.size(), kDegree + 1);
      values.col(j) = value;
    }
    scale = values(0, 0);
    values.row(0) = (values.row(0).array() / scale).log().matrix();
    coefficient = (values * transform()).array();
    for (Index row = 0; row < values.rows(); ++row) {
      const auto of_row = values.row(row).array();
      if ((of_row == of_row[0]).all() || of_row.isNaN().all()) {  // constant, to the last digit
        coefficient.row(row).setZero();
        coefficient(row, 0) = of_row[0];
        continue;
      }
      const double size = row == 0 ? 1 : values.row(row).cwiseAbs().maxCoeff();
      // Not: a nan is not resolved.
      if (!(coefficient.row(row).tail(4).abs().maxCoeff() <= kResolved * size)) resolved = false;
    }
  }
  /// Values at the points of Chebyshev and Lobatto -> coefficients.
  static const Eigen::MatrixXd& transform() {
    static const Eigen::MatrixXd matrix = [] {
      Eigen::MatrixXd m(kDegree + 1, kDegree + 1);
      const auto half = [](int k) { return k == 0 || k == kDegree ? 0.5 : 1.0; };
      for (int j = 0; j <= kDegree; ++j)
        for (int k = 0; k <= kDegree; ++k)
          m(j, k) = 2.0 / kDegree * half(j) * half(k) *
                    std::cos(std::numbers::pi * ((j * k) % (2 * kDegree)) / kDegree);
      return m;
    }();
    return matrix;
  }
  Eigen::ArrayXd operator()(double t) const {  // Clenshaw
    const double x = std::clamp((2 * t - a - b) / (b - a), -1.0, 1.0);
    Eigen::ArrayXd value = Eigen::ArrayXd::Zero(coefficient.rows()), before = value;
    for (int k = kDegree; k > 0; --k) {
      before = coefficient.col(k) + 2 * x * value - before;
      value.swap(before);
    }
    value = coefficient.col(0) + x * value - before;
    value[0] = scale * std::exp(value[0]);
    return value;
  }
};

}  // namespace

void at_times(const std::function<Eigen::ArrayXd(double)>& f, double a, double b,
              const Eigen::ArrayXd& at, Index first, Index last,
              const std::function<void(const Eigen::ArrayXd&)>& record) {
  const auto fill = [&](const auto& self, double from, double to, Index begin, Index end,
                        int halvings) -> void {
    if (end - begin > kFewTimes && halvings > 0) {
      if (const Interpolant series(f, from, to); series.resolved) {
        for (Index i = begin; i < end; ++i) record(series(at[i]));
        return;
      }
      const double middle = 0.5 * (from + to);
      const Index split = std::lower_bound(at.data() + begin, at.data() + end, middle) - at.data();
      self(self, from, middle, begin, split, halvings - 1);
      self(self, middle, to, split, end, halvings - 1);
      return;
    }
    for (Index i = begin; i < end; ++i) record(f(at[i]));
  };
  fill(fill, a, b, first, last, kHalvings);
}

}  // namespace riskcurve
