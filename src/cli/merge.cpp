#include "cli/command.hpp"

namespace riskcurve::cli {

// The commands themselves, with fill told to compute nothing: same options, same outputs.
void add_merge(CLI::App& app, Action& action) {
  CLI::App* command = app.add_subcommand(
      "merge", "the shards of a command put together: merge, then that command without --shard");
  command->require_subcommand(1);
  for (const auto add : {add_simulate, add_compare, add_sweep, add_phases, add_validate})
    add(*command, action);
}

}  // namespace riskcurve::cli
