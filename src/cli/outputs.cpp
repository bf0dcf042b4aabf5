#include "cli/outputs.hpp"

#include <fmt/format.h>

#include <cstdio>
#include <functional>

#include "cli/command.hpp"
#include "cli/progress.hpp"
#include "riskcurve/problem/error.hpp"
#include "run/journal.hpp"

namespace riskcurve::cli {
namespace {

void print(const std::string& text) {
  if (std::fwrite(text.data(), 1, text.size(), stdout) != text.size() || std::fflush(stdout) != 0) {
    throw Failure("cannot write to standard output");
  }
}

void show(const Result& result, const Outputs& outputs) {
  if (outputs.json) {
    Progress progress("writing");
    return print(to_json(result.record, std::ref(progress)) + "\n");
  }
  const std::string table = to_table(result.table.value_or(result.record), result.headings);
  std::string text = result.title + "\n\n" + table;
  if (!result.notes.empty() && !table.empty()) text += "\n";
  for (const std::string& note : result.notes) text += note + "\n";
  print(text);
  if (const Field* warnings = result.warned ? nullptr : result.record.find("warnings")) {
    for (const std::string& line : std::get<std::vector<std::string>>(warnings->value)) {
      fmt::print(stderr, "riskcurve: warning: {}\n", line);
    }
  }
}

}  // namespace

void add_outputs(CLI::App& command, Outputs& outputs) {
  command.add_flag("--json", outputs.json, "print one JSON object instead of the table");
  command.add_option("--out", outputs.out, "write the result to a .csv, .json or .npz file");
  command.add_option("--plot", outputs.plot, "draw the result into a .svg or .png file");
}

void check(const Outputs& outputs) {
  if (!outputs.out.empty()) check_output("--out", outputs.out, {".csv", ".json", ".npz"});
  if (!outputs.plot.empty()) {
    check_output("--plot", outputs.plot, {".svg", ".png"});
    require_gnuplot();
  }
}

int emit(const Result& result, const Outputs& outputs) {
  // Once the command has failed, no output may fail in its place: what comes of it is said after.
  std::string failure = result.failure;
  const auto attempt = [&](const auto& write) {
    if (result.failure.empty()) return write();
    try {
      write();
    } catch (const std::exception& error) {
      failure += fmt::format("; {}", error.what());
    }
  };
  attempt([&] { show(result, outputs); });
  if (!interrupted()) {
    if (!outputs.out.empty())
      attempt([&] {
        Progress progress("writing");
        save(result.record, outputs.out, std::ref(progress));
      });
    if (!outputs.plot.empty()) {
      std::vector<Figure> panels{result.figure};
      panels.insert(panels.end(), result.beside.begin(), result.beside.end());
      attempt([&] { plot(panels, outputs.plot); });
    }
    if (failure == result.failure) remove_journals(result.journal);
  }
  if (failure.empty()) return exit_ok;
  fmt::print(stderr, "riskcurve: {}\n", failure);
  return exit_failure;
}

}  // namespace riskcurve::cli
