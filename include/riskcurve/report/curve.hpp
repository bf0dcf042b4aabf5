#pragma once
#include <Eigen/Core>
#include <string>

#include "riskcurve/analysis/predict.hpp"
#include "riskcurve/integrate/solve.hpp"
#include "riskcurve/report/plot.hpp"
#include "riskcurve/report/record.hpp"

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

}  // namespace riskcurve
