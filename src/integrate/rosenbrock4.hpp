#pragma once
#include <functional>
#include <memory>
#include <utility>
#include <vector>

namespace riskcurve {

/// Odeint's dense-output rosenbrock4 behind a wall: its uBLAS headers need C++17.
class Rosenbrock4 {
 public:
  using Rate = std::function<void(const double* x, double* dxdt, double t)>;
  using Jacobian = std::function<void(const double* x, double* matrix, double* dfdt, double t)>;
  Rosenbrock4(std::size_t size, Rate rate, Jacobian jacobian, double rtol, double atol);
  ~Rosenbrock4();
  void initialize(const std::vector<double>& x, double t, double dt);
  std::pair<double, double> do_step();
  void calc_state(double t, std::vector<double>& x);
  std::vector<double> current_state() const;
  double current_time() const;
  double current_time_step() const;
  long evaluations() const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace riskcurve
