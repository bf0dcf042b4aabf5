#pragma once
#include <gtest/gtest.h>

#include "power_law_problem.hpp"
#include "riskcurve/analysis/predict.hpp"
#include "riskcurve/dynamics/optimizers.hpp"

namespace riskcurve {

inline Experiment experiment_on(const VectorProblem& problem, const Optimizer& optimizer,
                                double step, double steps, int points = 8) {
  Experiment e;
  e.problem = problem;
  e.optimizer = optimizer;
  e.schedule = constant_schedule(step);
  e.run = run_for(steps, points);
  return e;
}

/// The predicted risk, step by step and with every mode.
inline Eigen::ArrayXd stepped_risk(const Experiment& e) {
  SolveOptions options;
  options.method = Method::recursion;
  options.keep_modes = true;
  const RiskCurve curve = predict(e, options).curve;
  EXPECT_EQ(curve.status, RiskCurve::Status::ok) << curve.message;
  return curve.risk;
}

inline double curves_apart(const Eigen::ArrayXd& a, const Eigen::ArrayXd& b) {
  return (a / b - 1).abs().maxCoeff();
}

/// Eight eigenvalues from 1 to 1/4, in equal parts.
inline VectorProblem eight_values(double dimension, Orientation orientation, double noise,
                                  double risk) {
  Spectrum spectrum;
  spectrum.value = (Eigen::ArrayXd::LinSpaced(8, 0, -1) * std::log(4.0)).exp();
  spectrum.multiplicity = Eigen::ArrayXd::Constant(8, dimension / 8);
  spectrum.last = Eigen::ArrayXd::LinSpaced(8, 1, 8) * dimension / 8;
  spectrum.first = spectrum.last - dimension / 8 + 1;
  VectorProblem problem{from_spectrum(spectrum, orientation), gaussian_noise(noise), {}, {}, {}};
  problem.initial = isotropic_target(spectrum, risk);
  return problem;
}

}  // namespace riskcurve
