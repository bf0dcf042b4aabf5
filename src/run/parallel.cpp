#include "run/parallel.hpp"

#include <algorithm>
#include <exception>
#include <mutex>
#include <system_error>
#include <thread>
#include <vector>

namespace riskcurve {

int thread_count(long count, int threads) {
  return static_cast<int>(
      std::clamp<long>(threads > 0 ? threads : cores(), 1, std::max(1L, count)));
}

void parallel_for(long count, int threads, std::atomic<bool>& stop,
                  const std::function<void(long i)>& work) {
  std::atomic<long> next = 0;
  std::mutex lock;
  std::exception_ptr error;
  long failed = count;
  const auto worker = [&] {
    while (!stop) {
      const long i = next++;
      if (i >= count) return;
      try {
        work(i);
      } catch (...) {
        const std::lock_guard<std::mutex> guard(lock);
        stop = true;
        if (i >= failed) continue;
        failed = i;
        error = std::current_exception();
      }
    }
  };
  const int wanted = thread_count(count, threads);
  std::vector<std::thread> others;
  try {
    for (int i = 1; i < wanted; ++i) others.emplace_back(worker);
  } catch (const std::system_error&) {
    // The system grants no more threads: those there are do all the work.
  }
  worker();
  for (std::thread& thread : others) thread.join();
  if (error) std::rethrow_exception(error);
}

}  // namespace riskcurve
