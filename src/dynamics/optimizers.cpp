#include "riskcurve/dynamics/optimizers.hpp"

#include <fmt/format.h>

#include <type_traits>
#include <utility>

namespace riskcurve {
namespace {

SpectralOptimizer spectral_terms(const SignSvd& o) {
  return {SpectralOptimizer::Kind::sign_svd, o.batch, 0, 0};
}
SpectralOptimizer spectral_terms(const Schatten& o) {
  return {SpectralOptimizer::Kind::schatten, o.batch, o.exponent, 0};
}
SpectralOptimizer spectral_terms(const RegularizedSvd& o) {
  return {SpectralOptimizer::Kind::regularized_svd, o.batch, 0, o.epsilon};
}

template <class Problem>
ModeSystem fill(const Problem& problem, const Sgd& optimizer, Grids) {
  return sgd(problem, optimizer);
}
template <class Problem>
ModeSystem fill(const Problem& problem, const SignSgd& optimizer, Grids) {
  return sign_sgd(problem, optimizer);
}
ModeSystem fill(const VectorProblem& problem, const ClippedSgd& optimizer, Grids) {
  return clipped_sgd(problem, optimizer);
}
template <class Spectral>
  requires requires(const Spectral& o) { spectral_terms(o); }
ModeSystem fill(const MatrixProblem& problem, const Spectral& optimizer, Grids grids) {
  return spectral(problem, spectral_terms(optimizer), grids);
}

template <class Problem, class Of>
constexpr bool exists =
    requires(const Problem& problem, const Of& of) { fill(problem, of, Grids::whole); };

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

}  // namespace

std::vector<std::string> optimizer_names(bool matrix) {
  return matrix ? names_for<MatrixProblem>() : names_for<VectorProblem>();
}

ModeSystem mode_system(const Experiment& experiment, Grids grids) {
  validate(experiment.optimizer);
  ModeSystem system = std::visit(
      [&]<class Problem, class Of>(const Problem& problem, const Of& optimizer) -> ModeSystem {
        if constexpr (exists<Problem, Of>) {
          return fill(problem, optimizer, grids);
        } else {
          throw InputError("optimizer.name", fmt::format("'{}'", Of::name),
                           fmt::format("one of \"{}\"",
                                       fmt::join(names_for<Problem>(), "\", \"")));
        }
      },
      experiment.problem, experiment.optimizer);
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
        if constexpr (requires { spectral_terms(optimizer); }) {
          return Spectral{spectral_function(spectral_terms(optimizer)), optimizer.batch};
        } else {
          return {};
        }
      },
      experiment.optimizer);
}

}  // namespace riskcurve
