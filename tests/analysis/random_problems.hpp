#pragma once
#include <cmath>
#include <cstdint>
#include <cstdio>
#include <string>
#include <vector>

#include "problem/random.hpp"
#include "riskcurve/dynamics/optimizers.hpp"
#include "riskcurve/input/input.hpp"
#include "riskcurve/problem/problem.hpp"

namespace riskcurve::random_problems {

inline std::string text(double x) {
  char buffer[32];
  std::snprintf(buffer, sizeof buffer, "%.17g", x);
  return buffer;
}

/// A valid problem file whose parts are kept apart, so that it can be asked for in other units.
struct Problem {
  bool matrix = false;
  std::string covariance, covariance_in;  // of a matrix: the out and the in side
  std::string target;
  double risk = 1;
  std::string noise;      // with @ before every number in units of the labels
  std::string optimizer;  // likewise
  double degree = 1;      // the update is homogeneous of this degree in the gradient
  std::string schedule;   // with @ before every step size
  double step = 1, steps = 1;
  std::vector<double> at;

  /// The file where one unit of the labels is `units` of before.
  std::string file(double units = 1) const {
    const double step_unit = step * std::pow(units, 1 - degree);
    const std::string sides = matrix ? "geometry = \"matrix\"\ncovariance_out = { " + covariance +
                                           " }\ncovariance_in = { " + covariance_in + " }\n"
                                     : "covariance = { " + covariance + " }\n";
    std::string times;
    for (const double k : at) times += (times.empty() ? "" : ", ") + text(k);
    return "[problem]\n" + sides + "target = { " + target +
           ", risk = " + text(risk * units * units) + " }\nnoise = { " + in(noise, units) +
           " }\n[optimizer]\n" + in(optimizer, units) + "\n[schedule]\n" + in(schedule, step_unit) +
           "\n[run]\nsteps = " + text(steps) + "\nat = [" + times + "]\n";
  }
  Experiment experiment(double units = 1) const { return parse_experiment(file(units)); }

 private:
  /// The template with every @number in units.
  static std::string in(const std::string& form, double units) {
    std::string result;
    for (std::size_t i = 0; i < form.size(); ++i) {
      if (form[i] != '@') {
        result += form[i];
        continue;
      }
      std::size_t length = 0;
      result += text(units * std::stod(form.substr(i + 1), &length));
      i += length;
    }
    return result;
  }
};

class Generator {
 public:
  explicit Generator(std::uint64_t seed) : random_(seed, 0, 0) {}

  Problem next() {
    Problem problem;
    problem.matrix = below(4) == 0;
    problem.covariance = covariance(problem.matrix ? 6 : below(8) == 0 ? 600 : 30);
    if (problem.matrix) problem.covariance_in = covariance(6);
    problem.risk = between(1e-3, 1e3);
    problem.target = below(2) ? "kind = \"isotropic\""
                              : "kind = \"power_law\", beta = " + text(between(0.1, 1.5) - 0.3);
    choose_optimizer(problem);
    problem.steps = std::floor(between(20, 400));
    problem.at = {0};
    while (problem.at.back() < problem.steps)
      problem.at.push_back(
          std::min(problem.steps, problem.at.back() + std::floor(between(1, problem.steps))));
    choose_schedule(problem);
    // The fastest mode decays by 1/1000 to 3 a step at first: in some problems more than is stable.
    const Experiment trial = problem.experiment();
    const ModeSystem system = mode_system(trial);
    problem.step = between(1e-3, 3) / system.rates(Now{.risk = problem.risk}).drift.maxCoeff();
    return problem;
  }

 private:
  int below(int n) { return static_cast<int>(random_() % static_cast<std::uint64_t>(n)); }
  /// Uniform in the logarithm.
  double between(double low, double high) { return low * std::pow(high / low, random_.uniform()); }
  std::string of(const std::vector<std::string>& list) {
    return list[static_cast<std::size_t>(below(static_cast<int>(list.size())))];
  }

