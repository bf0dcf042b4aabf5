#pragma once
#include <chrono>
#include <string>

namespace riskcurve::cli {

/// From here on the first Ctrl-C asks the work to stop, through Progress; one two seconds
/// later kills.
void catch_interrupts();
bool interrupted();

/// A progress line on standard error, shown only on a terminal and only for work that takes longer
/// than half a second; gone at the end of the scope. To be passed as the `progress` of solve and
/// simulate: it answers false once Ctrl-C was pressed.
class Progress {
 public:
  explicit Progress(std::string label);
  ~Progress();
  Progress(const Progress&) = delete;
  Progress& operator=(const Progress&) = delete;

  bool operator()(double fraction);

 private:
  using Clock = std::chrono::steady_clock;
  std::string label_;
  bool terminal_, shown_ = false;
  Clock::time_point start_ = Clock::now(), drawn_ = start_;
};

}  // namespace riskcurve::cli
