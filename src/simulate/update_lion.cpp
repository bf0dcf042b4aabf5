#include "simulate/matrix_update.hpp"
#include "simulate/signs.hpp"
#include "simulate/update.hpp"

namespace riskcurve {
namespace {

template <class Point>
GradientMap<Point> lion_map(const Lion& lion) {
  return [betas = lion.betas, m = Point()](Point& gradient) mutable {
    if (m.size() == 0) m = Point::Zero(gradient.rows(), gradient.cols());
    const Point seen = betas[0] * m + (1 - betas[0]) * gradient;
    m = betas[1] * m + (1 - betas[1]) * gradient;
    gradient = seen;
    take_signs(gradient);
  };
}

}  // namespace

Update update_of(const Lion& lion, const VectorProblem&) {
  return {false, mean_gradient, [lion] { return lion_map<Eigen::VectorXd>(lion); }};
}

MatrixUpdate update_of(const Lion& lion, const MatrixProblem&) {
  return {false, gradient, [lion] { return lion_map<Eigen::MatrixXd>(lion); }};
}

}  // namespace riskcurve
