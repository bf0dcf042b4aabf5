#include "run/ensemble.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <limits>
#include <string>
#include <vector>

#include "power_of_two.hpp"
#include "riskcurve/problem/error.hpp"
#include "run/fill.hpp"
#include "run/parallel.hpp"

namespace riskcurve {
namespace {

constexpr double infinity = std::numeric_limits<double>::infinity();

/// A column for R, and one for that of an average; infinite to the end once it has diverged. Empty
/// where the run left off.
Eigen::ArrayXXd perform(const Eigen::ArrayXd& at, const Trajectory& trajectory,
                        Progress& progress) {
  Eigen::ArrayXXd risk(at.size(), trajectory.averaged_risk ? 2 : 1);
  for (Eigen::Index i = 0; i < at.size(); ++i) {
    if (i > 0 && progress.stop) return {};
    if (!trajectory.advance(i > 0 ? at[i - 1] : 0, at[i], progress)) return {};
    risk(i, 0) = trajectory.risk();
    if (trajectory.averaged_risk) risk(i, 1) = trajectory.averaged_risk();
    if (!risk.row(i).isFinite().all()) {
      risk.bottomRows(at.size() - i).setConstant(infinity);
      break;
    }
  }
  return risk;
}

using MakeRun = std::function<Eigen::ArrayXXd(long run, Progress& progress)>;

std::vector<Eigen::ArrayXXd> make_all(double parts, const EnsembleOptions& options,
                                      const MakeRun& run) {
  std::vector<Eigen::ArrayXXd> risk(static_cast<std::size_t>(options.runs));
  Progress progress(options.progress, parts * options.runs);
  parallel_for(options.runs, options.threads, progress.stop,
               [&](long i) { risk[static_cast<std::size_t>(i)] = run(i, progress); });
  return risk;
}

/// Of a run that is kept: R at all times, and as many cells for the average, blank where there is
/// none.
std::vector<Cell> to_row(const Eigen::ArrayXXd& risk) {
  std::vector<Cell> row(static_cast<std::size_t>(2 * risk.rows()), std::string());
  std::copy(risk.data(), risk.data() + risk.size(), row.begin());
  return row;
}

/// Empty where they are not numbers.
Eigen::ArrayXXd from_row(const std::vector<std::string>& row) {
  Eigen::ArrayXXd risk(std::ssize(row) / 2, row.back().empty() ? 1 : 2);
  for (Eigen::Index i = 0; i < risk.size(); ++i) {
    const std::string& cell = row[static_cast<std::size_t>(i)];
    char* end = nullptr;
    risk.data()[i] = std::strtod(cell.c_str(), &end);
    if (cell.empty() || *end != '\0') return {};
  }
  return risk;
}

/// Of a shard nothing.
std::vector<Eigen::ArrayXXd> make_kept(Eigen::Index times, double parts,
                                       const EnsembleOptions& options, const MakeRun& run) {
  KeptRuns& kept = *options.kept;
  Table table;
  table.identity = kept.identity;
  table.columns.resize(static_cast<std::size_t>(2 * times));
  table.points = options.runs;
  const auto row_of = [&](long i, Progress& progress) -> std::vector<std::vector<Cell>> {
    const Eigen::ArrayXXd risk = run(i, progress);
    if (risk.size() == 0) return {};
    return {to_row(risk)};
  };
  TableOptions filling = kept.table;
  filling.threads = options.threads;
  filling.progress = options.progress;
  const Filled filled = fill_counted(table, parts, row_of, kept.journal, filling);
  kept.outcome = filled.outcome;
  std::vector<Eigen::ArrayXXd> risk(static_cast<std::size_t>(options.runs));
  for (std::size_t i = 0; i < risk.size() && filling.shards == 0; ++i) {
    if (!filled.finished.has(static_cast<long>(i))) continue;
    risk[i] = from_row(filled.finished.cells(i));
    if (risk[i].size() == 0)
      throw InputError(kept.journal, fmt::format("run {}", i),
                       "numbers: without its line the run is made again");
  }
  return risk;
}

void summarize(const Eigen::ArrayXXd& risk, Eigen::ArrayXd& means, Eigen::ArrayXd& errors) {
  const auto n = static_cast<double>(risk.cols());
  means = risk.rowwise().sum() / n;  // nan where no run was whole
  errors.setConstant(risk.rows(), NAN);
  if (n < 2) return;  // one run tells nothing of the spread
  for (Eigen::Index i = 0; i < risk.rows(); ++i) {
    const double mean = means[i];
    const double unit = power_of_two(mean);
    errors[i] = std::isfinite(mean)
                    ? unit * std::sqrt(((risk.row(i) - mean) / unit).square().sum() / (n - 1) / n)
                    : infinity;
  }
}

}  // namespace

void check_ensemble(const Eigen::ArrayXd& at, const char* field, const EnsembleOptions& options) {
  if (options.runs < 1)
    throw InputError("runs", std::to_string(options.runs), "a whole number, at least 1");
  if (options.threads < 0)
    throw InputError("threads", std::to_string(options.threads), "a whole number, at least 0");
  if (at.size() == 0) throw InputError(field, "[]", "at least one time to record");
  for (Eigen::Index i = 0; i < at.size(); ++i)
    if (!(at[i] >= 0 && std::isfinite(at[i]) && (i == 0 || at[i] > at[i - 1])))
      throw InputError(field + ("[" + std::to_string(i) + "]"), at[i],
                       "finite, increasing times >= 0");
}

Ensemble run_ensemble(const Eigen::ArrayXd& at, double parts, const EnsembleOptions& options,
                      const std::function<Trajectory(std::uint64_t run)>& begin) {
  check_ensemble(at, "at", options);
  const MakeRun run = [&](long i, Progress& progress) {
    return perform(at, begin(static_cast<std::uint64_t>(i)), progress);
  };
  const std::vector<Eigen::ArrayXXd> risk =
      options.kept ? make_kept(at.size(), parts, options, run) : make_all(parts, options, run);

  Ensemble ensemble;
  ensemble.steps = at;
  std::vector<std::size_t> whole;
  for (std::size_t i = 0; i < risk.size(); ++i) {
    if (risk[i].size() == 0) continue;
    whole.push_back(i);
    if (!std::isfinite(risk[i](at.size() - 1, 0))) ++ensemble.diverged;
  }
  ensemble.interrupted =
      options.kept ? !options.kept->outcome.complete : whole.size() < risk.size();
  const auto gather = [&](Eigen::Index column) {
    Eigen::ArrayXXd all(at.size(), std::ssize(whole));
    for (Eigen::Index i = 0; i < all.cols(); ++i)
      all.col(i) = risk[whole[static_cast<std::size_t>(i)]].col(column);
    return all;
  };
  ensemble.risk = gather(0);
  summarize(ensemble.risk, ensemble.mean, ensemble.error);
  if (!whole.empty() && risk[whole[0]].cols() > 1) {
    ensemble.averaged_risk = gather(1);
    summarize(ensemble.averaged_risk, ensemble.averaged_mean, ensemble.averaged_error);
  }
  if (options.progress && !ensemble.interrupted) options.progress(1);
  return ensemble;
}

}  // namespace riskcurve
