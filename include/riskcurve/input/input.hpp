#pragma once
#include <string>

#include "riskcurve/analysis/fit.hpp"
#include "riskcurve/analysis/sweep.hpp"
#include "riskcurve/problem/problem.hpp"

namespace riskcurve {

/// Reads a problem file (TOML; docs/problem-file.md): [problem] [optimizer] [schedule] [run]. File
/// names in it are relative to its folder. Throws InputError for a key that is unknown, missing, of
/// the wrong type or out of range, naming it in full: "problem.noise.std".
Experiment read_experiment(const std::string& path);
/// The same of a text; file names are relative to the current folder.
Experiment parse_experiment(const std::string& toml);

/// Reads the grid file of a sweep (docs/problem-file.md): `problem`, `find` ("risk", "step",
/// "exponents"), `against` and tables [[vary]] with `field` and either `values` or `from`, `to`,
/// `count`, `spacing` ("linear", "log"). Throws InputError.
Sweep read_sweep(const std::string& path);

/// Reads the file of a fit (docs/problem-file.md): [fit] with `model`, `optimizer`, `from`,
/// `warmup`, `priors`, `starts`, `seed`; tables [[curve]] and [[predict]] with the `path` of a log
/// of losses (columns step, loss, and if there lr, se, run, kind), `step` or `schedule` where it
/// has no lr; [[best]] with `steps`, `batch`. Throws InputError.
FitPlan read_fit(const std::string& path);

/// The covariance of a problem file, its other tables unread.
Covariance read_covariance(const std::string& path);

/// A problem file of the experiment: parse_experiment of it gives an equal one. Keys at their
/// defaults are left out; what was given as arrays in C++ is written number by number. Throws
/// InputError for a schedule that is a function.
std::string to_toml(const Experiment& experiment);

}  // namespace riskcurve
