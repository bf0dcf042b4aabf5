#pragma once
#include <atomic>
#include <chrono>
#include <functional>
#include <mutex>

namespace riskcurve {

/// How much is done and the wish to stop, shared by all threads. Whoever finds that a thousandth
/// was done or 50 ms went by since the last report makes the next one, so that reports come while
/// any thread works.
class Progress {
 public:
  /// `total` parts, `done` of them before the start.
  Progress(const std::function<bool(double fraction)>& report, double total, long done = 0)
      : report_(report), total_(total), last_(Clock::now()), told_(done), done_(done) {}

  /// Counts one part done; false when the work is to stop.
  bool count() {
    ++done_;
    if (report_ && reporting_.try_lock()) {
      const std::lock_guard<std::mutex> release(reporting_, std::adopt_lock);
      const long done = done_;
      const auto now = Clock::now();
      if (static_cast<double>(done - told_) >= 1e-3 * total_ ||
          now - last_ > std::chrono::milliseconds(50)) {
        told_ = done;
        last_ = now;
        if (!report_(static_cast<double>(done) / total_)) stop = true;
      }
    }
    return !stop;
  }
  long done() const { return done_; }

  std::atomic<bool> stop = false;

 private:
  using Clock = std::chrono::steady_clock;
  const std::function<bool(double)>& report_;
  const double total_;
  std::mutex reporting_;
  Clock::time_point last_;
  long told_;
  std::atomic<long> done_;
};

}  // namespace riskcurve
