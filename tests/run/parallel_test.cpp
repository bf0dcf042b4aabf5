#include "run/parallel.hpp"

#include <gtest/gtest.h>
#ifdef __linux__
#include <sched.h>
#endif

#include <algorithm>
#include <atomic>
#include <chrono>
#include <mutex>
#include <set>
#include <stdexcept>
#include <string>
#include <thread>
#include <tuple>
#include <vector>

namespace riskcurve {
namespace {

TEST(ParallelFor, DoesEveryPieceOnceOnAnyNumberOfThreads) {
  for (const int threads : {0, 1, 2, 3, 8}) {
    std::vector<std::atomic<int>> done(101);
    std::atomic<bool> stop = false;
    parallel_for(101, threads, stop, [&](long i) { ++done[static_cast<std::size_t>(i)]; });
    EXPECT_TRUE(std::all_of(done.begin(), done.end(), [](const auto& n) { return n == 1; }));
    EXPECT_FALSE(stop);
  }
  std::atomic<bool> stop = false;
  parallel_for(0, 4, stop, [](long) { FAIL(); });
}

TEST(ParallelFor, TakesNoMoreThreadsThanAskedForNorThanThereIsWork) {
  for (const auto& [count, threads, expected] :
       {std::tuple{50L, 3, 3}, {50L, 1, 1}, {2L, 16, 2}, {1L, 0, 1}}) {
    EXPECT_EQ(thread_count(count, threads), expected);
    std::mutex lock;
    std::set<std::thread::id> seen;
    std::atomic<bool> stop = false;
    parallel_for(count, threads, stop, [&](long) {
      const std::lock_guard<std::mutex> guard(lock);
      seen.insert(std::this_thread::get_id());
    });
    EXPECT_LE(seen.size(), static_cast<std::size_t>(expected));
  }
  EXPECT_EQ(thread_count(1000000, 0), cores());
}

// The first piece fails late, when a later one has failed already.
TEST(ParallelFor, ThrowsTheFailureOfTheFirstPieceWhateverTheThreads) {
  for (const int threads : {1, 2, 4}) {
    std::atomic<bool> stop = false;
    std::atomic<int> started = 0;
    try {
      parallel_for(1000, threads, stop, [&](long i) {
        ++started;
        if (i == 0) std::this_thread::sleep_for(std::chrono::milliseconds(30));
        throw std::runtime_error(std::to_string(i));
      });
      ADD_FAILURE() << "nothing thrown";
    } catch (const std::runtime_error& error) {
      EXPECT_STREQ(error.what(), "0");
    }
    EXPECT_TRUE(stop);
    EXPECT_LE(started, threads);
  }
}

TEST(ParallelFor, HandsOutNothingOnceToldToStop) {
  std::atomic<bool> stop = false;
  std::atomic<int> done = 0;
  parallel_for(1000, 1, stop, [&](long i) {
    ++done;
    if (i == 6) stop = true;
  });
  EXPECT_EQ(done, 7);
  parallel_for(1000, 4, stop, [&](long) { ++done; });
  EXPECT_EQ(done, 7);
}

#ifdef __linux__
TEST(Cores, AreThoseTheProcessMayUse) {
  cpu_set_t before;
  ASSERT_EQ(sched_getaffinity(0, sizeof before, &before), 0);
  EXPECT_GE(cores(), 1);
  EXPECT_LE(cores(), CPU_COUNT(&before));
  cpu_set_t one;
  CPU_ZERO(&one);
  for (std::size_t cpu = 0; CPU_COUNT(&one) == 0; ++cpu)
    if (CPU_ISSET(cpu, &before)) CPU_SET(cpu, &one);
  ASSERT_EQ(sched_setaffinity(0, sizeof one, &one), 0);
  EXPECT_EQ(cores(), 1);
  sched_setaffinity(0, sizeof before, &before);
}
#endif

}  // namespace
}  // namespace riskcurve
