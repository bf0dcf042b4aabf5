#include "riskcurve/report/results.hpp"
#include "riskcurve/report/write.hpp"
#include "run/journal.hpp"

namespace riskcurve {

TableOutcome run_sweep(const Sweep& sweep, const std::string& path, const TableOptions& options) {
  Table table;
  table.identity = sweep.identity;
  table.columns = sweep.columns();
  table.points = sweep.points();
  table.rows = [&](long point) { return std::vector<std::vector<Cell>>{sweep_row(sweep, point)}; };
  const std::string journal = path + ".partial";
  TableOutcome outcome = fill(table, journal, options);
  if (!outcome.complete || options.shards > 0) return outcome;
  write_file(path, to_csv(table.columns, outcome.rows));
  remove_journals(journal);
  return outcome;
}

}  // namespace riskcurve
