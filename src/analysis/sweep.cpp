#include "riskcurve/analysis/sweep.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <sstream>

#include "riskcurve/analysis/optimum.hpp"
#include "riskcurve/analysis/predict.hpp"
#include "riskcurve/analysis/schedules.hpp"
#include "riskcurve/analysis/transfer.hpp"
#include "riskcurve/dynamics/mode_system.hpp"
#include "riskcurve/dynamics/optimizers.hpp"
#include "riskcurve/problem/error.hpp"

namespace riskcurve {
namespace {}  // namespace

long Sweep::points() const {
  long count = 1;
  for (const SweepAxis& axis : axes) count *= static_cast<long>(axis.values.size());
  return count;
}

std::vector<Cell> Sweep::values(long point) const {
  std::vector<Cell> cells(axes.size());
  for (std::size_t i = axes.size(); i-- > 0;) {
    const auto size = static_cast<long>(axes[i].values.size());
    cells[i] = axes[i].values[static_cast<std::size_t>(point % size)];
    point /= size;
  }
  return cells;
}

std::vector<std::string> Sweep::columns() const {
  std::vector<std::string> names;
  for (const SweepAxis& axis : axes) names.push_back(axis.field);
  std::vector<std::string> found = {"risk"};
  if (find == Find::step) found = {"step", "risk", "slope", "evaluations"};
  if (find == Find::exponents) {
    found = {"step", "risk"};
    for (const std::string& quantity : against)
      for (const char* of : {"risk", "step"})
        for (const char* what : {"exponent", "error"})
          found.push_back(fmt::format("{}_{}_{}", quantity, of, what));
  }
  found.insert(found.end(), {"untrusted", "status"});
  names.insert(names.end(), found.begin(), found.end());
  return names;
}

namespace {

void find_risk(Experiment experiment, std::vector<Cell>& row) {
  experiment.run.at = schedule_mesh(experiment.run.steps, 25);  // the trust numbers look along it
  const Prediction prediction = predict(experiment);
  const bool ok = prediction.curve.status == RiskCurve::Status::ok;
  row.emplace_back(ok ? prediction.curve.risk[experiment.run.at.size() - 1] : NAN);
  row.emplace_back(untrusted(prediction.trust));
  row.emplace_back(ok ? std::string("ok") : prediction.curve.message);
}

struct Found {
  Optimum best;
  std::string untrusted;
};

Found best_of(const Experiment& experiment) {
  const ModeSystem system = mode_system(experiment);
  const Optimum best = best_step(compress(system), experiment.run.steps);
  if (!best.found) return {best, ""};
  return {best, untrusted(trust(experiment, system, best.step, experiment.run.steps))};
}

void find_step(const Experiment& experiment, std::vector<Cell>& row) {
  const auto [best, numbers] = best_of(experiment);
  for (const double x : {best.step, best.risk, best.slope}) row.emplace_back(best.found ? x : NAN);
  row.emplace_back(static_cast<double>(best.evaluations));
  row.emplace_back(numbers);
  row.emplace_back(best.found ? std::string("ok") : best.message);
}

/// Each word of the texts once.
std::string words_of(const std::vector<std::string>& texts) {
  std::vector<std::string> words;
  std::istringstream all(fmt::format("{}", fmt::join(texts, " ")));
  for (std::string word; all >> word;)
    if (std::find(words.begin(), words.end(), word) == words.end()) words.push_back(word);
  return fmt::format("{}", fmt::join(words, " "));
}

void find_exponents(const Experiment& experiment, const std::vector<std::string>& against,
                    std::vector<Cell>& row) {
  const auto [best, own] = best_of(experiment);
  std::vector<std::string> numbers{own};
  for (const double x : {best.step, best.risk}) row.emplace_back(best.found ? x : NAN);
  std::string status = best.found ? "ok" : best.message;
  for (const std::string& quantity : against) {
    // Many rows of many searches: where a large signal would matter, the trust numbers say so.
    const Scaling scaling = step_scaling(with_small_signal(experiment), quantity);
    for (const Exponent& exponent : {scaling.risk_exponent, scaling.step_exponent}) {
      row.emplace_back(exponent.value);
      row.emplace_back(exponent.error);
    }
    if (!scaling.skipped.empty() && status == "ok")
      status = fmt::format("{}: {}", quantity, scaling.skipped);
    numbers.insert(numbers.end(), scaling.untrusted.begin(), scaling.untrusted.end());
  }
  row.emplace_back(words_of(numbers));
  row.emplace_back(status);
}

}  // namespace

std::vector<Cell> sweep_row(const Sweep& sweep, long point) {
  std::vector<Cell> row = sweep.values(point);
  const Experiment experiment = sweep.experiment(row);
  if (sweep.find == Sweep::Find::risk) find_risk(experiment, row);
  if (sweep.find == Sweep::Find::step) find_step(experiment, row);
  if (sweep.find == Sweep::Find::exponents) find_exponents(experiment, sweep.against, row);
  return row;
}

}  // namespace riskcurve
