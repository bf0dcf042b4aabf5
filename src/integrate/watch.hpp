#pragma once
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <string>

#include "riskcurve/integrate/solve.hpp"

namespace riskcurve {

/// What ends a solve before its time.
struct Stopped {
  RiskCurve::Status status;
  std::string message;
};

/// Bounds the work of every method, and lets the caller interrupt it: asked before each try of a
/// step, rejected ones included. Times are local to the stretch, as those of Flow.
class Watch {
 public:
  Watch(const SolveOptions& options, double horizon) : options_(options), horizon_(horizon) {}

  void enter(double start, double length) {
    start_ = start;
    length_ = length;
    window(0);
  }
  /// The next tries start at t.
  void at(double t) { now_ = t; }
  /// Throws Stopped.
  void attempt() {
    if (tries_ >= options_.max_steps)
      fail(fmt::format("more than max_steps = {} steps, at step {:g}", options_.max_steps, step()));
    // Progress counts decades of time as much as time: long horizons are log-like.
    const double done = horizon_ > 0 ? std::log1p(step()) / std::log1p(horizon_) : 1;
    if (options_.progress && !options_.progress(done))
      throw Stopped{RiskCurve::Status::interrupted,
                    fmt::format("interrupted at step {:g}", step())};
    if (tries_ - window_tries_ == kWindow) judge();
    ++tries_;
  }
  long tries() const { return tries_; }
  [[noreturn]] void no_step_length() const {
    fail(
        fmt::format("no acceptable step length at step {:g}: the response is not finite or not "
                    "smooth there, or rtol is too small",
                    step()));
  }

 private:
  static constexpr long kWindow = 200;

  double step() const { return start_ + now_; }
  void window(double t) {
    window_start_ = now_ = t;
    window_tries_ = tries_;
  }
  /// At this pace, be it of time or of its logarithm, the stretch would take ten times max_steps.
  void judge() {
    const double moved = now_ - window_start_;
    if (!(moved > 0)) no_step_length();
    const double share = moved / std::min(now_, length_ - window_start_);
    if (share * 10 * static_cast<double>(options_.max_steps) < kWindow)
      fail(
          fmt::format("steps of {:.2g} at step {:g}: at that pace {:g} steps take far more than "
                      "max_steps = {}",
                      moved / kWindow, step(), length_, options_.max_steps));
    window(now_);
  }
  [[noreturn]] static void fail(std::string message) {
    throw Stopped{RiskCurve::Status::failed, std::move(message)};
  }

  const SolveOptions& options_;
  double horizon_, start_ = 0, length_ = 0, now_ = 0, window_start_ = 0;
  long tries_ = 0, window_tries_ = 0;
};

}  // namespace riskcurve
