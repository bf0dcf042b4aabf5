#include "cli/ranks.hpp"

#include <exception>

#include "cli/command.hpp"

#ifdef RISKCURVE_MPI
#define OMPI_SKIP_MPICXX
#include <mpi.h>

#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <limits>
#include <thread>

namespace riskcurve::cli {
namespace {

bool started = false, abandoned = false;

/// The first rank that failed, or -1, once all are there. One that failed waits two seconds, in
/// which all have come that refuse the same input; then it speaks for itself.
int first_that_failed(bool failed) {
  constexpr int none = std::numeric_limits<int>::max();
  const int mine = failed ? rank() : none;
  int first = none, there = 0;
  MPI_Request request;
  MPI_Iallreduce(&mine, &first, 1, MPI_INT, MPI_MIN, MPI_COMM_WORLD, &request);
  const auto start = std::chrono::steady_clock::now();
  while (MPI_Test(&request, &there, MPI_STATUS_IGNORE), !there) {
    if (failed && std::chrono::steady_clock::now() - start > std::chrono::seconds(2)) {
      abandoned = true;
      return rank();
    }
    std::this_thread::sleep_for(std::chrono::milliseconds(5));  // MPI_Wait would take a core
  }
  return first == none ? -1 : first;
}

}  // namespace

// Open MPI and PMIx, MPICH and Slurm's PMI.
void start_ranks() {
  for (const char* name : {"OMPI_COMM_WORLD_SIZE", "PMIX_RANK", "PMI_RANK"})
    if (!started && std::getenv(name)) started = MPI_Init(nullptr, nullptr) == MPI_SUCCESS;
}

int end_ranks(int code) {
  std::fflush(nullptr);
  if (abandoned) MPI_Abort(MPI_COMM_WORLD, code);
  if (started) MPI_Finalize();
  return code;
}

int rank() {
  int rank = 0;
  if (started) MPI_Comm_rank(MPI_COMM_WORLD, &rank);
  return rank;
}

int rank_count() {
  int count = 1;
  if (started) MPI_Comm_size(MPI_COMM_WORLD, &count);
  return count;
}

}  // namespace riskcurve::cli

#else

namespace riskcurve::cli {
namespace {

int first_that_failed(bool failed) {
  return failed ? 0 : -1;
}

}  // namespace

void start_ranks() {}
int end_ranks(int code) {
  return code;
}
int rank() {
  return 0;
}
int rank_count() {
  return 1;
}

}  // namespace riskcurve::cli

#endif

namespace riskcurve::cli {

int on_all_ranks(TableOptions& options, const std::function<int()>& run) {
  if (rank_count() == 1) return run();
  if (options.merge || options.shards > 0) return rank() == 0 ? run() : exit_ok;
  options.shard = rank() + 1;
  options.shards = rank_count();
  std::exception_ptr failed;
  try {
    run();
  } catch (...) {
    failed = std::current_exception();
  }
  const int first = first_that_failed(failed != nullptr);
  if (first == rank()) std::rethrow_exception(failed);
  if (first >= 0 || rank() > 0) return exit_ok;
  options.shard = options.shards = 0;
  options.merge = true;
  return run();
}

}  // namespace riskcurve::cli
