#pragma once
#include <atomic>
#include <functional>

namespace riskcurve {

/// Cores this process may use: by its affinity, and the quota of its control group. At least 1.
int cores();

/// How many threads parallel_for takes for so many pieces of work; at least 1.
int thread_count(long count, int threads);

/// Calls work(i) for i = 0, ..., count - 1, handed out in this order to `threads` threads (0: all
/// cores). None is handed out once `stop` is set, by whoever sets it. What throws sets it too, and
/// is thrown on when all threads are back: of several exceptions that of the smallest i.
void parallel_for(long count, int threads, std::atomic<bool>& stop,
                  const std::function<void(long i)>& work);

}  // namespace riskcurve
