#include "simulate/ensemble.hpp"

#include <omp.h>

#include <atomic>
#include <chrono>
#include <cmath>
#include <cstdio>
#include <exception>
#include <limits>
#include <mutex>
#include <string>
#include <vector>

#include "riskcurve/problem/error.hpp"

namespace riskcurve {
namespace {

constexpr double infinity = std::numeric_limits<double>::infinity();
constexpr double nan = std::numeric_limits<double>::quiet_NaN();

void check(const Eigen::ArrayXd& at, const SimulateOptions& options) {
  if (options.runs < 1)
    throw InputError("runs", std::to_string(options.runs), "a whole number, at least 1");
  if (options.threads < 0)
    throw InputError("threads", std::to_string(options.threads), "a whole number, at least 0");
  if (at.size() == 0) throw InputError("run.at", "[]", "at least one step to record");
  for (Eigen::Index i = 0; i < at.size(); ++i) {
    const bool good =
        at[i] >= 0 && at[i] <= 1e15 && at[i] == std::floor(at[i]) && (i == 0 || at[i] > at[i - 1]);
    if (good) continue;
    char text[32];
    std::snprintf(text, sizeof text, "%.17g", at[i]);
    throw InputError("run.at", text, "whole, increasing steps: Monte Carlo takes no part of one");
  }
}

// The fraction done and the wish to stop, shared by all threads. Whichever finds the last report
// old makes the next one, so that reports come while any thread works.
class Progress {
 public:
  Progress(const std::function<bool(double)>& report, double total)
      : report_(report), total_(total), last_(Clock::now()) {}

  /// Counts one step done; false when the work is to stop.
  bool count() {
    done_.fetch_add(1, std::memory_order_relaxed);
    if (report_ && reporting_.try_lock()) {
      const std::lock_guard<std::mutex> release(reporting_, std::adopt_lock);
      const auto now = Clock::now();
      if (now - last_ > std::chrono::milliseconds(50)) {
        last_ = now;
        if (!report_(static_cast<double>(done_) / total_)) stop();
      }
    }
    return !stopped();
  }
  void stop() { stopped_ = true; }
  bool stopped() const { return stopped_.load(std::memory_order_relaxed); }

 private:
  using Clock = std::chrono::steady_clock;
  const std::function<bool(double)>& report_;
  const double total_;
  std::mutex reporting_;
  Clock::time_point last_;
  std::atomic<long> done_ = 0;
  std::atomic<bool> stopped_ = false;
};

enum class Outcome { finished, diverged, unfinished };

Outcome perform(const Eigen::ArrayXd& at, Trajectory trajectory, Progress& progress,
                Eigen::Ref<Eigen::ArrayXd> risk) {
  long k = 0;
  for (Eigen::Index i = 0; i < at.size(); ++i) {
    for (const long end = static_cast<long>(at[i]); k < end; ++k) {
      trajectory.step(k);
      if (!progress.count()) return Outcome::unfinished;
    }
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
  ensemble.error.resize(ensemble.risk.rows());
  for (Eigen::Index i = 0; i < ensemble.risk.rows(); ++i) {
    const double mean = ensemble.mean[i];
    if (n < 2)
      ensemble.error[i] = nan;  // one run tells nothing of the spread
    else if (!std::isfinite(mean))
      ensemble.error[i] = infinity;
    else
      ensemble.error[i] = std::sqrt((ensemble.risk.row(i) - mean).square().sum() / (n - 1) / n);
  }
}

}  // namespace

Ensemble run_ensemble(const Eigen::ArrayXd& at, const SimulateOptions& options,
                      const std::function<Trajectory(std::uint64_t run)>& begin) {
  check(at, options);
  Eigen::ArrayXXd risk(at.size(), options.runs);
  std::vector<Outcome> outcome(options.runs, Outcome::unfinished);
  Progress progress(options.progress, at[at.size() - 1] * options.runs);
  std::exception_ptr error;
  const int threads = options.threads > 0 ? options.threads : omp_get_num_procs();

#pragma omp parallel for num_threads(threads) schedule(dynamic, 1)
  for (int run = 0; run < options.runs; ++run) {
    if (progress.stopped()) continue;
    try {  // an exception must not leave the parallel region
      outcome[run] = perform(at, begin(static_cast<std::uint64_t>(run)), progress, risk.col(run));
    } catch (...) {
      progress.stop();
#pragma omp critical(riskcurve_ensemble_error)
      error = std::current_exception();
    }
  }
  if (error) std::rethrow_exception(error);

  Ensemble ensemble;
  ensemble.steps = at;
  std::vector<Eigen::Index> whole;
  for (int run = 0; run < options.runs; ++run) {
    if (outcome[run] != Outcome::unfinished) whole.push_back(run);
    if (outcome[run] == Outcome::diverged) ++ensemble.diverged;
  }
  ensemble.interrupted = std::ssize(whole) < options.runs;
  ensemble.risk = risk(Eigen::all, whole);
  summarize(ensemble);
  if (options.progress && !ensemble.interrupted) options.progress(1);
  return ensemble;
}

}  // namespace riskcurve
