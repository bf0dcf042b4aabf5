#include "cli/progress.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include <csignal>
#include <cstdio>
#include <ctime>
#include <utility>

namespace riskcurve::cli {
namespace {

volatile std::sig_atomic_t stop = 0;

volatile std::time_t asked_at = 0;

/// One key press may arrive twice (to the process and to its group), so only a later one kills.
void request_stop(int) {
  const std::time_t now = std::time(nullptr);
  if (!stop) {
    stop = 1;
    asked_at = now;
  } else if (now > asked_at + 1) {
    _exit(128 + SIGINT);
  }
}

double seconds(std::chrono::steady_clock::duration time) {
  return std::chrono::duration<double>(time).count();
}

}  // namespace

void catch_interrupts() {
  struct sigaction action = {};
  action.sa_handler = request_stop;
  action.sa_flags = SA_RESTART;
  sigaction(SIGINT, &action, nullptr);
}

bool interrupted() {
  return stop != 0;
}

Progress::Progress(std::string label)
    : label_(std::move(label)), terminal_(isatty(STDERR_FILENO)) {}

Progress::~Progress() {
  if (shown_) fmt::print(stderr, "\r\x1b[K");
}

bool Progress::operator()(double fraction) {
  const auto now = Clock::now();
  const double elapsed = seconds(now - start_);
  if (terminal_ && elapsed > 0.5 && seconds(now - drawn_) > 0.1) {
    shown_ = true;
    drawn_ = now;
    const int width = 30, done = static_cast<int>(fraction * width);
    const std::string rest =
        fraction > 0.02 ? fmt::format(", {:.0f} s left", elapsed * (1 - fraction) / fraction) : "";
    fmt::print(stderr, "\r{} [{:#<{}}{:.<{}}] {:3.0f} %{}\x1b[K", label_, "", done, "",
               width - done, 100 * fraction, rest);
    std::fflush(stderr);
  }
  return !interrupted();
}

}  // namespace riskcurve::cli
