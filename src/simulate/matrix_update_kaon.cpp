#include <utility>

#include "simulate/singular_values.hpp"

namespace riskcurve {
namespace {

GradientMap<Eigen::MatrixXd> kaon_map(const UniformValues& values, Random own) {
  return [values, own](Eigen::MatrixXd& gradient) mutable {
    const SingularMap map{
        [&](double) { return values.from + (values.to - values.from) * own.uniform(); }};
    map_singular_values(map, gradient);
  };
}

}  // namespace

MatrixUpdate update_of(const Kaon& kaon, const MatrixProblem&) {
  MatrixUpdate update{true, gradient};
  update.random_map = [values = std::get<UniformValues>(kaon.spectrum.value())](Random own) {
    return kaon_map(values, std::move(own));
  };
  return update;
}

}  // namespace riskcurve
