#include "dynamics/voigt.hpp"

#include <array>
#include <cmath>
#include <numbers>

namespace riskcurve {
namespace {

using Complex = std::complex<double>;
const double root_pi = std::sqrt(std::numbers::pi);

constexpr int terms = 12;
const double kSpacing = std::sqrt(std::numbers::pi / (terms + 1));

struct Tables {
  std::array<double, terms + 2> middle, whole;  // t_k^2 of the two rules
  std::array<double, terms + 2> middle_exp, whole_exp;
  Tables() {
    for (int k = 0; k < terms + 2; ++k) {
      middle[k] = std::pow((k + 0.5) * kSpacing, 2);
      whole[k] = std::pow((k + 1) * kSpacing, 2);
      middle_exp[k] = std::exp(-middle[k]);
      whole_exp[k] = std::exp(-whole[k]);
    }
  }
};

// 1/z without the checks for infinities of operator/.
Complex inverse(Complex z) {
  return std::conj(z) / std::norm(z);
}

}  // namespace

Complex faddeeva(Complex z) {
  static const Tables table;
  const Complex i(0, 1);
  const double phase = std::abs(z.real()) / kSpacing;
  const double offset = phase - std::floor(phase);
  const bool whole = z.imag() < std::numbers::pi / kSpacing && offset > 0.25 && offset < 0.75;
  const auto& square = whole ? table.whole : table.middle;
  const auto& weight = whole ? table.whole_exp : table.middle_exp;
  const Complex z2 = z * z;
  Complex sum = 0;
  for (int k = 0; k < terms + 2; ++k) sum += weight[k] * inverse(z2 - square[k]);
  Complex w = (2 * kSpacing / std::numbers::pi) * i * z * sum;
  if (whole) w += i * (kSpacing / std::numbers::pi) * inverse(z);
  if (z.imag() < std::numbers::pi / kSpacing) {
    const Complex turn = std::exp(-2 * std::numbers::pi / kSpacing * i * z);
    w += 2.0 * std::exp(-z2) * inverse(whole ? 1.0 - turn : 1.0 + turn);
  }
  return w;
}

VoigtValues voigt(double x, double y) {
  const Complex z(x, y);
  if (std::norm(z) < 42 && y < 5) {
    const Complex w = faddeeva(z);
    const Complex derivative = -2.0 * z * w + Complex(0, 2 / root_pi);
    VoigtValues v;
    v.rest = root_pi * y * w.real();
    v.p = 1 - v.rest;
    v.slope = 0.5 * root_pi * y * (w.real() - y * derivative.imag());
    v.chi = root_pi * y * y * derivative.imag();
    v.odd = root_pi * y * y * w.imag();
    return v;
  }
  // Laplace's continued fraction w = (i/sqrt(pi))/(z - k1), k_j = (j/2)/(z - k_{j+1}); the
  // differences that cancel for large |z| are taken symbolically: w' = -2 k1 w, and with
  // d1 = z - k1, d2 = z - k2: p = [Re(d1)^2 - Im(d1) Im(k1)]/|d1|^2.
  // Of depth n it errs by n!/(2 |z|^2)^n.
  const int depth = std::norm(z) > 1e6 ? 3 : std::norm(z) > 1e3 ? 6 : 15;
  Complex k = 0;
  for (int j = depth; j > 2; --j) k = 0.5 * j * inverse(z - k);
  const Complex k2 = inverse(z - k);
  const Complex d2 = z - k2;
  const Complex k1 = 0.5 * inverse(d2);
  const Complex d1 = z - k1;
  const double n1 = std::norm(d1), n2 = std::norm(d2);
  VoigtValues v;
  v.rest = y * d1.imag() / n1;
  v.p = (d1.real() * d1.real() - d1.imag() * k1.imag()) / n1;
  v.slope =
      0.5 * y / (n1 * n2) * (y * (2 * d2.real() * d2.real() + (k2 * d2).real()) - 0.5 * k2.imag());
  v.chi = -2 * y * y * (k1 * std::conj(d1)).real() / n1;
  v.odd = y * y * d1.real() / n1;
  return v;
}

}  // namespace riskcurve
