#include "riskcurve/dynamics/optimizers.hpp"

#include <fmt/format.h>

#include <type_traits>
#include <utility>

namespace riskcurve {
namespace {

/// Whether there is a mode_system(problem, optimizer).
template <class Problem, class Of>
constexpr bool exists = requires(const Problem& problem, const Of& of) {
  mode_system(problem, of);
};

template <class Problem>
std::vector<std::string> names_for() {
  std::vector<std::string> names;
  const auto add = [&]<class Of>(std::type_identity<Of>) {
    if (exists<Problem, Of>) names.emplace_back(Of::name);
  };
  [&]<class... Of>(std::type_identity<std::variant<Of...>>) {
    (add(std::type_identity<Of>{}), ...);
  }(std::type_identity<Optimizer>{});
  return names;
}

template <class Problem, class Of>
ModeSystem filled(const Problem& problem, const Of& optimizer, Grids grids) {
  if constexpr (requires { mode_system(problem, optimizer, grids); }) {
    return mode_system(problem, optimizer, grids);
  } else if constexpr (exists<Problem, Of>) {
    return mode_system(problem, optimizer);
  } else {
    throw InputError("optimizer.name", fmt::format("'{}'", Of::name),
                     fmt::format("one of \"{}\"", fmt::join(names_for<Problem>(), "\", \"")));
  }
}

/// Names what makes rates overflow by its name in the problem.
void check_rates(const ModeSystem& system, const Experiment& experiment) {
  if (system.weight.allFinite() && system.drift.allFinite() && system.diffusion.allFinite()) return;
  std::string name = "problem.covariance";
  const Covariance* largest = nullptr;
  if (experiment.is_matrix()) {
    const MatrixProblem& problem = experiment.matrix();
    const bool out = problem.covariance_out.spectrum.norm() > problem.covariance_in.spectrum.norm();
    largest = out ? &problem.covariance_out : &problem.covariance_in;
    name += out ? "_out" : "_in";
  } else {
    largest = &experiment.vector().covariance;
  }
  throw InputError(name + ", largest eigenvalue", largest->spectrum.norm(),
                   "less: the rates of " + system.optimizer + " are beyond the largest number");
}

}  // namespace

std::vector<std::string> optimizer_names(bool matrix) {
  return matrix ? names_for<MatrixProblem>() : names_for<VectorProblem>();
}

ModeSystem mode_system(const Experiment& experiment, Grids grids) {
  validate(experiment.optimizer);
  ModeSystem system =
      std::visit([&](const auto& problem, const auto& of) { return filled(problem, of, grids); },
                 experiment.problem, experiment.optimizer);
  system.optimizer = name_of(experiment.optimizer);
  check_rates(system, experiment);
  const auto remark = [&](const Covariance& covariance) {
    if (!covariance.remark.empty()) system.warnings.push_back(covariance.remark);
  };
  if (experiment.is_matrix()) {
    remark(experiment.matrix().covariance_out);
    remark(experiment.matrix().covariance_in);
  } else {
    remark(experiment.vector().covariance);
  }
  return system;
}

std::optional<Spectral> spectral_of(const Experiment& experiment) {
  if (!experiment.is_matrix()) return {};
  return std::visit(
      [](const auto& optimizer) -> std::optional<Spectral> {
        if constexpr (requires { spectral_function(optimizer); }) {
          return Spectral{spectral_function(optimizer), optimizer.batch};
        } else {
          return {};
        }
      },
      experiment.optimizer);
}

}  // namespace riskcurve
