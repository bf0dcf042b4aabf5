#pragma once
#include <functional>

#include "riskcurve/run/table.hpp"

namespace riskcurve::cli {

// Under `mpirun -n K`, where it is built with RISKCURVE_MPI, the command runs as K processes: ranks
// 0 to K - 1. Otherwise as one.
int rank();
int rank_count();

/// Makes this process a rank, where mpirun started it.
void start_ranks();
/// To be called last, with the exit code, which it returns. Where this rank failed and others still
/// work, it ends them: what they finished is in their journals.
int end_ranks(int code);

/// What a command that fills a table does: `run`, with these options. Of several ranks each runs
/// its shard, and once all have ended well the first one merges; what fails is thrown by one rank.
/// Shards and merges that were asked for are run by the first rank alone.
int on_all_ranks(TableOptions& options, const std::function<int()>& run);

}  // namespace riskcurve::cli
