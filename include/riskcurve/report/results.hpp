#pragma once
#include <string>
#include <vector>

#include "riskcurve/analysis/advise.hpp"
#include "riskcurve/analysis/budget.hpp"
#include "riskcurve/analysis/fit.hpp"
#include "riskcurve/analysis/predict.hpp"
#include "riskcurve/analysis/schedules.hpp"
#include "riskcurve/analysis/sweep.hpp"
#include "riskcurve/eigen.hpp"
#include "riskcurve/integrate/solve.hpp"
#include "riskcurve/report/plot.hpp"
#include "riskcurve/report/record.hpp"
#include "riskcurve/run/table.hpp"

namespace riskcurve {

/// steps, risk, population_risk (R + noise_variance/2; null where that is infinite), observables,
/// deviation, shift, low and high if bands were asked for (null where missing), modes if kept,
/// status, message, warnings, trust, largest_stable_step, counters.
Record to_record(const Prediction& prediction);

/// The curve as a line over steps, axes chosen by its range.
Figure to_figure(const RiskCurve& curve, const std::string& title);

/// Adds bands as dashed lines.
void add_bands(Figure& figure, const Eigen::ArrayXd& steps, const Eigen::ArrayXd& low,
               const Eigen::ArrayXd& high);
/// Adds those of the prediction, if there are any.
void add_bands(Figure& figure, const Prediction& prediction);

/// Adds an ensemble to a figure of risk over steps: mean with bars of two standard errors, and up
/// to thirty single runs (`risk`, shape (times, runs)) behind it.
void add_ensemble(Figure& figure, const Eigen::ArrayXd& steps, const Eigen::ArrayXXd& risk,
                  const Eigen::ArrayXd& mean, const Eigen::ArrayXd& error);

/// A predicted curve against the mean of an ensemble at the same steps. Differences below 1e-12 of
/// the mean are roundoff, and count as zero.
struct Comparison {
  /// (mean - predicted) / standard error; nan where the runs do not differ among themselves
  /// (standard error at most 1e-12 of the mean, as at step 0), or there is only one.
  Eigen::ArrayXd in_standard_errors;
  /// 100 (mean - predicted) / predicted; nan where the prediction is zero.
  Eigen::ArrayXd in_percent;
  /// Largest absolute value of each over the finite ones; nan if there is none.
  double worst_in_standard_errors, worst_in_percent;
};

/// All arrays of the same shape (times).
Comparison compare(const Eigen::ArrayXd& predicted, const Eigen::ArrayXd& mean,
                   const Eigen::ArrayXd& standard_error);

/// How many runs lie within a band.
struct Coverage {
  Eigen::ArrayXd percent;  ///< shape (times); nan where the band has no width (step 0)
  double mean;             ///< over the others; nan if there is none
};

/// low, high of shape (times); risk of shape (times, runs).
Coverage cover(const Eigen::ArrayXd& low, const Eigen::ArrayXd& high, const Eigen::ArrayXXd& risk);

/// intrinsic_dimension, of matrix problems also ..._out and ..._in; participation, step_rate; of
/// matrix problems rank, signal.
Record to_record(const Trust& trust);

/// The numbers in a line: "trust: intrinsic dimension 120, 96 directions share the risk, ...".
std::string trust_line(const Trust& trust);

/// One line that counts, over the points of a table, each number out of its range (untrusted of
/// trust.hpp): "2 of 12 points leave the range ...: participation (2), step_rate (1)"; empty where
/// none does.
std::string untrusted_points(const std::vector<std::string>& untrusted);

/// The rows of a table (run/table.hpp) as columns: numbers where every cell is one, else texts.
Record to_record(const std::vector<std::string>& columns,
                 const std::vector<std::vector<std::string>>& rows);

/// Runs every point of the sweep and writes PATH, a CSV file with sweep.columns() as header and
/// the points in order, once all are there; until then its journal is PATH.partial, and all that a
/// shard leaves is its own. Throws as fill (table.hpp) and sweep_row do. The journal belongs to the
/// contents of both files.
TableOutcome run_sweep(const Sweep& sweep, const std::string& path,
                       const TableOptions& options = {});

/// batch, steps, each of options.over, risk (or averaged_risk) of the batches looked at, as
/// columns.
Record to_record(const std::vector<BudgetPoint>& scan, const JointOptions& options);
/// shape, step (the peak), exponent, risk, above_percent (of the least), horizon_exponent, as
/// columns; nan where there is none.
Record to_record(const std::vector<ShapeOptimum>& shapes);

/// model, parameters and intervals by name, correlation (names, matrix), floor, spike, curves and
/// predict (a record each), best, diagnostics, warnings; docs/output.md.
Record to_record(const Fit& fit);
/// Every row of every curve as columns: path, role (fit, predict), steps, observed, loss, low,
/// high.
Record points_of(const Fit& fit);
/// The curves, what they were fitted to, and below one another those predicted.
Figure to_figure(const Fit& fit, const std::string& title);

/// steps, step, schedule, doubling, optimizers (as columns), horizons, risk_at, crossings, changes,
/// small_signal, trust, warnings; docs/output.md.
Record to_record(const Advice& advice);
/// The same in words, a section a question; and as a page that stands alone, under a title.
std::string to_text(const Advice& advice);
std::string to_html(const Advice& advice, const std::string& title);
/// R around the best step, and of every optimizer over the horizon.
std::vector<Figure> to_figures(const Advice& advice);

}  // namespace riskcurve
