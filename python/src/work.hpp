#pragma once
#include <pybind11/pybind11.h>

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <exception>
#include <functional>
#include <mutex>
#include <optional>
#include <thread>
#include <type_traits>
#include <utility>

#include "riskcurve/problem/error.hpp"

namespace riskcurve::python {

namespace py = pybind11;

/// What the library asks as it goes: takes the fraction done, answers whether to go on.
using Hook = std::function<bool(double fraction)>;

/// work(hook) on a thread of its own, the interpreter's lock released. Meanwhile the calling thread
/// looks twenty times a second whether Ctrl-C was pressed, and calls `progress` (or None) with the
/// fraction done: both stop the work, the latter by False or an exception.
template <class Work>
auto interruptible(const py::object& progress, Work&& work) {
  using Result = std::invoke_result_t<Work, Hook>;
  std::atomic<double> fraction = 0;
  std::atomic<bool> stop = false;
  std::mutex mutex;
  std::condition_variable ended;
  bool done = false, refused = false;
  std::optional<Result> result;
  std::exception_ptr failure, raised;

  const auto look = [&] {
    const py::gil_scoped_acquire lock;
    try {
      if (PyErr_CheckSignals() != 0) throw py::error_already_set();
      if (progress.is_none()) return;
      const py::object answer = progress(fraction.load());
      refused = answer.is(py::bool_(false));
      stop = refused;
    } catch (...) {
      raised = std::current_exception();
      stop = true;
    }
  };
  {
    const py::gil_scoped_release unlock;
    std::thread worker([&] {
      try {
        result.emplace(work([&](double x) {
          fraction = x;
          return !stop.load();
        }));
      } catch (...) {
        failure = std::current_exception();
      }
      const std::lock_guard lock(mutex);
      done = true;
      ended.notify_one();
    });
    std::unique_lock lock(mutex);
    while (!ended.wait_for(lock, std::chrono::milliseconds(50), [&] { return done; })) {
      if (stop) continue;
      lock.unlock();
      look();
      lock.lock();
    }
    lock.unlock();
    worker.join();
    if (!stop) {
      if (!failure) fraction = 1;
      look();
    }
  }
  if (raised) std::rethrow_exception(raised);
  if (failure && !refused) std::rethrow_exception(failure);
  if (refused) throw Failure("stopped by progress");
  return std::move(*result);
}

}  // namespace riskcurve::python
