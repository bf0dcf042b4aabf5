#include "dynamics/coordinate_products.hpp"

#include <algorithm>

#include "lanes.hpp"

namespace riskcurve {
namespace {

using Eigen::ArrayXd;
using Eigen::Index;

constexpr Index kPanel = 8;
constexpr Index kLanes = 4;  // partial sums of products with F^T

/// One panel of F x and F' y; in: x_0, x_1, y_0, y_1 of each mode, out: kPanel of each.
template <class Lanes>
RISKCURVE_INLINE inline void by_modes(const double* f, const double* in, Index modes, double* out) {
  constexpr int vectors = kPanel / width<Lanes>;
  Lanes sum[4][vectors] = {};
  for (Index k = 0; k < modes; ++k, f += kPanel, in += 4)
    for (int v = 0; v < vectors; ++v) {
      const Lanes at = lanes_at<Lanes>(f + v * width<Lanes>), square = at * at;
      sum[0][v] += at * in[0];
      sum[1][v] += at * in[1];
      sum[2][v] += square * in[2];
      sum[3][v] += square * in[3];
    }
  for (int i = 0; i < 4; ++i)
    for (int v = 0; v < vectors; ++v) put(sum[i][v], out + i * kPanel + v * width<Lanes>);
}

/// Adds one panel's part of F^T x and F'^T y; in: kPanel of x, y_0 and y_1, sums: kLanes of each of
/// the three, mode by mode.
template <class Lanes>
RISKCURVE_INLINE inline void by_coordinates(const double* f, const double* in, Index modes,
                                            double* sums) {
  constexpr int vectors = kPanel / width<Lanes>, lanes = kLanes / width<Lanes>;
  Lanes x[3][vectors];
  for (int i = 0; i < 3; ++i)
    for (int v = 0; v < vectors; ++v) x[i][v] = lanes_at<Lanes>(in + i * kPanel + v * width<Lanes>);
  for (Index k = 0; k < modes; ++k, f += kPanel, sums += 3 * kLanes) {
    Lanes sum[3][lanes];
    for (int i = 0; i < 3; ++i)
      for (int l = 0; l < lanes; ++l)
        sum[i][l] = lanes_at<Lanes>(sums + i * kLanes + l * width<Lanes>);
    for (int v = 0; v < vectors; ++v) {
      const Lanes at = lanes_at<Lanes>(f + v * width<Lanes>), square = at * at;
      sum[0][v % lanes] += at * x[0][v];
      sum[1][v % lanes] += square * x[1][v];
      sum[2][v % lanes] += square * x[2][v];
    }
    for (int i = 0; i < 3; ++i)
      for (int l = 0; l < lanes; ++l) put(sum[i][l], sums + i * kLanes + l * width<Lanes>);
  }
}

using OfPanel = void (*)(const double* f, const double* in, Index modes, double* out);

OfPanel by_modes_here() {
  const OfPanel any = [](const double* f, const double* in, Index n, double* out) {
    by_modes<Two>(f, in, n, out);
  };
#ifdef RISKCURVE_WIDE
  const OfPanel wide = [](const double* f, const double* in, Index n, double* out)
                           RISKCURVE_TARGET { by_modes<Four>(f, in, n, out); };
  if (has_wide_lanes()) return wide;
#endif
  return any;
}
OfPanel by_coordinates_here() {
  const OfPanel any = [](const double* f, const double* in, Index n, double* out) {
    by_coordinates<Two>(f, in, n, out);
  };
#ifdef RISKCURVE_WIDE
  const OfPanel wide = [](const double* f, const double* in, Index n, double* out)
                           RISKCURVE_TARGET { by_coordinates<Four>(f, in, n, out); };
  if (has_wide_lanes()) return wide;
#endif
  return any;
}

}  // namespace

CoordinateProducts::CoordinateProducts(const Eigen::MatrixXd& f)
    : rows_(f.rows()),
      columns_(f.cols()),
      panels_((f.rows() + kPanel - 1) / kPanel),
      packed_(static_cast<std::size_t>(panels_ * kPanel * f.cols()), 0.0) {
  double* to = packed_.data();
  for (Index p = 0; p < panels_; ++p)
    for (Index k = 0; k < columns_; ++k, to += kPanel)
      for (Index i = 0; i < std::min(kPanel, rows_ - p * kPanel); ++i) to[i] = f(p * kPanel + i, k);
}

CoordinateProducts::OfModes CoordinateProducts::of_modes(const OfModes& modes) const {
  static const OfPanel multiply = by_modes_here();
  std::vector<double> in(static_cast<std::size_t>(4 * columns_)),
      out(static_cast<std::size_t>(4 * kPanel * panels_));
  const ArrayXd* const parts[] = {&modes.x[0], &modes.x[1], &modes.y[0], &modes.y[1]};
  double* to = in.data();
  for (Index k = 0; k < columns_; ++k)
    for (const ArrayXd* part : parts) *to++ = (*part)[k];
  for (Index p = 0; p < panels_; ++p)
    multiply(packed_.data() + p * kPanel * columns_, in.data(), columns_,
             out.data() + 4 * kPanel * p);
  OfModes sums{{ArrayXd(rows_), ArrayXd(rows_)}, {ArrayXd(rows_), ArrayXd(rows_)}};
  ArrayXd* const sum[] = {&sums.x[0], &sums.x[1], &sums.y[0], &sums.y[1]};
  for (Index j = 0; j < rows_; ++j)
    for (Index i = 0; i < 4; ++i)
      (*sum[i])[j] =
          out[static_cast<std::size_t>((j / kPanel) * 4 * kPanel + i * kPanel + j % kPanel)];
  return sums;
}

CoordinateProducts::OfCoordinates CoordinateProducts::of_coordinates(
    const OfCoordinates& coordinates) const {
  static const OfPanel multiply = by_coordinates_here();
  std::vector<double> in(static_cast<std::size_t>(3 * kPanel)),
      sums(static_cast<std::size_t>(3 * kLanes * columns_), 0.0);
  const ArrayXd* const parts[] = {&coordinates.x, &coordinates.y[0], &coordinates.y[1]};
  for (Index p = 0; p < panels_; ++p) {
    double* to = in.data();
    for (const ArrayXd* part : parts)
      for (Index i = p * kPanel; i < (p + 1) * kPanel; ++i) *to++ = i < rows_ ? (*part)[i] : 0;
    multiply(packed_.data() + p * kPanel * columns_, in.data(), columns_, sums.data());
  }
  OfCoordinates result{ArrayXd(columns_), {ArrayXd(columns_), ArrayXd(columns_)}};
  ArrayXd* const sum[] = {&result.x, &result.y[0], &result.y[1]};
  const double* from = sums.data();
  for (Index k = 0; k < columns_; ++k)
    for (ArrayXd* of : sum) {
      (*of)[k] = (from[0] + from[1]) + (from[2] + from[3]);
      from += kLanes;
    }
  return result;
}

}  // namespace riskcurve
