#pragma once
#include <string>
#include <vector>

#include "input/fields.hpp"
#include "riskcurve/problem/problem.hpp"

namespace riskcurve::validation {

/// A problem that is solved and run, with what was declared of it beforehand. A family file holds
/// the tables of a problem file, [family] with what its cases share, and [[case]] tables with what
/// differs (docs/validation.md).
struct Case {
  std::string name, family, optimizer;  ///< optimizer: as the orders are grouped
  Fields problem;                       ///< a problem file, at size 1
  bool is_matrix = false;
  /// Copies of the problem, as fractions of its dimensions, increasing up to 1; and independent
  /// runs of each.
  std::vector<double> sizes, runs;
  /// Largest deviation allowed at size 1, percent; over the size, at others. nan: none is held, and
  /// `why` says why.
  double allowance = 0;
  std::string why;
  bool averaged = false;  ///< held to the averaged risk, in place of the risk
  /// Where less, the deviation of the time at which the risk is reached is held, not the risk's.
  bool edges = false;
  bool quick = false;   ///< part of the quick suite
  std::string missing;  ///< not empty: cannot be run here, and why

  /// given: [schedule] of the file. progress: the constant step with which the risk would fall by
  /// e^-progress at its initial rate, noise aside. best: the best constant step for run.steps.
  enum class Step { given, progress, best };
  Step step = Step::given;
  double progress = 0;
};

/// A ratio of two cases at size 1, and where it must lie.
struct Claim {
  std::string text, source;
  enum class Quantity { risk, rate };  ///< R at the end, or log(R(0)/R)/steps
  Quantity quantity = Quantity::risk;
  std::size_t of = 0, over = 0;  ///< indices of cases
  double low = 0, high = 0;
};

/// Cases drawn into one plot.
struct Overlay {
  std::string title, file;  ///< file: name of the .svg, without its ending
  std::vector<std::size_t> cases;
};

struct Suite {
  std::vector<Case> cases;
  std::vector<Claim> claims;
  std::vector<Overlay> overlays;
};

/// Reads all family files (*.toml) of a folder, in order of their names. Kept are the cases with
/// `quick = true`, or all; of them those whose name or family contains `only`. Throws InputError.
Suite read_suite(const std::string& folder, bool full, const std::string& only);

/// The case at a fraction of its dimensions: these, run.steps and (matrix problems) the batch times
/// `size`; the step as the case says. `problem` is the problem file it amounts to.
struct Sized {
  Experiment experiment;
  Fields problem;
};
Sized at_size(const Case& the, double size);

}  // namespace riskcurve::validation
