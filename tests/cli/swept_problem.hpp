#pragma once
#include <string>

/// A small problem under one optimizer, whose table this is.
inline std::string small_problem(const std::string& optimizer, const std::string& step = "0.01",
                                 int steps = 1000) {
  return R"([problem]
covariance = { kind = "power_law", dimension = 60, alpha = 0.3, orientation = "diagonal" }
target = { kind = "power_law", beta = 0.2, risk = 1.0 }
noise = { kind = "laplace", scale = 0.2 }
[optimizer]
)" + optimizer +
         "\n[schedule]\nkind = 'constant'\nstep = " + step +
         "\n[run]\nsteps = " + std::to_string(steps) + "\n";
}
inline const std::string kSignSgd = "name = 'sign_sgd'\nbatch = 4";

/// Each point of it takes a tenth of a second: time to kill a sweep.
inline const std::string kSlowProblem = small_problem(kSignSgd);
/// Each run of it takes some hundredths of a second: time to kill an ensemble.
inline const std::string kSlowRun = small_problem(kSignSgd, "0.01", 4000);
/// Small enough for grids of it to be filled in a moment.
inline const std::string kSweptProblem = kSlowProblem + "signal = 'small'\n";

/// Its grid of twice so many points; an axis of texts among them.
inline std::string swept_grid(int alphas) {
  return "problem = 'file.toml'\nfind = 'risk'\n[[vary]]\nfield = 'optimizer.name'\n"
         "values = ['sign_sgd', 'sgd']\n[[vary]]\nfield = 'problem.covariance.alpha'\n"
         "from = 0.1\nto = 0.9\ncount = " +
         std::to_string(alphas) + "\n";
}

/// A family of the validation suite that takes a moment.
inline const std::string kTwoCases =
    "[family]\ntitle = 'SGD'\nquick = true\nsizes = [0.5, 1]\nruns = [60, 60]\nstep = 1\n"
    "allowance = 5\n[problem]\ncovariance = { kind = 'isotropic', dimension = 60 }\n"
    "target = { kind = 'isotropic' }\nnoise = { kind = 'gaussian', std = 0.5 }\n"
    "[optimizer]\nname = 'sgd'\n[run]\nsteps = 90\npoints = 3\n"
    "[[case]]\nname = 'batch 1'\n[[case]]\nname = 'batch 4'\noptimizer.batch = 4\n";
