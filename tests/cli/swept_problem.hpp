#pragma once
#include <string>

/// Each point of it takes a tenth of a second: time to kill a sweep.
inline const std::string kSlowProblem = R"([problem]
covariance = { kind = "power_law", dimension = 60, alpha = 0.3, orientation = "diagonal" }
target = { kind = "power_law", beta = 0.2, risk = 1.0 }
noise = { kind = "laplace", scale = 0.2 }
[optimizer]
name = "sign_sgd"
batch = 4
[schedule]
kind = "constant"
step = 0.01
[run]
steps = 1000
)";
/// Small enough for grids of it to be filled in a moment.
inline const std::string kSweptProblem = kSlowProblem + "signal = 'small'\n";
