#pragma once
#include <cmath>
#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "riskcurve/analysis/fit.hpp"
#include "riskcurve/dynamics/mode_system.hpp"

namespace riskcurve {

/// Rows of a curve between two steps in ratio: their mean loss, and what is uncertain about its
/// logarithm. The model is averaged over up to four steps of them.
struct FitBin {
  double loss, error;
  double low = 0;  ///< how much the logarithm of so noisy a mean is below that of its
                   ///< expectation
  Eigen::Index rows = 0;
  std::vector<Eigen::Index> at = {};  ///< of the curve's `step`
};
/// A curve as it is fitted: bins, and the steps that they ask for, increasing.
struct BinnedCurve {
  LossCurve trained;  ///< its rows left out
  Eigen::ArrayXd step;
  std::vector<FitBin> bins;
  bool stepped = false;  ///< solved step by step: exact in steps of any size
  bool slow = false;     ///< solved as the slow system
};

/// Relative error of a loss that the model is allowed beside that of the data.
double discrepancy(FitModel model);
/// Rows from step `from` on, to `until`, in at most 60 bins.
BinnedCurve binned(const LossCurve& curve, double from, double until, double floor);

/// Throws InputError where no fit of the plan could be trusted; returns what is doubtful.
std::vector<std::string> check_plan(const FitPlan& plan);
/// Whether the steps taken at rows within these limits tell the floor from noise: empty, or why
/// they do not.
std::string inseparable(const FitPlan& plan, double until);

/// The numbers of a fit, each as it enters the problem.
struct FitValues {
  double scale = 1;  ///< A: the largest eigenvalue, but for the spike
  double alpha = 0.6, beta = 0.2, dimension = 2000;
  double risk = 1;                          ///< R(0)
  double floor = 1;                         ///< F; of least_squares s^2
  double noise = 1;                         ///< nu; of logs the noise power
  double spike_share = 0, spike_rate = 10;  ///< of R(0), and over A
};
/// The problem of these numbers: nu is in the multiplicities, and the noise of logs in labels whose
/// power is kDominant times R(0).
VectorProblem problem_of(const FitValues& values, FitModel model);
constexpr double kDominant = 1e4;
Experiment experiment_of(const FitValues& values, FitModel model, const LossCurve& curve);

/// R(0) drift + noise power nu noise: the curves of a problem whose noise does not follow R.
struct LinearCurves {
  Eigen::ArrayXd drift, noise;
};
/// At the curve's steps; `power` of the labels' noise that rates are taken beside.
LinearCurves linear_curves(const FitValues& values, const BinnedCurve& curve, double power);

/// What an observer slower than the memory of its optimizer sees of a system, as a system without
/// memory: the rates of ModeSystem::steady_rates. No weight decay. Itself where nothing is
/// remembered.
ModeSystem slow_system(const ModeSystem& system);

/// L at the curve's steps; nan from where it diverges.
Eigen::ArrayXd fitted_loss(const FitValues& values, FitModel model, const BinnedCurve& curve);

/// A coordinate of the search: what it is of FitValues, its bounds (of the logarithm, where it is
/// one) and its prior (deviation 0: none).
struct FitCoordinate {
  std::string name;
  double FitValues::*member;
  bool logarithm;
  double low, high;
  Prior prior;
};
std::vector<FitCoordinate> coordinates(FitModel model, const FitPriors& priors, bool spike);
FitValues values_at(const std::vector<FitCoordinate>& coordinates, const Eigen::VectorXd& x,
                    FitValues start = {});

/// A minimum of the sum of squares over all bins and priors.
struct FitMinimum {
  FitValues values;
  Eigen::VectorXd x;       ///< coordinates
  double cost = HUGE_VAL;  ///< sum of squares, priors included
  double chi_square = HUGE_VAL;
};
struct FitSearch {
  FitModel model;
  std::vector<FitCoordinate> coordinates;
  std::vector<BinnedCurve> curves;
  int threads = 0;
};
/// df/dx by central differences, a column for each x.
Eigen::MatrixXd fit_differences(const Eigen::VectorXd& x, Eigen::Index rows, double by, int threads,
                                const std::function<Eigen::VectorXd(const Eigen::VectorXd& x)>& f);
/// Residuals over their errors, bins first, then priors.
Eigen::VectorXd residuals(const FitSearch& search, const Eigen::VectorXd& x);
/// Their derivatives, by differences.
Eigen::MatrixXd jacobian(const FitSearch& search, const Eigen::VectorXd& x);
/// d log(loss of each row)/dx of any curve.
Eigen::MatrixXd log_slopes(const FitSearch& search, const Eigen::VectorXd& x,
                           const BinnedCurve& curve);
FitMinimum descend(const FitSearch& search, const Eigen::VectorXd& start);
/// The best few of so many random starts, each with the linear numbers that suit it best.
std::vector<Eigen::VectorXd> starting_points(const FitSearch& search, int starts,
                                             std::uint64_t seed, int kept);

/// What the plan's goals ask for.
std::vector<FitStep> fitted_steps(const FitPlan& plan, const FitSearch& search,
                                  const FitMinimum& best, const Eigen::MatrixXd& covariance);

}  // namespace riskcurve
