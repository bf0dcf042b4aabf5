#pragma once
#include <functional>

namespace riskcurve {

/// phi_B of the matrix problem for B >= 2 (docs/theory/matrix.md#signsgd),
///     (2/pi) B (B-1) int_0^inf Q (H - Q) H^(B-2) ds,
///     H = E (1 + s^2 l^2)^(-1/2),  Q = E (1 + s^2 l^2)^(-3/2),
/// from laplace(u) = E exp(-u l^2). log_start: a guess of log s past the peak of the integrand.
double matrix_rate(const std::function<double(double)>& laplace, double log_start, int batch);

}  // namespace riskcurve
