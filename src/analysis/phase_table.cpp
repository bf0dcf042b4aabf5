#include "riskcurve/analysis/phase_table.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <iterator>

#include "analysis/phase_rates.hpp"
#include "riskcurve/analysis/predict.hpp"

namespace riskcurve {

using Eigen::ArrayXd;
using Eigen::Index;

namespace {

constexpr Phase order_of_phases[] = {Phase::first, Phase::trade_off, Phase::second, Phase::tie};

}  // namespace

Table phase_table(const PhasePlan& plan, const ArrayXd& alpha, const ArrayXd& beta) {
  Table table;
  table.columns = {"alpha", "beta", "phase"};
  for (const Optimizer& optimizer : plan.optimizers) {
    const std::string name = name_of(optimizer);
    for (const char* end : {"_exponent", "_exponent_error"}) table.columns.push_back(name + end);
    if (derived_exponent(optimizer, alpha[0], beta[0], plan.sides))
      table.columns.push_back(name + "_exponent_derived");
  }
  const auto at_horizons = [&](const char* number) {
    for (const Optimizer& optimizer : plan.optimizers)
      for (Index h = 1; h <= plan.horizon.size(); ++h)
        table.columns.push_back(fmt::format("{}_{}_{}", name_of(optimizer), number, h));
  };
  at_horizons("risk");
  for (const char* number : {"intrinsic_dimension", "participation", "signal", "rank"})
    table.columns.emplace_back(number);
  at_horizons("step_rate");
  table.columns.emplace_back("untrusted");
  table.identity = fmt::format("phases {} {} {} {} {} {} {}", name_of(plan.optimizers[0]),
                               name_of(plan.optimizers[1]), plan.dimension, plan.batch,
                               static_cast<int>(plan.sides), plan.schedules, plan.small);
  if (plan.momentum != std::array<double, 2>{})
    table.identity += fmt::format(" momentum {} {}", plan.momentum[0], plan.momentum[1]);
  for (const ArrayXd& list : {alpha, beta, plan.horizon})
    for (const double x : list) table.identity += fmt::format(" {}", x);
  // Where targets share no rates, each point by itself: it takes seconds.
  const auto rows_each = allows_any_signal(plan) ? 1 : beta.size();
  table.points = alpha.size() * beta.size() / rows_each;
  table.rows_each = rows_each;
  table.rows = [plan, alpha, beta, rows_each](long point) {
    const long first = point * rows_each, column = first / beta.size();
    std::vector<std::vector<Cell>> rows;
    for (const PhasePoint& p :
         phase_column(plan, alpha[column], beta.segment(first % beta.size(), rows_each))) {
      const auto phase =
          std::find(std::begin(order_of_phases), std::end(order_of_phases), p.phase) -
          std::begin(order_of_phases);
      std::vector<Cell> row{p.alpha, p.beta, static_cast<double>(phase)};
      for (const std::size_t i : {0, 1}) {
        const Exponent& fitted = p.best[i].exponent;
        row.insert(row.end(), {fitted.value, fitted.error});
        const auto derived = derived_exponent(plan.optimizers[i], p.alpha, p.beta, plan.sides);
        if (derived) row.emplace_back(*derived);
      }
      for (const BestRisks& best : p.best)
        row.insert(row.end(), best.risk.begin(), best.risk.end());
      row.insert(row.end(), {p.trust.intrinsic_dimension, p.trust.participation, p.trust.signal,
                             p.trust.rank});
      for (const BestRisks& best : p.best)
        row.insert(row.end(), best.step_rate.begin(), best.step_rate.end());
      Trust worst = p.trust;  // fmax: nan where there is none
      worst.step_rate = std::fmax(p.best[0].step_rate.maxCoeff(), p.best[1].step_rate.maxCoeff());
      // Few directions are seen: what is left is that single runs scatter.
      if (worst.any_signal) worst.intrinsic_dimension = kTrustedIntrinsicDimension;
      row.emplace_back(untrusted(worst));
      rows.push_back(row);
    }
    return rows;
  };
  return table;
}

}  // namespace riskcurve
