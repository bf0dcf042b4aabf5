#pragma once

namespace riskcurve::cli {

/// Under a limit of the address space, starts the command anew with OpenBLAS's own threads off,
/// which it never uses: as soon as the library is loaded each asks for 128 MiB, without end where
/// there is no room, and the command could neither take that room nor end.
void start_again_under_a_limit(char** argv);

/// Memory once taken is kept for the next solve: searches take and leave megabytes a thousand
/// times, and pages new from the system cost them a fifth of their time.
void keep_memory();

}  // namespace riskcurve::cli