  std::string covariance(int largest) {
    const int d = 2 + below(largest - 1);
    const std::string dimension = ", dimension = " + std::to_string(d);
    const std::string orientation =
        below(2) ? "" : ", orientation = \"" + of({"generic", "diagonal"}) + "\"";
    const std::string given =
        below(2) ? "" : ", orientation = \"" + of({"generic", "given"}) + "\"";
    switch (below(largest > 100 ? 5 : 8)) {  // the last have eigenvectors to find
      case 0:
        return "kind = \"isotropic\"" + dimension + ", value = " + text(between(0.1, 10)) +
               orientation;
      case 1:
        return "kind = \"power_law\"" + dimension + ", alpha = " + text(between(0.1, 2)) +
               orientation;
      case 2:
        return "kind = \"exponential_decay\"" + dimension +
               ", length = " + text(d * between(0.1, 3)) + orientation;
      case 3:
        return "kind = \"spiked\"" + dimension + ", spikes = [" + text(between(1, 9)) + ", " +
               text(between(0.1, 9)) + "], bulk = " + text(between(0.01, 1)) + orientation;
      case 4:
        return "kind = \"marchenko_pastur\"" + dimension + ", ratio = " + text(between(0.1, 2)) +
               orientation;
      case 5: {
        std::string values = text(between(0.1, 10));
        for (int i = 1; i < d; ++i)
          values += ", " + (below(6) ? text(between(1e-3, 10)) : std::string("0"));
        return "kind = \"eigenvalues\", values = [" + values + "]" + orientation;
      }
      case 6:
        return "kind = \"ar1\"" + dimension +
               ", correlation = " + text(1.8 * random_.uniform() - 0.9) + given;
      default: {
        std::string row = "1";
        for (int i = 1; i < std::min(d, 6); ++i)
          row += ", " + text(0.15 * random_.uniform() - 0.05);
        return "kind = \"toeplitz\", first_row = [" + row + "]" + given;
      }
    }
  }

  /// Label noise about as large as the square root of the risk.
  std::string noise(double risk, bool finite_variance) {
    const std::string size = "@" + text(std::sqrt(risk) * between(0.05, 5));
    switch (below(8)) {
      case 0:
        return "kind = \"none\"";
      case 1:
        return "kind = \"student_t\", nu = " +
               text(finite_variance ? between(2.2, 10) : between(0.7, 5)) + ", scale = " + size;
      case 2:
        return "kind = \"laplace\", scale = " + size;
      case 3:
        return "kind = \"uniform\", half_width = " + size;
      case 4:
        return "kind = \"rademacher\", scale = " + size;
      case 5:
        return "kind = \"mixture\", components = [{ weight = 0.75, kind = \"gaussian\", std = " +
               size + " }, { weight = 0.25, kind = \"laplace\", scale = " + size + " }]";
      default:
        return "kind = \"gaussian\", std = " + size;
    }
  }

  void choose_optimizer(Problem& problem) {
    const std::string batch = "\nbatch = " + std::to_string(1 << below(4));
    const std::string name =
        problem.matrix ? of({"sgd", "sign_sgd", "sign_svd", "schatten", "regularized_svd"})
                       : of({"sgd", "sign_sgd", "clipped_sgd"});
    problem.optimizer = "name = \"" + name + "\"" + batch;
    problem.noise = noise(problem.risk, name == "sgd");
    if (name == "sign_sgd" || name == "sign_svd") problem.degree = 0;
    if (name == "clipped_sgd")
      problem.optimizer += "\nthreshold = @" + text(std::sqrt(problem.risk) * between(0.1, 10)) +
                           "\nclip = \"" + of({"sample", "batch"}) + "\"";
    if (name == "regularized_svd") {
      problem.degree = 0;
      problem.optimizer += "\nepsilon = @" + text(std::sqrt(problem.risk) * between(0.01, 1));
    }
    if (name == "schatten") {
      problem.degree = 0.1 + 0.8 * random_.uniform();
      problem.optimizer += "\nexponent = " + text(problem.degree);
    }
    // With other laws these take half a second and more: tables over the risk.
    const bool tables = problem.optimizer.find("svd") != std::string::npos || name == "schatten" ||
                        problem.optimizer.ends_with("\"batch\"");
    if (tables)
      problem.noise =
          "kind = \"gaussian\", std = @" + text(std::sqrt(problem.risk) * between(0.05, 5));
  }

  void choose_schedule(Problem& problem) {
    const std::string half = text(std::ceil(problem.steps / 2));
    problem.schedule =
        of({"kind = \"constant\"\nstep = @1", "kind = \"cosine\"\nstep = @1\nfinal_step = @0.1",
            "kind = \"power_decay\"\nstep = @1\nexponent = 0.6\ndelay = 10",
            "kind = \"piecewise\"\nfrom = [0, " + half + "]\nstep = [@1, @0.3]",
            "kind = \"tabulated\"\nat = [0, " + half + "]\nstep = [@1, @0.5]",
            "kind = \"constant\"\nstep = @1\nwarmup = 5", "kind = \"linear\"\nstep = @1",
            "kind = \"polynomial\"\nstep = @1\nexponent = 1.5\nshare = \"elapsed\"",
            "kind = \"wsd\"\nstep = @1\nfinal_step = @0.1\nwarmup = 5"});
  }

  Random random_;
};

}  // namespace riskcurve::random_problems
