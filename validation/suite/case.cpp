#include "case.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <limits>

#include "input/read.hpp"
#include "riskcurve/analysis/optimum.hpp"
#include "riskcurve/dynamics/mode_system.hpp"
#include "riskcurve/dynamics/optimizers.hpp"

namespace riskcurve::validation {
namespace {

const std::vector<std::string> own_keys = {"name", "allowance", "why",   "step",  "averaged",
                                           "runs", "sizes",     "needs", "quick", "edges"};
const std::vector<std::string> own_tables = {"family", "case", "claim", "figure"};

bool contains(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

/// A key of the case, or else of its family.
const Fields& holder(const Fields& family, const Fields& the, const std::string& key) {
  return the.has(key) ? the : family;
}

/// As the orders are grouped: an optimizer with its ways, and the geometry.
std::string group_of(const Fields& problem, bool matrix) {
  const std::string name =
      label_of(read_optimizer(problem.table("optimizer"), 1, OtherKeys::allowed));
  return matrix ? name + ", matrix" : name;
}

Case read_case(const Fields& file, const Fields& family, const Fields& the) {
  Case read;
  read.name = the.text("name");
  read.family = family.text("title");
  read.problem = file.copy();
  for (const std::string& table : own_tables) read.problem.erase(table);
  Fields own = the.copy();
  for (const std::string& key : own_keys) own.erase(key);
  read.problem.lay_over(own);
  for (const char* table : {"problem", "optimizer", "schedule", "run"})
    if (the.has(table)) the.table(table);
  read.is_matrix = read.problem.table("problem").text_or("geometry", "vector") == "matrix";
  read.optimizer = group_of(read.problem.copy(), read.is_matrix);

  const Fields& sized = holder(family, the, "sizes");
  read.sizes =
      sized.has("sizes") ? sized.numbers("sizes", Range::within(1e-3, 1)) : std::vector<double>{1};
  if (read.sizes.empty() || read.sizes.back() != 1 ||
      !std::is_sorted(read.sizes.begin(), read.sizes.end()))
    sized.fail("sizes", "increasing fractions, the last 1");
  const Fields& running = holder(family, the, "runs");
  read.runs = running.numbers("runs", Range::within(2, 1e6));
  if (read.runs.size() != read.sizes.size())
    running.fail("runs", fmt::format("{} numbers, one for each size", read.sizes.size()));

  read.why = the.text_or("why", "");
  read.averaged = holder(family, the, "averaged").boolean_or("averaged", false);
  read.edges = holder(family, the, "edges").boolean_or("edges", false);
  const Fields& allowing = holder(family, the, "allowance");
  read.allowance = read.why.empty() ? allowing.number("allowance", Range::within(1e-6, 5))
                                    : std::numeric_limits<double>::quiet_NaN();
  const Fields& stepping = holder(family, the, "step");
  if (stepping.is_string("step")) {
    stepping.one_of("step", {"best"});
    read.step = Case::Step::best;
  } else if (stepping.has("step")) {
    read.progress = stepping.number("step", Range::positive());
    read.step = Case::Step::progress;
  } else if (!read.problem.has("schedule")) {
    stepping.fail("step", "a number, \"best\", or a [schedule]");
  }
  read.quick = holder(family, the, "quick").boolean_or("quick", false);
  const Fields& needing = holder(family, the, "needs");
  if (needing.has("needs") && !std::filesystem::exists(needing.path("needs")))
    read.missing = needing.text("needs") + " is not there (scripts/fetch-mnist brings it)";
  return read;
}

std::size_t find(const std::vector<Case>& cases, std::size_t first, const Fields& of,
                 const std::string& key, const std::string& name) {
  for (std::size_t i = first; i < cases.size(); ++i)
    if (cases[i].name == name) return i;
  of.fail(key, "the name of a case of this file");
}

Claim read_claim(const Fields& the, const std::vector<Case>& cases, std::size_t first) {
  Claim claim;
  claim.text = the.text("text");
  claim.source = the.text("source");
  if (the.one_of("quantity", {"risk", "rate"}) == "rate") claim.quantity = Claim::Quantity::rate;
  claim.of = find(cases, first, the, "of", the.text("of"));
  claim.over = find(cases, first, the, "over", the.text("over"));
  const std::vector<double> ends = the.numbers("between");
  if (ends.size() != 2 || ends[0] >= ends[1]) the.fail("between", "two numbers, the first less");
  claim.low = ends[0];
  claim.high = ends[1];
  return claim;
}

Overlay read_overlay(const Fields& the, const std::vector<Case>& cases, std::size_t first) {
  Overlay overlay{the.text("title"), the.text("file"), {}};
  for (const Cell& name : the.cells("cases")) {
    if (!std::holds_alternative<std::string>(name)) the.fail("cases", "names of cases");
    overlay.cases.push_back(find(cases, first, the, "cases", std::get<std::string>(name)));
  }
  return overlay;
}

void read_family(const std::string& path, Suite& suite) {
  const Fields file = Fields::from_file(path);
  const Fields family = file.table("family");
  for (const char* table : {"problem", "optimizer", "schedule", "run"})
    if (file.has(table)) file.table(table);
  const std::size_t first = suite.cases.size();
  std::vector<Case> cases;
  for (const Fields& the : file.tables("case")) cases.push_back(read_case(file, family, the));
  suite.cases.insert(suite.cases.end(), cases.begin(), cases.end());
  if (file.has("claim"))
    for (const Fields& the : file.tables("claim"))
      suite.claims.push_back(read_claim(the, suite.cases, first));
  if (file.has("figure"))
    for (const Fields& the : file.tables("figure"))
      suite.overlays.push_back(read_overlay(the, suite.cases, first));
  family.reject_unknown();
}

/// Without the cases that are not asked for, and what is said of them.
Suite chosen(const Suite& suite, bool full, const std::string& only) {
  Suite left;
  std::vector<std::size_t> where(suite.cases.size(), suite.cases.size());
  for (std::size_t i = 0; i < suite.cases.size(); ++i) {
    const Case& the = suite.cases[i];
    if (!full && !the.quick) continue;
    if (!contains(the.name, only) && !contains(the.family, only)) continue;
    where[i] = left.cases.size();
    left.cases.push_back(suite.cases[i]);
  }
  const auto kept = [&](std::size_t i) { return where[i] < suite.cases.size(); };
  for (Claim claim : suite.claims)
    if (kept(claim.of) && kept(claim.over)) {
      claim.of = where[claim.of];
      claim.over = where[claim.over];
      left.claims.push_back(claim);
    }
  for (Overlay overlay : suite.overlays)
    if (std::all_of(overlay.cases.begin(), overlay.cases.end(), kept)) {
      for (std::size_t& i : overlay.cases) i = where[i];
      left.overlays.push_back(overlay);
    }
  return left;
}

/// The step with which R would fall by a factor e^-progress over `steps` at its initial rate.
double step_of_progress(const ModeSystem& system, double progress, double steps) {
  const Now start = system.start();
  return progress * start.risk /
         (flux(system, system.steady_rates(0, 0, start.risk), system.initial).descent * steps);
}

}  // namespace

Suite read_suite(const std::string& folder, bool full, const std::string& only) {
  std::vector<std::string> paths;
  std::error_code error;
  for (const auto& entry : std::filesystem::directory_iterator(folder, error))
    if (entry.path().extension() == ".toml") paths.push_back(entry.path().string());
  if (paths.empty()) throw InputError("--cases", folder, "a folder of .toml files");
  std::sort(paths.begin(), paths.end());
  Suite suite;
  for (const std::string& path : paths) try {
      read_family(path, suite);
    } catch (const InputError& refused) {
      throw InputError(path + ": " + refused.what());
    }
  suite = chosen(suite, full, only);
  if (suite.cases.empty()) throw InputError("--only", only, "part of the name of a case or family");
  return suite;
}

Sized at_size(const Case& the, double size) {
  Sized sized{{}, the.problem.copy()};
  Fields& file = sized.problem;
  const double steps = std::max(1.0, std::round(size * file.table("run").number("steps")));
  if (size != 1) {
    const Fields problem = the.problem.copy().table("problem");
    for (const char* key : {"covariance", "covariance_out", "covariance_in"})
      if (problem.has(key))
        file.set(fmt::format("problem.{}.dimension", key),
                 std::round(size * problem.table(key).number("dimension")));
    file.set("run.steps", steps);
    if (the.is_matrix)
      file.set("optimizer.batch",
               std::max(1.0, std::round(size * file.table("optimizer").number("batch"))));
  }
  if (the.step != Case::Step::given) {
    file.set("schedule.kind", std::string("constant"));
    file.set("schedule.step", 1);
  }
  sized.experiment = read_experiment(file.copy(), OtherKeys::allowed);
  if (the.step == Case::Step::given) return sized;
  const ModeSystem system = mode_system(sized.experiment);
  double step = 0;
  if (the.step == Case::Step::progress) {
    step = step_of_progress(system, the.progress, steps);
  } else {
    const Optimum best = best_step(compress(system), steps);
    if (!best.found) throw InputError(the.name + ": no best step: " + best.message);
    step = best.step;
  }
  step = std::stod(fmt::format("{:.6g}", step));  // so that the file reads well, and is what ran
  file.set("schedule.step", step);
  sized.experiment.schedule = constant_schedule(step);
  return sized;
}

}  // namespace riskcurve::validation
