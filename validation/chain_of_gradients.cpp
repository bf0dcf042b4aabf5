// The steps of an optimizer and its chain on gradients from standard input, by what runs take their
// steps with:
//     chain_of_gradients FILE
// takes optimizer and step size of a problem file, reads theta_0 (of the problem's dimension), then
// one gradient after the other, and prints theta after each. torch_steps.py holds it to another's.
#include <cstdio>
#include <iostream>

#include "riskcurve/input/input.hpp"
#include "simulate/chain.hpp"
#include "simulate/registration.hpp"
#include "simulate/update.hpp"

namespace {

bool read(Eigen::VectorXd& numbers) {
  for (double& x : numbers)
    if (!(std::cin >> x)) return false;
  return true;
}

}  // namespace

int main(int count, char** words) {
  using namespace riskcurve;
  if (count != 2) return 2;
  const Experiment experiment = read_experiment(words[1]);
  const Update update = update_for<Update>(experiment.optimizer, experiment.vector());
  Eigen::VectorXd theta(static_cast<Eigen::Index>(experiment.dimension())), gradient = theta;
  if (!read(theta)) return 2;
  // theta* = 0: points are theta itself.
  ChainRun<Eigen::VectorXd> run(experiment.chain, experiment.schedule,
                                buffer_of(experiment.optimizer), update.map, theta,
                                Eigen::VectorXd::Zero(theta.size()));
  for (long k = 0; read(gradient); ++k) {
    run.step(k, [&](int, const auto&, Eigen::VectorXd& step) { step = gradient; });
    for (const double x : run.point()) std::printf("%.17g ", x);
    std::printf("\n");
  }
}
