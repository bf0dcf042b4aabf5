#include <algorithm>
#include <cmath>

#include "riskcurve/report/results.hpp"

namespace riskcurve {
namespace {

Figure risk_axes(const Eigen::ArrayXd& steps, const Eigen::ArrayXd& risk) {
  Figure figure;
  figure.x_label = "steps k";
  figure.y_label = "excess risk R";
  figure.log_x = log_spaced(steps);
  figure.log_y = spans_a_decade(risk);
  return figure;
}

void add_bands(Record& record, const Bands& bands, const std::string& prefix) {
  for (const auto& [name, values] :
       {std::pair("deviation", &bands.deviation), std::pair("shift", &bands.shift),
        std::pair("low", &bands.low), std::pair("high", &bands.high)})
    if (bands.missing.empty())
      record.column(prefix + name, *values);
    else
      record.set(prefix + name, nullptr);
}

}  // namespace

Record to_record(const Prediction& prediction) {
  const RiskCurve& curve = prediction.curve;
  Record record;
  record.column("steps", curve.steps);
  record.column("risk", curve.risk);
  if (std::isfinite(prediction.noise_variance)) {
    record.column("population_risk", Eigen::ArrayXd(curve.risk + prediction.noise_variance / 2));
  } else {
    record.set("population_risk", nullptr);
  }
  if (curve.averaged_risk.size() > 0) record.column("averaged_risk", curve.averaged_risk);
  if (prediction.bands) add_bands(record, *prediction.bands, "");
  if (prediction.averaged_bands) add_bands(record, *prediction.averaged_bands, "averaged_");
  Record observables;
  for (const auto& [name, values] : curve.observable) observables.column(name, values);
  record.set("observables", observables);
  if (curve.modes.size() > 0) record.column("modes", curve.modes);
  record.set("status", std::string(name(curve.status)));
  record.set("message", curve.message);
  record.set("warnings", curve.warnings);
  record.set("trust", to_record(prediction.trust));
  record.set("largest_stable_step", prediction.largest_stable_step);
  record.set("step_by_step", prediction.stepped);
  Record counters;
  counters.set("accepted", curve.accepted);
  counters.set("rejected", curve.rejected);
  counters.set("evaluations", curve.evaluations);
  record.set("counters", counters);
  return record;
}

Figure to_figure(const RiskCurve& curve, const std::string& title) {
  Figure figure = risk_axes(curve.steps, curve.risk);
  figure.title = title;
  figure.series.push_back({Series::Style::line, "prediction", curve.steps, curve.risk, {}});
  if (curve.averaged_risk.size() > 0)
    figure.series.push_back(
        {Series::Style::line, "of the average", curve.steps, curve.averaged_risk, {}, 2});
  return figure;
}

void add_bands(Figure& figure, const Eigen::ArrayXd& steps, const Eigen::ArrayXd& low,
               const Eigen::ArrayXd& high) {
  figure.series.push_back({Series::Style::dashes, "95 % of runs", steps, low});
  figure.series.push_back({Series::Style::dashes, "", steps, high});
}

void add_bands(Figure& figure, const Prediction& prediction) {
  if (!prediction.bands || !prediction.bands->missing.empty()) return;
  add_bands(figure, prediction.curve.steps, prediction.bands->low, prediction.bands->high);
}

void add_ensemble(Figure& figure, const Eigen::ArrayXd& steps, const Eigen::ArrayXXd& risk,
                  const Eigen::ArrayXd& mean, const Eigen::ArrayXd& error) {
  if (figure.series.empty()) {
    const std::string title = figure.title;
    figure = risk_axes(steps, mean);
    figure.title = title;
  }
  const Eigen::Index shown = std::min<Eigen::Index>(risk.cols(), 30);
  std::vector<Series> behind;
  for (Eigen::Index r = 0; r < shown; ++r) {
    behind.push_back({Series::Style::faint, r ? "" : "single runs", steps, risk.col(r), {}});
  }
  figure.series.insert(figure.series.begin(), behind.begin(), behind.end());
  figure.series.push_back({Series::Style::error_bars, "Monte Carlo mean, ±2 s.e.", steps, mean,
                           Eigen::ArrayXd(2 * error)});
}

}  // namespace riskcurve
