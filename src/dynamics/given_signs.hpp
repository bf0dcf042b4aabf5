#pragma once
#include <functional>

#include "dynamics/coherent_law.hpp"
#include "dynamics/sign_basis.hpp"
#include "riskcurve/dynamics/mode_system.hpp"

namespace riskcurve {

/// What a gradient's signs are made of, U = p M + r G (docs/theory/signal.md#signs).
struct GivenNoise {
  Measure c;       ///< of the signal, in units of U's noise
  double power;    ///< P: samples' own part of the noise is E g~^2/P; inf: none
  double sampled;  ///< of one gradient's linear part, h^2 times 1/h of it
  double rest_scale = 1;
};

/// Signs of correlated coordinates, signals of any size: modes are those of `basis`, y_k = w_k^T
/// Delta, their errors all >= 0. With g~ = D^(-1) K Delta (D = diag(K)^(1/2)), filtered, the signal
/// in units of its noise, coordinate by coordinate,
///
///     E sign_i = E_c erf(x_i),    x_i = c g~_i/sqrt(2 V_i),    V_i = 1 - E g~_i^2/P + c^2 Var
///     g~_i, E f_k = w_k^T E sign,       slopes sum_i q_ik^2 d E sign_i/d g~_i, E f_k^2 = (E f_k)^2
///     + linear + rest_k sum_i q_ik^2 eta_i, eta_i = [1 - (E sign_i)^2 - (2/pi) e^(-2 x_i^2)]/(1 -
///     2/pi):
///
/// the mean exact, differences between runs mode by mode.
/// rest: what signs add to the linear part's noise, of every mode.
FilteredMap given_sign_map(const SignBasis& basis, const Eigen::ArrayXd& rest,
                           std::function<GivenNoise(const FilteredGradient& u)> law);

/// What any map of single coordinates is given, U = p M + r G over D: its mean over runs, what it
/// differs by but for the samples' noise, and E (E G)^2 of the newest gradient.
struct CoordinateGradient {
  Eigen::ArrayXd mean, spread, fresh_square;
};
/// And what it makes of it: E f, its slope by the mean, and what is not linear, in parts of `rest`
/// below; the noise of one gradient's linear part, times h; V of this step, where it is kept.
struct CoordinateRates {
  Eigen::ArrayXd mean, slope, rest;
  double sampled;
  Eigen::ArrayXd squares = {};
};
/// As given_sign_map, of any such map. rest: E f_k^2 of every mode beyond the linear part's.
FilteredMap given_map(
    const SignBasis& basis, const Eigen::ArrayXd& rest,
    std::function<CoordinateRates(const FilteredGradient& u, const CoordinateGradient& gradient)>
        law);

/// Turns columns so that all errors are >= 0.
void turn_to_errors(SignBasis& basis);
/// Modes without a mean may be given one by the others: squares, none of them quite 0.
Eigen::ArrayXd with_faint_means(const Eigen::ArrayXd& initial);

}  // namespace riskcurve
