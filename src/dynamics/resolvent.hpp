#pragma once
#include <Eigen/Core>

#include "dynamics/residual_transform.hpp"
#include "riskcurve/problem/spectrum.hpp"

namespace riskcurve {

/// Points of the resolvent curve, each an array over the same grid; `'` is d/dx in the grid's own
/// variable x (log t, or whatever the grid is uniform in).
struct ResolventPoints {
  Eigen::ArrayXd p, rest;              ///< p and p_max - p, each to relative accuracy
  Eigen::ArrayXd log_a, log_b, log_m;  ///< of (2) in docs/theory/matrix.md
  Eigen::ArrayXd log_t;
  Eigen::ArrayXd dp, dlog_t;  ///< p' and (log t)'
  Eigen::ArrayXd chi;         ///< chi(m), the drift factor of (4)

  Eigen::Index size() const { return p.size(); }
};

/// The deterministic equivalent of G = (1/B) sum_b z_b u_b v_b^T, u ~ N(0, K_out), v ~ N(0, K_in):
/// a curve in p in (0, p_max), p_max = min(1, rank K_out/B, rank K_in/B),
///
///     (1/B) sum_i a sigma_i/(1 + a sigma_i) = p = (1/B) sum_j b lambda_j/(1 + b lambda_j),
///     E[m z^2/(1 + m z^2)] = p,        t^2 = p^2/(a b m),
///
/// with t from inf (p = 0) to 0 (p = p_max). tr over either side of g^2/(g^2 + t^2) is B p. Each
/// equation is scalar and monotone. a and b depend on p alone; the law of z moves t and chi only.
/// The curve is followed in the log of whichever of a, b, m goes to infinity at p_max (the side
/// that binds), where p_max - p is a sum of positive terms.
/// Source: docs/theory/matrix.md#fixed-point.
class ResolventCurve {
 public:
  /// Zero eigenvalues are left out (their modes have no rate). Throws InputError unless batch > 0
  /// and finite, and each side has a positive eigenvalue and at most 40 decades of them.
  ResolventCurve(const Spectrum& out, const Spectrum& in, double batch);

  double batch() const { return batch_; }
  double p_max() const { return p_max_; }
  /// Which limits are attained at p_max (more than one in a tie).
  bool out_binds() const { return out_.excess == 0; }
  bool in_binds() const { return in_.excess == 0; }
  bool batch_binds() const { return excess_ == 0; }

  /// Smallest and largest nonzero eigenvalue of each side.
  Eigen::Array2d out_range() const { return {out_.value.minCoeff(), out_.value.maxCoeff()}; }
  Eigen::Array2d in_range() const { return {in_.value.minCoeff(), in_.value.maxCoeff()}; }

  /// The points at the given log t, in any order (neighbours close together are quick); x = log t.
  ResolventPoints at(const Eigen::ArrayXd& log_t, const ResidualTransform& residual) const;
  /// The same p under another law of z: a and b stay, t, m, chi and (log t)' move; x as in
  /// `points`.
  ResolventPoints moved(const ResolventPoints& points, const ResidualTransform& residual) const;

  /// log t between `high`, where a ||K_out||, b ||K_in|| and p are at most `depth`, and `low`,
  /// where every limit that binds at p_max is reached to `depth`: beyond, everything is a power of
  /// t.
  struct Range {
    double low, high;
  };
  Range range(const ResidualTransform& residual, double depth) const;

  /// (1/B) sum_i sigma_i/((1 + a_k sigma_i)(1 + a_l sigma_i)) for all pairs of points, and the same
  /// of K_in: (points, points). p_l - p_k = (a_l - a_k) out(k, l).
  Eigen::MatrixXd out_pairs(const ResolventPoints& points) const;
  Eigen::MatrixXd in_pairs(const ResolventPoints& points) const;
  /// p_k - p_l without cancellation.
  double difference(const ResolventPoints& points, Eigen::Index k, Eigen::Index l,
                    const Eigen::MatrixXd& out, const Eigen::MatrixXd& in) const;

 private:
  struct Side {
    Eigen::ArrayXd value, weight;  // nonzero eigenvalues; multiplicity/B
    double excess = 0;             // rank/B - p_max, 0 if it binds
    struct Sums {
      double p, rest, slope;  // sum w as/(1+as), sum w/(1+as), dp/d log a
    };
    Sums at(double log_a) const;
    double solve(double p, double rest, double start) const;
    Eigen::MatrixXd pairs(const Eigen::ArrayXd& log_a) const;
  };
  struct Point {
    double p, rest, log_a, log_b, log_m, slope_a, slope_b, slope_m, chi;
    double log_t() const;
    double dp() const;  // dp/dlog t < 0
  };
  enum class Primary { out, in, batch };

  static Side side(const Spectrum& spectrum, const char* field, double batch);
  Point point(double primary, const Point& guess, const ResidualTransform& residual) const;
  Point first_guess(const ResidualTransform& residual) const;

  Side out_, in_;
  double batch_, p_max_, excess_;  // excess: 1 - p_max
  Primary primary_;
};

}  // namespace riskcurve
