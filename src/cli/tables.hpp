#pragma once
#include <CLI/CLI.hpp>
#include <string>

#include "riskcurve/run/table.hpp"

namespace riskcurve::cli {

// What the commands share that fill a table (run/table.hpp), over hours or on many machines.

/// --resume, --shard and --threads; under `merge` none of them, and options.merge is set.
void add_table(CLI::App& command, TableOptions& options, const std::string& resume);

/// Where a command keeps what is finished until its file `out` is written; empty without one.
std::string journal_beside(const std::string& out);

/// Throws InputError where they ask for journals and the option `out`, which names them, is not
/// given.
void check_journal(const TableOptions& options, const std::string& out, bool given);

/// After fill: throws Failure where it was interrupted; true, and says so, where it was one shard,
/// so that there is no table yet.
bool ended_as_shard(const TableOptions& options, const TableOutcome& outcome, bool kept,
                    const std::string& points);

}  // namespace riskcurve::cli
