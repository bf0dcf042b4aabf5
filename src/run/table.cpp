#include "riskcurve/run/table.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>
#include <mutex>
#include <set>

#include "riskcurve/problem/error.hpp"
#include "run/fill.hpp"
#include "run/parallel.hpp"

namespace riskcurve {
namespace {

/// Of every `shards` points in a row one for each shard, each time the next one, so that none gets
/// the same end of an axis throughout.
long shard_of(long point, long shards) {
  return (point + point / shards) % shards + 1;
}

/// What the journals hold that concern this run. Shards of one count share no point, so that a
/// shard reads its own and those of other counts alone, however many run beside it.
FinishedRows finished_earlier(const Table& table, const std::vector<FoundJournal>& found,
                              const std::string& own, const TableOptions& options) {
  FinishedRows finished(table);
  for (const FoundJournal& journal : found) {
    if (options.shards > 0 && journal.shards == options.shards && journal.path != own) continue;
    if (!options.resume && !options.merge)
      throw InputError("--out", journal.path,
                       "no unfinished table there: --resume goes on with it, removing it starts "
                       "again");
    if (!finished.take_over(read_file(journal.path)))
      throw InputError(options.merge ? "merge" : "--resume", journal.path,
                       "what was left of the same table: the same input files and options");
  }
  return finished;
}

/// The first few, as a list.
template <typename Numbers>
std::string few(const Numbers& numbers) {
  constexpr long most = 5;
  const auto end = std::next(numbers.begin(), std::min(most, std::ssize(numbers)));
  return fmt::format("{}{}", fmt::join(numbers.begin(), end, ", "),
                     std::ssize(numbers) > most ? ", ..." : "");
}

/// Names missing points, from 0, and the shards that they are of where all journals are of one
/// count.
std::string missing(const std::vector<long>& open, long points,
                    const std::vector<FoundJournal>& found) {
  const long count = found.empty() ? 0 : found.back().shards;
  const bool one_count = std::all_of(found.begin(), found.end(), [&](const FoundJournal& journal) {
    return journal.shards == count;
  });
  std::set<long> shards;
  if (one_count && count > 0)
    for (const long point : open) shards.insert(shard_of(point, count));
  std::string of;
  if (!shards.empty()) of = fmt::format("; --shard {} of {}", few(shards), count);
  return fmt::format("merge: {} of {} points are missing, counted from 0: {}{}", open.size(),
                     points, few(open), of);
}

}  // namespace

Filled fill_counted(const Table& table, double parts, const CountedRows& rows,
                    const std::string& path, const TableOptions& options) {
  const std::vector<FoundJournal> found = journals_at(path);
  const std::string own = options.merge ? "" : journal_of(path, options.shard, options.shards);
  Filled filled{finished_earlier(table, found, own, options), {}};
  FinishedRows& finished = filled.finished;
  TableOutcome& outcome = filled.outcome;
  std::vector<long> open;
  for (long point = 0; point < table.points; ++point) {
    if (options.shards > 0 && shard_of(point, options.shards) != options.shard) continue;
    ++outcome.points;
    if (!finished.has(point)) open.push_back(point);
  }
  if (options.merge && !open.empty()) throw InputError(missing(open, table.points, found));
  outcome.done = outcome.taken_over = outcome.points - std::ssize(open);

  const bool created = std::none_of(found.begin(), found.end(),
                                    [&](const FoundJournal& other) { return other.path == own; });
  Journal journal(own, finished.header());
  const double earlier = parts * static_cast<double>(outcome.taken_over);
  Progress progress(options.progress, parts * static_cast<double>(outcome.points),
                    static_cast<long>(std::min(earlier, 1e18)));
  // Bad input leaves nothing behind, nor does what was stopped too soon.
  const auto leave = [&] {
    if (created && outcome.done == outcome.taken_over) journal.remove();
  };
  std::mutex lock;
  try {
    parallel_for(std::ssize(open), options.threads, progress.stop, [&](long i) {
      const long point = open[static_cast<std::size_t>(i)];
      const std::vector<std::vector<Cell>> of_point = rows(point, progress);
      if (of_point.empty()) return;
      const std::lock_guard<std::mutex> guard(lock);
      journal.append(finished.add(point, of_point));
      ++outcome.done;
    });
  } catch (...) {
    leave();
    throw;
  }
  outcome.complete = outcome.done == outcome.points;
  if (!outcome.complete) leave();
  return filled;
}

TableOutcome fill(const Table& table, const std::string& path, const TableOptions& options) {
  const auto count_one = [&](long point, Progress& progress) {
    std::vector<std::vector<Cell>> rows = table.rows(point);
    progress.count();
    return rows;
  };
  Filled filled = fill_counted(table, 1, count_one, path, options);
  if (filled.outcome.complete && options.shards == 0) filled.outcome.rows = filled.finished.cells();
  return filled.outcome;
}

}  // namespace riskcurve
