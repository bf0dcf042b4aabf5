#include "dynamics/coordinate_products.hpp"

#include <algorithm>

#include "lanes.hpp"

namespace riskcurve {
namespace {

using Eigen::ArrayXd;
using Eigen::Index;

constexpr Index kPanel = 8;

/// One panel of F x of kX x, and F' y of kY y; in: those of each column, out: kPanel of each.
template <class Lanes, int kX, int kY>
RISKCURVE_INLINE inline void panel_sums(const double* f, const double* in, Index columns,
                                        double* out) {
  constexpr int vectors = kPanel / width<Lanes>, all = kX + kY;
  Lanes sum[all][vectors] = {};
  for (Index k = 0; k < columns; ++k, f += kPanel, in += all)
    for (int v = 0; v < vectors; ++v) {
      const Lanes at = lanes_at<Lanes>(f + v * width<Lanes>), square = at * at;
      for (int i = 0; i < all; ++i) sum[i][v] += (i < kX ? at : square) * in[i];
    }
  for (int i = 0; i < all; ++i)
    for (int v = 0; v < vectors; ++v) put(sum[i][v], out + i * kPanel + v * width<Lanes>);
}

using OfPanel = void (*)(const double* f, const double* in, Index columns, double* out);

template <int kX, int kY>
OfPanel panel_sums_here() {
  const OfPanel any = [](const double* f, const double* in, Index n, double* out) {
    panel_sums<Two, kX, kY>(f, in, n, out);
  };
#ifdef RISKCURVE_WIDE
  const OfPanel wide = [](const double* f, const double* in, Index n, double* out)
                           RISKCURVE_TARGET { panel_sums<Four, kX, kY>(f, in, n, out); };
  if (has_wide_lanes()) return wide;
#endif
  return any;
}

}  // namespace

CoordinateProducts::Packed::Packed(const Eigen::MatrixXd& f)
    : rows(f.rows()),
      columns(f.cols()),
      panels((f.rows() + kPanel - 1) / kPanel),
      entry(static_cast<std::size_t>(panels * kPanel * f.cols()), 0.0) {
  double* to = entry.data();
  for (Index p = 0; p < panels; ++p)
    for (Index k = 0; k < columns; ++k, to += kPanel)
      for (Index i = 0; i < std::min(kPanel, rows - p * kPanel); ++i) to[i] = f(p * kPanel + i, k);
}

template <int kX, int kY>
void CoordinateProducts::multiply(const Packed& f, const ArrayXd* const* parts,
                                  ArrayXd* const* sums) {
  static const OfPanel of_panel = panel_sums_here<kX, kY>();
  constexpr int all = kX + kY;
  std::vector<double> in(static_cast<std::size_t>(all * f.columns));
  double* to = in.data();
  for (Index k = 0; k < f.columns; ++k)
    for (int i = 0; i < all; ++i) *to++ = (*parts[i])[k];
  for (int i = 0; i < all; ++i) sums[i]->resize(f.rows);
  for (Index p = 0; p < f.panels; ++p) {
    double out[all * kPanel];
    of_panel(f.entry.data() + p * kPanel * f.columns, in.data(), f.columns, out);
    for (int i = 0; i < all; ++i)
      for (Index j = 0; j < std::min(kPanel, f.rows - p * kPanel); ++j)
        (*sums[i])[p * kPanel + j] = out[i * kPanel + j];
  }
}

CoordinateProducts::CoordinateProducts(const Eigen::MatrixXd& f)
    : to_coordinates_(f), to_modes_(f.transpose()) {}

CoordinateProducts::OfModes CoordinateProducts::of_modes(const OfModes& modes) const {
  OfModes sums;
  const ArrayXd* const parts[] = {&modes.x[0], &modes.x[1], &modes.y[0], &modes.y[1]};
  ArrayXd* const sum[] = {&sums.x[0], &sums.x[1], &sums.y[0], &sums.y[1]};
  multiply<2, 2>(to_coordinates_, parts, sum);
  return sums;
}

CoordinateProducts::OfCoordinates CoordinateProducts::of_coordinates(
    const OfCoordinates& coordinates) const {
  OfCoordinates sums;
  const ArrayXd* const parts[] = {&coordinates.x, &coordinates.y[0], &coordinates.y[1]};
  ArrayXd* const sum[] = {&sums.x, &sums.y[0], &sums.y[1]};
  multiply<1, 2>(to_modes_, parts, sum);
  return sums;
}

}  // namespace riskcurve
