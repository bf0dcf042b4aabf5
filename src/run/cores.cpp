#include <algorithm>
#include <cmath>
#include <fstream>
#include <string>
#include <thread>

#include "run/parallel.hpp"
#ifdef __linux__
#include <sched.h>

#include <vector>
#endif

namespace riskcurve {
namespace {

#ifdef __linux__
int by_affinity() {
  // The kernel refuses a mask shorter than its own.
  for (std::size_t sets = 1; sets <= 64; sets *= 2) {
    std::vector<cpu_set_t> mask(sets);
    const std::size_t bytes = sets * sizeof(cpu_set_t);
    if (sched_getaffinity(0, bytes, mask.data()) == 0) return CPU_COUNT_S(bytes, mask.data());
  }
  return 0;
}

/// cpu.max of the process's control group (version 2) and those above it; infinite without.
double by_quota() {
  std::ifstream own("/proc/self/cgroup");
  std::string path;
  while (std::getline(own, path) && !path.starts_with("0::")) {
  }
  if (!path.starts_with("0::/")) return INFINITY;
  path.erase(0, 3);
  double least = INFINITY;
  while (true) {
    std::ifstream file("/sys/fs/cgroup" + path + "/cpu.max");
    double quota, period;
    if (file >> quota >> period && period > 0) least = std::min(least, quota / period);
    if (path.empty()) return least;
    path.erase(path.rfind('/'));
  }
}
#else
int by_affinity() {
  return 0;
}
double by_quota() {
  return INFINITY;
}
#endif

}  // namespace

int cores() {
  int count = by_affinity();
  if (count < 1) count = static_cast<int>(std::thread::hardware_concurrency());
  const double quota = std::ceil(by_quota());
  return std::max(1, quota < count ? static_cast<int>(quota) : count);
}

}  // namespace riskcurve
