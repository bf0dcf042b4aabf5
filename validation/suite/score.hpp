#pragma once
#include <Eigen/Core>
#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "case.hpp"

namespace riskcurve::validation {

/// Standard errors by which a mean of runs may miss its allowance.
constexpr double kErrors = 4;

/// A case at one size: the prediction, an ensemble of runs, and how far they are apart. Percent are
/// of the prediction; gap = mean of runs - prediction.
struct Score {
  double size = 0, dimension = 0;  ///< dimension: d, or the larger side of a matrix
  double batch = 0, runs = 0, step = 0;
  std::string problem;  ///< the problem file, as TOML
  Eigen::ArrayXd steps, predicted, mean, error;
  Eigen::ArrayXd low, high;         ///< 95 % band; empty where there is none
  Eigen::ArrayXXd shown;            ///< some of the runs, shape (times, at most 12)
  double gap = 0, gap_error = 0;    ///< percent, where |gap| - 4 standard errors is largest
  double in_errors = 0;             ///< largest |gap|, in standard errors
  double bias = 0, bias_error = 0;  ///< percent, averaged over the recorded steps
  double inside = 0;                ///< percent of runs inside the band; nan without one
  double spread = 0;                ///< deviation of runs over the predicted one; nan without bands
  std::string trust, trust_line;    ///< as JSON, and in a line (report/trust.hpp)
  std::vector<std::string> warnings;
  std::string failure;  ///< not empty: there is no comparison, and why
};

/// Solves and runs. Throws InputError for a case that cannot be, Failure when `go_on` says false.
Score score(const Case& the, std::size_t size, std::uint64_t seed,
            const std::function<bool()>& go_on);

/// |gap| <= allowance/size + 4 standard errors at every recorded step.
bool within(const Case& the, const Score& score);

/// One line of text, and back: what a journal holds of a score.
std::string to_text(const Score& score);
Score from_text(const std::string& text);

/// The order p of bias ~ size^-p, common to some cases, each with a prefactor of its own: weighted
/// least squares, with the interval in which chi^2 grows by one (times chi^2 per degree of freedom,
/// where that is above one). nan where no bias stands out of its errors.
struct Order {
  std::string optimizer;
  double value = 0, low = 0, high = 0;
  int cases = 0;
  std::vector<double> size, bias;  ///< root mean square over the cases, percent, errors taken off
};
Order fit_order(const std::string& optimizer, const std::vector<std::vector<Score>>& scores);

/// A claim's ratio, as predicted and in runs.
struct Verdict {
  double predicted = 0, measured = 0, error = 0;
  /// Both within [low, high], the runs by at least two standard errors.
  bool holds = false;
};
Verdict judge(const Claim& claim, const Score& of, const Score& over);

}  // namespace riskcurve::validation
