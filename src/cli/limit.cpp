#include "cli/limit.hpp"

#if __has_include(<malloc.h>)
#include <malloc.h>
#endif
#include <sys/resource.h>
#include <unistd.h>

#include <cstdlib>
#include <limits>
#include <string>

namespace riskcurve::cli {

void start_again_under_a_limit(char** argv) {
  constexpr const char* threads = "OPENBLAS_NUM_THREADS";
  rlimit limit;
  const char* const now = std::getenv(threads);
  if (getrlimit(RLIMIT_AS, &limit) != 0 || limit.rlim_cur == RLIM_INFINITY) return;
  if ((now && std::string(now) == "1") || setenv(threads, "1", 1) != 0) return;
  execv("/proc/self/exe", argv);  // where it cannot, go on as it is
}

void keep_memory() {
#ifdef M_TRIM_THRESHOLD
  mallopt(M_TRIM_THRESHOLD, std::numeric_limits<int>::max());
  mallopt(M_MMAP_MAX, 0);  // else large arrays come page by page, every time
#endif
}

}  // namespace riskcurve::cli
