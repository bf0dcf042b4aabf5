#pragma once
#include <CLI/CLI.hpp>
#include <optional>
#include <string>
#include <vector>

#include "riskcurve/report/plot.hpp"
#include "riskcurve/report/record.hpp"
#include "riskcurve/report/write.hpp"

namespace riskcurve::cli {

/// Where a result goes: standard output, as a table or as JSON, and files.
struct Outputs {
  bool json = false;
  std::string out, plot;
};
void add_outputs(CLI::App& command, Outputs& outputs);

/// Everything that can be known to fail before the work starts. Throws InputError, Failure.
void check(const Outputs& outputs);

/// What a command found, ready to be shown.
struct Result {
  Record record;                   ///< --json and --out
  std::optional<Record> table;     ///< what the terminal table shows, if not the record itself
  std::string title;               ///< above the table
  std::vector<Heading> headings;   ///< columns of the table
  std::vector<std::string> notes;  ///< lines below it
  bool warned = false;             ///< the notes hold the warnings
  std::string journal;             ///< that led to it; removed once all is written
  Figure figure;                   ///< --plot
  std::vector<Figure> beside;      ///< more panels of the plot, to its right
  /// Why the command fails all the same; what was found is shown nevertheless, on files too
  /// unless the user interrupted. The last line on standard error, whatever becomes of the rest.
  std::string failure;
};
/// Shows the result and returns the exit code. Warnings in the record go to standard error, unless
/// standard output carries them.
int emit(const Result& result, const Outputs& outputs);

}  // namespace riskcurve::cli
