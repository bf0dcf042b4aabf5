#pragma once
#include <string>
#include <vector>

#include "riskcurve/problem/optimizer.hpp"

namespace riskcurve {

/// Every registry as JSON, kind by kind, each with its keys.
std::string catalogue();
/// Those that a map of phases takes: of a matrix, with all their parameters at defaults.
std::vector<Optimizer> map_optimizers();

}  // namespace riskcurve
