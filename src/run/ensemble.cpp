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

Outcome perform(const Eigen::ArrayXd& at, const Trajectory& trajectory, Progress& progress,
                Eigen::Ref<Eigen::ArrayXd> risk) {
  for (Eigen::Index i = 0; i < at.size(); ++i) {
    if (i > 0 && progress.stop) return Outcome::unfinished;
    if (!trajectory.advance(i > 0 ? at[i - 1] : 0, at[i], progress)) return Outcome::unfinished;
    risk[i] = trajectory.risk();
    if (!std::isfinite(risk[i])) {
      risk.tail(at.size() - i).setConstant(infinity);
      return Outcome::diverged;
    }
  }
  return Outcome::finished;
}

void summarize(Ensemble& ensemble) {
  const auto n = static_cast<double>(ensemble.risk.cols());
  ensemble.mean = ensemble.risk.rowwise().sum() / n;  // nan where no run was whole
  ensemble.error.setConstant(ensemble.risk.rows(), NAN);
  if (n < 2) return;  // one run tells nothing of the spread
  for (Eigen::Index i = 0; i < ensemble.risk.rows(); ++i) {
    const double mean = ensemble.mean[i];
    const double unit = power_of_two(mean);
    ensemble.error[i] =
        std::isfinite(mean)
            ? unit * std::sqrt(((ensemble.risk.row(i) - mean) / unit).square().sum() / (n - 1) / n)
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
  Eigen::ArrayXXd risk(at.size(), options.runs);
  std::vector<Outcome> outcome(static_cast<std::size_t>(options.runs), Outcome::unfinished);
  Progress progress(options.progress, parts * options.runs);
  parallel_for(options.runs, options.threads, progress.stop, [&](long run) {
    outcome[static_cast<std::size_t>(run)] =
        perform(at, begin(static_cast<std::uint64_t>(run)), progress, risk.col(run));
  });

  Ensemble ensemble;
  ensemble.steps = at;
  std::vector<Eigen::Index> whole;
  for (int run = 0; run < options.runs; ++run) {
    const Outcome how = outcome[static_cast<std::size_t>(run)];
    if (how != Outcome::unfinished) whole.push_back(run);
    if (how == Outcome::diverged) ++ensemble.diverged;
  }
  ensemble.interrupted = std::ssize(whole) < options.runs;
  ensemble.risk = risk(Eigen::all, whole);
  summarize(ensemble);
  if (options.progress && !ensemble.interrupted) options.progress(1);
  return ensemble;
}

}  // namespace riskcurve
