#pragma once
#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "riskcurve/eigen.hpp"
#include "riskcurve/problem/problem.hpp"

namespace riskcurve {

/// A training curve, with what it was trained by. Steps increase; `loss` and `error` may be empty
/// in a curve to be predicted.
struct LossCurve {
  std::string name;           ///< of its file, for messages
  Eigen::ArrayXd step, loss;  ///< loss of the iterate after so many steps; shape (rows)
  Eigen::ArrayXd error = {};  ///< standard errors; empty: from how rows scatter about their bin
  Schedule schedule;          ///< the step size that was set, in its user's unit
  Optimizer optimizer = Sgd{};
  Chain chain = {};
  /// Losses are of single evaluations of the iterate, not of every batch.
  bool evaluated = false;
};

/// What the curves are curves of.
enum class FitModel {
  least_squares,  ///< L = s^2 + R, noise of power nu (R + s^2): linear models, random features
  logs            ///< L = F + R, noise of a power of its own that does not follow R: training logs
};
inline constexpr Choice<FitModel> kFitModels[] = {{"least_squares", FitModel::least_squares},
                                                  {"logs", FitModel::logs}};

/// A normal law of a parameter, known before the curves are.
struct Prior {
  double mean, deviation;
};
/// alpha, beta, and natural logarithms of the others.
struct FitPriors {
  Prior alpha{0.6, 0.4}, beta{0.2, 0.5}, log_dimension{7.600902459542082, 3};  // log 2000
  Prior log_noise{0, 1};                                   ///< nu; least_squares alone
  Prior log_spike_share{-5.3, 2}, log_spike_rate{2.3, 1};  // small: 0.5 %, at 10 times the rate
};
/// Those above; for logs alpha 0.8 +- 0.5.
FitPriors priors_of(FitModel model);

/// A horizon and batch whose best constant step is asked for.
struct FitGoal {
  double steps = 0;
  int batch = 1;
};

struct FitPlan {
  FitModel model = FitModel::least_squares;
  double from = 0;                 ///< rows of earlier steps are left out (warm-up)
  std::vector<LossCurve> curves;   ///< what is fitted
  std::vector<LossCurve> predict;  ///< what is predicted, and scored where it has losses
  std::vector<FitGoal> goals;      ///< empty: T, 4T, and of least_squares T at four times the batch
  FitPriors priors = {};
  int starts = 300;  ///< random ones
  std::uint64_t seed = 1;
  int threads = 0;                                     ///< 0: all cores; changes no number
  std::function<bool(double fraction)> progress = {};  ///< false: stop, with a Failure
};

/// A fitted number and its 95 % interval.
struct FitParameter {
  std::string name;
  double value, low, high;
};

/// A curve of the plan beside that of the fit. Rows before `from` are left out.
struct FitCurve {
  std::string name;
  Eigen::ArrayXd step, observed;   ///< shape (rows); observed empty where there are no losses
  Eigen::ArrayXd loss, low, high;  ///< of the fit, with the 95 % interval of its parameters
  /// Of loss/observed - 1 over bins, by the inverse squares of their errors; and in the last bin.
  double rms_percent, end_percent;
};

/// The best constant step for a goal, and naive answers beside it.
struct FitStep {
  FitGoal goal;
  double step, low, high;   ///< gamma* in the user's unit, 95 % interval; nan where not recommended
  double loss;              ///< with it; nan likewise
  double tried, quadratic;  ///< the best of the steps tried, and of a parabola in their logarithms
  std::string skipped;      ///< one line: why there is no recommendation
};

struct Fit {
  FitModel model = FitModel::least_squares;
  std::vector<FitParameter> parameters;
  Eigen::MatrixXd correlation;  ///< of the parameters (of their logarithms, but alpha, beta)
  std::vector<FitCurve> curves, predictions;
  std::vector<FitStep> steps;
  Experiment experiment;           ///< the fitted problem, under the first curve's schedule
  double floor = 0;                ///< loss = floor + R
  double chi_square = 0;           ///< of the curves alone, over `freedom`
  long points = 0, freedom = 0;    ///< bins, and how many more than parameters
  double rms_percent = 0;          ///< of the bins
  int searched = 0, agreeing = 0;  ///< best starts refined; those within 1 % of the best
  bool spike = false;              ///< whether a spike was fitted
  double spike_gain = 0;           ///< the share of chi^2 that it takes off
  /// The rms in percent of the last third of the steps, predicted from the others; nan where these
  /// do not suffice.
  double left_out_percent = 0;
  std::vector<std::string> warnings;
};

/// The power-law least-squares problem whose curves are nearest to the given ones: eigenvalues
/// A j^(-2 alpha), j = 1..d, squared error along them as j^(-2 beta), and noise as `model` says.
/// Least squares of log L over log-spaced bins, each with its standard error and a floor for what
/// the model leaves out (1 %, logs 0.3 %); priors as further rows; starts by variable projection
/// with non-negative least squares, then Levenberg-Marquardt. Covariance: that of the linearised
/// problem times chi^2 over its degrees of freedom.
/// Throws InputError where the curves do not determine the problem or are damaged: fewer than 8
/// rows, steps that do not increase, gaps, losses that grow, no factor 3 in the step across them,
/// one curve whose step only falls smoothly. Source: ours; docs/fit.md.
Fit fit(const FitPlan& plan);

}  // namespace riskcurve
