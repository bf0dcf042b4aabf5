#pragma once
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "riskcurve/report/plot.hpp"
#include "riskcurve/run/table.hpp"
#include "score.hpp"

namespace riskcurve::validation {

/// A suite that was run: all that its reports show.
struct Results {
  std::string name;  ///< "quick", "full"
  std::uint64_t seed = 0;
  Suite suite;
  std::vector<std::vector<Score>> scores;  ///< case by case, size by size; empty: case missing
  std::vector<Verdict> verdicts;           ///< of suite.claims; holds = false where cases miss
  std::vector<Order> orders;

  const Score& at_full_size(std::size_t the) const { return scores[the].back(); }
};

/// The verdict on a case, over all its sizes: "ok", "FAILED", "not held" (it says why) or "not
/// run".
std::string verdict(const Results& results, std::size_t the);
bool judged(const Results& results, const Claim& claim);  ///< both its cases were run

/// A case as its row in a table says it; "-" where there is nothing to say.
struct Row {
  std::string name, dimension, batch, runs, gap, error, in_errors, allowed, smaller, inside, says;
};
Row row_of(const Results& results, std::size_t the);
std::string text_of(const Order& order);   ///< "1.03 (0.98 to 1.07)"
std::string sizes_of(const Order& order);  ///< "0.5: 0.71, 1: 0.34": size and bias, percent
std::string verdict(const Results& results, const Claim& claim, const Verdict& verdict);

/// How many rows and claims there are and failed; and runs inside the bands, percent, over the
/// cases that have one and are held to an allowance.
struct Summary {
  int rows = 0, failed = 0, excused = 0, missing = 0;
  int claims = 0, broken = 0;
  struct Bands {
    int cases = 0, covered = 0;  ///< covered: 90 to 99 % of the runs inside
    double inside = 0;           ///< mean over the cases
    void add(double percent);
    bool cover() const { return cases == 0 || (inside >= 90 && inside <= 99); }
  };
  Bands bands, vectors, matrices;
  bool passed() const { return failed == 0 && broken == 0; }
};
Summary summary(const Results& results);

struct RunOptions {
  std::uint64_t seed = 20261122;
  std::string journal;  ///< finished rows are kept here as they come; empty: nowhere
  TableOptions table;
};
/// Scores every case at every size, a point each. Throws as fill and score do.
TableOutcome score_all(const Suite& suite, const RunOptions& options);
/// What comes of these scores: of all points, none of them a shard's.
Results results_of(const std::string& name, Suite suite, std::uint64_t seed,
                   const TableOutcome& outcome);
/// Both in one. Throws Failure where it is stopped.
Results run(const std::string& name, Suite suite, const RunOptions& options);

/// The commit that the program was built from, "-dirty" behind it where files had changed.
std::string commit();

// Reports: all of them views of the same numbers.
std::string to_terminal(const Results& results);
std::string to_markdown(const Results& results);
std::string to_json(const Results& results);
/// The curves of several cases in one plot; nothing where one was not run.
std::optional<Figure> overlay_figure(const Results& results, const Overlay& overlay);
/// One file that shows everything, its plots drawn by gnuplot under the folder `scratch`.
std::string to_html(const Results& results, const std::string& scratch);

}  // namespace riskcurve::validation
