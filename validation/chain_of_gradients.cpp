// The steps of SGD's chain on gradients from standard input, by what runs take their steps with:
//     chain_of_gradients STEP MOMENTUM DAMPENING NESTEROV L2 DIMENSION
// reads theta_0, then one gradient after the other, and prints theta after each. torch_sgd.py holds
// it to another's.
#include <cstdio>
#include <cstdlib>
#include <iostream>

#include "riskcurve/problem/schedule.hpp"
#include "simulate/chain.hpp"

namespace {

bool read(Eigen::VectorXd& numbers) {
  for (double& x : numbers)
    if (!(std::cin >> x)) return false;
  return true;
}

}  // namespace

int main(int count, char** words) {
  using namespace riskcurve;
  if (count != 7) return 2;
  const auto number = [&](int i) { return std::strtod(words[i], nullptr); };
  const Schedule step = constant_schedule(number(1));
  Chain chain;
  if (number(2) > 0) chain.momentum = constant_schedule(number(2));
  chain.dampening = number(3);
  chain.nesterov = number(4) != 0;
  chain.l2 = number(5);
  Eigen::VectorXd theta(static_cast<Eigen::Index>(number(6))), gradient = theta;
  if (!read(theta)) return 2;
  // theta* = 0: points are theta itself.
  ChainRun<Eigen::VectorXd> run(chain, step, dampens(Sgd{}), theta,
                                Eigen::VectorXd::Zero(theta.size()));
  for (long k = 0; read(gradient); ++k) {
    run.step(k, [&](int, const auto&, Eigen::VectorXd& update) { update = gradient; }, {});
    for (const double x : run.point()) std::printf("%.17g ", x);
    std::printf("\n");
  }
}
