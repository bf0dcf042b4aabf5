#pragma once
#include <memory>
#include <vector>

#include "dynamics/saturation.hpp"
#include "riskcurve/dynamics/mode_system.hpp"

namespace riskcurve {

// The variance of a filtered gradient's entries, and of what is linear in it: what one and two
// graded sides share (docs/theory/signal.md).

/// What large samples keep of their residuals, of the newest gradient and of what is remembered.
struct FilterTables {
  std::shared_ptr<const Saturation> now, past;
  std::shared_ptr<const Saturation::Held> lags;
  int lag_count = 0;

  /// How many gradients of a batch lie in the filter.
  int gradients(double momentum) const;
};
/// share, count: of the columns whose samples count one by one, as Saturation has them. `last`:
/// kept where they serve.
FilterTables filter_tables(const NoiseLaw& noise, double risk, double memory,
                           const FilteredGradient& gradient, const Eigen::ArrayXd& share,
                           const Eigen::ArrayXd& count, const FilterTables* last);

/// Where a buffer stands that holds gradients: the noise of a fresh one enters it.
Eigen::Index place_of_memory(const BlockStep& step);
/// What the map is given where the start's error has been there for long, the memory's noise left
/// out: 0.
FilteredGradient long_held(const ModeSystem& system, double momentum, double fresh, double share);

/// In units of E z^2 = power: then nothing over- or underflows.
FilteredGradient in_units(const FilteredGradient& given, double power);

/// What runs differ by, where means are seen.
FilteredGradient apart_in(const FilteredGradient& u);
/// V of every mode where no sample is large; sampled: of one gradient, over h.
Eigen::ArrayXd variance_of(const FilteredGradient& u, const Eigen::ArrayXd& sampled);
/// Of it what is no noise of samples.
Eigen::ArrayXd signal_of(const FilteredGradient& u);
/// E of the square of what is linear.
Eigen::ArrayXd linear_power(const FilteredGradient& u, const FilteredAnswer& answer);
/// From units of E z^2 = power to those of the problem, times `scale`.
void give_units(FilteredAnswer& answer, double scale, double power);

/// V of every mode as a function of m, single samples divided by what they add:
///
///     V = chi_0^2 r^2 E y^2 + 2 chi_0 chi_1 r p E y M + chi_1^2 p^2 signal
///         + A_0 r^2 n + A_1 p^2 noise.
class FilteredVariance {
 public:
  /// In units of E z^2. weight: h; sampled: n; variance: of the label noise. Keeps `tables`.
  FilteredVariance(const FilteredGradient& gradient, const Eigen::ArrayXd& weight,
                   const Eigen::ArrayXd& sampled, const FilterTables& tables, double variance);

  Eigen::ArrayXd unsaturated() const { return error_ + cross_ + memory_ + fresh_ + noise_; }

  /// V and its slope by log m; and of V what is no noise of samples.
  struct Value {
    Eigen::ArrayXd value, slope, signal;
  };
  /// chi_0, chi_1, A_0; of heads, fresh and fresh_noise.
  struct Factors {
    double fresh = 1, memory = 1, fresh_noise = 1;
    std::vector<Saturation::Fresh> heads = {};
  };
  Value at(double log_m, Factors& factors) const;

  const std::vector<Eigen::Index>& heads() const { return now_.heads(); }

 private:
  const Saturation& now_;
  const Saturation::Held& lags_;
  Eigen::ArrayXd error_, cross_, memory_, fresh_, noise_;
  double log_fresh_, log_past_;
};

/// Slopes of the polar factor, as they add up over t.
struct FilteredSlopes {
  Eigen::ArrayXd fresh, memory, fresh_noise;

  void clear(Eigen::Index modes);
  /// part: of every mode, the integrand without saturation; noise_part: by the newest noise.
  void add(const Eigen::ArrayXd& part, const Eigen::ArrayXd& noise_part,
           const FilteredVariance::Factors& factors, const std::vector<Eigen::Index>& heads);
};

}  // namespace riskcurve
