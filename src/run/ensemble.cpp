#include "run/ensemble.hpp"

#include <cmath>
#include <limits>
#include <string>
#include <vector>

#include "power_of_two.hpp"
#include "riskcurve/problem/error.hpp"
#include "run/parallel.hpp"

namespace riskcurve {
namespace {

constexpr double infinity = std::numeric_limits<double>::infinity();

enum class Outcome { finished, diverged, unfinished };

/// Writes a column for R, and one for that of an average.
Outcome perform(const Eigen::ArrayXd& at, const Trajectory& trajectory, Progress& progress,
                Eigen::ArrayXXd& risk) {
  risk.setZero(at.size(), trajectory.averaged_risk ? 2 : 1);
  for (Eigen::Index i = 0; i < at.size(); ++i) {
    if (i > 0 && progress.stop) return Outcome::unfinished;
    if (!trajectory.advance(i > 0 ? at[i - 1] : 0, at[i], progress)) return Outcome::unfinished;
    risk(i, 0) = trajectory.risk();
    if (trajectory.averaged_risk) risk(i, 1) = trajectory.averaged_risk();
    if (!risk.row(i).isFinite().all()) {
      risk.bottomRows(at.size() - i).setConstant(infinity);
      return Outcome::diverged;
    }
  }
  return Outcome::finished;
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
  std::vector<Eigen::ArrayXXd> risk(static_cast<std::size_t>(options.runs));
  std::vector<Outcome> outcome(risk.size(), Outcome::unfinished);
  Progress progress(options.progress, parts * options.runs);
  parallel_for(options.runs, options.threads, progress.stop, [&](long run) {
    const auto i = static_cast<std::size_t>(run);
    outcome[i] = perform(at, begin(static_cast<std::uint64_t>(run)), progress, risk[i]);
  });

  Ensemble ensemble;
  ensemble.steps = at;
  std::vector<std::size_t> whole;
  for (std::size_t run = 0; run < risk.size(); ++run) {
    if (outcome[run] != Outcome::unfinished) whole.push_back(run);
    if (outcome[run] == Outcome::diverged) ++ensemble.diverged;
  }
  ensemble.interrupted = whole.size() < risk.size();
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
