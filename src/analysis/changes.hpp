#pragma once
#include <vector>

#include "riskcurve/analysis/advise.hpp"

namespace riskcurve {

/// The names of what `change` knows, in the order they are told.
inline constexpr const char* kChanges[] = {"momentum", "weight_decay", "averaging", "clipping"};

/// Runs that are longer are not searched step by step: a search would take minutes.
inline constexpr double kLongest = 20000;
inline constexpr double kLongestOfAnySignal = 5000;

/// One of them, searched from the experiment's own values, its schedule being constant.
Change change(const std::string& what, const Experiment& experiment, const SolveOptions& options);

}  // namespace riskcurve
