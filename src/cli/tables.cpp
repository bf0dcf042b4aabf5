#include "cli/tables.hpp"

#include <fmt/format.h>

#include <charconv>

#include "cli/ranks.hpp"
#include "riskcurve/problem/error.hpp"

namespace riskcurve::cli {
namespace {

void read_shard(const std::string& text, TableOptions& options) {
  const char* const end = text.data() + text.size();
  const auto first = std::from_chars(text.data(), end, options.shard);
  const bool slash = first.ec == std::errc() && first.ptr != end && *first.ptr == '/';
  const auto last = std::from_chars(slash ? first.ptr + 1 : end, end, options.shards);
  if (last.ec != std::errc() || last.ptr != end || options.shard < 1 ||
      options.shard > options.shards)
    throw InputError("--shard", text, "i/n, whole numbers with 1 <= i <= n");
}

}  // namespace

void add_table(CLI::App& command, TableOptions& options, const std::string& resume) {
  options.merge = command.get_parent()->get_name() == "merge";
  if (options.merge) return;
  command.add_flag("--resume", options.resume, resume);
  command
      .add_option_function<std::string>(
          "--shard", [&options](const std::string& text) { read_shard(text, options); },
          "i/n: compute the i-th of n parts and keep it for `riskcurve merge` "
          "(docs/many-machines.md)")
      ->type_name("i/n");
  command.add_option("--threads", options.threads, "threads, 0 for all; changes no number")
      ->check(CLI::Range(0, 4096))
      ->capture_default_str();
}

std::string journal_beside(const std::string& out) {
  return out.empty() ? "" : out + ".partial";
}

void check_journal(const TableOptions& options, const std::string& out, bool given) {
  if (given) return;
  const char* asked = nullptr;
  if (options.resume) asked = "--resume";
  if (options.shards > 0) asked = rank_count() > 1 ? "mpirun" : "--shard";
  if (options.merge) asked = "merge";
  if (asked) throw InputError(asked, "without " + out, out + ": where finished points are kept");
}

bool ended_as_shard(const TableOptions& options, const TableOutcome& outcome, bool kept,
                    const std::string& points) {
  if (!outcome.complete)
    throw Failure(kept ? fmt::format("interrupted: {} of {} {} are saved; --resume goes on",
                                     outcome.done, outcome.points, points)
                       : "interrupted");
  if (options.shards == 0) return false;
  if (rank_count() == 1)
    fmt::print(
        "shard {} of {}: {} {} finished; once all are, `riskcurve merge` writes the result\n",
        options.shard, options.shards, outcome.done, points);
  return true;
}

}  // namespace riskcurve::cli
