#pragma once
#include <initializer_list>
#include <iterator>
#include <memory>
#include <string>

#include "optimizer_text.hpp"
#include "riskcurve/problem/problem.hpp"

namespace riskcurve::testing_problems {

/// An experiment recorded at the given steps, with a constant step size.
inline Experiment experiment(VectorProblem problem, const std::string& optimizer, double step,
                             const Eigen::ArrayXd& at) {
  Experiment e;
  e.problem = std::move(problem);
  e.optimizer = optimizer_of(optimizer);
  e.schedule = constant_schedule(step);
  e.run = {at[at.size() - 1], at};
  return e;
}

inline VectorProblem problem(Covariance covariance, double risk, NoiseLaw noise = no_noise()) {
  VectorProblem p;
  p.initial = isotropic_target(covariance.spectrum, risk);
  p.covariance = std::move(covariance);
  p.noise = std::move(noise);
  return p;
}

/// A small data set with labels y = <x, theta*> + epsilon, started from theta_0 - theta* = delta.
inline VectorProblem rows_problem(const Eigen::MatrixXd& x, const Eigen::VectorXd& delta,
                                  const Eigen::ArrayXd& residuals) {
  VectorProblem p;
  auto rows = std::make_shared<DataRows>();
  rows->x = x;
  p.covariance = from_rows(rows);
  p.covariance.sample_rows = true;
  p.initial_error = delta;
  p.row_residuals = residuals;
  p.noise = empirical_noise(residuals);
  p.initial = isotropic_target(p.covariance.spectrum, 1);
  return p;
}

inline Eigen::ArrayXd steps(std::initializer_list<double> at) {
  return Eigen::Map<const Eigen::ArrayXd>(at.begin(), std::ssize(at));
}

}  // namespace riskcurve::testing_problems
