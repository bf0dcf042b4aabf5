#pragma once
#include <CLI/CLI.hpp>
#include <functional>

namespace riskcurve::cli {

/// What a chosen subcommand does; returns the exit code.
using Action = std::function<int()>;

// A subcommand is one file with one of these functions, which declares its options on `app` and
// sets `action` when the user chose it, and one entry in the list in main.cpp.
void add_predict(CLI::App& app, Action& action);
void add_simulate(CLI::App& app, Action& action);
void add_compare(CLI::App& app, Action& action);
void add_spectrum(CLI::App& app, Action& action);
void add_coefficients(CLI::App& app, Action& action);
void add_optimum(CLI::App& app, Action& action);
void add_sweep(CLI::App& app, Action& action);
void add_phases(CLI::App& app, Action& action);
void add_transfer(CLI::App& app, Action& action);
void add_fit(CLI::App& app, Action& action);
void add_validate(CLI::App& app, Action& action);
void add_merge(CLI::App& app, Action& action);
void add_advise(CLI::App& app, Action& action);

inline constexpr int exit_ok = 0, exit_failure = 1, exit_bad_input = 2;

}  // namespace riskcurve::cli
